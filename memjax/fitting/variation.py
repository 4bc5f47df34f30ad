"""Spread and resolution: what ramps say of differences between devices, and of levels."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from memjax.fitting.estimate import Estimate
from memjax.fitting.problem import Problem
from memjax.fitting.ramps import Ramps
from memjax.fitting.standard_errors import SDS

_FEWEST = 3  # devices from which a spread is estimated


class Deviation(NamedTuple):
    """A standard deviation between devices or ramps.

    Attributes:
      value: estimated.
      error: its standard error; NaN where it is 0.
      low, high: its 95 % interval.
    """

    value: float
    error: float
    low: float
    high: float


Spread = dict[str, Deviation]
"""Standard deviations by their parameter's name."""


def between_devices(found: Estimate, ramps: Ramps) -> Spread:
    """Parts the spread of ramps' gains: between devices, and between one device's ramps.

    Every ramp says how much faster or slower than the mean device its own was, with a standard
    error. One device's ramps of one direction differ by ``sigma_ramp``. A device's mean over ramps
    up is ``1 + d + t``, over ramps down ``1 + d - t``: over devices, d has the sd ``sigma_d2d`` and
    t has ``sigma_up_down``. By moments: of each variance is taken off what the errors (and the
    ramps within a device) make of it. A sd s from n differences, of which the errors have the
    variance e, has the standard error ``(s^2 + e) / (s sqrt(2 n))``; its 95 % interval is that of
    the variance ``s^2 + e``, which is distributed as chi squared of n degrees of freedom, less e:
    of few devices, far from even. Where no device has two ramps of a direction, ramps are taken to
    differ by their devices alone.

    Args:
      found: the estimate.
      ramps: the measurement, with its devices.

    Returns:
      The parameters that the data can tell; none for fewer than three devices.
    """
    devices, column = np.unique(ramps.device, return_inverse=True)
    if len(devices) < _FEWEST:
        return {}
    cell = column + len(devices) * (ramps.sign < 0)  # a device and a direction
    count = np.bincount(cell, minlength=2 * len(devices))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(cell, found.gains, minlength=len(count)) / count
    error = found.gain_errors**2
    spread: Spread = {}
    repeats, inner = len(cell) - int((count > 0).sum()), 0.0
    if repeats:
        scatter = float(np.sum((found.gains - mean[cell]) ** 2)) / repeats
        spread["sigma_ramp"] = _excess(scatter, float(error.mean()), repeats)
        inner = spread["sigma_ramp"].value ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.bincount(cell, error + inner, minlength=len(count)) / count**2
    mean, variance = mean.reshape(2, -1), variance.reshape(2, -1)
    both = np.isfinite(mean).all(axis=0)
    if both.sum() >= _FEWEST:
        common, tilt = 0.5 * (mean[0] + mean[1])[both], 0.5 * (mean[0] - mean[1])[both]
        of_both = 0.25 * float(np.mean(variance.sum(axis=0)[both]))
        spread["sigma_up_down"] = _excess(float(np.var(tilt, ddof=1)), of_both, len(tilt) - 1)
    else:
        row = int(np.isfinite(mean[1]).sum() > np.isfinite(mean[0]).sum())
        common = mean[row][np.isfinite(mean[row])]
        of_both = float(np.nanmean(variance[row]))
    spread["sigma_d2d"] = _excess(float(np.var(common, ddof=1)), of_both, len(common) - 1)
    return spread


def levels(found: Estimate, problem: Problem) -> float:
    """Levels between the window's ends that one reading tells apart with 95 % certainty.

    A level written by one more pulse is off by the noise of that pulse and of its reading, sd s;
    neighbours ``2 x 1.96 s`` apart are mistaken for each other once in 20. So ``1 + range / (3.92
    s)``, with s the rms error of one-step predictions.

    Args:
      found: the estimate.
      problem: with the readings.
    """
    y = problem.data[0]
    sd = float(np.sqrt(np.nanmean(found.error**2)))
    extent = float(np.nanmax(y) - np.nanmin(y))
    return 1.0 + extent / (2.0 * SDS * sd) if sd > 0 else float("inf")


def _excess(variance: float, of_error: float, n: int) -> Deviation:
    """The sd beyond what errors of estimation make, from n differences."""
    ends = n * variance / stats.chi2.ppf([0.975, 0.025], n)
    sd, low, high = np.sqrt(np.maximum([variance - of_error, *(ends - of_error)], 0.0)).tolist()
    error = variance / (sd * float(np.sqrt(2.0 * n))) if sd > 0 else float("nan")
    return Deviation(sd, error, low, high)
