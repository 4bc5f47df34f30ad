"""``memjax explain``: lanes that are broken on purpose, each in its way, and lanes that are not."""

import numpy as np
import pytest

from memjax.data import load
from memjax.errors import UserError
from memjax.sweep import Spec, run
from memjax.sweep.analysis.explain import explain, find
from memjax.sweep.store import directory as store
from reference.sweeps import as_older

pytestmark = pytest.mark.optimized


def trained(**raw):
    raw = {"seeds": 1, "evaluate": {"diagnostics": True}, **raw}
    raw["train"] = {"epochs": 1, "learning_rate": 0.1, **raw.get("train", {})}
    return run(Spec.from_dict(raw), dataset=load("digits").take(600, 200))


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    axes = {"sigma_c2c": [0, 4], "levels": [100, 2]}
    return trained(axes=axes, cell={"weight_range": 1.0}, train={"epochs": 4})


def test_the_worst_lane_is_told_and_where_it_stands(noisy):
    said = explain(noisy)
    place = find(noisy)
    assert said[0].startswith("Lane ") and "sigma_c2c = " in said[0] and "chance 10 %" in said[1]
    worst = float(noisy.test_accuracy.isel(epoch=-1).min())
    assert float(noisy.test_accuracy.isel(place).isel(epoch=-1)) == worst


def test_noise_and_saturation_are_told(noisy):
    """Two levels: one pulse leads from bound to bound."""
    said = " ".join(explain(noisy, "levels=100,sigma_c2c=4"))
    assert "noise of programming is" in said
    said = " ".join(explain(noisy, "levels=2,sigma_c2c=0"))
    assert "of layer 1 is saturated" in said


def test_a_good_lane_has_nothing_wrong():
    result = trained(train={"epochs": 3}, device={"levels": 500}, cell={"weight_range": 2.0})
    said = explain(result, "0")
    assert said[1].startswith("It learns")
    assert not any("saturated" in s or "noise" in s or "moved" in s for s in said)


@pytest.fixture(scope="module")
def rounded():
    return trained(pulses={"scheme": "truncated"}, device={"levels": 4})


def test_updates_that_rounding_loses_are_told(rounded):
    assert "of the pulses that were wanted" in " ".join(explain(rounded))


def test_a_drift_to_a_far_symmetry_point_is_told():
    device = {"model": "SoftBounds", "levels": 50, "up_down": 0.7}
    result = trained(train={"epochs": 3}, device=device, pulses={"length": 31})
    assert "steps up and down differ" in " ".join(explain(result))


def test_without_diagnostics_it_says_how_to_get_them():
    result = trained(evaluate={})
    assert "evaluate.diagnostics=true" in explain(result)[-1]


def test_a_lane_that_went_non_finite_is_told(noisy):
    broken = noisy.copy(deep=True)
    broken.status[0, 0, 0] = 1
    broken.test_accuracy[0, 0, 0] = np.nan
    assert "non-finite in epoch 1" in explain(broken, "0")[-1]


@pytest.mark.parametrize(
    "lane,words",
    [
        ("99", "there are 4 lanes, 0 to 3"),
        ("level=2", "did you mean 'levels'"),
        ("levels=3,sigma_c2c=0", "is not on the axis; there are 100, 2"),
        ("levels=2", "say sigma_c2c too"),
    ],
)
def test_a_lane_that_is_not_there(noisy, lane, words):
    with pytest.raises(UserError, match=words):
        explain(noisy, lane)


def test_diagnostics_are_labelled_saved_and_read(noisy, tmp_path):
    store.save(tmp_path, noisy)
    read = store.load(tmp_path)
    assert read.saturated.dims[-1] == "layer" and read.conductance_after.shape[-2:] == (2, 32)
    assert read.pulses.attrs["units"] and read.update_snr.attrs["long_name"]
    devices = read.conductance_after.sum("conductance").values
    np.testing.assert_array_equal(devices[0, 0, 0], [65 * 32, 33 * 10])


def test_energy_and_time_are_of_the_presets_pulses(noisy):
    """Ag:a-Si: between the energy of its pulses at Gmin and at Gmax; 300 us a pulse at least."""
    result = trained(device={"model": "Ag:a-Si"}, train={"learning_rate": 0.05})
    pulses = float((result.pulses * [65 * 32, 33 * 10]).sum())
    energy = float(result.energy_J.item())
    low, high = (v**2 * 300e-6 * g for v, g in ((2.8, 3.0769e-9), (3.2, 38.462e-9)))
    assert pulses * low < energy < pulses * high
    assert 300e-6 < float(result.programming_time_s.item()) < pulses * 300e-6
    assert np.all(np.isnan(noisy.energy_J)) and np.all(np.isnan(noisy.fast_pulses))


