"""Every command that reads results: a classifier's, those of before experiments, a study's."""

import sys

import numpy as np
import pytest
from matplotlib.image import imread

from memjax import cli
from reference.sweeps import as_older

AXES = {"levels": [4, 8, 64], "sigma_c2c": [0.0, 1.0, 3.0]}


def error(levels, sigma_c2c):
    return 0.05 + 0.5 / levels + 0.1 * sigma_c2c


@pytest.fixture(params=["classifier", "older", "study"])
def kind(request):
    return request.param


@pytest.fixture
def stored(kind, make, study, device, fail, monkeypatch, tmp_path):
    """Two directories of results of a kind, the second's somewhat better."""
    one, two = study(AXES, error), study(AXES, lambda **at: 0.8 * error(**at))
    if kind != "study":
        one, two = make(AXES, device), make(AXES, lambda **at: device(**at) + 0.02)
    one = fail(one, from_epoch=4.0, levels=4, sigma_c2c=3.0)
    if kind == "older":
        one, two = as_older(one), as_older(two)
    held = {"one": one, "two": two}
    monkeypatch.setattr("memjax.sweep.store.directory.load", lambda path: held[path.name])
    for name in held:
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def memjax(monkeypatch, capsys):
    """The command in this process: its output."""

    def memjax(*args: object) -> str:
        monkeypatch.setattr(sys, "argv", ["memjax", *map(str, args)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capsys.readouterr()
        assert (stopped.value.code, err) == (None, "")
        return out

    return memjax


COMMANDS = {
    "plot": ["one"],
    "report": ["one"],
    "explain": ["one"],
    "sensitivity": ["one", "--plot", "one/picture.png"],
    "compare": ["one", "two", "--plot", "one/picture.png"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_speak_of_the_objective(command, kind, stored, memjax, monkeypatch):
    monkeypatch.chdir(stored)
    said = memjax(command, *COMMANDS[command])
    assert "nan" not in said and max(map(len, said.splitlines())) <= 100
    for picture in (stored / "one").glob("*.png"):
        assert np.ptp(imread(picture)) > 0
    alien = ("accuracy", "chance", "baseline", "epoch", "%") if kind == "study" else ("guess", " V")
    shares = {"plot", "sensitivity"}  # in percent whatever the objective
    assert not any(word in said for word in alien if word != "%" or command not in shares)


def test_a_table_and_a_comparison_end_alike_but_for_words(kind, stored, memjax, monkeypatch):
    monkeypatch.chdir(stored)
    table, compared = memjax("plot", "one"), memjax("compare", "one", "two")
    cells = "45 (9 cells x 5 seeds), 5" if kind != "study" else "36 (9 cells x 4 seeds), 4"
    guess = "chance (10 %)" if kind != "study" else "guess (1 V)"
    assert f"lanes: {cells} failed, counted at {guess}" in table
    assert "two - one: " in compared and "beyond noise: " in compared and " 0 worse" in compared
    assert ("float baseline of one" in compared) == (kind != "study")
    curves = "curves.png" if kind == "study" else "learning_curves.png"
    assert f"pictures: {', '.join(sorted(['heatmap.png', 'main_effects.png', curves]))}" in table
