"""Sobol indices against closed forms, SALib, and simulation."""

import io

import numpy as np
import pytest
import xarray as xr
from rich.console import Console
from SALib.analyze import sobol as salib_analyze
from SALib.sample import sobol as salib_sample
from SALib.test_functions import Ishigami

from memjax.errors import UserError
from memjax.sweep.analysis.effects import main_effects
from memjax.sweep.analysis.sensitivity import sobol_indices
from memjax.sweep.show.sensitivity_plot import sensitivity_figure
from memjax.sweep.show.sensitivity_table import summary
from reference.sweeps import as_older, with_keys

CENTRED = {"x": [-1.0, 0.0, 1.0], "y": [-3.0, -1.0, 1.0, 3.0]}


def indices(frame, kind: str) -> dict:
    rows = frame[frame["kind"] == kind]
    names = rows["parameter"] + rows["other"].map(lambda other: f" {other}" if other else "")
    return dict(zip(names, rows["index"], strict=True))


def cube(values: np.ndarray, names: str) -> xr.Dataset:
    """A sweep of these accuracies [axes..., seed]."""
    dims = (*names, "seed")
    data = {"test_accuracy": ((*dims, "epoch"), values[..., None])}
    data |= {"status": (dims, np.zeros(values.shape, int))}
    return xr.Dataset(data, {"epoch": [1]}, {"n_classes": 10})


def printed(ds) -> str:
    stream = io.StringIO()
    Console(width=80, file=stream).print(summary(ds, sobol_indices(ds)))
    return stream.getvalue()


def test_additive_function_has_first_order_indices_that_sum_to_one(make):
    ds = make(CENTRED, lambda x, y: 0.5 + 0.1 * x + 0.02 * y, noise=0.0)
    frame = sobol_indices(ds)
    a, b = 0.01 * 2 / 3, 0.0004 * 5
    assert indices(frame, "first") == pytest.approx({"x": a / (a + b), "y": b / (a + b)}, abs=1e-6)
    assert indices(frame, "total") == pytest.approx(indices(frame, "first"), abs=1e-6)
    assert indices(frame, "second") == pytest.approx({"x y": 0}, abs=1e-6)
    assert indices(frame, "noise") == pytest.approx({"seed": 0}, abs=1e-6)


def test_centred_product_is_all_interaction(make):
    frame = sobol_indices(make(CENTRED, lambda x, y: 0.5 + 0.1 * x * y, noise=0.0))
    assert indices(frame, "first") == pytest.approx({"x": 0, "y": 0}, abs=1e-6)
    assert indices(frame, "total") == pytest.approx({"x": 1, "y": 1}, abs=1e-6)
    assert indices(frame, "second") == pytest.approx({"x y": 1}, abs=1e-6)


def test_ishigami_and_salib():
    """On a fine grid, the closed form; on a coarse one, SALib's sampled estimates of it."""

    def on_grid(size: int) -> np.ndarray:
        points = np.pi * ((2 * np.arange(size) + 1) / size - 1)
        grid = np.stack(np.meshgrid(points, points, points, indexing="ij"), -1)
        return Ishigami.evaluate(grid.reshape(-1, 3)).reshape(size, size, size)

    frame = sobol_indices(cube(on_grid(40)[..., None], "abc"))
    exact = {"a": 0.3139, "b": 0.4424, "c": 0.0}
    assert indices(frame, "first") == pytest.approx(exact, abs=2e-3)
    assert indices(frame, "total") == pytest.approx(
        {"a": 0.5576, "b": 0.4424, "c": 0.2437}, abs=2e-3
    )
    assert indices(frame, "second") == pytest.approx({"a b": 0, "a c": 0.2437, "b c": 0}, abs=2e-3)
    coarse = on_grid(5)
    frame = sobol_indices(cube(coarse[..., None], "abc"))
    problem = {"num_vars": 3, "names": list("abc"), "bounds": [[0, 5]] * 3}
    places = salib_sample.sample(problem, 4096, seed=1).astype(int)
    found = salib_analyze.analyze(problem, coarse[tuple(places.T)], num_resamples=2, seed=1)
    assert list(indices(frame, "first").values()) == pytest.approx(found["S1"], abs=0.02)
    assert list(indices(frame, "total").values()) == pytest.approx(found["ST"], abs=0.02)
    pairs = found["S2"][np.triu_indices(3, 1)]
    assert list(indices(frame, "second").values()) == pytest.approx(pairs, abs=0.03)