def test_two_arrays_tell_of_both():
    result = trained(train={"algorithm": "agad"}, axes={"algorithm": ["sgd", "agad"]})
    fast = result.fast_pulses.sel(algorithm="agad")
    assert np.all(fast > result.pulses.sel(algorithm="agad"))
    assert np.all(np.isnan(result.fast_pulses.sel(algorithm="sgd")))


def test_what_counts_do_not_tell_is_a_column_of_its_own(rounded):
    lost = "of the pulses that were wanted"
    assert lost in " ".join(explain(rounded))
    otherwise = rounded.assign(follows_updates=0.0 * rounded["follows_updates"])
    assert lost not in " ".join(explain(otherwise))
    assert lost not in " ".join(explain(rounded.drop_vars("follows_updates")))


def test_columns_of_other_dimensions_are_another_studys(study):
    ds = study({"levels": [4, 8]})
    ds["saturated"] = ds["energy"] * 0 + 0.9
    assert explain(ds)[-1] == "Nothing else was counted."


def test_any_study_is_told_by_its_own_words(study, fail):
    ds = study({"levels": [4, 64]}, lambda levels: 0.4 - 0.3 * (levels > 8), noise=0.0)
    lane, well, nothing = explain(ds)
    assert lane == "Lane 0: levels = 4, seed = 0."
    assert well == "It does better than the guess: 0.4 V, guess 1 V (lower is better)."
    assert nothing == "Nothing else was counted."
    gone = fail(ds, from_epoch=100.0, levels=64)
    assert find(gone) == {"levels": 1, "seed": 0}
    assert explain(gone)[-1] == "It went non-finite in time since programming 100 s."
    bad = ds.assign(rms_error=ds["rms_error"] * 0 + 0.99)
    assert "no better than the guess: 0.99 V" in explain(bad, "0")[1]


def test_a_lane_that_could_not_be_run_tells_why(make):
    ds = make({"levels": [4, 8]}).assign_attrs(errors=["no room"])
    ds["status"][0, 0] = 2
    assert explain(ds, "0")[1:] == ["It could not be run: no room."]


@pytest.mark.parametrize("older", [False, True])
def test_a_classifier_is_told_against_chance_and_its_baseline(make, older):
    ds = make({"levels": [4, 64]}, lambda levels: 0.5, noise=0.0)
    said = explain(as_older(ds) if older else ds, "0")
    assert said[1] == "It learns: 50.0 %, chance 10 %, float baseline 97.8 %."
    assert said[2] == "Nothing else was counted; run with --set evaluate.diagnostics=true."
    low = make({"levels": [4, 64]}, lambda levels: 0.12, noise=0.0)
    assert explain(low, "0")[1].startswith("It is at chance: 12.0 %")


def test_a_lane_is_found_again_by_what_is_said_of_it(make):
    ds = make({"rate": [1e-5 / 3, 0.00251188643151, 1.0], "rule": ["x", "y"]})
    for number in range(0, 30, 7):
        said = explain(ds, str(number))[0]
        again = said.removesuffix(".").partition(": ")[2].replace(" = ", "=").replace(", ", ",")
        assert explain(ds, again)[0] == said


@pytest.mark.parametrize("lane", ["9" * 5000, "-" + "9" * 5000, "²", "٣", "1" * 19])
def test_a_number_that_no_lane_has_is_one_short_line(make, lane):
    with pytest.raises(UserError) as caught:
        find(make({"levels": [4, 8]}, seeds=1, epochs=1), lane)
    assert len(str(caught.value)) < 200 and "\n" not in str(caught.value)


def test_a_lane_of_a_small_number_is_the_one_that_was_named(make):
    ds = make({"width_s": [1e-9, 5e-9, 1e-8]}, seeds=1, epochs=1)
    assert [find(ds, f"width_s={x}")["width_s"] for x in ("1e-9", "5e-9", "0.00000001")] == [
        0,
        1,
        2,
    ]
    with pytest.raises(UserError, match="is not on the axis"):
        find(ds, "width_s=2e-9")


def test_of_near_numbers_the_nearest_is_meant(make):
    near = make({"rate": [1.0, 1.0 + 4e-7, 1.0 + 8e-7]}, seeds=1, epochs=1)
    assert [find(near, f"rate={x}")["rate"] for x in ("1", "1.0000004", "1.0000008")] == [0, 1, 2]


def test_values_may_have_commas_and_a_name_is_given_once(make):
    ds = make({"device": ["Ag, a-Si", "x"], "levels": [4, 8]}, seeds=1, epochs=1)
    assert find(ds, "levels=8,device=Ag, a-Si") == {"device": 0, "levels": 1, "seed": 0}
    with pytest.raises(UserError, match="levels is given twice; give it once"):
        find(ds, "levels=4,levels=8,device=x")
    with pytest.raises(UserError, match="'inf' is not on the axis"):
        find(ds, "levels=inf,device=x")
