"""What is refused, and what is said to no effect: one line each, with the value and the remedy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar import Array, Crossbar, IdleOption, calibrate, tune
from memjax.errors import UserError
from reference.case_s import W, X


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"adc_bits": 0}, "adc_bits = 0 must be at least 1; it does not mean off here: leave"),
        ({"dac_bits": -1}, "dac_bits = -1 must be at least 1; it does not mean off here"),
        ({"adc_bits": np.array([0, 4])}, r"adc_bits = \[0 4\] must be at least 1"),
        ({"tile_rows": 0}, "tile_rows = 0 must be at least 1; it does not mean off"),
        ({"levels": 0}, "levels = 0 must be at least 1; it does not mean off"),
        ({"levels": 1}, "levels = 1 must be at least 2"),
        ({"adc_bits": 1}, "adc_bits = 1 with adc = 'sign_magnitude' has no code but 0"),
        ({"dac_bits": 1}, "dac_bits = 1 with dac = 'sign_magnitude' has no code but 0"),
        ({"on_off": 1.0}, "on_off = 1.0 must be more than 1: Gmax > Gmin"),
        ({"on_off": np.inf}, "give a large number"),
        ({"gmax": 0.0}, "gmax = 0.0 must be more than 0"),
        ({"mapping": "pairs"}, "mapping = 'pairs' must be one of differential, two_sided"),
        ({"slices": 2}, "slices = 2 needs weight_bits"),
        ({"slices": 4, "weight_bits": 3}, "weight_bits = 3 leaves some of slices = 4 without"),
        ({"slices": 2, "weight_bits": 8, "significance": (1.0, 2.0)}, "give one of them"),
        ({"significance": (1.0, 2.0), "mapping": "offset"}, "significance is of pairs"),
        ({"significance": (1.0, 0.0)}, "must be more than 0"),
        ({"mapping": "offset", "levels": 2}, "levels = 2 with mapping = 'offset' leaves one"),
        ({"slice_bits": 1}, "slice_bits = 1 needs dac_bits"),
        ({"slice_bits": 1, "dac_bits": 4, "dac": "plain"}, "needs inputs of magnitudes"),
        ({"slice_bits": 1, "dac_bits": 4, "input_bound": 2.0}, "so no input_bound; give x_max"),
        ({"adc_range": "fixed"}, "adc_range = 'fixed' needs adc_high"),
        ({"adc_range": "fixed", "adc_high": -1.0}, "must be less than adc_high = -1.0"),
        (
            {"adc_range": "fixed", "adc_high": 2.0, "adc_low": 0.0, "adc_bits": 4},
            "needs adc_low = -adc_high, not 0.0 and 2.0; take adc = 'plain'",
        ),
        ({"adc_range": "granular", "adc_bits": 4}, "needs slice_bits and adc_per_cycle"),
        (
            {"adc_range": "granular", "adc_bits": 4, "dac_bits": 4, "slice_bits": 1}
            | {"adc_per_cycle": True},
            "adc_range = 'granular' needs weight_bits",
        ),
        ({"adc_range": "batch_max_pow2", "adc_bits": 1, "adc": "plain"}, "must be at least 2"),
        ({"bound_management": "iterative"}, "needs a range that overflows"),
        ({"percentile": 0.0}, "percentile = 0.0 must be more than 0"),
        ({"adc_overflow": 1.0}, "adc_overflow = 1.0 must be less than 1"),
        ({"iv": "quadratic"}, "iv = 'quadratic' must be one of linear, sinh, cubic, milo"),
        ({"iv": "milo"}, "iv = 'milo' is of cells of 50 to 225 uS; give gmax = 225e-6 and on_off"),
        ({"iv": "milo", "gmax": 225e-6, "on_off": 4.5, "v_read": 0.6}, "known up to 0.5 V"),
        ({"iv": "cubic", "v_read": 2.0}, "currents that fall where voltages rise; give less than"),
        ({"iv": "sinh", "r_access": 1e3}, "r_access is in series with linear cells"),
    ],
)
def test_bad_options_are_refused_in_a_line(options, told):
    with pytest.raises(UserError, match=told) as error:
        Array(**options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"weight_bits": 8}, "weight_bits = 8 has no effect: weights are sliced by `slices`"),
        ({"cut": "equal"}, "cut = 'equal' has no effect: tiles have no limit"),
        ({"weight_limit": 1.0, "percentile": 0.9}, "percentile = 0.9 has no effect"),
        ({"adc": "plain"}, "adc = 'plain' has no effect"),
        ({"adc_high": 3.0, "adc_bits": 5}, "adc_high = 3.0 has no effect: adc_range is not"),
        ({"dac": "plain"}, "dac = 'plain' has no effect"),
        ({"adc_per_cycle": True}, "adc_per_cycle = True has no effect"),
        ({"x_max": 2.0, "input_scale": "abs_max"}, "x_max = 2.0 has no effect"),
        ({"w_noise_kind": "additive"}, "there is no w_noise"),
        ({"subtract": "digital", "mapping": "offset"}, "only pairs are subtracted"),
        ({"slope_calibration": 0.5}, "there is neither s_shape nor r_series"),
        ({"bound_factor": 10.0}, "bound_management is none"),
        ({"adc_range": "granular"}, "outputs are not quantised"),
        ({"coding": "pulse_width"}, "coding = 'pulse_width' has no effect: cells are linear"),
        ({"sinh_shape": 2.0, "iv": "cubic"}, "sinh_shape = 2.0 has no effect: iv is not sinh"),
        ({"cubic_loss": 0.1}, "cubic_loss = 0.1 has no effect: iv is not cubic"),
        ({"iv": "sinh", "coding": "pulse_width"}, "iv = 'sinh' has no effect: all reads are at"),
        ({"iv": "sinh", "slice_bits": 1, "dac_bits": 4}, "iv = 'sinh' has no effect: all reads"),
        ({"ir_drop_ratio": 1e4}, "ir_drop_ratio = 10000.0 has no effect: there is no ir_drop"),
        ({"ir_drop": 0.0}, "ir_drop = 0.0 has no effect"),
        ({"r_access": 0.0}, "r_access = 0.0 has no effect"),
    ],
)
def test_an_option_without_effect_is_told(options, told):
    array = Array(**options)
    assert any(told in sentence for sentence in array.idle()), array.idle()


def test_a_crossbar_warns_of_what_has_no_effect():
    with pytest.warns(IdleOption, match="Array: cut = 'equal' has no effect"):
        Crossbar(W, Array(cut="equal"))


def test_what_acts_is_not_told():
    array = Array(
        slices=2, weight_bits=8, tile_rows=4, cut="full", dac="unsigned", dac_bits=4, slice_bits=1,
        adc_per_cycle=True, adc_bits=5, adc="plain", adc_range="fixed", adc_low=0.0, adc_high=2.0,
        subtract="digital", w_noise=0.1, w_noise_kind="additive", r_series=0.1, v_offset_w_min=0.0,
        bound_management="iterative", bound_factor=10.0, percentile=0.9, scale="tile", x_max=2.0,
        ir_drop=1.0, ir_drop_ratio=1e4, iv="sinh", sinh_shape=1.0, v_read=0.1, input_noise=0.1,
    )  # fmt: skip
    assert array.idle() == []
    assert Array(r_access=1e3).idle() == []


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda: Crossbar(W, Array(adc_bits=4, adc_range="calibrated")) @ X, "has no data; cross"),
        (lambda: Crossbar(W, Array(input_scale="calibrated")) @ X, "has no data; crossbar = memj"),
        (lambda: Crossbar(W, Array(out_noise=0.1)) @ X, "give a key for each product"),
        (lambda: Crossbar(W, Array(gain_sigma=0.1)), "drawn once, from a key"),
        (lambda: Crossbar(W) @ X[:3], r"inputs of shape \(3,\) for a matrix of \(5, 7\)"),
        (lambda: Crossbar(X), r"W has shape \(7,\); give a matrix"),
        (lambda: Crossbar(np.zeros((0, 3))), r"W has shape \(0, 3\); give a matrix"),
        (lambda: Crossbar("W"), "W must be a matrix of numbers"),
        (lambda: Crossbar(W, Array(adc_bits=np.array([3, 4]))), "batch of variants; map over"),
        (lambda: Crossbar(W).replace(G=1), "a crossbar has no G"),
        (lambda: calibrate(Crossbar(W), X), "the array has no calibrated range"),
        (
            lambda: calibrate(Crossbar(W, Array(input_scale="calibrated")), jnp.zeros((0, 7))),
            r"inputs of shape \(0, 7\)",
        ),
        (lambda: tune(Crossbar(W), W.T, jax.random.key(0)), r"W has shape \(7, 5\)"),
        (lambda: tune(Crossbar(W), W, jax.random.key(0), per="tile"), "must be layer or column"),
    ],
)
def test_bad_use_is_refused_in_a_line(act, told):
    with pytest.raises(UserError, match=told) as error:
        act()
    assert "\n" not in str(error.value)
