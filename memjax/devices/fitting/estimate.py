"""Maximum likelihood: a model's parameters from ramps, with their standard errors."""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import optimize

from memjax.devices.base import Device
from memjax.devices.fitting.likelihood import Noise, log_likelihood, predict
from memjax.devices.fitting.table import Ramps

NODES = 9
"""Nodes of a table that is fitted."""
_NOISES = ("sigma_c2c", "sigma_ramp", "read")
_WINDOW = ("low", "high")
_MOST = 80  # steps of a search
_EDGE = 1e-6  # of a limit, at which an estimate has no standard error
_LEFT = 0.05  # log-likelihood that a converged search may leave
_SETTLED = 1e-3  # what a further step would add to the log-likelihood, twice
_FAR = 3.0  # windows beyond the data where a bound may be sought
_SANDWICH = 10  # ramps from which their scatter says something about the standard errors


class Estimate(NamedTuple):
    """What a fit found, before it is dressed as a device.

    Attributes:
      names: of the parameters: the device's fields, a table's entries as ``name[k]``, ``read`` (sd
        of a reading, in fractions of the window), ``low`` and ``high`` (the bounds, likewise).
      values, errors: estimates and standard errors, NaN at a limit; those left out are 0 and 0.
      free: which were estimated.
      log_likelihood: of all readings after each ramp's first, in units of the window.
      left: what another Newton step would add to it: more than 0.01 is no maximum.
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
        return bool(np.isfinite(self.log_likelihood) and abs(self.left) < _LEFT)

    def __getitem__(self, name: Any) -> Any:
        """An estimate by its name."""
        return self.values[self.names.index(name)] if isinstance(name, str) else tuple(self)[name]


class Problem(NamedTuple):
    """A model, what is given of it, and the data in units of the window.

    Attributes:
      model: the response model.
      fixed: values that are given, by name.
      names: of the parameters.
      lows, highs: their ranges; the search runs on the whole line.
      starts: where it begins.
      data: readings, pulses since the one before, sign.
    """

    model: type[Device]
    fixed: tuple[tuple[str, Any], ...]
    names: tuple[str, ...]
    lows: np.ndarray
    highs: np.ndarray
    starts: np.ndarray
    data: tuple[np.ndarray, np.ndarray, np.ndarray]


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
    pulses, gains, reads = (np.array([n == name for n in problem.names]) for name in _NOISES)
    # As if nearly all noise were of readings, likelihood is least squares of whole ramps: a curve
    # from which the noises are found safely, where a start far off would mistake one for another.
    coarse = np.where(pulses, 1e-3, np.where(reads, 0.02, 0.0))
    u, _ = _search(problem, start, ~(pulses | gains | reads), coarse)
    u, free = np.where(pulses | reads, start, u), ~gains
    u, value = _search(problem, u, free)
    other, fewer = _search(problem, u, free & ~reads)
    if fewer > value - 1.0:
        u, value, free = other, fewer, free & ~reads
    if ramps.n_ramps > 3:
        other, more = _search(problem, u, free | gains)
        if more > value + 1.0:
            u, free = other, free | gains
    return _finish(problem, u, free)


def pose(
    model: type[Device], fixed: dict[str, Any], ramps: Ramps, window: tuple[float, float]
) -> Problem:
    """The problem, with start values from the data's own mean steps and noise."""
    low, high = window
    y = (ramps.conductance - low) / (high - low)
    data = y, ramps.pulses.astype(float), ramps.sign.astype(float)
    up, down, sd, read = moments(*data)
    per_pulse = 0.0 if model.pulses_to_bound else 1.0
    starts = {
        "levels": max(per_pulse + 1.0 / max(up, down), 2.5),
        "levels_down": max(1.0 / down, 2.5),
        "up_down": float(np.clip(1.0 - down / up if down < up else up / down - 1.0, -0.9, 0.9)),
        "sigma_c2c": sd / (0.5 * (up + down)),
        "sigma_ramp": 0.02,
        "beta": 0.5,
        "read": read,
        "low": max(-0.1, -0.5 * low / (high - low)),
        "high": 1.1,
        "mean_offset": 1e6 * (high - low) * up,
        "mean_memory": 1e5 * (high - low) * up,
    }
    if model.pulses_to_bound and "levels_down" in model.fitted():
        starts["levels"] = max(1.0 / up, 2.5)
    ranges = {
        "sigma_ramp": (0.0, np.inf),
        "read": (0.0, np.inf),
        "low": (max(-0.999 * low / (high - low), -_FAR), 0.45),
        "high": (0.55, 1.0 + _FAR),
    }
    fields = {field.name: field for field in dataclasses.fields(model)}
    names, rows = [], []
    for name in (*model.fitted(), *(_WINDOW if model.vanishes else ()), *_NOISES):
        if name in fixed:
            continue
        field = fields.get(name)
        if field is not None and "rank" in field.metadata:
            names += [f"{name}[{k}]" for k in range(NODES)]
            rows += [(1e-3, np.inf, 1.0)] * NODES
            continue
        if field is not None and name not in ranges:
            ranges[name] = _range(field)
        default = None if field is None else field.default
        start = starts.get(name, 0.0 if default is None else default)
        names.append(name)
        rows.append((*ranges[name], start))
    given = {"gmax": high, "on_off": high / low, **fixed}
    if "levels" not in names and "levels" not in fixed and "up_nodes" in fields:
        given["levels"] = starts["levels"]
    lows, highs, begin = (np.array(column, float) for column in zip(*rows, strict=True))
    return Problem(model, tuple(sorted(given.items())), tuple(names), lows, highs, begin, data)


