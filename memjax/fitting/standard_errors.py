"""Standard errors: by the curvature, or by the scatter of scores where that says more."""

from typing import NamedTuple

import numpy as np
from scipy import stats

SDS = float(stats.norm.ppf(0.975))
"""Standard deviations within which lie 95 % of a normal's numbers, on each side."""
_FEWEST = 10  # ramps of one device whose scatter says something


class StandardErrors(NamedTuple):
    """Of estimates on the line.

    Attributes:
      sd: standard errors [parameter].
      reach: how many of them it is to the ends of a 95 % interval [parameter]: 1.96, or more where
        few devices tell them.
    """

    sd: np.ndarray
    reach: np.ndarray


def standard_errors(
    covariance: np.ndarray, scores: np.ndarray, device: np.ndarray
) -> StandardErrors:
    """Standard errors of a maximum, and how far its 95 % intervals reach.

    By the curvature the covariance is C, as far as the model is the whole truth. By the scatter of
    independent scores s it is the sandwich ``S = C sum(s s') C n / (n - 1)``. Ramps of one device
    are independent: where S is larger than C by more than two of its own standard errors,
    ``sqrt(2 / n)`` of itself, it is taken. Ramps of several devices are not, for each device has
    steps of its own: s is a device's, n their number, and a standard error that n devices tell
    reaches as far as Student's t of n - 1 degrees of freedom. Of both intervals the wider is taken:
    a few devices that happen to be alike do not prove that all are.

    Args:
      covariance: C, on the line [parameter, parameter].
      scores: derivatives of each ramp's log-likelihood [ramp, parameter].
      device: of each ramp.

    Example:
      >>> import numpy as np
      >>> from memjax.fitting.standard_errors import standard_errors
      >>> scores = np.array([[3.0], [-1.0], [-2.0]])
      >>> known = standard_errors(np.eye(1), scores, np.arange(3))
      >>> known.sd.round(2).tolist(), known.reach.round(2).tolist()
      ([4.58], [4.3])

    Source: White, Econometrica 50:1 (1982); of few groups, Bell & McCaffrey, Survey Methodology
    28:169 (2002).
    """
    curved = np.diag(covariance)
    devices = np.unique(device)
    groups = len(devices) > 1
    if groups:
        scores = np.array([scores[device == one].sum(axis=0) for one in devices])
    n = len(scores)
    if n < (2 if groups else _FEWEST):
        return StandardErrors(np.sqrt(curved), np.full(len(curved), SDS))
    meat = scores.T @ scores * n / (n - 1)
    scattered = np.diag(covariance @ meat @ covariance)
    if not groups:
        beyond = 1.0 + 2.0 * np.sqrt(2.0 / n)
        sd = np.sqrt(np.where(scattered > beyond * curved, scattered, curved))
        return StandardErrors(sd, np.full(len(sd), SDS))
    sd = np.sqrt(np.maximum(curved, scattered))
    students = float(stats.t.ppf(0.975, n - 1)) * np.sqrt(scattered)
    return StandardErrors(sd, np.where(students > SDS * np.sqrt(curved), students / sd, SDS))
