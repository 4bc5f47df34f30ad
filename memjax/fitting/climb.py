"""The end of a search: Newton's steps by the curvature itself, up to a top or a ridge."""

from typing import NamedTuple

import numpy as np

from memjax.fitting.problem import Problem, from_line
from memjax.fitting.scores import Scores, score

_SETTLED = 1e-3  # what a further step would add to the log-likelihood, twice
_POLISH = 14  # steps by the curvature itself
_HALVINGS = 6  # of such a step
_PART, _WIDTHS = 0.3, (1e-4, 3e-2)  # of a standard error, over which slopes are compared
_FLAT = 1e-2  # curvature on the line of a parameter that is at its limit
_SINGULAR = 1e-7  # least eigenvalue of a curvature with ones on its diagonal


class Top(NamedTuple):
    """The end of a search: where, which parameters are within their range, and how sharp it is."""

    u: np.ndarray
    inside: np.ndarray
    held: np.ndarray  # values of the others
    value: float
    slopes: np.ndarray  # of each ramp
    covariance: np.ndarray  # on the line
    left: float  # what another step would add to the log-likelihood; infinite where this is no top


def climb(problem: Problem, u: np.ndarray, free: np.ndarray) -> Top:
    """Newton's steps by the curvature itself, from where a search ended.

    A parameter with a limit, whose logarithm the data do not tell to within ten, is at that limit:
    it has no standard error, and the others' are those given it.

    Args:
      problem: what is to be found.
      u: where the search ended, on the line.
      free: which parameters were moved.
    """
    held = np.where(free, from_line(problem, u)[0], 0.0)
    inside, here, gain = free, score(problem, u, free), np.inf
    for rest in reversed(range(_POLISH)):
        curvature = _curvature(problem, u, inside, held, here)
        size, limited = np.diag(curvature), (problem.lows > -np.inf)[inside]
        flat = limited & (abs(size) < _FLAT) & (abs(here.slope) < np.sqrt(_FLAT))
        held, inside = np.where(free, from_line(problem, u)[0], 0.0), _without(inside, flat)
        slopes, curvature = here.ramps[:, ~flat], curvature[~flat][:, ~flat]
        covariance, is_top = _inverse(curvature)
        gradient = slopes.sum(axis=0)
        step = covariance @ gradient
        left = 0.5 * float(gradient @ step)
        done = (left if is_top else gain) < _SETTLED  # or a ridge without a top
        if rest == 0 or not inside.any() or done:
            break
        step *= min(1.0, 1.0 / max(float(abs(step).max()), 1e-12))
        for _ in range(_HALVINGS):
            ahead = u.copy()
            ahead[inside] = np.clip(ahead[inside] + step, -40.0, 40.0)
            there = score(problem, ahead, inside, held)
            gain = there.value - here.value
            if gain > 0.0:
                u, here = ahead, there
                break
            step = 0.5 * step
        if gain <= 0.0:
            break
    return Top(u, inside, held, here.value, slopes, covariance, left if is_top else np.inf)


def _without(inside: np.ndarray, flat: np.ndarray) -> np.ndarray:
    fewer = inside.copy()
    fewer[inside] = ~flat
    return fewer


def _curvature(
    problem: Problem, u: np.ndarray, free: np.ndarray, held: np.ndarray, here: Scores
) -> np.ndarray:
    """Minus the second derivatives on the line, by differences of the first.

    Over a part of what the data tell a parameter to, so that kinks of a response (the nodes of a
    table) average out.
    """
    widths = np.clip(_PART / np.sqrt(np.diag(here.information())), *_WIDTHS)
    rows = []
    for k, width in zip(np.flatnonzero(free), widths, strict=True):
        step = width * (np.arange(len(u)) == k)
        ahead, behind = (score(problem, u + way * step, free, held).slope for way in (1, -1))
        rows.append((behind - ahead) / (2.0 * width))
    curvature = np.array(rows)
    return 0.5 * (curvature + curvature.T)


def _inverse(curvature: np.ndarray) -> tuple[np.ndarray, bool]:
    """The covariance, and whether this is a maximum; else, of the curvature's magnitude."""
    size = np.sqrt(np.maximum(abs(np.diag(curvature)), 1e-12))
    eigen, axes = np.linalg.eigh(curvature / np.outer(size, size))
    axes = axes / size[:, None]
    return (axes / np.maximum(abs(eigen), _SINGULAR)) @ axes.T, bool(
        eigen.size and eigen.min() > _SINGULAR
    )