def moments(
    y: np.ndarray, pulses: np.ndarray, sign: np.ndarray
) -> tuple[float, float, float, float]:
    """Mean size of a step up and of one down, and sds of a step and of a reading, about right."""
    steps = np.diff(y, axis=1) / np.maximum(pulses[:, 1:], 1)
    means = [abs(np.nanmean(steps[sign == s])) if np.any(sign == s) else 0.0 for s in (1, -1)]
    up, down = (max(mean if mean > 0 else max(means), 1e-6) for mean in means)
    bends = np.diff(steps, axis=1)
    bends = bends[np.isfinite(bends)]
    typical = 0.0 if bends.size == 0 else 1.05 * float(np.median(abs(bends - np.median(bends))))
    typical = max(typical, 1e-3 * min(up, down))
    return float(up), float(down), 0.8 * typical, 0.4 * typical


def to_line(problem: Problem, values: np.ndarray) -> np.ndarray:
    """Parameters on the whole line: a logarithm from one bound, a logit between two."""
    low, high = problem.lows, problem.highs
    with np.errstate(all="ignore"):
        below = np.log(np.maximum(values - low, 1e-9 * np.maximum(1.0, abs(values))))
        inside = np.clip((values - low) / (high - low), 0.1, 0.9)
        both = np.log(inside) - np.log1p(-inside)
    return np.where(np.isfinite(low), np.where(np.isfinite(high), both, below), values)


