"""Noise and bound management: as aihwkit's documentation has it."""

import jax
import jax.numpy as jnp
import numpy as np

from memjax.crossbar import Array, Crossbar, calibrate
from reference.case_s import W, X

BATCH = np.stack([X, 2 * X, np.roll(X, 1), 0 * X, 0.1 * X]).astype(np.float32)
MANAGED = {"weight_limit": 1.0, "input_scale": "abs_max", "adc_range": "fixed"}


def product(array, x=BATCH, key=None):
    return jax.jit(lambda array, x: Crossbar(W / 1.4, array)(x, key))(array, x)


def by_hand(W, x, high, dac_bits, adc_bits, factor=1000.0, resolution=0.25):
    """One tile and sample: halve until no output rounds beyond the range."""
    scale = np.abs(x).max()
    if scale == 0:
        return np.zeros(len(W))
    codes, reduction = 2 ** (dac_bits - 1) - 1, 1.0
    x = np.float32(x) * (np.float32(1.0) / np.float32(scale))  # its rounding decides ties
    out = 2 * high / (2**adc_bits - 2)
    while True:
        u = np.clip(np.rint(x / reduction * codes) / codes, -1, 1)
        code = np.rint(W @ u / out)
        fits = np.all(np.abs(code) <= np.rint(high / out))
        if fits or reduction > min(factor, resolution * codes):
            return np.clip(code * out, -high, high) * scale * reduction
        reduction *= 2


def test_inputs_are_halved_until_nothing_overflows():
    """Each sample and tile by itself, up to the resolution of the DAC: 16 at 7 bits."""
    W64, batch = W.astype(np.float64) / 1.4, BATCH.astype(np.float64)
    for high in (0.1, 0.01):
        array = Array(
            dac_bits=7, adc_bits=6, adc_high=high, bound_management="iterative", **MANAGED
        )
        wanted = [by_hand(W64, x, high, 7, 6) for x in batch]
        np.testing.assert_allclose(product(array), wanted, atol=2e-6)
    tiled = Array(
        dac_bits=7, adc_bits=6, adc_high=0.3, bound_management="iterative", tile_rows=3,
        tile_columns=2, **MANAGED,
    )  # fmt: skip
    wanted = np.zeros((5, 5))
    for rows in (slice(0, 3), slice(3, 5), slice(5, 7)):
        for outputs in (slice(0, 2), slice(2, 4), slice(4, 5)):
            tile = W64[outputs, rows]
            wanted[:, outputs] += [by_hand(tile, x, 0.3, 7, 6) for x in batch[:, rows]]
    np.testing.assert_allclose(product(tiled), wanted, atol=2e-6)


def test_without_a_dac_the_factor_ends_it():
    array = Array(
        weight_limit=1.0, adc_range="fixed", adc_high=1e-5, bound_factor=6.0,
        bound_management="iterative",
    )  # fmt: skip
    y = product(array, X[None])
    np.testing.assert_allclose(np.abs(y), 8e-5, rtol=1e-6)  # 8 is the first beyond 6


def test_a_cap_clips_what_is_larger():
    capped = Array(weight_limit=1.0, dac_bits=5, input_scale="abs_max", input_cap=1.2)
    fixed = Array(weight_limit=1.0, dac_bits=5, x_max=1.2)
    np.testing.assert_allclose(product(capped, 2 * X), product(fixed, 2 * X), atol=1e-6)
    below = Array(weight_limit=1.0, dac_bits=5, input_scale="abs_max")
    np.testing.assert_allclose(product(capped, X), product(below, X), atol=1e-6)


def test_products_done_again_have_fresh_noise_and_gradients():
    array = Array(
        weight_limit=1.0, adc_range="fixed", adc_high=0.4, out_noise=0.01,
        bound_management="iterative",
    )  # fmt: skip
    crossbar = Crossbar(W / 1.4, array)
    y = crossbar(jnp.stack([X, X]), jax.random.key(0))
    assert not np.any(y[0] == y[1]) and np.abs(y - (W @ X / 1.4)[None]).max() < 0.2
    slope = jax.grad(lambda x: jnp.sum(crossbar(x, jax.random.key(0))))(jnp.asarray(X))
    np.testing.assert_allclose(slope, (W / 1.4).sum(axis=0), atol=1e-5)


def test_an_average_is_of_each_samples_largest_in_a_tile():
    array = Array(input_scale="average_abs_max", tile_rows=4, dac_bits=6)
    crossbar = calibrate(Crossbar(W, array), BATCH)
    wanted = [np.abs(BATCH[:, :4]).max(axis=1).mean(), np.abs(BATCH[:, 4:]).max(axis=1).mean()]
    np.testing.assert_allclose(crossbar.input_range, wanted, rtol=1e-6)
    np.testing.assert_allclose(crossbar(0.5 * X), 0.5 * W @ X, atol=0.2)
