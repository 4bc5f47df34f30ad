"""Products that other simulators make: CrossSim 3.2.0, aihwkit 1.1.0, and MemTorch's equations.

W and x are those of ``reference.case_s``, W / 1.4 for aihwkit; all of it in one program, in which
every number of an array is traced, as in a sweep.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar import Array, Crossbar, calibrate, tune
from reference.case_s import W, X

ONES = {"on_off": 10.0, "scale": "layer"}
"""CrossSim's: Rmin 1 kOhm, Rmax 10 kOhm, one weight limit."""


def fixed(high):
    return {"adc_range": "fixed", "adc_high": high}


def steps(number):
    """aihwkit's resolution: so many steps over the range."""
    return math.log2(number + 2)


T32 = {"tile_rows": 3, "tile_columns": 2}
A1 = (0.490198744, -0.488189424, -0.144983668, 0.707675902, -0.465153763)
A4 = (0.370253468, -0.281697069, -0.143867312, 0.589571836, -0.572369985)
A5 = (0.501770120, -0.480466466, -0.140463122, 0.702025845, -0.457490632)

CROSSSIM = {
    "one-sided": ({}, A1),
    "3-bit cells": (
        {"levels": 8},
        (0.396700173, -0.301818264, -0.154143564, 0.631684195, -0.613253469),
    ),
    "offset, 4-bit cells": ({"mapping": "offset", "levels": 16}, A4),
    "unit column, 4-bit cells": ({"mapping": "unit_column", "levels": 16}, A4),
    "8 bits in 4 slices": ({"slices": 4, "weight_bits": 8}, A5),
    "8 bits in 4 offset slices": ({"slices": 4, "weight_bits": 8, "mapping": "offset"}, A5),
    "8 bits in 4 unit slices": ({"slices": 4, "weight_bits": 8, "mapping": "unit_column"}, A5),
    "percentile 1.5": ({"percentile": 1.5}, A1),
    "DAC 4 bits": (
        {"dac_bits": 4},
        (0.526202913, -0.435177035, -0.236321628, 0.727379907, -0.376253827),
    ),
    "ADC 5 bits": (
        {"adc_bits": 5, **fixed(3.0)},
        (0.595078355, -0.595078355, 0.0, 0.595078355, -0.595078355),
    ),
    "ADC 5 bits, plain": (
        {"adc_bits": 5, "adc": "plain", **fixed(3.0)},
        (0.431911710, -0.431911710, -0.143970570, 0.719852849, -0.431911710),
    ),
    "DAC 4 bits by 1, ADC once": (
        {"dac_bits": 4, "slice_bits": 1, "adc_bits": 6, **fixed(3.0)},
        (0.575882279, -0.431911710, -0.287941140, 0.719852849, -0.431911710),
    ),
    "slices and converters": (
        {"slices": 4, "weight_bits": 8, "dac_bits": 8, "adc_bits": 8, **fixed(2.0)},
        (0.494761036, -0.489226796, -0.128947787, 0.696760788, -0.482585708),
    ),
    "tiles": (
        {**T32, "cut": "equal", "adc_bits": 5, **fixed(3.0)},
        (0.297539178, -0.297539178, 0.0, 0.892617533, -0.595078356),
    ),
}

ABS_MAX = {"input_scale": "abs_max"}
AIHWKIT = {
    "DAC": (
        1.0,
        {"dac_bits": steps(14)},
        (0.3758593, -0.3108408, -0.1688012, 0.5195572, -0.2687528),
    ),
    "noise management": (
        3.0,
        {"dac_bits": steps(14), **ABS_MAX},
        (1.1266029, -0.9317159, -0.5059657, 1.5573236, -0.805561),
    ),
    "ADC": (
        1.0,
        {"adc_bits": steps(30), **fixed(1.0)},
        (0.3333333, -0.3333333, -0.1333333, 0.5333334, -0.3333333),
    ),
    "defaults without noise": (
        1.0,
        {"dac_bits": 7, "adc_bits": steps(510), "bound_management": "iterative"}
        | fixed(12.0)
        | ABS_MAX,
        (0.3291269, -0.3291269, -0.0940363, 0.5171994, -0.3291269),
    ),
    "S-shape": (
        1.0,
        {"s_shape": 0.5, **fixed(1.0)},
        (0.2979752, -0.2969351, -0.0984614, 0.4035013, -0.28492),
    ),
}


def test_products_are_those_of_crosssim():
    arrays = {name: Array(**(ONES | options)) for name, (options, _) in CROSSSIM.items()}

    @jax.jit
    def products(arrays):
        return {name: Crossbar(W, array) @ X for name, array in arrays.items()}

    found = products(arrays)
    for name, (_, wanted) in CROSSSIM.items():
        np.testing.assert_allclose(found[name], wanted, rtol=0, atol=2e-6, err_msg=name)


