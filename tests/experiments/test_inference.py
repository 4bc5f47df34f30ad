"""A model that was trained once, on arrays in every lane, at every time."""

import jax
import numpy as np
import pytest
from flax import linen, nnx

from memjax.crossbar import Array, Milo
from memjax.errors import UserError
from memjax.experiments.inference import Inference
from memjax.sweep import Spec, run


@pytest.fixture(autouse=True)
def as_users_have_it():
    """Optax promotes types."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def perceptron():
    return linen.Sequential([lambda x: x.reshape(len(x), -1), linen.Dense(10)])


SMALL = {
    "seeds": 2,
    "data": {"train_size": 300, "test_size": 90},
    "train": {"epochs": 5, "learning_rate": 0.01},
    "evaluate": {"times": [1.0, 86_400.0]},
}


def swept(axes=None, call=perceptron, **tables):
    spec = {**SMALL, "axes": axes or {}, **tables}
    return run(Spec.from_dict(spec, experiment=Inference(call=call)))


def test_ideal_arrays_are_the_reference_and_coarse_ones_are_not():
    ds = swept({"adc_bits": [2, 10], "stuck_hrs": [0.0, 1.0]}, array={"tile_rows": 32})
    assert ds.test_accuracy.dims == ("adc_bits", "stuck_hrs", "seed", "time_s")
    assert ds.time_s.values.tolist() == [1.0, 86_400.0]
    fine = ds.test_accuracy.sel(adc_bits=10, stuck_hrs=0.0)
    np.testing.assert_allclose(fine, ds.baseline_accuracy, atol=0.03)
    assert float(ds.baseline_accuracy.min()) > 0.7
    assert float(ds.test_accuracy.sel(adc_bits=2, stuck_hrs=0.0).max()) < float(fine.min())
    assert float(ds.test_accuracy.sel(stuck_hrs=1.0).max()) < 0.3, "whose weights are 0"


def test_drift_acts_over_time_and_each_seed_programs_devices_of_its_own():
    array = {
        "programming": {"error": "independent"},
        "drift": {"kind": "power_law", "sigma_nu": 0.3},
        "wires": {"r_row": 1.0},
    }
    ds = swept({"sigma": [0.05, 0.3]}, array=array)
    worse = ds.test_accuracy.sel(sigma=0.3)
    assert float(worse.mean()) < float(ds.test_accuracy.sel(sigma=0.05).mean())
    early, late = (ds.test_accuracy.isel(time_s=k).mean() for k in (0, 1))
    assert float(late) < float(early)
    assert np.ptp(worse.isel(time_s=0).values) > 0


def test_arrays_may_be_written_by_the_pulses_of_any_device():
    array = {"programming": {"error": "write_verify", "tolerance": 0.03}}
    axes = {"device.levels": [20, 400]}
    ds = swept(axes, array=array, device={"model": "EpiRAM"}, seeds=1)
    tries, pulses, energy = (
        ds[f"write_{of}"].values[:, 0] for of in ("tries", "pulses", "energy_J")
    )
    assert np.all(tries < 3) and np.all(ds.unwritten < 0.05)
    np.testing.assert_allclose(pulses[1] / pulses[0], 20, rtol=0.3, err_msg="of as small steps")
    np.testing.assert_allclose(energy[1] / energy[0], 20, rtol=0.3)
    with pytest.raises(UserError, match=r"write_verify.*\[device\] model"):
        swept(array=array)
    idle = swept(device={"model": "EpiRAM"}, seeds=1, train={"epochs": 1}).attrs["notes"]
    assert any("device has no effect" in note for note in idle)


def test_a_pattern_that_names_nothing_is_told_before_the_training(monkeypatch):
    monkeypatch.setattr("memjax.experiments.inference.trained", pytest.fail)
    with pytest.raises(UserError, match="'convolution' names no product"):
        swept(model={"layers": ["convolution"]})


def test_weights_may_be_read_and_others_are_told(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "layers_1/kernel": rng.normal(size=(64, 10)).astype(np.float32),
        "layers_1/bias": np.zeros(10, np.float32),
    }
    file = tmp_path / "net.npz"
    np.savez(file, **arrays)
    ds = swept(model={"weights": str(file)})
    np.testing.assert_allclose(ds.test_accuracy, ds.baseline_accuracy, atol=0.02)
    assert float(ds.test_accuracy.max()) < 0.5, "of weights that nobody trained"
    for wrong, told in (
        ({**arrays, "layers_1/bias": np.zeros(3)}, "layers_1/bias has shape"),
        ({"kernel": np.zeros(3)}, "name each array by its path"),
    ):
        np.savez(file, **wrong)
        with pytest.raises(UserError, match=told):
            swept(model={"weights": str(file)})
    with pytest.raises(UserError, match=r"cannot be read as \.npz"):
        swept(model={"weights": str(tmp_path / "none.npz")})


def test_lanes_of_another_training_are_not_gone_on_with(tmp_path):
    def grown(epochs, rows):
        train = {"epochs": epochs, "learning_rate": 0.01}
        spec = {**SMALL, "axes": {"tile_rows": rows}, "train": train}
        return run(Spec.from_dict(spec, experiment=Inference(call=perceptron)), tmp_path / "out")

    grown(1, [16])
    with pytest.raises(UserError, match="holds the results of this specification on other data"):
        grown(5, [16, 32])


def test_training_is_no_axis():
    with pytest.raises(UserError, match=r"train\.learning_rate: .*cannot be swept|cannot be swept"):
        swept({"train.learning_rate": [0.0, 0.01]})


def test_a_network_trained_through_its_array_knows_its_levels_and_lanes_train_their_own():
    ds = swept(
        {"training": {"train.through_array": [False, False, True], "train.noise": [0, 0.1, 0]}},
        array={"scale": "layer", "levels": 2},
        train={"epochs": 10, "learning_rate": 0.01, "each_lane": True},
        evaluate={"times": [0.0]},
    )
    plain, noisy, through = ds.test_accuracy.squeeze("time_s").values
    assert through.mean() > plain.mean() + 0.1
    assert plain[0] != plain[1], "networks of their own: nothing else is drawn"
    assert (noisy != plain).all()
    assert float(ds.baseline_accuracy.min()) > 0.8, "trained once, without noise"


def test_one_network_may_be_trained_with_noise_for_all_lanes():
    plain, noisy = (
        swept(train={"epochs": 5, "learning_rate": 0.01, **more})
        for more in ({}, {"noise": 0.5, "drop_connect": 0.1})
    )
    assert np.ptp(noisy.test_accuracy.values) == 0, "one network, ideal arrays"
    assert float(noisy.test_accuracy.max()) != float(plain.test_accuracy.max())


def test_an_array_with_converters_is_trained_through():
    array = {"adc_bits": 4, "dac_bits": 4, "out_noise": 0.05, "input_scale": "abs_max"}
    train = {"epochs": 5, "learning_rate": 0.01, "through_array": True}
    ds = swept(array=array, train=train, evaluate={"times": [0.0]})
    assert float(ds.test_accuracy.mean()) > 0.4


def test_noise_in_training_is_an_axis_of_lanes_that_train():
    with pytest.raises(UserError, match=r"noise is an axis.*each_lane = true"):
        swept({"train.noise": [0.0, 0.1]})


def test_currents_and_wires_of_cells_are_axes():
    """The ends of each are nothing and far too much."""
    axes = {"sinh_shape": [0.0, 200.0], "ir_drop": [0.0, 1.0]}
    ds = swept(axes, array={"iv": "sinh", "ir_drop_ratio": 1.0})
    assert "no effect" not in " ".join(ds.attrs.get("notes", []))
    accuracy = ds.test_accuracy
    assert float(accuracy.isel(sinh_shape=0, ir_drop=0).min()) > 0.7
    assert float(accuracy.isel(sinh_shape=1, ir_drop=0).max()) < 0.6
    assert float(accuracy.isel(sinh_shape=0, ir_drop=1).max()) < 0.6
    with pytest.raises(UserError, match="would take it twice"):
        swept(array={"ir_drop": 1.0, "wires": {"r_row": 1.0}})


def test_options_without_effect_are_told():
    ds = swept(
        array={"adc_rounding": "stochastic"},
        evaluate={"compensation": True},
        train={"epochs": 1, "noise_per": "column"},
    )
    notes = " ".join(ds.attrs.get("notes", []))
    assert "adc_rounding" in notes and "compensation has no effect" in notes
    assert "train.noise_per has no effect" in notes


def test_what_an_axis_brings_to_effect_is_not_called_idle():
    experiment = Inference(call=perceptron, array=Array(adc_range="batch_max_pow2"))
    assert any("adc_range" in note for note in experiment.notes([]))
    assert not experiment.notes([{"array.adc_bits": [4, 8]}])
    plain = Inference(call=perceptron)
    for axis in ({"array.x_max": [0.5, 1.0]}, {"array.cut": ["even", "full"]}):
        (note,) = Inference(call=perceptron, array=Array(input_scale="abs_max")).notes([axis])
        assert next(iter(axis)) in note, "the default among the values is no effect"
    ranges = {"array.adc_range": ["max", "fixed"], "array.adc_bits": [4, 8]}
    assert not any("adc_share" in note for note in plain.notes([ranges]))
    milo = Inference(call=perceptron, programming=Milo())
    assert "stated for 50 to 225" in milo.notes([])[0]
    assert not milo.notes([{"array.gmax": [1e-4, 2e-4], "array.on_off": [2.0, 2.0]}])


def test_the_size_of_a_batch_acts_on_a_range_of_the_batch():
    array = {"adc_bits": 3, "adc_range": "batch_max_pow2"}
    small, large = (swept(array=array, evaluate={"batch_size": n}) for n in (1, 90))
    assert np.any(small.test_accuracy.values != large.test_accuracy.values)


def test_an_inference_tells_what_it_costs():
    """64 inputs in two tiles, 10 outputs: 20 conversions, and 64 drives."""
    cost = {"circuits": "isaac", "adc_energy": 1e-9, "dac_energy": 1e-9, "row_capacitance": 0.0}
    array = {"tile_rows": 32, "dac_bits": 1, "dac": "unsigned", "adc_bits": 8}
    ds = swept({"v_row": [0.1, 0.2], "adc_bits": [8, 9]}, array=array, cost=cost)
    parts = ds.layer_energy_nJ.sel(layer="layers_1/kernel").isel(seed=0)
    np.testing.assert_allclose(parts.sel(part="adc", adc_bits=[8, 9]), [[20, 40]] * 2, rtol=1e-6)
    np.testing.assert_allclose(parts.sel(part="dac"), 64, rtol=1e-6)
    cells = ds.layer_energy_nJ.sel(part="cells")
    np.testing.assert_allclose(cells.sel(v_row=0.2), 4 * cells.sel(v_row=0.1), rtol=1e-5)
    assert ds.energy_nJ.dims == ds.latency_us.dims == ("v_row", "adc_bits", "seed")
    np.testing.assert_allclose(ds.energy_nJ, ds.layer_energy_nJ.sum(("layer", "part")), rtol=1e-6)
    assert float(ds.area_mm2.min()) > 0
    assert "energy_nJ" not in swept().data_vars


class Normalised(nnx.Module):
    def __init__(self, *, rngs):
        self.first = nnx.Linear(64, 16, rngs=rngs)
        self.norm = nnx.BatchNorm(16, rngs=rngs)
        self.out = nnx.Linear(16, 10, rngs=rngs)

    def __call__(self, x):
        return self.out(nnx.relu(self.norm(self.first(x.reshape(len(x), -1)))))


def test_a_model_with_dropout_is_put_on_arrays():
    class Net(nnx.Module):
        def __init__(self, rngs):
            self.drop, self.out = nnx.Dropout(0.2, rngs=rngs), nnx.Linear(64, 10, rngs=rngs)

        def __call__(self, x):
            return self.out(self.drop(x.reshape(len(x), -1)))

    ds = swept(call=Net, seeds=1)
    assert float(ds.test_accuracy.min()) > 0.6


def test_batch_norm_may_be_adapted_to_what_has_drifted():
    """A year makes weights 0.37 of what they were, and the norm's statistics wrong."""
    told = {
        "array": {"drift": {"kind": "power_law", "nu": 0.07, "sigma_nu": 0.05}},
        "evaluate": {"times": [1e8], "adapt_images": 300, "batch_size": 100},
    }
    adapted = swept({"adapt_images": [0, 300]}, call=Normalised, **told)
    left, found = (adapted.test_accuracy.sel(adapt_images=n).mean() for n in (0, 300))
    assert float(left) + 0.1 < float(found)
    assert float(found) > float(adapted.baseline_accuracy.mean()) - 0.2
    with pytest.raises(UserError, match="more than the 300 training images"):
        swept(evaluate={"adapt_images": 301})
    notes = " ".join(swept(evaluate={"adapt_images": 10}).attrs.get("notes", []))
    assert "the model has no batch norm" in notes
