"""Accessors of results: a classifier's, a study's in volts, and those of before experiments."""

import numpy as np
import pytest
import xarray as xr

from memjax.errors import UserError
from memjax.sweep.analysis import results
from memjax.sweep.analysis.objective import Objective, attributes
from memjax.sweep.store import directory as store
from reference.sweeps import as_older, with_keys

AXES = {"levels": [4, 64], "sigma_c2c": [0.0, 1.0, 3.0]}


@pytest.fixture(params=["classifier", "older"])
def classifier(request, make):
    ds = make(AXES)
    return ds if request.param == "classifier" else as_older(ds)


def test_axes_are_the_lanes_dimensions_less_seeds(classifier, study):
    assert results.axes(classifier) == results.axes(study(AXES)) == list(AXES)
    assert results.axes(study({})) == []


def test_objective_of_a_classifier(classifier):
    about = results.objective(classifier)
    assert about == Objective(
        "test_accuracy", "higher", (0.0, 1.0), 0.1, "test accuracy", "1", "chance"
    )
    assert about.as_percent and about.unit == "%"


def test_objective_of_a_study(study):
    ds = study(AXES)
    about = results.objective(ds)
    assert about == Objective("rms_error", "lower", None, 1.0, "rms error of the output", "V")
    assert not about.as_percent and about.axis_label == "rms error of the output (V)"
    assert results.objective(ds.assign_attrs(bounds=[0.0, np.inf])).bounds is None
    assert results.objective(ds.assign_attrs(guess_name="no device")).guess_name == "no device"


def test_results_without_their_objective_are_refused(study):
    with pytest.raises(UserError, match="have no column 'energy_J', their objective"):
        results.objective(study(AXES).assign_attrs(objective="energy_J"))
    nothing = study(AXES)
    del nothing.attrs["objective"]
    with pytest.raises(UserError, match="synthetic: have no objective"):
        results.objective(nothing)


def test_accessors_survive_a_store(study, make, tmp_path):
    for number, ds in enumerate((study(AXES), make(AXES), as_older(make(AXES)))):
        store.write(ds, tmp_path / str(number))
        read = xr.open_zarr(tmp_path / str(number)).load()
        assert results.objective(read) == results.objective(ds)
        assert results.stage(read) == results.stage(ds)
        assert results.axis_label(read, "levels") == results.axis_label(ds, "levels")
        xr.testing.assert_identical(results.final(read), results.final(ds))


def test_stages(classifier, study):
    epoch, time = results.stage(classifier), results.stage(study(AXES))
    assert (epoch.dim, epoch.axis_label, epoch.is_training) == ("epoch", "epoch", True)
    assert (time.dim, time.axis_label) == ("time_s", "time since programming (s)")
    assert not time.is_training
    assert (epoch.text(3), time.text(10.0)) == ("epoch 3", "time since programming 10 s")


@pytest.mark.parametrize("older", [False, True])
def test_failed_lanes_are_at_the_guess_from_where_they_failed(make, study, fail, older):
    ds = fail(make(AXES), levels=4)
    ds = as_older(ds) if older else ds
    lost = results.scores(ds).sel(levels=4)
    assert bool(results.failed(ds).sel(levels=4).all()) and results.failed(ds).sum() == 15
    assert (lost.sel(epoch=slice(4, None)) == 0.1).all() and (lost.sel(epoch=3) > 0.1).all()
    assert (results.final(ds).sel(levels=4) == 0.1).all()
    gone = fail(study(AXES), from_epoch=100.0, levels=64)
    assert (results.scores(gone).sel(levels=64, time_s=[100.0, 1000.0]) == 1.0).all()
    assert results.final(gone).dims == ("levels", "sigma_c2c", "seed")
    xr.testing.assert_equal(
        results.final(gone).sel(levels=4),
        gone["rms_error"].astype(float).isel(time_s=-1, drop=True).sel(levels=4),
    )


def test_a_failed_lane_counts_at_the_guess_though_it_has_a_value(study):
    ds = study(AXES)
    ds["status"][0, 0, 0] = 2
    assert float(results.final(ds)[0, 0, 0]) == 1.0
    assert float(results.scores(ds)[0, 0, 0, -1]) < 1.0


def test_a_lane_without_a_value_is_an_error_by_the_objectives_name(study):
    ds = study(AXES)
    ds["rms_error"][0, 0, 0, -1] = np.nan
    with pytest.raises(UserError, match="1 of 24 lanes have no final rms error of the output"):
        results.final(ds)


def test_the_reference_is_found_by_what_it_is_of(classifier, make, study):
    last = classifier["baseline_accuracy"].isel(epoch=-1).values
    np.testing.assert_array_equal(results.baseline(classifier), last)
    assert results.baseline(classifier).dims == ("seed",)
    assert results.baseline_curve(classifier).dims == ("seed", "epoch")
    assert results.baseline_name(classifier) == "float baseline"
    renamed = make(AXES).rename(baseline_accuracy="ideal")
    np.testing.assert_array_equal(results.baseline(renamed), last)
    assert results.baseline(study(AXES)) is results.baseline_curve(study(AXES)) is None
    assert results.baseline_name(study(AXES)) == "reference"
    assert results.baseline_name(renamed.assign_attrs(reference_name="ideal")) == "ideal"


