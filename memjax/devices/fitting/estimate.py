"""Maximum likelihood: a model's parameters from ramps, with their standard errors."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import optimize

from memjax.devices.base import Device
from memjax.devices.fitting.likelihood import log_likelihood, predict
from memjax.devices.fitting.problem import NOISES, Problem, device_of, from_line, pose, to_line
from memjax.devices.fitting.ramps import Ramps

_MOST = 80  # steps of a search
_SETTLED = 1e-3  # what a further step would add to the log-likelihood, twice
_LEFT = 0.05  # log-likelihood that a converged search may leave
_EDGE = 1e-6  # of a limit, at which an estimate has no standard error
_WORST = -1e15  # log-likelihood of parameters that make no sense
_COARSE = {"sigma_c2c": 1e-3, "sigma_ramp": 0.1, "read": 0.02}  # noises of the first search
_SURE = 0.2  # relative standard error of a noise that is beyond doubt
_FEWEST = 3  # ramps from which one may know their spread
_SANDWICH = 10  # ramps from which their scatter says something about the standard errors


class Estimate(NamedTuple):
    """What a fit found, before it is dressed as a device.

    Attributes:
      names: of the parameters: the device's fields, a table's entries as ``name[k]``, ``read`` (sd
        of a reading, in fractions of the window), ``low`` and ``high`` (the bounds, likewise).
      values, errors: estimates and standard errors, NaN at a limit; those left out are 0 and 0.
      free: which were estimated.
      log_likelihood: of all readings after each ramp's first, in units of the window.
      left: what another Newton step would add to it; infinite where this is no maximum.
      error: of the one-step predictions, in fractions of the window [ramp, point].
      standardised: the same over their expected sd.
      gains, gain_errors: what each ramp says of its own gain.
    """

    names: tuple[str, ...]
    values: np.ndarray
    errors: np.ndarray
    free: np.ndarray
    log_likelihood: float
    left: float
    error: np.ndarray
    standardised: np.ndarray
    gains: np.ndarray
    gain_errors: np.ndarray

    @property
    def converged(self) -> bool:
        """Whether the search ended in a maximum."""
        return self.log_likelihood > _WORST and self.left < _LEFT

    def of(self, name: str) -> float:
        """An estimate by its name."""
        return float(self.values[self.names.index(name)])


def estimate(
    model: type[Device], fixed: dict[str, Any], ramps: Ramps, window: tuple[float, float]
) -> Estimate:
    """The most likely parameters of a model.

    The noise of ramps and that of readings are left out where the data show no sign of them: where
    they add less than 1 to the log-likelihood, the price of a parameter by AIC.

    Args:
      model: the response model.
      fixed: values of parameters that are given, such as the convention ``c2c``.
      ramps: the measurement.
      window: Gmin and Gmax in siemens: normalised conductances 0 and 1.
    """
    problem = pose(model, fixed, ramps, window)
    start = to_line(problem, problem.starts)
    noises = {name: np.array([n == name for n in problem.names]) for name in NOISES}
    free = np.ones(len(start), bool)
    if ramps.n_ramps <= _FEWEST:
        free &= ~noises["sigma_ramp"]
    # As if nearly all noise were of readings, likelihood is least squares of whole ramps, each with
    # a gain of its own: a curve from which the noises are found safely, where a start far off would
    # mistake one for another.
    coarse = sum(_COARSE[name] * noises[name] for name in NOISES) * free
    noisy = np.any(list(noises.values()), axis=0)
    u, _ = _search(problem, start, free & ~noisy, coarse)
    u, value = _search(problem, np.where(noisy, start, u), free)
    for name in ("read", "sigma_ramp"):
        fewer = free & ~noises[name]
        if fewer.sum() == free.sum() or _is_sure(problem, u, free, noises[name]):
            continue
        other, less = _search(problem, u, fewer)
        if less > value - 1.0:
            u, value, free = other, less, fewer
    return _finish(problem, u, free)


@functools.lru_cache(maxsize=64)
def _compiled(model: type[Device], fixed: tuple, names: tuple[str, ...]) -> tuple[Any, Any]:
    """Each reading's log-likelihood and its derivatives; and the ramps' predictions."""
    shape = Problem(model, fixed, names, *(np.zeros(0),) * 3, data=(np.zeros(0),) * 3)

    def filtered(values: Any, y: Any, pulses: Any, sign: Any):
        device, noise, low, high = device_of(shape, values)
        scale = high - low
        noise = noise._replace(read=noise.read / scale)
        x = (y - low) / scale
        predictions = jax.vmap(functools.partial(predict, device, noise))(x, pulses, sign)
        each = jax.vmap(log_likelihood)(predictions, x)
        return each - jnp.where(jnp.isfinite(y[:, 1:]), jnp.log(scale), 0.0), predictions

    def each(values: Any, *data: Any):
        def function(values: Any):
            value, _ = filtered(values, *data)
            return value, value

        return jax.jacfwd(function, has_aux=True)(values)

    return jax.jit(each), jax.jit(lambda *arguments: filtered(*arguments)[1])


def _call(number: int, problem: Problem, values: np.ndarray) -> Any:
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        function = _compiled(problem.model, problem.fixed, problem.names)[number]
        arguments = map(jnp.asarray, (values, *problem.data))
        return jax.tree.map(np.asarray, function(*arguments))


def _score(
    problem: Problem, u: np.ndarray, free: np.ndarray, held: Any = 0.0
) -> tuple[float, np.ndarray]:
    """The log-likelihood, and each reading's derivatives of it [ramp, reading, free parameter]."""
    values, slopes = from_line(problem, u)
    slope, each = _call(0, problem, np.where(free, values, held))
    value, slope = float(np.sum(each)), (slope * slopes)[..., free]
    if not (np.isfinite(value) and np.isfinite(slope).all()):
        return _WORST, np.zeros_like(slope)
    return max(value, _WORST), slope


