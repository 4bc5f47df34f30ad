"""The pictures of what pulses did, and of how devices answer pulses."""

import numpy as np
import pytest
import xarray as xr

from memjax.sweep.analysis.results import final
from memjax.sweep.show import plots
from memjax.sweep.show.diagnostics_plot import diagnostics_figure
from memjax.sweep.show.response_plot import response_figure
from reference.sweeps import with_diagnostics

AXES = {"levels": [4, 16, 64], "sigma_c2c": [0.0, 3.0]}


@pytest.fixture
def diagnosed(make, device):
    return with_diagnostics(make(AXES, device, seeds=2, epochs=2))


def panels(figure) -> dict:
    return {ax.get_title(): ax for ax in figure.axes if ax.get_title()}


def one_line(figure) -> str:
    return " ".join(figure.get_suptitle().split())


def test_they_are_drawn_where_there_are_diagnostics(diagnosed, make, tmp_path):
    names = {file.stem for file in plots.draw(diagnosed, tmp_path / "one")}
    assert {"diagnostics", "pulse_response"} <= names
    names = {file.stem for file in plots.draw(make({}), tmp_path / "two")}
    assert names == {"learning_curves"}


def test_the_best_cell_is_shown_unless_a_lane_is_chosen(diagnosed):
    best = 100 * float(final(diagnosed).mean("seed").max())
    title = diagnostics_figure(diagnosed).get_suptitle()
    assert f"mean over seeds at levels 64, sigma_c2c 0 ({best:.1f} %)" in title
    lane = {"levels": 0, "sigma_c2c": 1, "seed": 1}
    reached = 100 * float(final(diagnosed).isel(lane))
    title = diagnostics_figure(diagnosed, lane).get_suptitle()
    assert f"one lane at levels 4, sigma_c2c 3, seed 1 ({reached:.1f} %)" in title


def test_a_layer_has_its_conductances_updates_errors_and_pairs(diagnosed):
    lane = {"levels": 1, "sigma_c2c": 0, "seed": 0}
    found, here = panels(diagnostics_figure(diagnosed, lane)), diagnosed.isel(lane).isel(layer=1)
    for patch, name in zip(
        found["layer 2: conductances"].patches, ("before", "after"), strict=True
    ):
        counts = here[f"conductance_{name}"].values
        np.testing.assert_allclose(patch.get_data().values, 100 * counts / counts.sum())
        assert patch.get_label() == f"{name} training"
    (image,) = found["layer 2: realised updates"].get_images()
    counts = here["update_pairs"].values.T  # as columns of what is wanted
    np.testing.assert_allclose(image.get_array(), 100 * counts / counts.sum(0))
    heights = [bar.get_height() for bar in found["layer 2: errors of updates"].patches]
    errors = here["update_errors"].values
    np.testing.assert_allclose(heights, 100 * errors / errors.sum())
    (image,) = found["layer 2: pairs after training"].get_images()
    counts = here["pairs"].values
    np.testing.assert_allclose(image.get_array(), 100 * counts / counts.sum())


def test_of_many_layers_the_first_and_the_last_are_drawn_and_it_says_so(diagnosed):
    many = xr.concat([diagnosed.isel(layer=[0])] * 10, "layer", data_vars="minimal")
    figure = diagnostics_figure(many.assign_coords(layer=np.arange(1, 11)))
    rows = [title for title in panels(figure) if "conductances" in title]
    assert rows == [f"layer {k}: conductances" for k in (1, 4, 7, 10)]
    assert "what pulses did, 4 of 10 layers in rows" in one_line(figure)
    assert "layers in rows" not in one_line(diagnostics_figure(diagnosed))


def test_layers_are_side_by_side(diagnosed):
    lane = {"levels": 1, "sigma_c2c": 0, "seed": 0}
    found, here = panels(diagnostics_figure(diagnosed, lane)), diagnosed.isel(lane)
    wanted, fired = found["pulses"].containers[:2]
    assert [bar.get_height() for bar in wanted] == here["wanted_pulses"].values.tolist()
    assert [bar.get_height() for bar in fired] == here["pulses"].values.tolist()
    heights = [bar.get_height() for bar in found["devices at a bound"].patches]
    np.testing.assert_allclose(heights, 100 * here["saturated"])


