"""Shares of variance against closed forms."""

import numpy as np
import pytest

from memjax.errors import UserError
from memjax.sweep.analysis.effects import best_cell, main_effects
from memjax.sweep.analysis.results import final, heading, labels
from reference.sweeps import as_older


def shares(ds):
    return main_effects(ds)["share"].to_dict()


def test_additive_model_has_the_variance_of_its_terms(make):
    a, b = [0.0, 0.1, 0.2], [0.0, 0.04]
    ds = make({"a": a, "b": b}, lambda a, b: 0.5 + a - b, noise=0.0)
    var_a, var_b = np.var(a), np.var(b)
    found = shares(ds)
    assert found["a"] == pytest.approx(var_a / (var_a + var_b), rel=1e-5)
    assert found["b"] == pytest.approx(var_b / (var_a + var_b), rel=1e-5)
    assert found["interactions"] == pytest.approx(0, abs=1e-6)
    assert found["seeds"] == pytest.approx(0, abs=1e-6)


def test_pure_interaction_has_no_main_effect(make):
    ds = make({"a": [-1, 1], "b": [-1, 1]}, lambda a, b: 0.5 + 0.1 * a * b, noise=0.0)
    assert shares(ds) == pytest.approx({"a": 0, "b": 0, "interactions": 1, "seeds": 0}, abs=1e-6)


def test_seed_effect_alone_is_the_share_of_seeds(make):
    ds = make({"a": [1, 2], "b": [1, 2, 3]}, noise=0.0)
    ds = ds.assign(test_accuracy=ds["test_accuracy"] + 0.01 * ds["seed"])
    assert shares(ds) == pytest.approx({"a": 0, "b": 0, "interactions": 0, "seeds": 1}, abs=1e-6)


def test_pure_seed_noise_splits_by_degrees_of_freedom(make):
    ds = make({"a": range(20), "b": range(20)}, seeds=10)
    # (k - 1) / (N - 1) an axis, (399 - 38) / (N - 1) interactions; N = 4,000
    expected = {"a": 19 / 3999, "b": 19 / 3999, "interactions": 361 / 3999, "seeds": 3600 / 3999}
    assert shares(ds) == pytest.approx(expected, abs=0.01)


def test_one_seed_counts_noise_as_interactions(make):
    found = shares(make({"a": [1, 2], "b": [1, 2]}, seeds=1))
    assert found["seeds"] == 0
    assert found["interactions"] > 0


@pytest.mark.parametrize("axes", [{}, {"a": [1, 2, 3]}, {"a": [1], "b": ["x", "y"]}])
def test_no_variance_gives_no_shares(make, axes):
    assert set(shares(make(axes, noise=0.0)).values()) == {0.0}


@pytest.mark.parametrize("size", range(6))
def test_shares_sum_to_one_and_are_sorted(make, device, size):
    values = {"levels": [4, 32], "x": [1], "sigma_c2c": [0.0, 3.0], "y": [1, 2], "z": ["p", "q"]}
    axes = dict(list(values.items())[:size])
    frame = main_effects(make(axes, device))
    assert frame["share"].sum() == pytest.approx(1)
    assert list(frame.index[-2:]) == ["interactions", "seeds"]
    assert frame["share"].iloc[:-2].is_monotonic_decreasing
    assert set(frame.index[:-2]) == set(axes)


def test_worst_and_best_values_and_their_means(make, device):
    ds = make({"levels": [4, 64], "sigma_c2c": [3.0, 0.0, 1.0]}, device)
    frame = main_effects(ds)
    last = ds["test_accuracy"].astype(float).isel(epoch=-1)
    assert list(frame.index) == ["sigma_c2c", "levels", "interactions", "seeds"]
    row = frame.loc["sigma_c2c"]
    assert (row["worst"], row["best"]) == (3.0, 0.0)
    assert row["worst_mean"] == pytest.approx(float(last.sel(sigma_c2c=3.0).mean()))
    assert row["best_mean"] == pytest.approx(float(last.sel(sigma_c2c=0.0).mean()))
    assert frame.loc["seeds", "worst"] is None


