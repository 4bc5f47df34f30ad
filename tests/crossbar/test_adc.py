"""Ranges of ADCs."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar import Array, Crossbar
from memjax.crossbar.adc import batch_max_pow2
from reference.case_s import W, X, Y

ONES = {"on_off": 10.0, "scale": "layer"}
"""CrossSim's: Rmin 1 kOhm, Rmax 10 kOhm, one weight limit."""


@pytest.mark.parametrize("overflow", [0.0, 0.2, 0.4])
def test_an_overflow_takes_the_range_of_a_smaller_current(overflow):
    size = np.sort(np.abs(Y))[::-1][round(overflow * 5)]
    step = 2.0 ** (1 - 4 + np.ceil(np.log2(size)))
    wanted = np.clip(np.floor(Y / step + 0.5), -8, 7) * step
    found, _ = batch_max_pow2(jnp.float32(Y)[None], jnp.ones((1, 5), bool), 4, overflow)
    np.testing.assert_allclose(found[0], wanted, atol=1e-6)


def test_a_batch_changes_what_its_members_are():
    crossbar = Crossbar(W, Array(adc_bits=4, adc_range="batch_max_pow2"))
    alone = crossbar(X)
    assert np.any(np.asarray(crossbar(np.stack([X, 4 * X])))[0] != alone)


def test_max_is_of_the_inputs_of_a_tile():
    """Of 4 and 3 inputs: a code of ``2 m / (2^B - 2)`` currents, ``W_lim / range`` weights each."""
    array = Array(adc_bits=3, tile_rows=4, **ONES)
    y = np.asarray(Crossbar(W, array) @ X)
    w = W.astype(np.float64) / np.abs(W).max()
    wanted = np.zeros(5)
    for rows, m in ((slice(0, 4), 4), (slice(4, 7), 3)):
        current = 0.9 * w[:, rows] @ X[rows]
        wanted += np.rint(current / (m / 3)) * (m / 3) / 0.9 * np.abs(W).max()
    np.testing.assert_allclose(y, wanted, atol=2e-6)


def test_granular_steps_are_those_of_a_weight():
    """The step is ``2^-weight_bits`` of the largest cell's current, at an input of 1."""
    array = Array(
        weight_bits=5, dac_bits=4, slice_bits=1, adc_per_cycle=True, adc_bits=7,
        adc_range="granular", **ONES,
    )  # fmt: skip
    y = np.asarray(Crossbar(W, array) @ X)
    step = 2.0**-5 * 8 / 7
    w = 0.9 * W.astype(np.float64) / np.abs(W).max()
    whole, total = np.rint(np.abs(X) * 7), np.zeros(5)
    for k in range(3):
        current = w @ (np.sign(X) * (whole // 2**k % 2))
        total += np.clip(np.rint(current / step), -63, 63) * step * 2**k / 7
    np.testing.assert_allclose(y, total / 0.9 * np.abs(W).max(), atol=2e-6)
