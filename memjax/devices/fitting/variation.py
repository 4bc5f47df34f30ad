"""Spread and resolution: what ramps say of differences between devices, and of levels."""

from typing import Any

import numpy as np

from memjax.devices.fitting.estimate import Estimate
from memjax.devices.fitting.problem import Problem
from memjax.devices.fitting.ramps import Ramps

_FEWEST = 3  # devices from which a spread is estimated
_CERTAIN = 1.96  # sds within which lie 95 % of a normal's numbers


def between_devices(found: Estimate, ramps: Ramps) -> dict[str, Any]:
    """The spread of devices' gains, by moments: ``sigma_d2d`` and ``sigma_up_down``.

    Every ramp says how much faster or slower than the mean device its own was, with a standard
    error. A device's mean over ramps up is ``1 + d + t``, over ramps down ``1 + d - t``; they vary
    over devices by the spread, and by the error of these means, which is taken off.

    Args:
      found: the estimate.
      ramps: the measurement, with its devices.

    Returns:
      The parameters that the data can tell; none for fewer than three devices.
    """
    devices = np.unique(ramps.device)
    if len(devices) < _FEWEST:
        return {}
    means, errors = np.full((2, len(devices)), np.nan), np.full((2, len(devices)), np.nan)
    for row, sign in enumerate((1, -1)):
        for column, device in enumerate(devices):
            mine = (ramps.sign == sign) & (ramps.device == device)
            if not mine.any():
                continue
            weights = 1.0 / (found.gain_errors[mine] ** 2 + found.of("sigma_ramp") ** 2)
            means[row, column] = np.average(found.gains[mine], weights=weights)
            errors[row, column] = weights.sum() ** -0.5
    spread = {}
    common, tilt = np.nanmean(means, axis=0), 0.5 * (means[0] - means[1])
    of_mean = np.nanmean(errors**2) / np.isfinite(means).sum(axis=0).mean()
    spread["sigma_d2d"] = _excess(common, of_mean)
    if np.isfinite(tilt).sum() >= _FEWEST:
        spread["sigma_up_down"] = _excess(tilt, of_mean)
    return {name: value for name, value in spread.items() if value > 0}


def levels(found: Estimate, problem: Problem) -> float:
    """Levels between the window's ends that one reading tells apart with 95 % certainty.

    A level written by one more pulse is off by the noise of that pulse and of its reading, sd s;
    neighbours ``2 x 1.96 s`` apart are mistaken for each other once in 20. So ``1 + range / (3.92
    s)``, with s the rms error of one-step predictions.
    """
    y = problem.data[0]
    sd = float(np.sqrt(np.nanmean(found.error**2)))
    extent = float(np.nanmax(y) - np.nanmin(y))
    return 1.0 + extent / (2.0 * _CERTAIN * sd) if sd > 0 else float("inf")


def _excess(values: np.ndarray, of_error: float) -> float:
    """The sd beyond what errors of estimation make."""
    return float(np.sqrt(max(np.nanvar(values, ddof=1) - of_error, 0.0)))