def _information(each: np.ndarray) -> np.ndarray:
    """The outer product of the readings' scores, which is the Hessian on average.

    Source: Berndt, Hall, Hall & Hausman, Ann. Econ. Soc. Meas. 3:653 (1974).
    """
    flat = each.reshape(-1, each.shape[-1])
    return flat.T @ flat + 1e-6 * np.eye(flat.shape[-1])


def _search(
    problem: Problem, start: np.ndarray, free: np.ndarray, held: Any = 0.0
) -> tuple[np.ndarray, float]:
    """The maximum over the free parameters, by a trust region.

    A step on the line is at most a few units long, a factor of ten or so, so that no parameter runs
    away while others are still far off.

    Args:
      problem: what is to be found.
      start: all parameters on the line.
      free: which of them are moved.
      held: values of the others.

    Returns:
      The parameters on the line and the log-likelihood; where the algebra fails, of the start.
    """

    @functools.lru_cache(maxsize=4)
    def score(point: bytes) -> tuple[float, np.ndarray]:
        return _score(problem, whole(np.frombuffer(point)), free, held)

    def whole(part: np.ndarray) -> np.ndarray:
        u = np.array(start, float)
        u[free] = part
        return np.clip(u, -40.0, 40.0)

    def slope(part: np.ndarray) -> np.ndarray:
        return -score(part.tobytes())[1].sum(axis=(0, 1))

    def hessian(part: np.ndarray) -> np.ndarray:
        return _information(score(part.tobytes())[1])

    def settled(intermediate_result: optimize.OptimizeResult) -> None:
        g, h = slope(intermediate_result.x), hessian(intermediate_result.x)
        if g @ np.linalg.pinv(h, hermitian=True) @ g < _SETTLED:
            raise StopIteration

    first = np.asarray(start, float)[free]
    try:
        found = optimize.minimize(
            lambda part: -score(part.tobytes())[0],
            first,
            jac=slope,
            hess=hessian,
            method="trust-exact",
            callback=settled,
            options={"initial_trust_radius": 0.5, "max_trust_radius": 3.0, "maxiter": _MOST},
        ).x
    except np.linalg.LinAlgError:
        found = first
    return whole(found), score(found.tobytes())[0]