def test_three_axes_against_least_squares():
    """With indicator columns an effect's variance is what its columns add to the fit."""
    rng = np.random.default_rng(3)
    y = rng.random((2, 3, 4, 1))
    a, b, c = (i.ravel() for i in np.indices((2, 3, 4)))

    def explained(*groups: np.ndarray) -> float:
        columns = np.concatenate([np.ones((24, 1))] + [np.eye(g.max() + 1)[g] for g in groups], 1)
        fit = columns @ np.linalg.lstsq(columns, y.ravel(), rcond=None)[0]
        return float(fit.var() / y.var())

    ab, bc, ac = 3 * a + b, 4 * b + c, 4 * a + c
    frame = sobol_indices(cube(y, "abc"))
    first = {"a": explained(a), "b": explained(b), "c": explained(c)}
    assert indices(frame, "first") == pytest.approx(first)
    total = {"a": 1 - explained(bc), "b": 1 - explained(ac), "c": 1 - explained(ab)}
    assert indices(frame, "total") == pytest.approx(total)
    second = {name: explained(g) for name, g in {"a b": ab, "a c": ac, "b c": bc}.items()}
    second = {pair: v - first[pair[0]] - first[pair[2]] for pair, v in second.items()}
    assert indices(frame, "second") == pytest.approx(second)


@pytest.mark.parametrize("uneven", [False, True])
def test_pure_noise_is_unbiased_and_mostly_covered(uneven):
    """400 sweeps of normal noise: the mean of each variance within four standard errors of 0."""
    rng = np.random.default_rng(0)
    spread = 0.03 * (np.arange(1, 4)[:, None, None] if uneven else 1)
    variances, covered = [], []
    for _ in range(400):
        y = 0.5 + spread * rng.standard_normal((3, 4, 3))
        frame = sobol_indices(cube(y, "ab"), resamples=50)
        variances.append(frame["variance"])
        covered.append(frame["low"] <= 0)
    means, errors = np.mean(variances, 0), np.std(variances, 0) / 20
    assert np.all(abs(means[:-1]) < 4 * errors[:-1])
    assert means[-1] == pytest.approx(np.mean(spread**2), abs=4 * errors[-1])
    assert np.mean(covered, 0)[:-1].min() > 0.9
    uncorrected = 2 / 12 * np.mean(spread**2) / 3  # what axis a would get on average
    assert uncorrected > 10 * errors[0]


def test_indices_are_those_of_the_noise_free_function():
    """Noise as large as the effects, over 200 sweeps: unbiased variances, intervals that hold."""
    rng = np.random.default_rng(1)
    x, y = np.meshgrid([-1, -0.5, 0.5, 1], [-1, 0, 1], indexing="ij")
    f = 0.5 + 0.04 * x + 0.03 * x * y
    exact = {"a": 0.04**2 * (x**2).mean(), "ab": 0.03**2 * (x**2 * y**2).mean(), "s": 0.05**2}
    truth = [exact["a"], 0, exact["a"] + exact["ab"], exact["ab"], exact["ab"], exact["s"]]
    frames = [
        sobol_indices(cube(f[..., None] + 0.05 * rng.standard_normal((4, 3, 5)), "ab"))
        for _ in range(200)
    ]
    variances = np.array([frame["variance"] for frame in frames])
    errors = variances.std(0) / np.sqrt(200)
    assert np.all(abs(variances.mean(0) - truth) < 4 * errors)
    index = np.array(truth) / sum(exact.values())
    inside = [(f["low"] <= index + 1e-9) & (f["high"] >= index - 1e-9) for f in frames]
    assert np.mean(inside, 0).min() > 0.85


def test_common_random_numbers_take_their_own_error():
    """A seed that adds the same everywhere is no error of the axes; unstated, it would be one."""
    rng = np.random.default_rng(2)
    plain, blocked = [], []
    for _ in range(200):
        y = 0.5 + 0.05 * rng.standard_normal(4) + 0.01 * rng.standard_normal((3, 2, 4))
        ds = cube(y, "ab")
        plain.append(sobol_indices(ds, resamples=2)["variance"])
        ds = ds.assign_attrs(spec='common_random_numbers = ["a"]')
        blocked.append(sobol_indices(ds, resamples=2)["variance"])
    errors = np.std(blocked, 0) / np.sqrt(200)
    assert np.all(abs(np.mean(blocked, 0)[:-1]) < 4 * errors[:-1])
    assert np.mean(plain, 0)[0] < -10 * errors[0]


def test_twice_the_same_and_more_seeds_narrower(make, device):
    axes = {"levels": [4, 8, 64], "sigma_c2c": [0.0, 1.0, 3.0]}
    frame = sobol_indices(make(axes, device, noise=0.05))
    assert frame.equals(sobol_indices(make(axes, device, noise=0.05)))
    many = sobol_indices(make(axes, device, noise=0.05, seeds=80))
    width, narrow = (f["high"] - f["low"] for f in (frame, many))
    assert narrow[0] < 0.4 * width[0]
    assert ((frame["low"] <= frame["index"]) & (frame["index"] <= frame["high"])).all()
    assert frame.attrs["lanes"] == 45 and frame.attrs["seeds"] == 5