def from_line(problem: Problem, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parameters of a point on the line, and their derivatives."""
    low, high = problem.lows, problem.highs
    with np.errstate(all="ignore"):
        grown, share = np.exp(np.minimum(u, 500.0)), 1.0 / (1.0 + np.exp(-u))
        one, two = np.isfinite(low), np.isfinite(low) & np.isfinite(high)
        value = np.where(two, low + (high - low) * share, np.where(one, low + grown, u))
        slope = np.where(two, (high - low) * share * (1 - share), np.where(one, grown, 1.0))
    return value, slope


def device_of(problem: Problem, values: Any) -> tuple[Device, Noise, Any, Any]:
    """The device and the noise of these parameters, and where its bounds are in the window."""
    named = dict(zip(problem.names, values, strict=True))
    low, high = named.pop("low", 0.0), named.pop("high", 1.0)
    noise = Noise(named.pop("sigma_ramp", 0.0), named.pop("read", 0.0))
    for field in dataclasses.fields(problem.model):
        if f"{field.name}[0]" in named:
            entries = [named.pop(f"{field.name}[{k}]") for k in range(NODES)]
            named[field.name] = jnp.stack([jnp.asarray(entry) for entry in entries])
    return problem.model(**dict(problem.fixed) | named), noise, low, high


def _range(field: dataclasses.Field) -> tuple[float, float]:
    bounds = field.metadata["bounds"]
    lows = [bounds[key] for key in ("at_least", "more_than") if bounds[key] is not None]
    top = bounds["at_most"]
    return float(lows[0]) if lows else -np.inf, np.inf if top is None else float(top)


@functools.lru_cache(maxsize=64)
def _compiled(model: type[Device], fixed: tuple, names: tuple[str, ...]) -> tuple[Any, Any]:
    """Each reading's log-likelihood and its derivatives; and the ramps' predictions."""
    shape = Problem(model, fixed, names, *(np.zeros(0),) * 3, data=())  # type: ignore[arg-type]

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
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        function = _compiled(problem.model, problem.fixed, problem.names)[number]
        arguments = map(jnp.asarray, (values, *problem.data))
        return jax.tree.map(np.asarray, function(*arguments))


def _score(
    problem: Problem, u: np.ndarray, free: np.ndarray, held: Any = 0.0
) -> tuple[float, np.ndarray]:
    """The log-likelihood, and each reading's derivatives of it [ramp, reading, free parameter]."""
    values, slopes = from_line(problem, u)
    slope, each = _call(0, problem, np.where(free, values, held))
    return float(np.sum(each)), (slope * slopes)[..., free]


def _search(
    problem: Problem, start: np.ndarray, free: np.ndarray, held: Any = 0.0
) -> tuple[np.ndarray, float]:
    """The maximum over the free parameters, by a trust region.

    The Hessian is that of Berndt, Hall, Hall & Hausman (1974), the outer product of the readings'
    scores. A step on the line is at most a few units long, a factor of ten or so, so that no
    parameter runs away while others are still far off.
    """

    @functools.lru_cache(maxsize=4)
    def score(point: bytes) -> tuple[float, np.ndarray]:
        u = np.array(start, float)
        u[free] = np.frombuffer(point)
        return _score(problem, np.clip(u, -40.0, 40.0), free, held)

    def objective(part: np.ndarray) -> float:
        value, _ = score(part.tobytes())
        return -value if np.isfinite(value) else 1e15

    def slope(part: np.ndarray) -> np.ndarray:
        return -np.nan_to_num(score(part.tobytes())[1].sum(axis=(0, 1)))

    def hessian(part: np.ndarray) -> np.ndarray:
        each = np.nan_to_num(score(part.tobytes())[1])
        flat = each.reshape(-1, each.shape[-1])
        return flat.T @ flat + 1e-6 * np.eye(flat.shape[-1])

    def settled(intermediate_result: optimize.OptimizeResult) -> None:
        g, h = slope(intermediate_result.x), hessian(intermediate_result.x)
        if g @ np.linalg.solve(h, g) < _SETTLED:
            raise StopIteration

    found = optimize.minimize(
        objective,
        np.asarray(start, float)[free],
        jac=slope,
        hess=hessian,
        method="trust-exact",
        callback=settled,
        options={"initial_trust_radius": 0.5, "max_trust_radius": 3.0, "maxiter": _MOST},
    )
    u = np.array(start, float)
    u[free] = found.x
    return np.clip(u, -40.0, 40.0), -float(found.fun)


def _extent(problem: Problem, values: np.ndarray) -> float:
    """From the lower to the upper bound, in windows."""
    named = dict(zip(problem.names, values, strict=True))
    return float(named.get("high", 1.0) - named.get("low", 0.0))


def _finish(problem: Problem, u: np.ndarray, free: np.ndarray) -> Estimate:
    """Standard errors by curvature; of many ramps, at least those that their scatter says."""
    value, each = _score(problem, u, free)
    slopes = each.sum(axis=1)
    curvature = np.empty((free.sum(), free.sum()))
    for row, k in enumerate(np.flatnonzero(free)):
        step = np.zeros_like(u)
        step[k] = 1e-4
        ahead, behind = (_score(problem, u + s * step, free)[1].sum(axis=(0, 1)) for s in (1, -1))
        curvature[row] = -(ahead - behind) / 2e-4
    curvature = np.nan_to_num(0.5 * (curvature + curvature.T))
    covariance = np.linalg.pinv(curvature, hermitian=True)
    total = slopes.sum(axis=0)
    variance = np.diag(covariance).copy()
    if len(slopes) >= _SANDWICH:
        meat = slopes.T @ slopes * len(slopes) / (len(slopes) - 1)
        variance = np.maximum(variance, np.diag(covariance @ meat @ covariance))
    values, slope = from_line(problem, u)
    values = np.where(free, values, 0.0)
    errors = np.zeros_like(values)
    with np.errstate(invalid="ignore"):
        errors[free] = np.sqrt(variance) * abs(slope[free])
    gap = np.minimum(values - problem.lows, problem.highs - values)
    errors[free & (gap < _EDGE * np.maximum(1.0, abs(values)))] = np.nan
    predictions = _call(1, problem, values)
    wide = np.where([name == "sigma_ramp" for name in problem.names], 10.0, values)
    gains = _call(1, problem, wide)
    seen = np.isfinite(problem.data[0][:, 1:])
    error = np.where(seen, predictions.error, np.nan)
    return Estimate(
        problem.names,
        values,
        errors,
        free,
        value,
        float(0.5 * total @ covariance @ total),
        error * _extent(problem, values),
        error / np.sqrt(predictions.variance),
        gains.gain,
        np.sqrt(gains.gain_variance),
    )