def test_a_tick_of_one_pulse_lies_between_the_bins_below_and_above(diagnosed):
    ax = panels(diagnostics_figure(diagnosed))["layer 1: errors of updates"]
    ticks = dict(zip([t.get_text() for t in ax.get_xticklabels()], ax.get_xticks(), strict=True))
    middles = diagnosed["error"].values
    place = ticks["1"]
    assert middles[int(place)] < 1 < middles[int(place) + 1]
    assert ticks["0"] == 10 and ticks["-1"] == 20 - place


def test_what_does_not_apply_has_no_panel(diagnosed):
    single = diagnosed.assign(pairs=diagnosed["pairs"] * np.nan)
    assert not any("pairs" in title for title in panels(diagnostics_figure(single)))
    older = diagnosed.drop_vars(["update_pairs", "update_errors", "pairs"])
    assert set(panels(diagnostics_figure(older))) >= {"layer 1: conductances", "pulses"}


def test_a_lane_that_failed_says_so(diagnosed, fail):
    ds = fail(diagnosed, from_epoch=1, levels=64)
    lane = {"levels": 2, "sigma_c2c": 0, "seed": 0}
    assert "(10.0 %); it failed, counted at chance: nothing" in one_line(
        diagnostics_figure(ds, lane)
    )


def test_the_number_in_the_title_is_the_tables(diagnosed, fail):
    """A lane that failed counts as a guess there too."""
    ds = fail(diagnosed, from_epoch=1, levels=64, sigma_c2c=0, seed=1)
    reached = 100 * float(final(ds).isel(levels=2, sigma_c2c=0).mean())
    title = one_line(diagnostics_figure(ds, {"levels": 2, "sigma_c2c": 0}))
    assert title.endswith(f"({reached:.1f} %); 1 of 2 lanes failed, counted at chance")


def test_algorithms_that_gather_updates_are_excused(diagnosed):
    ds = diagnosed.assign(follows_updates=diagnosed["status"] * 0.0)
    assert any("gathers" in title for title in panels(diagnostics_figure(ds)))


def test_two_arrays_are_told_apart(diagnosed):
    ds = diagnosed.assign(fast_pulses=diagnosed["pulses"], fast_saturated=diagnosed["saturated"])
    found = panels(diagnostics_figure(ds))
    assert "layer 1: realised updates of the fast array" in found
    names = [text.get_text() for text in found["devices at a bound"].get_legend().get_texts()]
    assert names == ["the weights' array", "the fast array"]


def test_the_response_has_a_line_a_value_that_changes_it(diagnosed):
    (ax,) = response_figure(diagnosed).axes  # sigma_c2c changes nothing of it
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert list(lines) == ["4", "16", "64"] and len(ax.collections) == 3
    here = diagnosed.isel(sigma_c2c=0, seed=0).sel(levels=64)
    np.testing.assert_allclose(lines["64"].get_ydata(), here["response"].sel(quantile=0.5))
    np.testing.assert_allclose(lines["64"].get_xdata(), np.arange(97) * 8.0)
    assert ax.get_xlabel() == "pulses (as many up, then down)"


def test_the_response_of_a_sweep_of_one_device(make):
    figure = response_figure(with_diagnostics(make({}, seeds=2, epochs=1)))
    assert [line.get_label() for line in figure.axes[0].get_lines()] == ["all lanes"]


def test_panels_of_the_response_that_are_left_out_are_told(make):
    ds = with_diagnostics(make({"levels": [4, 64], "sigma_c2c": np.arange(10)}, seeds=1, epochs=1))
    ds["response"] = ds["response"] * (1 + 0.01 * ds["sigma_c2c"])
    figure = response_figure(ds)
    assert len(figure.axes) == 6 and "6 of 10 panels" in one_line(figure)
