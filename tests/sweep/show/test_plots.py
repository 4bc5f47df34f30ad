"""What is drawn is what the dataset holds."""

import numpy as np
import pytest
from matplotlib.image import imread

from memjax.errors import UserError
from memjax.sweep.analysis.compare import compare
from memjax.sweep.analysis.effects import main_effects
from memjax.sweep.analysis.results import final
from memjax.sweep.analysis.sensitivity import sobol_indices
from memjax.sweep.show import plots
from memjax.sweep.show.compare_plot import compare_figure
from memjax.sweep.show.panels import label
from memjax.sweep.show.robustness_plot import robustness_figure
from memjax.sweep.show.sensitivity_plot import sensitivity_figure
from reference.sweeps import as_older

AXES = {
    "levels": [4, 8, 16, 32],
    "on_off": [2, 5, 10],
    "sigma_c2c": [0.0, 0.5, 1.0, 3.0],
    "weight_range": [1.0, 0.5],
}


def some(*names: str) -> dict:
    return {name: AXES[name] for name in names}


def lines(ax) -> dict:
    return {line.get_label(): line for line in ax.get_lines()}


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize(
    ("names", "pictures"),
    [
        ((), ["learning_curves", "corruption"]),
        (("sigma_c2c",), ["main_effects", "learning_curves", "corruption"]),
        (("levels", "sigma_c2c"), ["main_effects", "heatmap", "learning_curves", "corruption"]),
        (tuple(AXES), ["main_effects", "heatmap", "learning_curves", "corruption"]),
    ],
)
def test_draw_writes_the_pictures_there_are_axes_for(
    make, device, corrupt, tmp_path, names, pictures
):
    files = plots.draw(corrupt(make(some(*names), device, seeds=2)), tmp_path / "new")
    assert [file.stem for file in files] == pictures
    assert sorted((tmp_path / "new").iterdir()) == sorted(files)  # no temporary file left
    for file in files:
        assert np.ptp(imread(file)) > 0


def test_no_corruption_no_picture_of_it(make, tmp_path):
    assert [file.name for file in plots.draw(make({}), str(tmp_path))] == ["learning_curves.png"]


def test_failed_write_leaves_the_old_picture(make, tmp_path, monkeypatch):
    (old,) = plots.draw(make({}), tmp_path)
    before = old.read_bytes()

    def broken(self, path, **options):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(plots.Figure, "savefig", broken)
    with pytest.raises(UserError, match=r"disk full.*memjax plot"):
        plots.draw(make({}), tmp_path)
    assert old.read_bytes() == before
    assert list(tmp_path.iterdir()) == [old]


def test_main_effects_draws_means_quartiles_and_references(make, device):
    ds = make(AXES, device)
    figure = plots.main_effects_figure(ds)
    effects, last = main_effects(ds), 100 * final(ds)
    ranked = list(effects.index[:-2])
    assert ranked[:2] == ["sigma_c2c", "levels"]
    assert [ax.get_xlabel() for ax in figure.axes] == [label(ds, axis) for axis in ranked]
    assert [ax.get_xscale() for ax in figure.axes[:2]] == ["symlog", "log"]
    for ax, axis in zip(figure.axes, ranked, strict=True):
        assert f"{100 * effects.loc[axis, 'share']:.1f} %" in ax.get_title()
        curve = ax.containers[0][0]
        expected = last.mean([d for d in last.dims if d != axis]).sortby(axis)
        np.testing.assert_allclose(curve.get_xdata(), expected[axis])
        np.testing.assert_allclose(curve.get_ydata(), expected)
        band = ax.collections[0].get_paths()[0].vertices[:, 1]
        first = last.sel({axis: expected[axis][0]}).quantile([0.25, 0.75])
        assert np.isclose(band[:, None], first.values).any(0).all()
        assert lines(ax)["chance (10 %)"].get_ydata()[0] == pytest.approx(10)
    assert {"middle half of the lanes", "mean ± sd over seeds"} <= set(legend(figure))


def test_main_effects_of_names_are_points_with_ticks(make):
    ds = make({"algorithm": ["sgd", "tiki_taka"]}, lambda algorithm: 0.1 * len(algorithm))
    (ax,) = plots.main_effects_figure(ds).axes
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["sgd", "tiki_taka"]
    assert ax.containers[0][0].get_linestyle() == "None"


def test_chance_far_below_is_said_rather_than_drawn(make):
    ds = make({"levels": [8, 64]}, lambda levels: 0.96 + levels / 1e4)
    figure = plots.main_effects_figure(ds)
    assert figure.axes[0].get_ylim()[0] > 90
    assert "chance (10 %, far below)" in legend(figure)


