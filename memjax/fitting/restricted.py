"""Restricted likelihood: noises that allow for the parameters estimated beside them."""

import numpy as np

from memjax.fitting.climb import Top
from memjax.fitting.problem import NOISES, Problem
from memjax.fitting.scores import score

_NUDGE = 0.05  # of a noise, relative, for derivatives
_FARTHEST = 0.5  # that a noise is moved, relative


def restricted(problem: Problem, top: Top) -> np.ndarray:
    """How far noises move on the line to allow for the parameters estimated beside them.

    Maximum likelihood takes residuals for errors, and so noises for too small. A Newton step leads
    to where ``log L - log |J| / 2`` is largest, J the others' information.

    Args:
      problem: what was asked.
      top: the likelihood's maximum.

    Source: Cox & Reid, J. R. Stat. Soc. B 49:1 (1987); of a linear model, Patterson & Thompson,
    Biometrika 58:545 (1971).
    """
    noisy = np.isin(problem.names, NOISES)[top.inside]
    if noisy.all() or not np.isfinite(top.left):
        return np.zeros_like(top.u)

    def volume(u: np.ndarray) -> float:
        others = score(problem, u, top.inside, top.held).information()[~noisy][:, ~noisy]
        return float(np.linalg.slogdet(others)[1])

    axes = np.eye(len(top.u))[top.inside][noisy]
    ahead, behind = ([volume(top.u + way * _NUDGE * axis) for axis in axes] for way in (1, -1))
    slope = (np.array(behind) - ahead) / (4.0 * _NUDGE)
    step = np.clip(top.covariance[noisy][:, noisy] @ slope, -_FARTHEST, _FARTHEST)
    return np.asarray(step @ axes)
