"""The filter against its twin, and against the density of all readings together."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices import ConstantStep, SoftBounds
from memjax.fitting.likelihood import Noise, log_likelihood, predict

from .ramps_twin import kalman, linear_ramps

PULSES = np.array([0, 1, 1, 3, 1, 2, 1, 1, 0, 0])


def filtered(device, noise, y, pulses, sign):
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        y, pulses = jnp.asarray(y), jnp.asarray(pulses, float)
        predictions = predict(device, noise, y, pulses, jnp.asarray(float(sign)))
        return float(log_likelihood(predictions, y).sum()), jax.tree.map(np.asarray, predictions)


def readings(rng):
    y = 0.2 + 0.05 * np.cumsum(PULSES) + 0.02 * rng.normal(size=len(PULSES))
    return np.where(PULSES.cumsum() < 10, y, np.nan)


@pytest.mark.parametrize("noise", [(0.2, 0.01), (0.0, 0.02), (0.3, 0.0)])
def test_the_filter_is_its_twin_on_a_linear_device(noise):
    y = readings(np.random.default_rng(0))
    y[PULSES.cumsum() >= 10] = np.nan
    device = ConstantStep(levels=21, sigma_c2c=0.3)
    found, _ = filtered(device, Noise(*noise), y, PULSES, 1)
    twin = kalman(y, PULSES, 0.05, 0.3 * 0.05, *noise)
    np.testing.assert_allclose(found, twin, rtol=1e-6)  # the device's 1.0 are float32


def test_the_filter_is_the_joint_density_of_the_readings():
    """Of a linear device, all readings together are one Gaussian, given the first."""
    y, _ = linear_ramps(np.random.default_rng(1), 1, 6, c2c=0.4, ramp=0.2, read=0.01)
    sd, ramp, read, k = 0.03 * 0.4, 0.2, 0.01, np.arange(1, 7)
    covariance = (
        sd**2 * np.minimum.outer(k, k)
        + (0.03 * ramp) ** 2 * np.outer(k, k)
        + read**2 * (1 + np.eye(6))
    )
    gap = y[0, 1:] - y[0, 0] - 0.03 * k
    square = gap @ np.linalg.solve(covariance, gap)
    expected = -0.5 * (square + np.linalg.slogdet(2 * np.pi * covariance)[1])
    device = ConstantStep(levels=1 + 1 / 0.03, sigma_c2c=0.4)
    found, _ = filtered(device, Noise(ramp, read), y[0], np.r_[0, np.ones(6)], 1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_without_noise_of_readings_it_is_least_squares_of_steps():
    """The sum of squared one-step errors over the additive variance, and its normalisation."""
    device = SoftBounds(levels=9, sigma_c2c=0.3, c2c="additive")
    y = np.array([0.1, 0.3, 0.42, 0.6, 0.6])
    found, predictions = filtered(device, Noise(0.0, 0.0), y, np.array([0, 1, 1, 1, 1]), 1)
    errors, sd = y[1:] - (y[:-1] + 0.25 * (1 - y[:-1])), 0.3 / 8
    np.testing.assert_allclose(predictions.error, errors, atol=1e-6)
    expected = -0.5 * np.sum(errors**2 / sd**2 + np.log(2 * np.pi * sd**2))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_gap_is_one_prediction_of_several_pulses():
    device = SoftBounds(levels=11, sigma_c2c=0.2)
    one = filtered(device, Noise(0.1, 0.01), np.array([0.2, 0.5]), np.array([0, 3]), 1)[1]
    ends = 1 - 0.8 * 0.8**3
    np.testing.assert_allclose(one.error, 0.5 - ends, atol=1e-6)


def test_a_ramp_says_what_its_gain_was():
    y = 0.1 + 0.03 * 1.4 * np.arange(12)
    device = ConstantStep(levels=1 + 1 / 0.03, sigma_c2c=0.01)
    *_, said = filtered(device, Noise(10.0, 1e-4), y, np.r_[0, np.ones(11)], 1)
    np.testing.assert_allclose(said.gain, 1.4, rtol=1e-3)
    assert 0 < said.gain_variance < 1e-4
