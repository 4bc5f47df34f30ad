"""Maximum likelihood: a model's parameters from ramps, with their standard errors."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import optimize

from memjax.devices.base import Device
from memjax.devices.stepped import of_single_pulses
from memjax.fitting.likelihood import Predictions, log_likelihood, predict
from memjax.fitting.problem import NOISES, Problem, device_of, from_line, pose, to_line
from memjax.fitting.quick import quick_options
from memjax.fitting.ramps import Ramps

_MOST = 60  # steps of a search
_SETTLED = 1e-3  # what a further step would add to the log-likelihood, twice
_LEFT = 0.05  # log-likelihood that a converged search may leave
_POLISH = 14  # steps by the curvature itself
_HALVINGS = 6  # of such a step
_PART, _WIDTHS = 0.3, (1e-4, 3e-2)  # of a standard error, over which slopes are compared
_NUDGE = 0.05  # of a noise, relative, for derivatives
_FARTHEST = 0.5  # that a noise is moved, relative
_FLAT = 1e-2  # curvature on the line of a parameter that is at its limit
_ANY_GAIN = 10.0  # sd of the gains, where each ramp is to say its own
_SINGULAR = 1e-7  # least eigenvalue of a curvature with ones on its diagonal
_WORST = -1e15  # log-likelihood of parameters that make no sense
# Noises of the first searches, large enough that no start is far off.
_COARSE = (
    {"sigma_c2c": 0.3, "sigma_ramp": 0.1, "read": 0.01},
    {"sigma_c2c": 0.1, "sigma_ramp": 0.1, "read": 0.005},
)
_SURE = 0.2  # relative standard error of a noise that is beyond doubt
_FEWEST = 3  # ramps from which one may know their spread
_SANDWICH = (
    10  # ramps, or devices, from which their scatter says something about the standard errors
)


class Estimate(NamedTuple):
    """What a fit found, before it is dressed as a device.

    Attributes:
      names: of the parameters: the device's fields, a table's entries as ``name[k]``, ``read`` (sd
        of a reading, in fractions of the window), ``low`` and ``high`` (the bounds, likewise).
      values, errors: estimates and standard errors, NaN at a limit; those left out are 0 and 0.
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
        return self.log_likelihood > _WORST and self.left < _LEFT

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
    groups = ramps.device if len(np.unique(ramps.device)) >= _SANDWICH else None
    return _finish(problem, u, free, groups)


@functools.lru_cache(maxsize=64)
def _compiled(model: type[Device], fixed: tuple, names: tuple[str, ...]) -> Any:
    """The ramps' predictions in units of the window, and derivatives of errors and variances."""
    shape = Problem(model, fixed, names, *(np.zeros(0),) * 3, data=(np.zeros(0),) * 3)

    def filtered(values: Any, y: Any, pulses: Any, sign: Any) -> Any:
        device, noise, low, high = device_of(shape, values)
        scale = high - low
        noise = noise._replace(read=noise.read / scale)
        x = (y - low) / scale
        now = jax.vmap(functools.partial(predict, device, noise))(x, pulses, sign)
        seen = jnp.isfinite(y[:, 1:])
        error, variance = now.error * scale, jnp.where(seen, now.variance * scale**2, 1.0)
        now = now._replace(error=error, variance=variance)
        return (error, variance), (now, jax.vmap(log_likelihood)(now, y))

    def derived(values: Any, *data: Any) -> Any:
        def along(tangent: Any) -> Any:
            _, slopes, rest = jax.jvp(
                lambda values: filtered(values, *data), (values,), (tangent,), has_aux=True
            )
            return slopes, rest

        return jax.vmap(along, out_axes=(0, None))(jnp.eye(len(names)))

    return jax.jit(derived, compiler_options=quick_options())


class _Filtered(NamedTuple):
    """What the filter says of parameters: of every reading, in units of the window."""

    now: Predictions
    each: np.ndarray  # log-likelihood [ramp, reading]
    d_error: np.ndarray  # derivatives [parameter, ramp, reading]
    d_variance: np.ndarray


def _filter(problem: Problem, values: np.ndarray) -> _Filtered:
    """Filters all ramps in double precision."""
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        single = problem.data[1].max() <= 1
        model = of_single_pulses(problem.model) if single else problem.model  # type: ignore[arg-type]
        function = _compiled(model, problem.fixed, problem.names)  # type: ignore[arg-type]
        arguments = map(jnp.asarray, (values, *problem.data))
        (d_error, d_variance), (now, each) = jax.tree.map(np.asarray, function(*arguments))
    return _Filtered(now, each, d_error, d_variance)


class Scores(NamedTuple):
    """A point on the line: the log-likelihood, and what of it changes with the free parameters."""

    value: float
    ramps: np.ndarray  # derivatives of each ramp's log-likelihood [ramp, parameter]
    d_error: np.ndarray  # of the errors, in sds [parameter, reading]
    d_variance: np.ndarray  # of the variances, in themselves

    @property
    def slope(self) -> np.ndarray:
        """The gradient."""
        return self.ramps.sum(axis=0)

    def information(self) -> np.ndarray:
        """Fisher's information: minus the Hessian that is expected.

        Source: Harvey (1989; see ``likelihood``), section 3.4.5.
        """
        matrix = self.d_error @ self.d_error.T + 0.5 * self.d_variance @ self.d_variance.T
        return matrix + 1e-6 * np.eye(len(matrix))


