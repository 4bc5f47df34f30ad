"""The maximum of the likelihood: Fisher's scoring within a trust region."""

import functools
from typing import Any

import numpy as np
from scipy import optimize

from memjax.fitting.problem import Problem
from memjax.fitting.scores import Scores, score

_MOST = 60  # steps of a search


def search(
    problem: Problem, start: np.ndarray, free: np.ndarray, held: Any = 0.0, near: float = 1e-2
) -> tuple[np.ndarray, float]:
    """The maximum over the free parameters, by Fisher's scoring within a trust region.

    A step on the line is at most a few units long, a factor of ten or so, so that no parameter runs
    away while others are still far off.

    Args:
      problem: what is to be found.
      start: all parameters on the line.
      free: which of them are moved.
      held: values of the others.
      near: log-likelihood that a further step may add, twice.

    Returns:
      The parameters on the line and the log-likelihood; where the algebra fails, of the start.
    """

    @functools.lru_cache(maxsize=4)
    def at(point: bytes) -> Scores:
        return score(problem, whole(np.frombuffer(point)), free, held)

    def whole(part: np.ndarray) -> np.ndarray:
        u = np.array(start, float)
        u[free] = part
        return np.clip(u, -40.0, 40.0)

    def settled(intermediate_result: optimize.OptimizeResult) -> None:
        here = at(intermediate_result.x.tobytes())
        if here.slope @ np.linalg.pinv(here.information(), hermitian=True) @ here.slope < near:
            raise StopIteration

    first = np.asarray(start, float)[free]
    try:
        found = optimize.minimize(
            lambda part: -at(part.tobytes()).value,
            first,
            jac=lambda part: -at(part.tobytes()).slope,
            hess=lambda part: at(part.tobytes()).information(),
            method="trust-exact",
            callback=settled,
            options={"initial_trust_radius": 0.5, "max_trust_radius": 3.0, "maxiter": _MOST},
        ).x
    except (np.linalg.LinAlgError, ValueError):  # SciPy's word for infinite entries
        found = first
    return whole(found), at(found.tobytes()).value
