"""Synthetic ramps and a filter in NumPy's double precision, for the tests of the fit."""

import numpy as np

from memjax.fitting.ramps import Ramps

WINDOW = (4e-6, 1e-5)


def ramps_of(y, sign, pulses=None, device=None, window=WINDOW):
    """Ramps of normalised readings; NaN pads on the right."""
    y = np.asarray(y, float)
    sign = np.asarray(sign, np.int64)
    if pulses is None:
        pulses = np.where(np.isfinite(y), 1, 0)
        pulses[:, 0] = 0
    device = np.zeros(len(y), np.int64) if device is None else np.asarray(device, np.int64)
    names = tuple(f"d{k}" for k in range(device.max() + 1))
    cycle = np.arange(len(y), dtype=np.int64) // 2
    conductance = window[0] + (window[1] - window[0]) * y
    return Ramps(conductance, np.asarray(pulses, np.int64), sign, cycle, device, names)


def linear_ramps(rng, n_ramps=20, n=25, step=0.03, c2c=0.0, ramp=0.0, read=0.0, gains=None):
    """Ramps of constant steps up and down in turn; noise of pulses in mean steps."""
    sign = np.tile([1, -1], n_ramps)[:n_ramps]
    gain = 1.0 + ramp * rng.normal(size=n_ramps) if gains is None else np.asarray(gains)
    moves = step * (gain[:, None] + c2c * rng.normal(size=(n_ramps, n)))
    travel = np.concatenate([np.zeros((n_ramps, 1)), np.cumsum(moves, axis=1)], axis=1)
    y = np.where(sign > 0, 0.1, 0.9)[:, None] + sign[:, None] * travel
    return y + read * rng.normal(size=y.shape), sign


def kalman(y, pulses, move, sd, ramp, read):
    """The log-likelihood of one ramp of a linear device, by matrices in float64.

    The state is (conductance, gain); a pulse moves the conductance by ``gain move`` and adds
    ``sd``.
    """
    mean = np.array([y[0], 1.0])
    covariance = np.diag([read**2, ramp**2])
    see, total = np.array([1.0, 0.0]), 0.0
    for reading, count in zip(y[1:], pulses[1:], strict=True):
        if not np.isfinite(reading):
            break
        forward = np.array([[1.0, count * move], [0.0, 1.0]])
        mean = forward @ mean
        covariance = forward @ covariance @ forward.T + np.diag([count * sd**2, 0.0])
        variance = see @ covariance @ see + read**2
        error = reading - see @ mean
        total -= 0.5 * (np.log(2.0 * np.pi * variance) + error**2 / variance)
        gain = covariance @ see / variance
        mean = mean + gain * error
        covariance = covariance - np.outer(gain, see @ covariance)
    return total
