"""Differences that were put in are found, with SciPy's own tests as the twin."""

import io
import sys

import numpy as np
import pytest
import xarray as xr
from matplotlib.image import imread
from rich.console import Console
from scipy import stats

from memjax import cli
from memjax.errors import UserError
from memjax.sweep import Spec
from memjax.sweep.analysis.compare import compare
from memjax.sweep.analysis.results import final
from memjax.sweep.show.compare_plot import compare_figure
from memjax.sweep.show.compare_table import sentences, summary
from memjax.sweep.store import directory as store
from reference.sweeps import as_older, with_keys

AXES = {"levels": [8, 16, 32], "sigma_c2c": [0.0, 1.0]}


def told(ds, **raw) -> xr.Dataset:
    """With the specification that it would have."""
    axes = {str(d): ds[d].values for d in ds["status"].dims[:-1]}
    spec = Spec.from_dict({"seeds": ds.sizes["seed"], "axes": axes, **raw})
    others = {f"{k}.{p}": v for k, t in raw.items() if isinstance(t, dict) for p, v in t.items()}
    shared = tuple(raw.get("common_random_numbers", ()))
    ds = with_keys(ds, raw.get("root_seed", 0), shared, **others)
    return ds.assign_attrs(spec=spec.to_toml(), dataset="digits", data_digest="1")


def shaken(ds, sd: float = 0.01, shift: float = 0.0, seed: int = 1) -> xr.Dataset:
    noise = np.random.default_rng(seed).normal(shift, sd, ds["status"].shape)
    return ds.assign(test_accuracy=ds["test_accuracy"] + noise[..., None])


def printed(result, *names) -> str:
    stream = io.StringIO()
    Console(width=80, file=stream).print(summary(result, *names))
    return stream.getvalue()


@pytest.fixture
def one(make, device):
    return told(make(AXES, device))