def _is_sure(problem: Problem, u: np.ndarray, free: np.ndarray, which: np.ndarray) -> bool:
    """Whether a noise is so well known that leaving it out is no question (on the line, relative).

    A sd with the relative standard error r adds about ``1 / (8 r^2)`` to the log-likelihood.
    """
    information = _information(_score(problem, u, free)[1])
    variance = np.diag(np.linalg.pinv(information, hermitian=True))[which[free]]
    return bool(variance < _SURE**2)


def _finish(problem: Problem, u: np.ndarray, free: np.ndarray) -> Estimate:
    """Standard errors by curvature, and what the estimate says of the ramps.

    Where the scatter of many ramps' scores is beyond what the curvature explains (by more than two
    of its own standard errors), the model is not the whole truth and the errors are the sandwich's
    (White, Econometrica 50:1, 1982).
    """
    values, slope = from_line(problem, u)
    values = np.where(free, values, 0.0)
    gap = np.minimum(values - problem.lows, problem.highs - values)
    inside = free & (gap > _EDGE * np.maximum(1.0, abs(values)))
    held = np.where(free, values, 0.0)
    value, each = _score(problem, u, inside, held)
    slopes = each.sum(axis=1)
    covariance = _inverse(_curvature(problem, u, inside, held))
    total = slopes.sum(axis=0)
    errors = np.where(free, np.nan, 0.0)
    left = np.inf
    if covariance is not None:
        variance = np.diag(covariance).copy()
        if len(slopes) >= _SANDWICH:
            meat = slopes.T @ slopes * len(slopes) / (len(slopes) - 1)
            sandwich = np.diag(covariance @ meat @ covariance)
            beyond = 1.0 + 2.0 * np.sqrt(2.0 / len(slopes))
            variance = np.where(sandwich > beyond * variance, sandwich, variance)
        errors[inside] = np.sqrt(variance) * abs(slope[inside])
        left = float(0.5 * total @ covariance @ total)
    predictions = _call(1, problem, values)
    wide = np.where([name == "sigma_ramp" for name in problem.names], 10.0, values)
    gains = _call(1, problem, wide)
    error = np.where(np.isfinite(problem.data[0][:, 1:]), predictions.error, np.nan)
    return Estimate(
        problem.names,
        values,
        errors,
        free,
        value,
        left,
        error * _extent(problem, values),
        error / np.sqrt(predictions.variance),
        gains.gain,
        np.sqrt(gains.gain_variance),
    )


def _curvature(problem: Problem, u: np.ndarray, free: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Minus the second derivatives on the line, by differences of the first."""
    rows = []
    for k in np.flatnonzero(free):
        step = 1e-4 * (np.arange(len(u)) == k)
        ahead, behind = (
            _score(problem, u + way * step, free, held)[1].sum(axis=(0, 1)) for way in (1, -1)
        )
        rows.append((behind - ahead) / 2e-4)
    curvature = np.array(rows)
    return 0.5 * (curvature + curvature.T)


def _inverse(curvature: np.ndarray) -> np.ndarray | None:
    """The covariance; none where the curvature says that this is no maximum."""
    size = np.sqrt(np.maximum(np.diag(curvature), 1e-12))
    scaled = curvature / np.outer(size, size)
    try:
        if np.linalg.eigvalsh(scaled).min() <= 1e-9:
            return None
        return np.linalg.inv(scaled) / np.outer(size, size)
    except np.linalg.LinAlgError:
        return None


def _extent(problem: Problem, values: np.ndarray) -> float:
    """From the lower to the upper bound, in windows."""
    named = dict(zip(problem.names, values, strict=True))
    return float(named.get("high", 1.0) - named.get("low", 0.0))
