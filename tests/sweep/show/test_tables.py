"""The table says what the dataset says, in 80 columns."""

import io

from rich.console import Console

from memjax.sweep.analysis.effects import best_cell, main_effects
from memjax.sweep.show.tables import summary
from reference.sweeps import as_older


def printed(ds) -> str:
    stream = io.StringIO()
    Console(width=80, file=stream).print(summary(ds))
    return stream.getvalue()


def row(text: str, parameter: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"│ {parameter}"))


def test_rows_hold_shares_values_and_accuracies(make, device):
    ds = make({"levels": [4, 8, 64], "sigma_c2c": [0, 0.5, 3.0], "on_off": [2, 10]}, device)
    text, effects = printed(ds), main_effects(ds)
    for parameter in effects.index:
        assert f"{100 * effects.loc[parameter, 'share']:.1f} %" in row(text, parameter)
    found = effects.loc["sigma_c2c"]
    means = f"{100 * found['worst_mean']:.1f} → {100 * found['best_mean']:.1f} %"
    assert "3 → 0 " in row(text, "sigma_c2c")
    assert means in row(text, "sigma_c2c")
    assert "█" * 11 in row(text, "sigma_c2c")
    assert "█" not in row(text, "on_off")
    assert max(map(len, text.splitlines())) <= 80


def test_caption_tells_baseline_best_cell_and_lanes(make, device):
    ds = make({"levels": [4, 64], "sigma_c2c": [0.0, 3.0]}, device)
    text = printed(ds)
    last, best = 100 * ds["baseline_accuracy"].isel(epoch=-1), 100 * best_cell(ds)
    assert f"float baseline: {float(last.mean()):.1f} ± {float(last.std(ddof=1)):.1f} %" in text
    assert f"best cell: {float(best.mean()):.1f} ± {float(best.std(ddof=1)):.1f} %" in text
    assert "at levels 64, sigma_c2c 0" in text
    assert "lanes: 20 (4 cells x 5 seeds), none failed" in text


def test_failed_lanes_are_counted(make, fail):
    text = printed(fail(make({"a": [1, 2, 3]}), a=2))
    assert "lanes: 15 (3 cells x 5 seeds), 5 failed, counted at chance (10 %)" in text
    assert "10.0 → " in row(text, "a")


def test_seeds_alone_and_one_seed(make):
    text = printed(make({}, seeds=1, noise=0.0))
    assert "best cell: 90.0 %" in text
    assert "(1 cell x 1 seed)" in text
    assert "100.0 %" in row(printed(make({})), "seeds")


def test_brackets_in_names_are_not_markup(make):
    ds = make({"rule": ["[red]a", "b[/]"]}, lambda rule: 0.5 + 0.1 * rule.startswith("["))
    assert "b[/] → [red]a" in printed(ds)


def test_five_axes_fit(make, device):
    axes = {"levels": [4, 64], "sigma_c2c": [0.0, 3.0], "learning_rate": [0.01, 0.1]}
    axes |= {"weight_range": [0.5, 1.0], "algorithm": ["memristive_sgd", "tiki_taka_version_2"]}
    text = printed(make(axes, device, epochs=1, seeds=2))
    assert max(map(len, text.splitlines())) <= 80
    for name in axes:
        assert row(text, name)


def error(levels, sigma_c2c):
    return 0.05 + 0.5 / levels + 0.1 * sigma_c2c


def test_a_study_is_told_in_its_units_from_worst_to_best(study, fail):
    ds = study({"levels": [4, 64], "sigma_c2c": [0.0, 3.0]}, error, noise=0.0)
    text = printed(ds)
    assert "4 → 64" in row(text, "levels") and "0.325 → 0.208 V" in row(text, "levels")
    assert "3 → 0" in row(text, "sigma_c2c") and "0.416 → 0.116 V" in row(text, "sigma_c2c")
    assert "mean rms error" in text and "baseline" not in text and "reference" not in text
    assert "best cell: 0.0578 ± 0 V at levels 64, sigma_c2c 0" in text
    lost = printed(fail(ds, from_epoch=1.0, levels=4))
    assert "8 failed, counted at guess (1 V)" in lost and "1 → 0.208 V" in row(lost, "levels")


def test_older_results_have_the_same_table(make, device, fail):
    ds = fail(make({"levels": [4, 64], "sigma_c2c": [0.0, 3.0]}, device), sigma_c2c=3.0)
    assert printed(as_older(ds)) == printed(ds)
    assert "counted at chance (10 %)" in printed(ds)


def test_a_sweep_that_guesses_says_so_before_it_names_a_best_cell(make, device):
    text = printed(make({"a": [1, 2, 3], "b": [1, 2]}, lambda a, b: 0.04 + 0.02 * a + 0.02 * b))
    warning, best = text.index("all cells are at chance (10 %): 8."), text.index("best cell: ")
    assert warning < best and "is luck" in text
    assert "at chance" not in printed(make({"levels": [4, 64]}, device))
