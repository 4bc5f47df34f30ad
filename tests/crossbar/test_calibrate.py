"""Ranges from data, and gains from products."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar import Array, Crossbar, calibrate, convert, tune
from memjax.errors import UserError
from reference.case_s import W, X

KEY = jax.random.key(0)
BATCH = np.sin(np.arange(700.0)).reshape(100, 7).astype(np.float32)


@pytest.mark.parametrize(("x", "said"), [(np.nan, "not all finite"), (0.0, "all 0")])
def test_data_that_tell_no_range_are_refused(x, said):
    array = Array(adc_bits=8, adc_range="calibrated")
    with pytest.raises(UserError, match=said):
        calibrate(Crossbar(W, array), np.full_like(BATCH, x))
    with pytest.raises(UserError, match=f"convert: inputs are {said}"):
        convert(
            (lambda w, x: x @ w["w"], {"w": jnp.asarray(W.T)}),
            array,
            key=KEY,
            inputs=np.full_like(BATCH, x),
        )


def test_ranges_of_slices_hold_their_currents_and_are_powers_of_two_apart():
    array = Array(slices=4, weight_bits=8, adc_bits=8, adc_range="calibrated", adc_quantile=1.0)
    crossbar = Crossbar(W, array)
    low, high = np.asarray(calibrate(crossbar, BATCH).adc_range).T
    g = np.asarray(crossbar.g)[:, :, 0, 0]
    most = np.abs(BATCH @ (g[:, 0] - g[:, 1])).max(axis=(1, 2))
    np.testing.assert_array_equal(low, -high)
    np.testing.assert_allclose(high.max(), most.max(), rtol=1e-6)
    apart = np.log2(high.max() / high)
    np.testing.assert_allclose(apart, np.round(apart), atol=1e-5)
    assert np.all(high >= most * (1 - 1e-6)) and np.all(high < 2 * most)


def test_a_quantile_is_of_all_tiles_and_each_input_slice():
    array = Array(
        dac="unsigned", dac_bits=4, slice_bits=1, adc_per_cycle=True, adc_bits=6, adc="plain",
        adc_range="calibrated", adc_quantile=0.9, subtract="digital", tile_rows=4, weight_limit=2.0,
    )  # fmt: skip
    x = np.abs(BATCH)
    found = calibrate(Crossbar(W, array), x)
    whole, seen = np.rint(x * 15), []
    for k in range(4):
        bit = whole // 2**k % 2
        for rows in (slice(0, 4), slice(4, 7)):
            for side in (W, -W):
                seen.append(bit[:, rows] @ np.maximum(side[:, rows].T, 0) / 2)
    np.testing.assert_allclose(found.adc_range, [[0, np.quantile(all_of(seen), 0.9)]], rtol=1e-5)


def all_of(currents):
    return np.concatenate([current.ravel() for current in currents])


def test_a_narrower_range_has_finer_codes_of_what_it_holds():
    """A batch at a tenth of full scale: by its own range it is right to a code of that."""
    wide = Crossbar(W, Array(adc_bits=6))
    own = calibrate(Crossbar(W, Array(adc_bits=6, adc_range="calibrated")), BATCH / 10)
    errors = [np.abs(c(BATCH / 10) - BATCH / 10 @ W.T).mean() for c in (wide, own)]
    assert errors[1] < errors[0] / 10


def test_tune_finds_what_was_lost():
    """The unused level of an offset, 15 / 14 of it; and a column that lost half."""
    offset = Crossbar(W, Array(mapping="offset", levels=16, scale="layer"))
    tuned = tune(offset, offset.weights() * 15 / 14, jax.random.key(0))
    np.testing.assert_allclose(tuned.gain, 15 / 14, rtol=1e-5)
    half = Crossbar(W).replace(g=Crossbar(W).g.at[..., 2].multiply(0.5))
    tuned = tune(half, W, jax.random.key(0), per="column")
    np.testing.assert_allclose(tuned.gain, [1, 1, 2, 1, 1], rtol=1e-5)
    np.testing.assert_allclose(tuned @ X, W @ X, atol=4e-6)
    np.testing.assert_allclose(tuned.weights(), W, atol=4e-6)
    again = tune(tuned, 2 * jnp.asarray(W), jax.random.key(1), per="column")
    np.testing.assert_allclose(again @ X, 2 * W @ X, atol=1e-5)