def test_heatmap_cells_are_means_over_the_rest(make, device):
    ds = make(AXES | {"on_off": range(2, 10)}, device, seeds=2)
    figure = plots.heatmap_figure(ds)
    y, x, third, rest = main_effects(ds).index[:-2]
    assert (y, x) == ("sigma_c2c", "levels")
    *panels, bar = figure.axes
    assert len(panels) == min(6, ds.sizes[third])
    assert rest in figure.get_suptitle()
    cells = 100 * final(ds).mean([rest, "seed"]).transpose(third, y, x).sortby(third)
    drawn = [panel.get_images()[0].get_array() for panel in panels]
    np.testing.assert_allclose(drawn[0], cells[0])
    np.testing.assert_allclose(drawn[-1], cells[-1])
    assert panels[0].get_ylabel() == label(ds, y)
    assert panels[0].get_xlabel() == label(ds, x)
    assert [tick.get_text() for tick in panels[0].get_xticklabels()] == ["4", "8", "16", "32"]
    assert panels[0].texts[0].get_text() == f"{float(cells[0, 0, 0]):.1f}"
    assert panels[0].get_title().endswith(f": {float(cells[third][0]):g}")
    assert bar.get_ylabel() == "test accuracy (%)"
    marks = {tick.get_text() for tick in bar.get_yticklabels()}
    assert {"chance 10.0", "float baseline 97.8"} <= marks


def test_every_name_of_an_axis_is_written(make):
    names = [f"device {i} of 2018" for i in range(26)]
    ds = make({"device": names, "b": [1, 2]}, lambda device, b: 0.1 + 0.02 * names.index(device))
    panel = plots.main_effects_figure(ds).axes[0]
    assert [tick.get_text() for tick in panel.get_xticklabels()] == names
    panel = plots.heatmap_figure(ds).axes[0]
    assert [tick.get_text() for tick in panel.get_yticklabels()] == names


def test_effects_of_a_sweep_that_guesses_are_told_to_be_luck(make):
    ds = make({"a": [1, 2], "b": [1, 2]}, lambda a, b: 0.1)
    assert "all cells are at chance" in plots.main_effects_figure(ds).get_suptitle()


def test_panels_of_a_heatmap_that_are_left_out_are_told(make, device):
    axes = {"levels": [4, 64], "sigma_c2c": [0, 3], "weight_range": np.arange(1, 11)}
    ds = make(axes, device, seeds=2, epochs=1)
    title = plots.heatmap_figure(ds).get_suptitle()
    assert "6 of 10 panels" in " ".join(title.split())
    assert "panels" not in plots.heatmap_figure(ds.isel(weight_range=slice(6))).get_suptitle()
    better = ds.assign(test_accuracy=ds.test_accuracy - ds.levels / 200 - ds.sigma_c2c / 30)
    title = compare_figure(compare(ds, better)).get_suptitle()
    assert "6 of 10 panels" in " ".join(title.split())


def test_large_heatmap_is_not_annotated(make, device):
    ds = make({"levels": range(4, 14), "sigma_c2c": [0.0, 1.0]}, device)
    assert not plots.heatmap_figure(ds).axes[0].texts


def test_heatmap_of_high_accuracies_spends_its_colours_on_them(make):
    ds = make({"a": [1, 2], "b": [1, 2]}, lambda a, b: 0.95 + 0.01 * a)
    figure = plots.heatmap_figure(ds)
    assert figure.axes[0].get_images()[0].norm.vmin > 90
    assert "chance 10.0 ↓" in [tick.get_text() for tick in figure.axes[-1].get_yticklabels()]


def test_learning_curves_are_means_over_the_rest(make, device):
    ds = make(AXES, device)
    figure = plots.curves_figure(ds)
    (ax,) = figure.axes
    drawn = lines(ax)
    for sigma in AXES["sigma_c2c"]:
        expected = 100 * ds["test_accuracy"].astype(float).sel(sigma_c2c=sigma)
        expected = expected.mean([d for d in expected.dims if d != "epoch"])
        name = f"{sigma:g} ({float(expected[-1]):.1f} %)"
        np.testing.assert_allclose(drawn[name].get_ydata(), expected)
    baseline = next(line for name, line in drawn.items() if name.startswith("float baseline"))
    np.testing.assert_allclose(baseline.get_ydata(), 100 * ds["baseline_accuracy"].mean("seed"))
    assert baseline.get_linestyle() == "--"
    assert figure.legends[0].get_title().get_text() == "cycle-to-cycle sd of one step (mean steps)"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "test accuracy (%)")


