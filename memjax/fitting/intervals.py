"""95 % intervals: by standard errors where the likelihood is a parabola, else by itself."""

import operator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from memjax.fitting.estimate import Estimate
from memjax.fitting.problem import NOISES, Problem, from_line, to_line
from memjax.fitting.scores import score
from memjax.fitting.search import search
from memjax.fitting.standard_errors import SDS

_BENT = 0.15  # standard errors by which a parabola may miss the end
_CLOSE = 0.1  # by which a profile may
_NEAR = 0.05  # log-likelihood that its search may leave, twice, where errors are the curvature's
_STEEP = 1.1  # times the parabola's drop: the search may be lost, for ridges bend
_TRIES = 8
_WORKERS = 2  # threads: most of the time is spent in XLA
_FAR = 7.0  # on the line, a factor of 1000: there is no end


def intervals(problem: Problem, found: Estimate) -> np.ndarray:
    """The ends of every parameter's 95 % interval [end, parameter]; NaN at a limit.

    Reckoned on the line (``problem.to_line``): of a positive parameter, by its logarithm. Where the
    log-likelihood along the ridge is no parabola, an end is where the profile, the highest
    log-likelihood over all other parameters, is 1.92 lower (Wilks). Where the errors are larger
    than the curvature's, the drop is larger by as much (Royall, Int. Stat. Rev. 54:221, 1986).
    Where the scatter of devices tells them, an end is ``reach`` standard errors away: the
    likelihood, which knows of ramps only, says nothing of that.
    Ends shift as the estimate does. A noise that was left out has an interval from 0, up to where
    the profile is 1.92 lower than without it; other noises' profiles are over it too.

    Args:
      problem: what was asked.
      found: what was found.
    """
    _, slope = from_line(problem, found.line + found.shift)
    sd = np.where(found.inside, found.errors / abs(slope), np.nan)
    ends = found.line + found.reach * sd * np.array([[-1.0], [1.0]])
    noisy = np.isin(problem.names, NOISES)
    left_out = noisy & ~found.free
    ends[:, left_out] = [[-np.inf], [np.inf]]

    def end(side: int, column: int, k: int) -> float:
        ridge = np.zeros(len(found.line))
        ridge[found.inside] = found.covariance[column]
        ridge *= (2 * side - 1) * sd[k] / ridge[k]
        slack = sd[k] ** 2 / found.covariance[column, column]
        return _end(problem, found, k, ridge, slack, left_out & noisy[k])

    if found.converged:
        inside = np.flatnonzero(found.inside)
        columns = [(column, int(k)) for column, k in enumerate(inside) if found.reach[k] == SDS]
        asked = [(side, *place) for place in columns for side in (0, 1)]
        with ThreadPoolExecutor(_WORKERS) as pool:
            for (side, _, k), where in zip(asked, pool.map(lambda a: end(*a), asked), strict=True):
                ends[side, k] = where
        for k in np.flatnonzero(left_out).tolist():
            ends[1, k] = _most(problem, found, k)
    return np.array([from_line(problem, end + found.shift)[0] for end in ends])


def _sds(found: Estimate, value: float, slack: float = 1.0) -> float:
    """How many standard errors away a log-likelihood is, were it a parabola."""
    return float(np.sqrt(max(2.0 * (found.log_likelihood - value) / slack, 1e-6)))


def _end(
    problem: Problem,
    found: Estimate,
    k: int,
    ridge: np.ndarray,
    slack: float,
    also: np.ndarray,
) -> float:
    """Where on the line the interval of parameter k ends, the way of the ridge."""

    def sds(value: float) -> float:
        return _sds(found, value, slack)

    def profile(u: np.ndarray) -> tuple[np.ndarray, float]:
        return _profile(problem, found, u, others, near=_NEAR * max(slack, 1.0))

    near = score(problem, found.line + SDS * ridge, found.inside, found.values).value
    if not also.any() and abs(sds(near) - SDS) < _BENT:
        return float(found.line[k] + SDS * ridge[k])
    others, far, inner, outer = (found.inside | also), SDS, 0.0, np.inf
    others[k] = False
    start = np.where(also, to_line(problem, problem.starts), found.line)
    for _ in range(_TRIES):
        along = start + (far - inner) * ridge
        u, value = profile(along)
        if sds(value) > _STEEP * far:
            beside = profile(np.where(np.arange(len(along)) == k, along, start))
            u, value = max((u, value), beside, key=operator.itemgetter(1))
        if abs(sds(value) - SDS) < _CLOSE:
            break
        if sds(value) < SDS:
            inner, start = far, u
        else:
            outer = far
        far *= float(np.clip(SDS / sds(value), 0.4, 2.5))
        if np.isfinite(outer):
            far = float(np.clip(far, 0.8 * inner + 0.2 * outer, 0.2 * inner + 0.8 * outer))
        elif far * abs(ridge[k]) > _FAR:
            return float(np.sign(ridge[k]) * np.inf)
    return float(found.line[k] + far * ridge[k])


def _most(problem: Problem, found: Estimate, k: int) -> float:
    """Where on the line a noise that was left out would cost too much."""
    u, (low, high) = found.line.copy(), (-np.inf, np.inf)
    u[k] = to_line(problem, problem.starts)[k]
    for _ in range(2 * _TRIES):
        u, value = _profile(problem, found, u, found.inside, k)
        away = _sds(found, value) - SDS
        if abs(away) < _CLOSE:
            break
        low, high = (low, float(u[k])) if away > 0 else (float(u[k]), high)
        if np.isfinite(high - low):
            u[k] = 0.5 * (low + high)
        else:
            u[k] = low + 1.0 if np.isfinite(low) else high - 1.0
    return float(u[k])


def _profile(
    problem: Problem,
    found: Estimate,
    u: np.ndarray,
    others: np.ndarray,
    k: int = -1,
    near: float = _NEAR,
) -> tuple[np.ndarray, float]:
    """The highest likelihood over the others, from u, and where it is; k is given with u."""
    given = found.free | others | (np.arange(len(u)) == k)
    held = np.where(given, from_line(problem, u)[0], 0.0)
    return search(problem, u, others, held, near=near)