def test_products_are_those_of_aihwkit():
    arrays = {name: Array(weight_limit=1.0, **options) for name, (_, options, _) in AIHWKIT.items()}

    @jax.jit
    def products(arrays):
        return {
            name: Crossbar(W / 1.4, array)(AIHWKIT[name][0] * X) for name, array in arrays.items()
        }

    found = products(arrays)
    for name, (_, _, wanted) in AIHWKIT.items():
        np.testing.assert_allclose(found[name], wanted, rtol=0, atol=2e-6, err_msg=name)


def test_conductances_are_those_of_crosssim():
    stored = Crossbar(W, Array(levels=8, **ONES)).weights()[0]
    wanted = (0.7651008, -0.7651008, 0.5738255, -0.5738255, 0.3825504, -0.3825504, 0.1912752)
    np.testing.assert_allclose(stored, wanted, atol=2e-6)
    sliced = Crossbar(W, Array(slices=4, weight_bits=8, **ONES)).g[:, :, 0, 0, :, 0]
    np.testing.assert_allclose(sliced[:, 0, 0], (0.1, 0.1, 0.4, 0.4), atol=2e-6)
    np.testing.assert_allclose(sliced[:, 1, 1], (0.1, 0.7, 0.1, 0.4), atol=2e-6)
    limit = Crossbar(W, Array(percentile=1.5, **ONES)).limit
    assert float(limit[0, 0, 0, 0]) == pytest.approx(2.008389450, abs=2e-6)


MEMTORCH = {
    (14e3, 50e6): (
        (44.897930, 0.02, 35.058877),
        (26.143633, -26.036468, -7.732373, 37.742277, -24.807915),
        18750.21826,
    ),
    (10e3, 100e3): ((66.562029, 10.0, 54.161351), None, 14876.95889),
}


@pytest.mark.parametrize("resistances", MEMTORCH)
def test_currents_and_gains_are_those_of_memtorch(resistances):
    """``tune`` finds 1 and 0 beside the analytic gain, whose product is MemTorch's *a*."""
    low, high = resistances
    conductances, currents, gain = MEMTORCH[resistances]
    crossbar = Crossbar(W, Array(gmax=1 / low, on_off=high / low, scale="layer"))
    siemens = crossbar.siemens[0, :, 0, 0]
    np.testing.assert_allclose(siemens[0, :3, 0] * 1e6, conductances, rtol=1e-6)
    if currents is not None:
        np.testing.assert_allclose(X @ (siemens[0] - siemens[1]) * 1e6, currents, atol=2e-5)
    tuned = tune(crossbar, W, jax.random.key(0))
    a = tuned.gain * crossbar.limit.ravel() / (1 / low - 1 / high)
    np.testing.assert_allclose(a, gain, rtol=1e-6)
    np.testing.assert_allclose(tuned.bias, 0.0, atol=2e-6)


def test_noise_has_the_moments_of_aihwkit():
    """Of 20,000 draws: an sd to four of its own errors (2 %), a mean to four of its."""
    arrays = {
        "out": Array(weight_limit=1.0, out_noise=0.06),
        "additive": Array(weight_limit=1.0, w_noise=0.0175, w_noise_kind="additive"),
        "pcm": Array(weight_limit=1.0, w_noise=0.0175),
    }
    inputs = jnp.broadcast_to(X, (20_000, 7))
    seen = jax.jit(
        lambda arrays, key: {
            name: Crossbar(W / 1.4, array)(inputs, key) for name, array in arrays.items()
        }
    )(arrays, jax.random.key(0))
    wanted = {
        "out": np.full(5, 0.06),
        "additive": np.full(5, 0.0321052),
        "pcm": 0.0175 * np.sqrt(np.abs(W / 1.4) @ X**2),
    }
    for name, sd in wanted.items():
        y = np.asarray(seen[name])
        np.testing.assert_allclose(y.std(axis=0), sd, rtol=4 / math.sqrt(2 * 20_000))
        assert np.all(np.abs(y.mean(axis=0) - W / 1.4 @ X) < 4 * sd / math.sqrt(20_000))


@pytest.mark.parametrize(
    ("bits", "wanted"), [(4, (0.5, -0.5, -0.125, 0.75, -0.5)), (2, (0.5, -0.5, 0.0, 0.5, -0.5))]
)
def test_the_batch_maximum_is_memtorchs(bits, wanted):
    """At a weight limit of 2 currents are weights over 2, and steps powers of two of either."""
    array = Array(weight_limit=2.0, adc_bits=bits, adc_range="batch_max_pow2")
    np.testing.assert_array_equal(Crossbar(W, array) @ X, np.float32(wanted))


def test_a_calibrated_range_holds_the_currents():
    array = Array(adc_bits=12, adc_range="calibrated", input_scale="calibrated", input_quantile=1.0)
    crossbar = calibrate(Crossbar(W, array), np.stack([X, -2 * X]))
    assert float(crossbar.input_range) == pytest.approx(2 * np.abs(X).max())
    np.testing.assert_allclose(crossbar @ X, W @ X, atol=2e-3)
