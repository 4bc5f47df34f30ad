"""Conventions of cycle-to-cycle noise, by numbers, and how additive noise contracts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import ConstantStep, SoftBounds

STREAM = random.stream(jax.random.key(0))

N = 131072


@pytest.mark.parametrize(
    ("convention", "expected"),
    [
        ("step", 0.3 * 0.02 * 2),
        ("additive", 0.3 * 0.02 * 2),
        ("pulse", 0.3 * 2),
        ("write", 0.3),
        ("change", 0.3 * np.sqrt(0.08)),
        ("change_g", 0.3 * np.sqrt(0.08) * 0.65),
        ("change_inverse_g", 0.3 * np.sqrt(0.08) / 0.65),
    ],
)
def test_four_pulses_of_a_constant_step(convention, expected):
    """dg0 = 0.02, g = 0.4, on/off 5: G / range = 0.65."""
    device = ConstantStep(levels=51.0, on_off=5.0, sigma_c2c=0.3, c2c=convention)
    array = device.fabricate(STREAM, ())
    for n in (4.0, -4.0):
        mean, sd = device.mean_and_sd(array, jnp.float32(0.4), jnp.float32(n))
        assert (float(mean), float(sd)) == pytest.approx((0.02 * n, expected), rel=1e-5)


@pytest.mark.parametrize("n", [1, 4, 25])
def test_additive_noise_of_a_contraction_in_closed_form(n):
    """sum over j of (sigma dg0)^2 (1 - f)^(2 j): the pulses after each contract its noise."""
    device = SoftBounds(levels=21.0, sigma_c2c=0.3, c2c="additive")
    array, f = device.fabricate(STREAM, ()), 0.1
    expected = 0.3 * 0.05 * np.sqrt(np.sum((1 - f) ** (2 * np.arange(n))))
    for sign in (1.0, -1.0):
        sd = device.additive_sd(array, jnp.array([0.0, 0.4, 0.9]), jnp.full(3, sign * n))
        np.testing.assert_allclose(sd, expected, rtol=1e-5)


def test_additive_noise_of_a_train_is_that_of_its_pulses():
    """131,072 trains of 8 pulses, one by one and at once; the sd's standard error is 0.2 %."""
    device = SoftBounds(levels=9.0, sigma_c2c=0.3, c2c="additive")
    array, up = device.fabricate(STREAM, ()), jnp.ones(N)
    start = now = jnp.full(N, 0.3)
    change = jax.jit(lambda g, n, xi: device.change(array, g, n, xi))
    for k in range(8):
        now = now + change(now, up, random.normal(random.fold_in(STREAM, k), (N,)))
    at_once = change(start, 8.0 * up, random.normal(random.fold_in(STREAM, 9), (N,)))
    assert float(jnp.std(now)) == pytest.approx(float(jnp.std(at_once)), rel=0.02)
