"""docs/algorithms.md: its code runs, and it names every algorithm."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import memjax
from memjax.sweep import Spec, run
from memjax.updates import ALGORITHMS

PAGE = (Path(__file__).parents[2] / "docs" / "algorithms.md").read_text()


@pytest.fixture
def scope(monkeypatch):
    """What a reader of the page gets, and no trace of it afterwards."""
    monkeypatch.setitem(ALGORITHMS, "threshold", ALGORITHMS["sgd"])
    found: dict = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.S):
        exec(code, found)
    return found


def test_its_code_runs(scope):
    held = memjax.readout(scope["state"], scope["params"])
    assert held.keys() == {"kernel", "bias"}


def test_an_algorithm_of_ones_own_fires_and_sweeps(scope):
    device = memjax.devices.ConstantStep(levels=11)
    tx = memjax.in_situ(scope["Threshold"](threshold=0.5), 1.0, device, key=jax.random.key(0))
    p = jnp.zeros(4)
    change, _ = tx.update(jnp.array([0.06, -0.06, 0.04, 5.0]), tx.init(p), p)
    np.testing.assert_allclose(change, [-0.1, 0.1, 0.0, -0.1], atol=1e-6)
    train = {"algorithm": "threshold", "epochs": 4, "learning_rate": 1.0, "batch_size": 25}
    raw = {"seeds": 1, "device": {"levels": 100}, "train": train}
    spec = Spec.from_dict({"axes": {"threshold": [0.5, 100.0]}, **raw})
    some, none = run(spec).test_accuracy.isel(epoch=-1, seed=0).values
    assert some > 0.5 and none < 0.2  # at 100 it never fires


def test_it_states_the_arrays_of_every_algorithm():
    for name, algorithm in ALGORITHMS.items():
        (row,) = re.findall(rf"^\| `{name}` \| `\w+` \| (\d)", PAGE, re.M)
        assert int(row) == algorithm.arrays