@pytest.fixture
def memjax(monkeypatch, capsys):
    """The command in this process: exit status, stdout and stderr."""

    def memjax(*args) -> tuple[int | None, str, str]:
        monkeypatch.setattr(sys, "argv", ["memjax", *map(str, args)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capsys.readouterr()
        return stopped.value.code, out, err

    return memjax


def test_lanes_of_the_same_random_numbers_are_paired(one):
    two = told(shaken(one), train={"learning_rate_decay": 0.5})
    found = compare(one, told(shaken(one)))
    assert found["paired"].all()
    y1, y2 = final(one), final(shaken(one))
    twin = stats.ttest_rel(y2, y1, axis=-1)
    np.testing.assert_allclose(found["p_value"], twin.pvalue)
    np.testing.assert_allclose(found["difference"], (y2 - y1).mean("seed"))
    np.testing.assert_allclose(found["standard_error"], (y2 - y1).std("seed", ddof=1) / 5**0.5)
    adjusted = stats.false_discovery_control(twin.pvalue.ravel())
    np.testing.assert_allclose(found["p_adjusted"].values.ravel(), adjusted)
    assert not compare(one, two)["paired"].any()  # the learning rate's factor can be an axis


@pytest.mark.parametrize("change", [{"root_seed": 1}, {"device": {"sigma_d2d": 0.1}}, None])
def test_others_are_not_paired(one, make, change):
    seven = make(AXES, lambda **_: 0.9, seeds=7)
    older = seven.drop_vars(["lane_key", "key_data"])
    two = older if change is None else told(seven, **change)
    found = compare(one, two)
    assert not found["paired"].any()
    y1, y2 = final(one).values, final(two).values
    twin = stats.ttest_ind(y2, y1, axis=-1, equal_var=False)
    np.testing.assert_allclose(found["p_value"], twin.pvalue)
    error = np.sqrt(y1.var(-1, ddof=1) / 5 + y2.var(-1, ddof=1) / 7)
    np.testing.assert_allclose(found["standard_error"], error)
    mean = np.sqrt((error**2).sum()) / 6
    assert found.attrs["mean_standard_error"] == pytest.approx(mean)


def test_pairs_are_of_the_seeds_that_both_have(one, make, device):
    found = compare(one, told(make(AXES, device, seeds=3)))
    assert found["paired"].all()
    np.testing.assert_allclose(found["first"], final(one)[..., :3].mean("seed"))
    assert "first 3 seeds" in found.attrs["notes"][0]


def test_common_random_numbers_make_cells_dependent(one):
    """A shift by seed is the same in every cell: more cells do not lessen the error."""
    shift = xr.DataArray([0.0, 0.01, 0.02, 0.03, 0.04], dims="seed")
    two = one.assign(test_accuracy=one["test_accuracy"] + shift)
    shared = {"common_random_numbers": ["levels"]}
    expected = np.std(shift, ddof=1) / 5**0.5
    found = compare(told(one, **shared), told(two, **shared))
    assert found.attrs["mean_standard_error"] == pytest.approx(float(expected), rel=1e-5)
    found = compare(told(one, **shared), told(two, **shared, root_seed=1))
    assert found.attrs["mean_standard_error"] > 0.9 * float(expected)  # as if cells were one


def test_better_and_worse_cells_are_counted_and_largest_first(one, make, device):
    two = make(AXES, lambda **at: device(**at) + 0.1 * (at["levels"] == 8) - 0.05 * at["sigma_c2c"])
    found = compare(one, told(two, device={"sigma_read": 0.2}))
    facts = found.attrs
    assert (facts["improved"], facts["worsened"], facts["undecided"]) == (2, 2, 0)
    assert facts["changes"] == {"device.sigma_read": ("(none)", "0.2")}
    text = printed(found, ("old", "new"))
    rows = [line for line in text.splitlines() if line.startswith("│ levels")]
    assert rows[0].startswith("│ levels 8, sigma_c2c 0 ") and "+10.0 ± " in rows[0]
    assert len(rows) == 4  # in the two others nothing changes
    assert "2 cells better, 2 worse" in text
    assert "float baseline of old: 97.8 ± " in text
    assert max(map(len, text.splitlines())) <= 80


def test_equal_sweeps_are_equal(one):
    found = compare(one, one)
    assert (found["p_value"] == 1).all() and found.attrs["changes"] == {}
    assert found.attrs["mean_difference"] == found.attrs["improved"] == found.attrs["worsened"] == 0
    assert "the specifications do not differ" in printed(found)


def test_false_discoveries_are_rare(make):
    """200 equal cells a sweep, 40 times: in 5 % of them something is called, at most 15 %."""
    base = make({"levels": range(200)}, noise=0.0)
    called = []
    for seed in range(40):
        found = compare(shaken(base, seed=2 * seed), shaken(base, seed=2 * seed + 1))
        called.append(found.attrs["improved"] + found.attrs["worsened"] > 0)
    assert np.mean(called) <= 0.15


def test_without_spread_a_difference_is_undecided(make):
    one = make(AXES, noise=0.0)
    found = compare(one, one.assign(test_accuracy=one["test_accuracy"] - 0.1 * one["sigma_c2c"]))
    assert found.attrs["undecided"] == 3
    assert found["p_value"].sel(sigma_c2c=0.0).values.tolist() == [1, 1, 1]
    assert "undecided: 3 cells" in " ".join(sentences(found))


def test_one_seed_has_no_error(make):
    one = make(AXES, seeds=1)
    found = compare(one, shaken(one))
    assert np.isnan(found["standard_error"]).all() and np.isnan(found["p_adjusted"]).all()
    text = printed(found)
    assert "cannot be told; run both with seeds = 3 or more" in text and "nan" not in text
    assert compare_figure(found).axes


def test_failed_lanes_count_at_chance(one, fail):
    found = compare(one, fail(one, levels=8))
    np.testing.assert_allclose(found["second"].sel(levels=8), 0.1)


def test_shared_points_are_found_by_value_in_any_order(make, device):
    one = make({"levels": [8, 16, 32], "sigma_c2c": [0.0, 0.1 + 0.2, 1.0]}, device, noise=0.0)
    two = make({"sigma_c2c": [1, 0.3, 7], "levels": [32, 64, 8]}, device, noise=0.0)
    found = compare(one, two)
    assert found["difference"].dims == ("levels", "sigma_c2c")
    assert found["levels"].values.tolist() == [8, 32]
    np.testing.assert_allclose(found["sigma_c2c"], [0.3, 1.0])
    np.testing.assert_allclose(found["difference"], 0, atol=1e-6)


def test_zipped_groups_are_matched_by_what_they_zip(make):
    def grouped(levels, ratios):
        ds = make({"material": range(len(levels))}, lambda material: 0.01 * levels[material])
        return ds.assign_coords(levels=("material", levels), on_off=("material", ratios))

    found = compare(grouped([8, 16, 32], [2, 10, 50]), grouped([32, 8], [50, 3]))
    assert found["levels"].values.tolist() == [32]
    text = printed(found)
    assert "levels 32, on_off 50" in text
    with pytest.raises(UserError, match=r"share no point of the axis material: 8, 2; 16, 2 in"):
        compare(grouped([8, 16], [2, 2]), grouped([8, 16], [3, 4]))


def test_an_axis_of_one_value_may_be_absent_or_differ(make, device):
    one = make({**AXES, "on_off": [10]}, device)
    assert compare(one, make(AXES, device))["difference"].dims == tuple(AXES)
    assert compare(make(AXES, device), one)["difference"].dims == tuple(AXES)
    other = make({**AXES, "on_off": [50]}, device)
    assert compare(one, other)["difference"].dims == tuple(AXES)
    both = make({**AXES, "on_off": [10, 50]}, device)
    assert compare(both, other)["on_off"].values.tolist() == [50]


def test_what_cannot_be_compared(one, make):
    with pytest.raises(UserError, match="only the second sweep has the axis on_off"):
        compare(one, make({**AXES, "on_off": [2, 10]}))
    with pytest.raises(
        UserError, match="no point of the axis levels: 8, 16, 32 in the first, 4 in"
    ):
        compare(one, make({**AXES, "levels": [4]}))
    with pytest.raises(UserError, match=r"first sweep's chance is 10 %, the second's 33\.3 %"):
        compare(one, one.assign_attrs(n_classes=3, guess=1 / 3))


def test_other_data_is_a_note(one):
    found = compare(one, one.assign_attrs(dataset="mnist"))
    assert found.attrs["notes"] == ["they were trained on different data: digits and mnist"]
    assert "note: they were trained on different data" in printed(found)
    assert "parts or versions" in compare(one, one.assign_attrs(data_digest="2")).attrs["notes"][0]


def test_heat_map_holds_the_differences_about_zero(one, make):
    two = make(AXES, lambda levels, sigma_c2c: 0.5 + 0.01 * levels)
    found = compare(one, two)
    ax, bar = compare_figure(found, ("a", "b")).axes
    (image,) = ax.get_images()
    low, high = image.get_clim()
    assert low == -high
    values = 100 * found["difference"]
    shown = np.asarray(image.get_array())
    assert sorted(shown.ravel()) == pytest.approx(sorted(values.values.ravel()))
    assert bar.get_ylabel() == "b - a (points of test accuracy)"
    dots = sum("•" in text.get_text() for text in ax.texts)
    assert dots == found.attrs["improved"] + found.attrs["worsened"] > 0


@pytest.mark.parametrize("axes", [{}, {"levels": [8, 32]}, {"algorithm": ["sgd", "agad"]}])
def test_few_axes_are_a_line(make, axes):
    one = make(axes)
    found = compare(one, shaken(one, shift=0.05))
    (ax,) = compare_figure(found).axes
    assert ax.containers[0][0].get_ydata() == pytest.approx(
        100 * np.atleast_1d(found["difference"])
    )
    assert printed(found)


def test_many_axes_are_panels_of_means(make, device):
    axes = {**AXES, "on_off": [2, 10], "weight_range": [0.5, 1.0]}
    one = make(axes, device)
    figure = compare_figure(compare(one, shaken(one)))
    assert len(figure.axes) == 3 and "averaged over" in figure.get_suptitle()


def test_commands_print_and_draw(one, memjax, tmp_path):
    store.save(tmp_path / "a", one)
    store.save(tmp_path / "b", told(shaken(one), device={"sigma_read": 0.2}))
    picture, table = tmp_path / "p.png", tmp_path / "t.csv"
    status, out, err = memjax("compare", tmp_path / "a", tmp_path / "b", "--plot", picture)
    assert (status, err) == (None, "")
    assert "b - a: " in out and "device.sigma_read" in out and f"picture: {picture}" in out
    assert np.ptp(imread(picture)) > 0
    picture.unlink()
    shown = memjax("sensitivity", tmp_path / "a", "--csv", table, "--plot", picture)
    assert shown[::2] == (None, "") and "first-order S" in shown[1]
    assert np.ptp(imread(picture)) > 0
    assert table.read_text().startswith(
        "kind,parameter,other,index,low,high,variance\nfirst,levels"
    )
    assert memjax("sensitivity", tmp_path / "a", "--csv", "-")[1] == table.read_text()


def test_mistakes_are_one_line_and_status_2(one, memjax, tmp_path):
    store.save(tmp_path / "a", one)
    a = tmp_path / "a"
    for args, words in {
        ("compare", a, tmp_path / "no"): "no results there",
        ("compare", a, a, "--plot", "x.pdf"): "ends in .png",
        ("sensitivity", tmp_path / "no"): "no results there",
        ("sensitivity", a, "--plot", "x"): "ends in .png",
        ("sensitivity", a, "--csv", tmp_path / "no" / "t.csv"): "there is no directory",
    }.items():
        status, _, err = memjax(*args)
        assert status == 2 and err.count("\n") == 1 and words in err


def test_where_lower_is_better_a_fall_is_an_improvement(study):
    one = study(AXES, lambda levels, sigma_c2c: 0.3)
    fall = xr.where(one["levels"] == 8, -0.1, xr.where(one["levels"] == 16, 0.05, 0.0))
    values = (one["rms_error"] + fall).transpose(*one["rms_error"].dims)
    two = one.assign(rms_error=values.assign_attrs(one["rms_error"].attrs))
    found = compare(one, shaken_study(two))
    assert (found.attrs["improved"], found.attrs["worsened"]) == (2, 2)
    text = printed(found, ("old", "new"))
    assert "2 cells better, 2 worse" in text and "lower is better" in " ".join(text.split())
    cell = found.sel(levels=8, sigma_c2c=0.0)
    assert f"{float(cell['first']):.3g} → {float(cell['second']):.3g} V" in text
    assert "baseline" not in text and "reference" not in text
    figure = compare_figure(found)
    (image,) = figure.axes[0].get_images()
    best = np.unravel_index(np.asarray(image.get_array()).argmin(), image.get_array().shape)
    red, _, blue, _ = image.to_rgba(np.asarray(image.get_array()))[best]
    assert blue > red
    assert figure.axes[-1].get_ylabel() == "second - first (rms error of the output, V)"


def shaken_study(ds) -> xr.Dataset:
    noise = np.random.default_rng(1).normal(0, 0.001, ds["status"].shape)
    return ds.assign(
        rms_error=(ds["rms_error"] + noise[..., None]).assign_attrs(ds.rms_error.attrs)
    )


def test_tiny_units_are_no_rounding(study):
    one = study(AXES)
    one["rms_error"] = 1e-12 * one["rms_error"].astype(float)
    two = one.assign(rms_error=1.5 * one["rms_error"])
    found = compare(one, two)
    assert (found["p_value"] < 1).all() and found.attrs["worsened"] == 6


def test_other_objectives_are_refused_and_other_experiments_noted(one, study):
    with pytest.raises(UserError, match=r"first sweep is about test accuracy .higher is better"):
        compare(one, study(AXES))
    other = one.assign_attrs(experiment="my_cnn.py:CNN")
    (note,) = compare(one, other).attrs["notes"]
    assert note == "they are different experiments: classifier and my_cnn.py:CNN"


def test_older_results_are_compared_without_pairs_and_it_is_said(one):
    found = compare(as_older(one), as_older(told(shaken(one))))
    assert not found["paired"].any()
    assert "older results do not tell their random numbers" in printed(found)
    assert (
        found.attrs["mean_difference"] == compare(one, told(shaken(one))).attrs["mean_difference"]
    )
