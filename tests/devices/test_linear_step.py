"""The linear step's published values, its slopes and its additive noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import ConstantStep, LinearStep, SoftBounds, pulse_response
from reference.pulsed import pulsed

STREAM = random.stream(jax.random.key(0))

DEVICE = LinearStep(levels=1201.0, weight_span=1.2)  # dw_min = 0.001, bounds +-0.6


def weights(device, sign):
    """After the first pulse and after 100, 500 and 1000, from w = 0."""
    array = device.fabricate(STREAM, ())
    train = jax.jit(lambda n: pulsed(device, array, jnp.full(4, device.g_ref), n, jnp.zeros(4)))
    return device.weights(train(sign * jnp.array([1.0, 100.0, 500.0, 1000.0])))


def test_published_values():
    published = np.array([0.001, 0.099179, 0.479772, 0.6])
    for sign in (1.0, -1.0):
        np.testing.assert_allclose(weights(DEVICE, sign), sign * published, atol=8e-7)


def test_slopes_are_of_the_nominal_bounds():
    """dg0 up (1 - gamma_up (g - g_ref) / (1 - g_ref)), whatever the own bounds; down its mirror."""
    device = LinearStep(levels=41.0, g_ref=0.4, gamma_up=0.5, gamma_down=0.2, sigma_bounds=0.2)
    array = device.fabricate(STREAM, (64,))
    for g in (0.3, 0.4, 0.6):
        up, down = (
            device.response(array, jnp.full(64, g), jnp.full(64, n))[0] for n in (1.0, -1.0)
        )
        np.testing.assert_allclose(up, 0.025 * (1 - 0.5 * (g - 0.4) / 0.6), rtol=2e-5)
        np.testing.assert_allclose(down, -0.025 * (1 + 0.2 * (g - 0.4) / 0.4), rtol=2e-5)


def test_slopes_vary_absolutely():
    """gamma + sigma_gamma xi, by its size: 20,000 devices, 5 standard errors."""
    device = LinearStep(levels=41.0, gamma_up=0.5, gamma_down=0.5, sigma_gamma=0.05)
    array = device.fabricate(STREAM, (20000,))
    for asymptote in (array.top, array.bottom):
        gamma = 0.5 / abs(np.asarray(asymptote, float) - 0.5)
        assert gamma.mean() == pytest.approx(0.5, abs=5 * 0.05 / np.sqrt(20000))
        assert gamma.std() == pytest.approx(0.05, rel=5 / np.sqrt(40000))


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_no_slope_is_the_constant_step_and_slope_1_soft_bounds(gamma):
    other = SoftBounds(levels=33.0) if gamma else ConstantStep(levels=33.0)
    device = LinearStep(levels=33.0, gamma_up=gamma, gamma_down=gamma)
    expected = pulse_response(other, 20, 20, start=0.3)
    np.testing.assert_allclose(pulse_response(device, 20, 20, start=0.3), expected, atol=1e-5)


def test_additive_noise_is_that_of_the_step_at_zero():
    device = LinearStep(levels=33.0, gamma_up=0.8, gamma_down=0.4, sigma_c2c=0.3, c2c="additive")
    array = device.fabricate(STREAM, ())
    g = jnp.array([0.1, 0.5, 0.9])
    for n in (1.0, -1.0):
        mean = device.response(array, g, jnp.full(3, n))[0]
        change = device.change(array, g, jnp.full(3, n), jnp.ones(3))
        np.testing.assert_allclose(change - mean, 0.3 / 32, rtol=1e-5)