def test_learning_curve_of_a_failed_device_falls_to_chance(make, fail):
    figure = plots.curves_figure(fail(make({"a": [1, 2]}), from_epoch=4, a=2))
    curve = lines(figure.axes[0])["2 (10.0 %)"].get_ydata()
    assert curve[2] > 50
    np.testing.assert_allclose(curve[3:], 10)


def test_many_values_are_thinned_and_said_so(make, device):
    figure = plots.curves_figure(make({"sigma_c2c": np.linspace(0, 3, 20)}, device))
    assert len(figure.axes[0].get_lines()) == 6 + 2
    assert "6 of 20 values" in figure.legends[0].get_title().get_text()


def test_corruption_is_relative_to_clean_above_chance(make, device, corrupt):
    ds = corrupt(make(some("levels", "sigma_c2c"), device))
    figure = robustness_figure(ds)
    assert [ax.get_title() for ax in figure.axes] == ["gaussian", "salt and pepper"]
    scores = ds["corrupted_accuracy"].sel(sigma_c2c=3.0).mean("levels")
    gains = scores - 0.1
    expected = 100 * (gains / gains.sel(corruption="clean")).mean("seed")
    names = ["clean", "gaussian 0.1", "gaussian 0.2", "gaussian 0.4"]
    curve = next(line for name, line in lines(figure.axes[0]).items() if name.startswith("3 ("))
    np.testing.assert_allclose(curve.get_xdata(), [0, 0.1, 0.2, 0.4])
    np.testing.assert_allclose(curve.get_ydata(), expected.sel(corruption=names))
    assert "float baseline (clean 98 %)" in legend(figure)


def test_corruption_leaves_failed_lanes_out(make, device, corrupt, fail, tmp_path):
    ds = corrupt(fail(fail(make(some("levels", "sigma_c2c"), device), sigma_c2c=3.0), levels=4))
    figure = robustness_figure(ds)
    assert "3 (failed or at chance)" in legend(figure)
    assert "failed or are at chance left out" in " ".join(figure.get_suptitle().split())
    assert len(plots.draw(ds, tmp_path)) == 4


def test_corruption_leaves_lanes_that_guess_out(make, corrupt):
    """At 12 % and 14 % of images with noise a lane would be left with twice of what it had."""
    ds = corrupt(make({"a": [1, 2]}, lambda a: 0.12 if a == 1 else 0.9))
    figure = robustness_figure(ds)
    ax = figure.axes[0]
    assert "1 (failed or at chance)" in legend(figure) and "chance" in legend(figure)
    low, high = ax.get_ylim()
    assert low < 0 and 100 < high < 110
    assert np.isnan(lines(ax)["1 (failed or at chance)"].get_ydata()).all()


@pytest.mark.parametrize("size", [1, 2])
def test_axes_of_one_value_and_one_seed_and_no_variance(make, tmp_path, size):
    ds = make({"a": [3], "b": [1.0, 2.0][:size], "c": [1, 2]}, seeds=1, epochs=1, noise=0.0)
    files = plots.draw(ds, tmp_path)
    assert len(files) == 1 + size
    flat = ds.assign(baseline_accuracy=ds["baseline_accuracy"] * 0 + 0.9)
    assert len(plots.draw(flat, tmp_path)) == 1 + size


def test_zipped_group_is_drawn_by_its_parameters(make, tmp_path):
    ds = make({"material": [0, 1, 2]}, lambda material: 0.5 + 0.1 * material)
    ds = ds.assign_coords(levels=("material", [64, 8, 32]), rule=("material", ["x", "y", "z"]))
    (ax,) = plots.main_effects_figure(ds).axes
    assert ax.get_xlabel() == "material (levels, rule)"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["64, x", "8, y", "32, z"]


def test_unknown_names_are_written_with_spaces(make):
    assert label(make({"tau_refresh": [1, 2]}), "tau_refresh") == "tau refresh"


@pytest.fixture
def errors(study, fail):
    """Of a study: errors in volts, lower is better, no reference; its worst cells failed."""
    ds = study(
        {"levels": [4, 8, 64], "sigma_c2c": [0.0, 1.0, 3.0], "scheme": ["plain", "sign"]},
        lambda levels, sigma_c2c, scheme: 0.05 + 0.5 / levels + 0.1 * sigma_c2c,
    )
    return fail(ds, from_epoch=100.0, levels=4, sigma_c2c=3.0)


def test_a_study_has_pictures_by_its_stages(errors, tmp_path):
    files = plots.draw(errors, tmp_path)
    assert [file.stem for file in files] == ["main_effects", "heatmap", "curves"]


