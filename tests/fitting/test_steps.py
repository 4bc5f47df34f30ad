"""Tables of steps against conductance."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from memjax.devices import load, pulse_response
from memjax.errors import DataError
from memjax.fitting.steps import jump_table_of_steps

G = np.linspace(1e-6, 9e-6, 9)


def mean_up(g):
    return 4e-7 * (1.0 - 0.8 * (g - 1e-6) / 8e-6)


def mean_down(g):
    return -2e-7 - 0.02 * (g - 1e-6)


def rows(values):
    """A table with a row a conductance and direction; ``values(mean, sd)`` gives the columns."""
    found = []
    for direction, mean in (("up", mean_up(G)), ("down", mean_down(G))):
        for g, m in zip(G, mean, strict=True):
            found.append({"direction": direction, "conductance_S": g, **values(m, 0.3 * abs(m))})
    return pd.DataFrame(found)


def quantiles(mean, sd):
    return {f"{p} %": stats.norm.ppf(p / 100, mean, sd) for p in (1, 5, 25, 50, 75, 95, 99)}


def samples():
    rng = np.random.default_rng(0)
    g = rng.uniform(1e-6, 9e-6, 4000)
    up = np.arange(4000) % 2 == 0
    mean = np.where(up, mean_up(g), mean_down(g))
    step = mean + 0.3 * np.abs(mean) * rng.normal(size=4000)
    names = np.where(up, "SET", "RESET")
    return pd.DataFrame({"direction": names, "G (uS)": 1e6 * g, "dG (nS)": 1e9 * step})


@pytest.mark.parametrize(
    "table",
    [
        rows(lambda m, sd: {"mean_S": m, "sd_S": sd}),
        rows(lambda m, sd: {"mean (nS)": 1e9 * abs(m), "sd (nS)": 1e9 * sd}),
        rows(quantiles),
        samples(),
    ],
    ids=["moments", "sizes", "quantiles", "samples"],
)
def test_steps_have_the_mean_and_the_spread_of_the_table(table, tmp_path):
    path = tmp_path / "steps.csv"
    table.to_csv(path, index=False)
    device = jump_table_of_steps(path, rows=9, columns=17)
    np.testing.assert_allclose((device.gmax, device.on_off), (9e-6, 9.0), rtol=0.01)
    step = 8e-6 / (device.levels - 1)
    for found, mean in ((device.up_quantiles, mean_up(G)), (device.down_quantiles, mean_down(G))):
        found = step * np.asarray(found)
        # A mean over equally spaced probabilities of 17 quantiles; samples: 200 a row, 2 %.
        np.testing.assert_allclose(found[1:-1].mean(axis=1), mean[1:-1], rtol=0.08)
        quarter = found[:, 12] - found[:, 4]
        np.testing.assert_allclose(quarter[1:-1], 0.3 * 1.349 * abs(mean[1:-1]), rtol=0.25)


def test_the_command_writes_a_device(tmp_path, monkeypatch, capsys):
    import sys

    from memjax import cli

    rows(quantiles).to_csv(tmp_path / "steps.csv", index=False)
    out, picture = tmp_path / "mine.toml", tmp_path / "mine.png"
    command = ["memjax", "fit", str(tmp_path / "steps.csv"), "--jumps", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", [*command, "--plot", str(picture)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code and picture.stat().st_size > 10_000
    assert "window 1e-06 S to 9e-06 S, on/off 9" in capsys.readouterr().out
    assert float(pulse_response(load(out), 5, 0)[-1]) > 0.1


def test_sizes_of_steps_down_of_which_most_are_none(tmp_path):
    table = samples()
    table["dG (nS)"] = table["dG (nS)"].abs()
    table.loc[table.index % 5 > 1, "dG (nS)"] = 0.0
    table.to_csv(tmp_path / "steps.csv", index=False)
    device = jump_table_of_steps(tmp_path / "steps.csv")
    assert np.all(np.asarray(device.down_quantiles) <= 0) and np.any(device.down_quantiles)


def test_a_reading_beyond_the_meters_range_is_no_step(tmp_path):
    table = samples()
    table.loc[[0, 1], "G (uS)"] = 9.9e37
    table.to_csv(tmp_path / "steps.csv", index=False)
    assert jump_table_of_steps(tmp_path / "steps.csv").gmax == pytest.approx(9e-6, rel=0.01)


def test_the_command_takes_no_option_that_would_do_nothing(tmp_path, monkeypatch, capsys):
    import sys

    from memjax import cli

    rows(quantiles).to_csv(tmp_path / "steps.csv", index=False)
    for option in (["--model", "SoftBounds"], ["--read-voltage", "1"], ["--normalised"]):
        monkeypatch.setattr(sys, "argv", ["memjax", "fit", "steps.csv", "--jumps", *option])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert stopped.value.code == 2
        assert f"--jumps: {option[0]} has no effect on it; leave it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("direction,conductance_S\nup,1e-6\n", "t.csv:1: no table of steps: give direction,"),
        ("direction,conductance_S,dG_S\nup,1e-6,1e-8\n", "t.csv: no steps down: give"),
        ("direction,conductance_S,dG_S\nx,1e-6,1e-8\n", "t.csv:2: direction: no direction: write"),
        ("direction,conductance_S,dG_S\nup,1e-6,a\n", "t.csv:2: dG_S: 'a' is not a number"),
        (
            "direction,conductance_S,5%,95%\nup,1e-6,2e-8,1e-8\ndown,1e-6,1e-8,2e-8\n",
            "t.csv: quantiles up fall: order them",
        ),
        (
            "direction,conductance_S,dG_S\ndown,1e-6,1e-7\nup,1e-6,-1e-7\nup,2e-6,-1e-7\n",
            "t.csv:3: dG_S: steps up are -1e-07 S in the mean, the wrong way or none: swap up and",
        ),
        (
            "direction,conductance_S,dG_S\nup,1e-6,0\ndown,2e-6,0\n",
            "t.csv:2: dG_S: steps up are 0 S in the mean, the wrong way or none",
        ),
        (
            "direction,conductance_S,mean_S,sd_S\nup,1e-6,1e-8,-1e-9\ndown,2e-6,1e-8,1e-9\n",
            "t.csv:2: sd_S: below 0: correct the standard deviation",
        ),
        ("direction,conductance_S,dG_S\nup,1e-6,1e-8\ndown,1e-6,1e-8\n", "all steps begin at"),
        (
            "direction,conductance_S,dG_S\nup,1e-6,1e-8\ndown,2e-6,1e-8\n",
            "jump_table: 1 steps up: give at least 9, or fewer columns",
        ),
        (
            "direction,conductance_S,dG_S\nup,1e-6,inf\ndown,2e-6,1e-8\n",
            "t.csv:2: dG_S: no step: leave the row out",
        ),
        (
            "direction,I (nA),dG_S\nup,1,1e-8\ndown,2,1e-8\n",
            "t.csv:1: I (nA): steps begin at conductances",
        ),
    ],
)
def test_bad_tables(tmp_path, monkeypatch, text, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError) as error:
        jump_table_of_steps("t.csv")
    assert said in str(error.value)