def test_without_noise_they_are_the_main_effects(make, device):
    ds = make({"levels": [4, 64], "one": [3], "sigma_c2c": [0.0, 3.0]}, device, noise=0.0)
    first = indices(sobol_indices(ds), "first")
    assert set(first) == {"levels", "sigma_c2c"}
    assert first == pytest.approx(main_effects(ds)["share"][list(first)].to_dict(), abs=1e-6)


def test_failed_lanes_count_at_chance(make, fail):
    frame = sobol_indices(fail(make({"a": [1, 2, 3], "b": [1, 2]}, noise=0.0), a=2))
    assert indices(frame, "first")["a"] == pytest.approx(1)


def test_one_seed_and_no_variance(make):
    frame = sobol_indices(make(CENTRED, seeds=1))
    assert frame["low"].isna().all() and np.isnan(indices(frame, "noise")["seed"])
    assert sum(indices(frame, "first").values()) + indices(frame, "second")["x y"] == pytest.approx(
        1
    )
    assert "one seed: noise counts as interactions" in printed(make(CENTRED, seeds=1))
    assert (sobol_indices(make({"a": [1, 2, 3]}, noise=0.0))["index"] == 0).all()


@pytest.mark.parametrize("axes", [{}, {"a": [1]}])
def test_no_axis_is_an_error(make, axes):
    with pytest.raises(UserError, match="no axis has two or more values"):
        sobol_indices(make(axes))


def test_unfinished_lane_is_an_error(make):
    ds = make({"a": [1, 2]})
    ds["test_accuracy"].loc[{"a": 1, "seed": 0}] = np.nan
    with pytest.raises(UserError, match="no final test accuracy"):
        sobol_indices(ds)


def test_table_says_what_the_frame_says(make, device):
    axes = {"levels": [4, 8, 64], "sigma_c2c": [0, 0.5, 3.0], "learning_rate_decay": [0.5, 1.0]}
    axes |= {"weight_range": [0.5, 1.0], "algorithm": ["memristive_sgd", "tiki_taka_version_2"]}
    ds = make(axes, device, seeds=3)
    text, frame = printed(ds), sobol_indices(ds)
    assert max(map(len, text.splitlines())) <= 80
    rows = [line for line in text.splitlines() if line.startswith("│")]
    assert rows[0].startswith("│ sigma_c2c") and rows[1].startswith("│ levels")
    assert f"{100 * indices(frame, 'first')['sigma_c2c']:.1f} % (" in rows[0]
    assert f"{100 * indices(frame, 'total')['sigma_c2c']:.1f} % (" in rows[0]
    assert "interactions of two (largest 8 of 10)" in text
    assert "levels × sigma_c2c" in rows[5]
    assert "3 seeds a cell" in text


def test_picture_has_the_indices_as_bars(make, device):
    ds = make({"levels": [4, 8, 64], "sigma_c2c": [0, 0.5, 3.0]}, device)
    frame = sobol_indices(ds)
    figure = sensitivity_figure(ds, frame)
    top, bottom = figure.axes
    assert [tick.get_text() for tick in top.get_yticklabels()] == ["sigma_c2c", "levels", "seeds"]
    widths = [bar.get_width() for bar in top.patches]
    first, total = indices(frame, "first"), indices(frame, "total")
    expected = [kind[name] for kind in (first, total) for name in ("sigma_c2c", "levels")]
    noise = indices(frame, "noise")["seed"]
    assert widths == pytest.approx([100 * x for x in [*expected, noise]])
    assert bottom.patches[0].get_width() == pytest.approx(100 * frame["index"][4])
    alone = make({"a": [1, 2]}, seeds=1)
    assert len(sensitivity_figure(alone, sobol_indices(alone)).axes) == 1


def test_indices_know_no_units_nor_direction(study):
    """Femtojoules or volts, their squares are of the same shares."""
    axes = {"levels": [4, 8, 64], "sigma_c2c": [0.0, 1.0]}
    ds = study(axes, lambda levels, sigma_c2c: 1 / levels + 0.1 * sigma_c2c, noise=0.02)
    small = ds.assign(rms_error=1e-15 * ds["rms_error"].astype(float))
    one, two = sobol_indices(ds), sobol_indices(small)
    np.testing.assert_allclose(one[["index", "low", "high"]], two[["index", "low", "high"]])
    assert one.attrs["variance"] == pytest.approx(1e30 * two.attrs["variance"])
    assert "final rms error of the output" in sensitivity_figure(ds, one).get_suptitle()


def test_random_numbers_that_lanes_share_are_seen_in_their_words(make):
    ds = make({"a": [1, 2, 3], "b": [1, 2]}, noise=0.05)
    said = as_older(ds).assign_attrs(spec='common_random_numbers = ["a"]')
    seen = sobol_indices(with_keys(ds, shared=("a",)))
    assert seen.equals(sobol_indices(said)) and not seen.equals(sobol_indices(ds))
