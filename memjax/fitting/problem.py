"""What a fit asks: which parameters, between which limits, from which start."""

import dataclasses
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from memjax.devices.base import Device
from memjax.devices.fit_hints import MeasuredSteps
from memjax.fitting.likelihood import Noise
from memjax.fitting.ramps import Ramps

NODES = 9
"""Nodes of a table that is fitted."""
NOISES = ("sigma_c2c", "sigma_ramp", "read")
"""Parameters of noise: of pulses, of ramps and of readings."""
_WINDOW = ("low", "high")
_FEWEST = 3  # readings that a fit needs
_FAR = 3.0  # windows beyond the data where a bound may be sought


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


def pose(
    model: type[Device], fixed: dict[str, Any], ramps: Ramps, window: tuple[float, float]
) -> Problem:
    """The problem, with start values from the data's own mean steps and noise.

    What only pulses of the other direction would show (``up_down``, whatever has ``up`` or ``down``
    in its name, and the bound that they lead to) is left at its default where there are none.

    Args:
      model, fixed, ramps, window: as in ``estimate``.
    """
    low, high = window
    y = (ramps.conductance - low) / (high - low)
    pulses, sign = ramps.pulses.astype(float), ramps.sign.astype(float)
    for _ in range(2):  # the steps of a ramp that stands still at a bound are not its mean steps
        y = before_the_bounds(y, pulses, sign)
    data = y, pulses, sign
    up, down, sd, read = moments(*data)
    per_pulse = 0.0 if model.levels_are_pulses else 1.0
    hints = model.fit_hints()
    starts = {
        "levels": max(per_pulse + 1.0 / max(up, down), 2.5),
        "up_down": float(np.clip(1.0 - down / up if down < up else up / down - 1.0, -0.9, 0.9)),
        "sigma_c2c": sd / (0.5 * (up + down)),
        "sigma_ramp": 0.1,
        "read": read,
        "low": max(-0.1, -0.5 * low / (high - low)),
        "high": 1.1,
        **hints.starts(MeasuredSteps(up, down, high - low)),
    }
    ranges = {
        "sigma_ramp": (0.0, np.inf),
        "read": (0.0, np.inf),
        "low": (-_FAR if ramps.normalised else max(-0.999 * low / (high - low), -_FAR), 0.45),
        "high": (0.55, 1.0 + _FAR),
        **hints.ranges,
    }
    fields = {field.name: field for field in dataclasses.fields(model)}
    unseen: set[str] = set()
    if np.all(ramps.sign > 0):
        unseen = {"down", "low"}
    elif np.all(ramps.sign < 0):
        unseen = {"up", "high"}
    names, rows = [], []
    window_ends = _WINDOW if model.step_vanishes_at_bounds else ()
    for name in (*model.fitted(), *window_ends, *NOISES):
        if name in fixed or name in unseen or unseen & set(name.split("_")):
            continue
        field = fields.get(name)
        if field is not None and "rank" in field.metadata:
            names += [f"{name}[{k}]" for k in range(NODES)]
            rows += [(1e-3, np.inf, 1.0)] * NODES
            continue
        if field is not None and name not in ranges:
            ranges[name] = _range(field)
        default: Any = None if field is None else field.default
        start = starts.get(name, 0.0 if default is None else default)
        names.append(name)
        rows.append((*ranges[name], start))
    held = {name: starts[name] for name in hints.given}
    given = {"gmax": high, "on_off": high / low, **held, **fixed}
    lows, highs, begin = (np.array(column, float) for column in zip(*rows, strict=True))
    return Problem(model, tuple(sorted(given.items())), tuple(names), lows, highs, begin, data)


def before_the_bounds(y: np.ndarray, pulses: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Readings up to where a ramp may meet the bound that it leads to; NaN after.

    A device stops at its bounds, which the filter does not know of: what it saw there it would take
    for a step that shrinks. A ramp ends at its first reading from which one more mean step and 2.5
    sds lead beyond: a rule that looks at readings before those that it leaves out.

    Args:
      y: readings in fractions of the window [ramp, point].
      pulses: since the reading before.
      sign: of the ramps.
    """
    up, down, sd, read = moments(y, pulses, sign)
    reach = np.where(sign > 0, up, down) + 2.5 * (sd + read)
    ahead = np.where((sign > 0)[:, None], 1.0 - y, y)
    near = np.cumsum(np.nan_to_num(ahead, nan=np.inf) < reach[:, None], axis=1) > 0
    near = np.concatenate([np.zeros((len(y), 1), bool), near[:, :-1]], axis=1)
    if np.isfinite(np.where(near, np.nan, y)).sum() - len(y) < _FEWEST:
        return y  # ramps between two neighbouring levels: better all of it than nothing
    return np.where(near, np.nan, y)


def moments(
    y: np.ndarray, pulses: np.ndarray, sign: np.ndarray
) -> tuple[float, float, float, float]:
    """Mean size of a step up and of one down, and sds of a step and of a reading, about right.

    Args:
      y: readings in fractions of the window [ramp, point].
      pulses: since the reading before.
      sign: of the ramps.
    """
    steps = np.diff(y, axis=1) / np.maximum(pulses[:, 1:], 1)
    means = [abs(np.nanmean(steps[sign == s])) if np.any(sign == s) else 0.0 for s in (1, -1)]
    up, down = (max(mean if mean > 0 else max(means), 1e-6) for mean in means)
    bends = np.diff(steps, axis=1)
    bends = bends[np.isfinite(bends)]
    typical = 0.0 if bends.size == 0 else 1.05 * float(np.median(abs(bends - np.median(bends))))
    typical = max(typical, 1e-3 * min(up, down))
    return float(up), float(down), 0.8 * typical, 0.4 * typical


def to_line(problem: Problem, values: np.ndarray) -> np.ndarray:
    """Parameters on the whole line: a logarithm from one bound, a logit between two.

    Args:
      problem: with the ranges.
      values: of the parameters.
    """
    low, high = problem.lows, problem.highs
    with np.errstate(all="ignore"):
        below = np.log(np.maximum(values - low, 1e-9 * np.maximum(1.0, abs(values))))
        inside = np.clip((values - low) / (high - low), 0.1, 0.9)
        both = np.log(inside) - np.log1p(-inside)
    return np.where(np.isfinite(low), np.where(np.isfinite(high), both, below), values)


def from_line(problem: Problem, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parameters of a point on the line, and their derivatives.

    Args:
      problem: with the ranges.
      u: a point on the line.
    """
    low, high = problem.lows, problem.highs
    with np.errstate(all="ignore"):
        grown, share = np.exp(u), 1.0 / (1.0 + np.exp(-u))
        one, two = np.isfinite(low), np.isfinite(low) & np.isfinite(high)
        value = np.where(two, low + (high - low) * share, np.where(one, low + grown, u))
        slope = np.where(two, (high - low) * share * (1 - share), np.where(one, grown, 1.0))
    return value, slope


def device_of(problem: Problem, values: Any) -> tuple[Device, Noise, Any, Any]:
    """The device and the noise of these parameters, and where its bounds are in the window.

    Args:
      problem: what is asked.
      values: of the parameters.
    """
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
