"""Given conductances are what is multiplied by, access resistance and reference included."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.crossbar import Array, hold, multiply
from memjax.errors import UserError

RNG = np.random.default_rng(0)
PLUS, MINUS = (jnp.asarray(RNG.random((7, 3)), jnp.float32) for _ in range(2))
X = jnp.asarray(RNG.normal(size=(4, 7)), jnp.float32)
STREAM = jnp.array([1, 2], jnp.uint32)
SEEN = {
    "pair": ("two_sided", (PLUS, MINUS), 0.8),
    "reference": ("two_sided", (PLUS,), 1.6),
    "column": ("unit_column", (PLUS,), 1.6),
}


@pytest.mark.parametrize("r_access", [None, 20e3])
@pytest.mark.parametrize("kind", SEEN)
def test_products_are_those_of_the_weights(kind, r_access):
    mapping, g, span = SEEN[kind]
    tiles = {"tile_rows": 4, "tile_columns": 2}
    array = Array(mapping=mapping, on_off=5.0, gmax=100e-6, r_access=r_access, **tiles)
    y = multiply(hold(array, g, weight_range=0.8, g_ref=0.3), X, None)

    def read(share):  # of a device: siemens through what is in series, over those of its range
        siemens = 20e-6 + 80e-6 * np.asarray(share, float)
        return (1.0 / (1.0 / siemens + (r_access or 0.0)) - 20e-6) / 80e-6

    expected = span * (read(g[0]) - read(g[-1] if len(g) == 2 else 0.3))
    np.testing.assert_allclose(y, np.asarray(X, float) @ expected, rtol=1e-4, atol=1e-5)


def test_a_spread_of_columns_is_the_same_at_every_call():
    array = Array(mapping="two_sided", offset_sigma=0.1)
    ideal = X @ (PLUS - MINUS)
    first, again = (
        multiply(hold(array, (PLUS, MINUS), weight_range=1.0, stream=STREAM), X, None)
        for _ in range(2)
    )
    off = np.asarray(first - ideal)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(off, np.broadcast_to(off[0], off.shape), atol=1e-5)
    assert (np.abs(off[0]) > 1e-3).all()
    with pytest.raises(UserError, match=r"^hold: gain_sigma, offset_sigma and .* need a stream$"):
        hold(array, (PLUS, MINUS), weight_range=1.0)


def test_one_device_makes_no_weight_of_a_digital_offset():
    with pytest.raises(UserError, match=r"^hold: mapping = 'offset' makes no weight of 1 devices$"):
        hold(Array(mapping="offset"), (PLUS,), weight_range=1.0)


def test_digits_are_below_and_thresholds_half_up():
    array = Array(
        mapping="unit_column",
        dac="unsigned",
        dac_bits=1,
        dac_rounding="half_up",
        adc="plain",
        adc_bits=4,
        adc_rounding="floor",
        adc_share=0.5,
    )
    x = jnp.array([[0.5, 0.49, 0.9, 0.0, 0.0, 1.0, 1.0]])
    y = multiply(hold(array, (PLUS,), weight_range=1.0, stream=random.fold_in(STREAM, 0)), x, None)
    bits, step = np.array([1, 0, 1, 0, 0, 1, 1]), 0.5 * 7 / 15
    digits = [np.floor(bits @ g / step) for g in (np.asarray(PLUS, float), np.full((7, 3), 0.5))]
    np.testing.assert_allclose(y[0], 2.0 * step * (digits[0] - digits[1]), atol=1e-5)
