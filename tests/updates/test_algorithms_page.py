"""docs/algorithms.md: its code runs, and it names every algorithm."""

import re
from pathlib import Path

import memjax
from memjax.updates import ALGORITHMS

PAGE = (Path(__file__).parents[2] / "docs" / "algorithms.md").read_text()


def test_its_code_runs():
    scope: dict = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.S):
        exec(code, scope)
    held = memjax.readout(scope["state"], scope["params"])
    assert held.keys() == {"kernel", "bias"}


def test_it_states_the_arrays_of_every_algorithm():
    for name, algorithm in ALGORITHMS.items():
        (row,) = re.findall(rf"^\| `{name}` \| `\w+` \| (\d)", PAGE, re.M)
        assert int(row) == algorithm.arrays