def score(problem: Problem, u: np.ndarray, free: np.ndarray, held: Any = 0.0) -> Scores:
    """The likelihood of a point on the line; ``held`` are the values of what is not free.

    Args:
      problem: what is asked.
      u: the point.
      free: which parameters are on the line.
      held: values of the others.
    """
    values, slopes = from_line(problem, u)
    said = _filter(problem, np.where(free, values, held))
    sd, chain = np.sqrt(said.now.variance), slopes[free][:, None, None]
    d_error, d_variance = chain * said.d_error[free] / sd, chain * said.d_variance[free] / sd**2
    off = said.now.error / sd
    ramps = np.einsum("prt,rt->rp", d_error, -off)
    ramps += np.einsum("prt,rt->rp", d_variance, 0.5 * (off**2 - 1.0))
    value, n = float(np.sum(said.each)), len(d_error)
    size = np.vdot(d_error, d_error) + np.vdot(d_variance, d_variance)
    if not (np.isfinite(value) and np.isfinite(size) and np.isfinite(ramps).all()):
        nothing = np.zeros((n, 1))
        return Scores(_WORST, np.zeros_like(ramps), nothing, nothing)
    return Scores(max(value, _WORST), ramps, d_error.reshape(n, -1), d_variance.reshape(n, -1))


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


def _is_sure(problem: Problem, u: np.ndarray, free: np.ndarray, which: np.ndarray) -> bool:
    """Whether a noise is so well known that leaving it out is no question (on the line, relative).

    A sd with the relative standard error r adds about ``1 / (8 r^2)`` to the log-likelihood.
    """
    information = score(problem, u, free).information()
    variance = np.diag(np.linalg.pinv(information, hermitian=True))[which[free]]
    return bool(variance < _SURE**2)


class _Top(NamedTuple):
    """The end of a search: where, which parameters are within their range, and how sharp it is."""

    u: np.ndarray
    inside: np.ndarray
    held: np.ndarray  # values of the others
    value: float
    slopes: np.ndarray  # of each ramp
    covariance: np.ndarray  # on the line
    left: float


def _climb(problem: Problem, u: np.ndarray, free: np.ndarray) -> _Top:
    """Newton's steps by the curvature itself, from where a search ended.

    A parameter with a limit, whose logarithm the data do not tell to within ten, is at that limit:
    it has no standard error, and the others' are those given it.
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
        if rest == 0 or (left if is_top else gain) < _SETTLED:  # or a ridge without a top
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
    return _Top(u, inside, held, here.value, slopes, covariance, left if is_top else np.inf)


def _without(inside: np.ndarray, flat: np.ndarray) -> np.ndarray:
    fewer = inside.copy()
    fewer[inside] = ~flat
    return fewer


def _finish(
    problem: Problem, u: np.ndarray, free: np.ndarray, groups: np.ndarray | None
) -> Estimate:
    """Standard errors by curvature, and what the estimate says of the ramps.

    Where the scatter of many scores, of ramps or of groups of ramps, is beyond what the curvature
    explains (by more than two of its own standard errors), the model is not the whole truth and
    the errors are the sandwich's (White, Econometrica 50:1, 1982).
    """
    top = _climb(problem, u, free)
    shift = _restricted(problem, top)
    values, slope = from_line(problem, top.u + shift)
    values = np.where(free, values, 0.0)
    slopes = top.slopes
    if groups is not None:
        slopes = np.array([slopes[groups == group].sum(axis=0) for group in np.unique(groups)])
    variance, n = np.diag(top.covariance), len(slopes)
    if n >= _SANDWICH:
        meat = slopes.T @ slopes * n / (n - 1)
        sandwich = np.diag(top.covariance @ meat @ top.covariance)
        beyond = 1.0 + 2.0 * np.sqrt(2.0 / n)
        variance = np.where(sandwich > beyond * variance, sandwich, variance)
    errors = np.where(free, np.nan, 0.0)
    errors[top.inside] = np.sqrt(variance) * abs(slope[top.inside])
    is_gain = np.array([name == "sigma_ramp" for name in problem.names])
    now = _filter(problem, values).now
    own = _filter(problem, np.where(is_gain, _ANY_GAIN, values)).now
    seen = np.isfinite(problem.data[0][:, 1:])
    error = np.where(seen, now.error, np.nan)
    return Estimate(
        names=problem.names,
        values=values,
        errors=errors,
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


def _restricted(problem: Problem, top: _Top) -> np.ndarray:
    """How far noises move on the line to allow for the parameters estimated beside them.

    Maximum likelihood takes residuals for errors, and so noises for too small. A Newton step leads
    to where ``log L - log |J| / 2`` is largest, J the others' information.

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
    return (axes / np.maximum(abs(eigen), _SINGULAR)) @ axes.T, bool(eigen.min() > _SINGULAR)
