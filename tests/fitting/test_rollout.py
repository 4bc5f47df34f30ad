"""Whole ramps of a device: the mean curve, the band, and the errors of both."""

import numpy as np
import pytest

from memjax.devices import ConstantStep, OnsetStep, SoftBounds, pulse_response
from memjax.fitting import rollout
from memjax.fitting.likelihood import Noise

from .ramps_twin import WINDOW, linear_ramps, ramps_of


@pytest.mark.parametrize("device", [SoftBounds(levels=20), OnsetStep(levels=30)])
def test_mean_curve_is_the_pulse_response(device):
    expected = np.asarray(pulse_response(device, 12, 0, start=0.1), float)
    ramps = ramps_of(np.tile(expected, (2, 1)), [1, 1])
    curves = mean_curves(device, ramps)
    np.testing.assert_allclose(curves, ramps_in(ramps), atol=2e-6)
    assert rollout.mean_curve_error(curves, ramps, WINDOW)["up"] < 2e-6


def mean_curves(device, ramps):
    return rollout.simulate(device, Noise(0.0, 0.0), ramps, WINDOW).mean


def ramps_in(ramps):
    return rollout.in_window(ramps, WINDOW)


def test_memory_of_the_ramp_before():
    """A ramp up begins after pulses down: with a full onset its first step is the smallest."""
    device = OnsetStep(levels=31, onset_up=0.9, memory_up=3.0)
    curve = mean_curves(device, ramps_of([[0.1] * 8], [1]))[0]
    np.testing.assert_allclose(curve[1] - curve[0], 0.1 / 30, rtol=1e-3)
    assert np.all(np.diff(curve, 2) > 0)


def test_gaps_are_pulses_and_ends_are_masked():
    y = np.array([[0.1, 0.2, 0.5, np.nan], [0.9, 0.8, 0.7, 0.6]])
    pulses = np.array([[0, 1, 3, 0], [0, 1, 1, 1]])
    curves = mean_curves(ConstantStep(levels=11), ramps_of(y, [1, -1], pulses))
    np.testing.assert_allclose(curves, y, atol=1e-6)


def test_band_holds_nine_of_ten_readings():
    noise = {"c2c": 0.4, "ramp": 0.2, "read": 0.01}
    y, sign = linear_ramps(np.random.default_rng(0), 300, 20, **noise)
    y += np.where(sign > 0, 0.1, 0.9)[:, None] - y[:, :1]  # band is from the reading on
    ramps = ramps_of(y, sign)
    device = ConstantStep(levels=1 + 1 / 0.03, sigma_c2c=0.4)
    simulated = rollout.simulate(device, Noise(0.2, 0.01), ramps, WINDOW)
    found = rollout.coverage(simulated.band, ramps, WINDOW)
    assert 0.85 < found["up"] < 0.95 and 0.85 < found["down"] < 0.95
    again = rollout.simulate(device, Noise(0.2, 0.01), ramps, WINDOW)
    np.testing.assert_array_equal(simulated.drawn, again.drawn)


def test_mean_is_that_of_the_noise_and_the_bounds():
    """Noise of many steps, from a start in the middle: bounds hold back what noise alone would do.

    A walk of step d and noise s an update between bounds 0 and 1 tends to the exponential density
    of rate ``2 d / s^2``, of mean ``1 / (1 - exp(-k)) - 1 / k``.
    """
    device = ConstantStep(levels=1001, sigma_c2c=30.0)
    ramps = ramps_of(np.tile(0.5, (20, 1500)), [1] * 20)
    simulated = rollout.simulate(device, Noise(0.0, 0.0), ramps, WINDOW)
    rate = 2 * 0.001 / 0.03**2
    expected = 1 / (1 - np.exp(-rate)) - 1 / rate  # .67; without noise 1
    # Of 20 x 100 walks, sd .27: .006; and steps of .03 do not see the bound as it is.
    assert abs(np.mean(simulated.mean[:, 1000:]) - expected) < 0.02
    error = rollout.noise_of_mean(simulated, ramps)
    assert error == pytest.approx(np.sqrt(np.mean(simulated.sd[:, 1:] ** 2) / 20))


def test_one_direction_has_one_error():
    ramps = ramps_of([[0.1, 0.2, 0.4]], [1])
    curves = mean_curves(ConstantStep(levels=11), ramps)
    error = rollout.mean_curve_error(curves, ramps, WINDOW)
    assert list(error) == ["up"]
    np.testing.assert_allclose(error["up"], 0.1 / np.sqrt(2), rtol=1e-4)