def test_failed_lanes_count_at_chance(make, fail):
    ds = fail(make({"a": [1, 2, 3]}, noise=0.0), a=2)
    frame = main_effects(ds)
    assert frame.loc["a", "worst"] == 2
    assert frame.loc["a", "worst_mean"] == pytest.approx(0.1)
    assert frame.loc["a", "share"] == pytest.approx(1)
    assert frame.attrs == {"lanes": 15, "failed": 5}


def test_failed_lane_with_a_finite_accuracy_counts_at_chance_too(make):
    ds = make({"a": [1, 2]})
    ds["status"].loc[{"a": 1, "seed": 0}] = 1
    assert float(final(ds).sel(a=1, seed=0)) == pytest.approx(0.1)


def test_unfinished_lane_is_an_error_that_names_the_remedy(make):
    ds = make({"a": [1, 2]})
    ds["test_accuracy"].loc[{"a": 1, "seed": 0}] = np.nan
    with pytest.raises(UserError, match=r"1 of 10 lanes .*to its end"):
        main_effects(ds)


def test_best_cell_has_its_coordinates(make, device):
    best = best_cell(make({"levels": [4, 64], "sigma_c2c": [3.0, 0.0, 1.0]}, device))
    assert (int(best["levels"]), float(best["sigma_c2c"])) == (64, 0.0)
    assert best.dims == ("seed",)
    assert best_cell(make({})).dims == ("seed",)


def test_zipped_group_shows_its_parameters(make):
    ds = make({"material": [0, 1]})
    assert heading(ds, "material") == "material"
    ds = ds.assign_coords(levels=("material", [8, 32]), on_off=("material", [2.5, 10.0]))
    assert heading(ds, "material") == "material (levels, on_off)"
    assert labels(ds, "material") == ["8, 2.5", "32, 10"]
    named = ds.assign_coords(material=["HfO2", "PCMO"])
    assert heading(named, "material") == "material"
    assert labels(named, "material") == ["HfO2", "PCMO"]


def test_dimension_without_coordinate_is_numbered(make):
    ds = make({"a": [5, 6, 7]}, lambda a: 0.1 * a).drop_vars("a")
    assert main_effects(ds).loc["a", "best"] == 2


def test_a_group_is_named_in_the_order_of_its_specification(make):
    ds = make({"material": [0, 1]}, lambda material: 0.5 + 0.1 * material)
    ds = ds.assign_coords(levels=("material", [64, 8]), rule=("material", ["x", "y"]))
    for order in (["levels", "rule"], ["rule", "levels"]):
        lines = "\n".join(f"{name} = []" for name in order)
        said = ds.assign_attrs(spec=f"[axes.material]\n{lines}\n")
        assert heading(said, "material") == f"material ({', '.join(order)})"


def test_where_lower_is_better_the_least_is_best(study, fail):
    ds = study({"levels": [4, 8, 64]}, lambda levels: 1 / levels, noise=0.0)
    frame = main_effects(ds)
    assert (frame.loc["levels", "worst"], frame.loc["levels", "best"]) == (4, 64)
    assert frame.loc["levels", "worst_mean"] == pytest.approx(0.25)
    assert int(best_cell(ds)["levels"]) == 64
    lost = main_effects(fail(ds, from_epoch=1.0, levels=64))
    assert (lost.loc["levels", "worst"], lost.loc["levels", "worst_mean"]) == (64, 1.0)


def test_shares_know_no_units(study):
    ds = study({"levels": [4, 8, 64], "sigma_c2c": [0, 1]}, lambda levels, sigma_c2c: 1 / levels)
    small = ds.assign(rms_error=1e-12 * ds["rms_error"].astype(float))
    assert shares(small) == pytest.approx(shares(ds))


def test_older_results_have_the_same_effects(make, device):
    ds = make({"levels": [4, 64], "sigma_c2c": [3.0, 0.0]}, device)
    assert main_effects(as_older(ds)).equals(main_effects(ds))
