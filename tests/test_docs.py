"""The code in docs/ runs as it stands."""

import re
from pathlib import Path

import jax
import numpy as np
import pytest

from memjax.devices import MODELS, pulse_response
from memjax.sweep import Spec, run

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def own_device(monkeypatch):
    """What a reader of docs/extending.md gets, and no trace of it afterwards."""
    for name, model in MODELS.items():
        monkeypatch.setitem(MODELS, name, model)
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "extending.md").read_text(), re.S)
    scope: dict = {}
    exec(code, scope)
    yield scope["PowerStep"]
    del MODELS["PowerStep"]


def test_a_device_of_ones_own_pulses_and_sweeps(own_device):
    device = own_device(levels=11, gamma=2.0)
    after = np.asarray(pulse_response(device, 2, 0))
    assert np.allclose(after, [0, 0.1, 0.1 + 0.1 * 0.9**2], rtol=1e-6)
    population = jax.vmap(lambda key: pulse_response(device, 50, 50, key=key))(
        jax.random.split(jax.random.key(0), 4)
    )
    assert np.all((population >= 0) & (population <= 1))
    results = run(
        Spec.from_dict(
            {
                "seeds": 1,
                "axes": {"gamma": [0.0, 2.0]},
                "device": {"model": "PowerStep", "levels": 64},
                "cell": {"weight_range": 1.0},
                "train": {"epochs": 2},
            }
        )
    )
    assert results.test_accuracy.dims == ("gamma", "seed", "epoch")
    final = results.test_accuracy.isel(epoch=-1, seed=0)
    # gamma = 0 is the constant step; soft bounds decay towards 0 as they learn (chance: 0.1).
    assert float(final.sel(gamma=0)) > 0.8 > float(final.sel(gamma=2))
