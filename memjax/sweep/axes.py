"""The axes of a sweep: what ``[axes]`` in a specification may hold, and what it means."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from memjax.errors import SpecError

RESERVED = ("seed", "epoch", "corruption")
"""Dimensions that every result has."""

_RANGES = {
    "linspace": lambda a, b, n: np.linspace(a, b, n),
    "logspace": lambda a, b, n: np.logspace(a, b, n),
    "geomspace": lambda a, b, n: np.geomspace(a, b, n),
}


@dataclass(frozen=True)
class Axis:
    """One dimension of the result.

    Attributes:
      name: of the dimension: the parameter that it varies, or a zipped group's own name.
      columns: values of every parameter along it, all of one length.
    """

    name: str
    columns: dict[str, list[Any]]

    @property
    def size(self) -> int:
        """Number of points."""
        return len(next(iter(self.columns.values())))

    @property
    def zipped(self) -> bool:
        """Whether several parameters move together."""
        return list(self.columns) != [self.name]

    def labels(self) -> list[Any]:
        """The dimension's coordinate: the values, or 0, 1, ... of a zipped group."""
        return list(range(self.size)) if self.zipped else self.columns[self.name]


def parse_axis(name: str, entry: Any) -> Axis:
    """An axis from its TOML value.

    Args:
      name: the key in ``[axes]``.
      entry: a list; ``{linspace = [first, last, count]}``, ``logspace`` (exponents of 10),
        ``geomspace``, ``{powers_of_two = [first, last]}`` (exponents); or a table of such values,
        whose parameters move together (a zipped group named ``name``).

    Raises:
      SpecError: an empty axis, a malformed range, or a group of unequal lengths.
    """
    if name in RESERVED:
        raise SpecError(f"{name!r} is a dimension of every result; give the axis another name")
    if isinstance(entry, list) or (isinstance(entry, dict) and _is_range(entry)):
        return Axis(name, {name: parse_values(entry)})
    if not isinstance(entry, dict):
        raise SpecError(f"must be a list such as [{entry!r}] or a range such as {{linspace = ...}}")
    if not entry:
        raise SpecError("the zipped group is empty; give it parameters, or remove it")
    columns = {parameter: parse_values(values) for parameter, values in entry.items()}
    lengths = {parameter: len(values) for parameter, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{parameter} has {n}" for parameter, n in lengths.items())
        raise SpecError(f"zipped parameters need equally many values: {told}")
    return Axis(name, columns)


def parse_values(entry: Any) -> list[Any]:
    """The values of one parameter, from a list or a range."""
    if isinstance(entry, list):
        values = entry
    elif isinstance(entry, dict) and _is_range(entry):
        values = _expand(*next(iter(entry.items())))
    else:
        raise SpecError(
            f"{entry!r} is neither a list nor a range (linspace, logspace, geomspace, powers_of_two)"
        )
    if not values:
        raise SpecError("the axis is empty; give it at least one value, or remove it")
    keys = [tuple(value) if isinstance(value, list) else value for value in values]
    for value in keys:
        if isinstance(value, float) and not math.isfinite(value):
            raise SpecError(f"{value} is not a finite number")
        if keys.count(value) > 1:
            raise SpecError(f"the value {value} is there twice; an axis needs distinct values")
    return values


def _is_range(entry: dict[str, Any]) -> bool:
    return len(entry) == 1 and next(iter(entry)) in (*_RANGES, "powers_of_two")


def _expand(kind: str, bounds: Any) -> list[Any]:
    form = "[first, last]" if kind == "powers_of_two" else "[first, last, count]"
    numbers = isinstance(bounds, list) and all(
        isinstance(b, int | float) and not isinstance(b, bool) and math.isfinite(b) for b in bounds
    )
    if not numbers or len(bounds) != form.count(",") + 1:
        raise SpecError(f"{kind} = {bounds!r} must be {form}, all numbers")
    if kind == "powers_of_two":
        first, last = bounds
        if first != int(first) or last != int(last) or not 0 <= first <= last <= 64:
            raise SpecError(f"powers_of_two = {bounds} needs whole exponents, 0 <= first <= last")
        return [2**exponent for exponent in range(int(first), int(last) + 1)]
    first, last, count = bounds
    if count != int(count) or count < 1:
        raise SpecError(f"{kind} = {bounds}: the count must be a whole number of at least 1")
    if count > 100_000:
        raise SpecError(f"{kind} = {bounds}: at most 100,000 points an axis")
    if kind == "geomspace" and first * last <= 0:
        raise SpecError(f"geomspace = {bounds} needs first and last of one sign, not 0")
    values = _RANGES[kind](float(first), float(last), int(count))
    if not np.all(np.isfinite(values)):
        raise SpecError(f"{kind} = {bounds} runs out of the range of numbers")
    return [float(f"{value:.12g}") for value in values]