def test_a_study_is_drawn_in_its_units(errors):
    for ax in plots.main_effects_figure(errors).axes[:1]:
        assert ax.get_ylabel() == "final rms error of the output (V)"
        assert lines(ax)["guess (1 V)"].get_ydata()[0] == 1
        assert not any("reference" in name or "baseline" in name for name in lines(ax))
    (ax,) = plots.curves_figure(errors).axes
    assert (ax.get_xlabel(), ax.get_xscale()) == ("time since programming (s)", "log")
    assert ax.get_ylabel() == "rms error of the output (V)"
    expected = errors["rms_error"].sel(sigma_c2c=0.0).mean(["levels", "scheme", "seed"])
    name = f"0 ({float(expected[-1]):.3g} V)"
    np.testing.assert_allclose(lines(ax)[name].get_ydata(), expected, rtol=1e-6)


def test_the_best_cell_is_the_brightest_also_where_lower_is_better(errors, make, device):
    for ds in (errors, make(some("levels", "sigma_c2c"), device)):
        *panels, bar = plots.heatmap_figure(ds).axes
        (image,) = panels[0].get_images()
        values = np.asarray(image.get_array())
        light = image.to_rgba(values)[..., :3].sum(-1)
        lower = ds is errors
        assert light.argmax() == (values.argmin() if lower else values.argmax())
        assert light.argmin() == (values.argmax() if lower else values.argmin())
    *panels, bar = plots.heatmap_figure(errors).axes
    assert bar.get_ylabel() == "rms error of the output (V)"
    assert "guess 1" in [tick.get_text() for tick in bar.get_yticklabels()]


def test_a_guess_far_above_is_said_and_pointed_at(study):
    ds = study({"levels": [4, 8], "rule": ["x", "y"]}, lambda levels, rule: 0.01 * levels)
    assert "guess (1 V, far above)" in legend(plots.main_effects_figure(ds))
    bar = plots.heatmap_figure(ds).axes[-1]
    assert "guess 1 ↑" in [tick.get_text() for tick in bar.get_yticklabels()]


def test_older_results_are_drawn(make, device, corrupt, tmp_path):
    ds = as_older(corrupt(make(AXES, device)))
    names = [file.stem for file in plots.draw(ds, tmp_path)]
    assert names == ["main_effects", "heatmap", "learning_curves", "corruption"]
    figure = plots.main_effects_figure(ds)
    assert figure.axes[0].get_xlabel() == "sigma c2c"
    assert figure.axes[0].get_ylabel() == "final test accuracy (%)"
    assert {"chance (10 %)", "float baseline (97.8 %)"} <= set(legend(figure))


def test_words_with_dollars_are_no_formulas(make, tmp_path):
    bad = "$\\bad{$"
    ds = make({"price": [1, 2, 3], "rule": [bad, "b"], "kind": [bad, "c"]}, seeds=2, epochs=2)
    ds.attrs |= {"name": bad, "guess_name": bad, "reference_name": bad}
    for name in ("price", "test_accuracy", "epoch"):
        ds[name].attrs = {"long_name": f"{bad} of it", "units": "$"}
    assert len(plots.draw(ds, tmp_path)) == 3
    better = ds.assign(test_accuracy=ds.test_accuracy + 0.1 * ds.price)
    better["test_accuracy"].attrs = ds["test_accuracy"].attrs
    compare_figure(compare(ds, better), (bad, "b")).canvas.draw()
    one = {"rule": 0, "kind": 0}
    compare_figure(compare(ds.isel(one, drop=True), better.isel(one, drop=True))).canvas.draw()
    sensitivity_figure(ds, sobol_indices(ds, resamples=10)).canvas.draw()


def test_pictures_that_are_missing_or_older_than_results_are_not_drawn(make, tmp_path):
    ds = make({"levels": [4, 8]}, seeds=2, epochs=2)
    assert not plots.are_drawn(ds, tmp_path, since=0.0)
    one, other = plots.draw(ds, tmp_path)
    assert plots.are_drawn(ds, tmp_path, since=one.stat().st_mtime)
    assert not plots.are_drawn(ds, tmp_path, since=other.stat().st_mtime + 1)
    one.unlink()
    assert not plots.are_drawn(ds, tmp_path, since=0.0)


def test_long_words_of_an_axis_are_wrapped(make):
    ds = make({"up_down": [0.0, 0.1]})
    ds["up_down"].attrs = {"long_name": "up/down imbalance: that fraction of a step off depression"}
    assert max(map(len, label(ds, "up_down").splitlines())) <= 42