@pytest.mark.parametrize("older", [False, True])
def test_a_column_under_other_circumstances_is_found(make, corrupt, study, older):
    ds = corrupt(make(AXES))
    found = results.robustness(as_older(ds) if older else ds)
    assert found[:4] == ("corrupted_accuracy", "baseline_corrupted_accuracy", "corruption", "clean")
    assert results.robustness(make(AXES)) is results.robustness(study(AXES)) is None


def test_shared_random_numbers_are_seen_in_the_lanes_words(make):
    ds = make(AXES)
    assert not results.shares_random_numbers(ds)
    assert results.shares_random_numbers(with_keys(ds, shared=("levels",)))
    older = as_older(ds)
    assert not results.shares_random_numbers(older)
    asked = older.assign_attrs(spec='common_random_numbers = ["levels"]')
    assert results.shares_random_numbers(asked)


def test_axes_are_labelled_by_their_coordinates(make):
    ds = make({**AXES, "tau_refresh": [1, 2]})
    assert results.axis_label(ds, "levels") == "number of conductance levels L"
    assert results.axis_label(ds, "sigma_c2c") == "cycle-to-cycle sd of one step (mean steps)"
    assert results.axis_label(ds, "tau_refresh") == "tau refresh"
    assert results.axis_label(as_older(ds), "sigma_c2c") == "sigma c2c"
    assert results.axis_label(ds.drop_vars("levels"), "levels") == "levels"


def test_a_name_with_its_section_is_shown_as_it_is(make):
    ds = make({"model.width": [8, 16], "train.width": [1.0, 2.5]})
    assert results.axes(ds) == ["model.width", "train.width"]
    assert results.heading(ds, "model.width") == "model.width"
    assert results.labels(ds, "train.width") == ["1", "2.5"]


def test_keys_of_lanes_are_no_parameters_of_an_axis(make):
    one = make({"levels": [4, 8]}).isel(seed=0)
    assert one["lane_key"].dims == ("levels",)
    assert results.zipped(one, "levels") == [] and results.is_numeric(one, "levels")


def test_numeric_axes_are_told_from_names_and_groups(make):
    ds = make({"levels": [4, 8], "rule": ["x", "y"], "material": [0, 1]})
    ds = ds.assign_coords(on_off=("material", [2.5, 10.0]))
    assert [results.is_numeric(ds, a) for a in results.axes(ds)] == [True, False, False]


@pytest.mark.parametrize(
    ("values", "geometric"),
    [
        ([4, 8, 16, 32], True),
        ([1, 2, 5, 10, 20, 50], True),
        ([0, 0.1, 1, 10], True),
        ([0, 1, 2, 3], False),
        ([0.1, 0.2, 0.3, 0.4], False),
        ([-1, 1, 10, 100], False),
        ([1, 100], False),
    ],
)
def test_geometric_spacing_is_told_from_even_spacing(values, geometric):
    assert results.is_geometric(np.array(values, float)) is geometric


def test_spread_and_mean_of_one_seed(make):
    one, many = (results.final(make({}, seeds=n)) for n in (1, 5))
    assert float(results.spread(one)) == 0.0
    assert results.spread(many) == pytest.approx(float(many.std(ddof=1)))
    assert np.isnan(results.mean_and_spread(one)[1])


@pytest.mark.parametrize("found", ["one", ["one"], np.array(["one"])])
def test_sentences_come_back_in_any_form(found):
    assert results.strings(found) == ["one"] and results.strings(None) == []
    assert results.strings(np.array(["one", "two"])) == ["one", "two"] and results.strings([]) == []


PERCENT = Objective("a", "higher", (0.0, 1.0), 0.1, "a", "1")
VOLTS = Objective("e", "lower", None, 1.0, "e", "V")
PLAIN = Objective("r", "lower", (0.0, 5.0), 1.0, "r", "1")


@pytest.mark.parametrize(
    ("about", "value", "spread", "shown"),
    [
        (PERCENT, 0.97834, 0.0042, "97.8 ± 0.4 %"),
        (PERCENT, 0.5, np.nan, "50.0 %"),
        (VOLTS, 0.054651, 0.00291, "0.0547 ± 0.0029 V"),
        (VOLTS, 12345.6, np.nan, "12346 V"),
        (VOLTS, 1.5e-12, np.nan, "1.5e-12 V"),
        (VOLTS, np.nan, np.nan, "not finite"),
        (PLAIN, 0.5, np.nan, "0.5"),
    ],
)
def test_values_are_written_as_people_read_them(about, value, spread, shown):
    assert about.text(value, spread) == shown


@pytest.mark.parametrize(
    ("about", "difference", "shown"),
    [(PERCENT, -0.0001, "+0.0 ± 1.0"), (PERCENT, 0.1, "+10.0 ± 1.0"), (VOLTS, -0.5, "-0.5 ± 0.01")],
)
def test_differences_have_a_sign_and_none_at_nothing(about, difference, shown):
    assert about.difference(difference, 0.01) == shown


def test_a_gain_is_better_the_larger_it_is():
    assert PERCENT.gain(0.9) > PERCENT.gain(0.1) and VOLTS.gain(0.1) > VOLTS.gain(0.9)


@pytest.mark.parametrize("about", [PERCENT, VOLTS, PLAIN])
def test_attributes_are_read_back(about):
    column = ("x", [1.0], {"units": about.units, "long_name": about.label})
    ds = xr.Dataset({about.column: column}, attrs=attributes(about))
    assert results.objective(ds) == about
