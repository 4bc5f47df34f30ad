"""Maximum likelihood: a model's parameters from ramps, with their standard errors."""

from typing import Any, NamedTuple

import numpy as np

from memjax.devices.base import Device
from memjax.fitting.climb import climb
from memjax.fitting.problem import NOISES, Problem, from_line, pose, to_line
from memjax.fitting.ramps import Ramps
from memjax.fitting.restricted import restricted
from memjax.fitting.scores import WORST, filtered, score
from memjax.fitting.search import search
from memjax.fitting.standard_errors import SDS, standard_errors

_LEFT = 0.05  # log-likelihood that a converged search may leave
_ANY_GAIN = 10.0  # sd of the gains, where each ramp is to say its own
# Noises of the first searches, large enough that no start is far off.
_COARSE = (
    {"sigma_c2c": 0.3, "sigma_ramp": 0.1, "read": 0.01},
    {"sigma_c2c": 0.1, "sigma_ramp": 0.1, "read": 0.005},
)
_SURE = 0.2  # relative standard error of a noise that is beyond doubt
_FEWEST = 3  # ramps from which one may know their spread


class Estimate(NamedTuple):
    """What a fit found, before it is dressed as a device.

    Attributes:
      names: of the parameters: the device's fields, a table's entries as ``name[k]``, ``read`` (sd
        of a reading, in fractions of the window), ``low`` and ``high`` (the bounds, likewise).
      values, errors: estimates and standard errors, NaN at a limit; those left out are 0 and 0.
      reach: standard errors to the ends of 95 % intervals: 1.96, more where few devices tell them.
      free: which were estimated.
      line, covariance, inside: the likelihood's maximum on the line, the curvature's covariance
        there, and which parameters it is of.
      shift: from that maximum to the estimates, on the line; 0 but for noises.
      log_likelihood: of all readings after each ramp's first, in units of the window.
      left: what another Newton step would add to it; infinite where this is no maximum.
      error: of the one-step predictions, in fractions of the window [ramp, point].
      standardised: the same over their expected sd.
      gains, gain_errors: what each ramp says of its own gain.
    """

    names: tuple[str, ...]
    values: np.ndarray
    errors: np.ndarray
    reach: np.ndarray
    free: np.ndarray
    line: np.ndarray
    shift: np.ndarray
    covariance: np.ndarray
    inside: np.ndarray
    log_likelihood: float
    left: float
    error: np.ndarray
    standardised: np.ndarray
    gains: np.ndarray
    gain_errors: np.ndarray

    @property
    def converged(self) -> bool:
        """Whether the search ended in a maximum."""
        return self.log_likelihood > WORST and self.left < _LEFT

    @property
    def bic(self) -> float:
        """``k log N - 2 log L``."""
        n = np.isfinite(self.error).sum()
        return float(self.free.sum() * np.log(n) - 2.0 * self.log_likelihood)

    def of(self, name: str) -> float:
        """An estimate by its name.

        Args:
          name: of the parameter.
        """
        return float(self.values[self.names.index(name)])


def estimate(
    model: type[Device],
    fixed: dict[str, Any],
    ramps: Ramps,
    window: tuple[float, float],
    *,
    coarse: tuple[int, ...] = (0, 1),
) -> Estimate:
    """The most likely parameters of a model.

    The noise of ramps and that of readings are left out where the data show no sign of them: where
    they add less than 1 to the log-likelihood, the price of a parameter by AIC.

    Args:
      model: the response model.
      fixed: values of parameters that are given, such as the convention ``c2c``.
      ramps: the measurement.
      window: Gmin and Gmax in siemens: normalised conductances 0 and 1.
      coarse: the first searches, by the noises that they are given (0 or 1): two of them, in case
        there are several maxima.
    """
    problem = pose(model, fixed, ramps, window)
    start = to_line(problem, problem.starts)
    noises = {name: np.array([n == name for n in problem.names]) for name in NOISES}
    free = np.ones(len(start), bool)
    if ramps.n_ramps <= _FEWEST:
        free &= ~noises["sigma_ramp"]
    # First the curve, with noises that are given: a start far off would mistake one for another.
    noisy = np.any(list(noises.values()), axis=0)
    u, value = start, -np.inf
    for k in coarse:
        given = sum(_COARSE[k][name] * noises[name] for name in NOISES)
        other, _ = search(problem, start, free & ~noisy, given * free, near=1.0)
        begun = to_line(problem, np.where(noisy, given, problem.starts))
        other, more = search(problem, np.where(noisy, begun, other), free)
        if more > value:
            u, value = other, more
    for name in ("read", "sigma_ramp"):
        fewer = free & ~noises[name]
        if fewer.sum() == free.sum() or _is_sure(problem, u, free, noises[name]):
            continue
        other, less = search(problem, u, fewer)
        if less > value - 1.0:
            u, value, free = other, less, fewer
    return _finish(problem, u, free, ramps.device)


def _is_sure(problem: Problem, u: np.ndarray, free: np.ndarray, which: np.ndarray) -> bool:
    """Whether a noise is so well known that leaving it out is no question (on the line, relative).

    A sd with the relative standard error r adds about ``1 / (8 r^2)`` to the log-likelihood.
    """
    information = score(problem, u, free).information()
    variance = np.diag(np.linalg.pinv(information, hermitian=True))[which[free]]
    return bool(variance < _SURE**2)


def _finish(problem: Problem, u: np.ndarray, free: np.ndarray, device: np.ndarray) -> Estimate:
    """Standard errors, and what the estimate says of the ramps."""
    top = climb(problem, u, free)
    shift = restricted(problem, top)
    values, slope = from_line(problem, top.u + shift)
    values = np.where(free, values, 0.0)
    known = standard_errors(top.covariance, top.slopes, device)
    errors, reach = np.where(free, np.nan, 0.0), np.full(len(values), SDS)
    errors[top.inside] = known.sd * abs(slope[top.inside])
    reach[top.inside] = known.reach
    is_gain = np.array([name == "sigma_ramp" for name in problem.names])
    now = filtered(problem, values).now
    own = filtered(problem, np.where(is_gain, _ANY_GAIN, values)).now
    seen = np.isfinite(problem.data[0][:, 1:])
    error = np.where(seen, now.error, np.nan)
    return Estimate(
        names=problem.names,
        values=values,
        errors=errors,
        reach=reach,
        free=free,
        line=top.u,
        shift=shift,
        covariance=top.covariance,
        inside=top.inside,
        log_likelihood=top.value,
        left=top.left,
        error=error,
        standardised=error / np.sqrt(now.variance),
        gains=np.asarray(own.gain),
        gain_errors=np.sqrt(own.gain_variance),
    )
