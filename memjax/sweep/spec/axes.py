"""The axes of a sweep: what ``[axes]`` in a specification may hold, and what it means."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from memjax.errors import SpecError
from memjax.origin import Keys
from memjax.pytree import INSTEAD_OF_INFINITY
from memjax.sweep.spec.device_axis import is_device_axis

RESERVED = ("seed", "status", "lane_key", "key_data", "seeds", "interactions")
"""Names that every result uses itself, or the table of its effects."""

MOST_POINTS = 100_000
"""Points that an axis may have."""

_RANGES: dict[str, Callable[..., np.ndarray]] = {
    "linspace": np.linspace,
    "logspace": np.logspace,
    "geomspace": np.geomspace,
}
_NAMES = ", ".join([*_RANGES, "powers_of_two"])


@dataclass(frozen=True)
class Axis:
    """One dimension of the result.

    Attributes:
      name: of the dimension: the parameter that it varies, or a zipped group's own name.
      columns: values of every parameter along it, all of one length; a parameter is named by its
        key where that is unique in the specification, else by ``section.key``.
      zipped: whether several parameters move together.
      names: of its points, where they have any.
      devices: of a zipped group with whole devices, their names.
      of_devices: its parameters that are theirs.
    """

    name: str
    columns: dict[str, list[Any]]
    zipped: bool = False
    names: list[str] | None = None
    devices: list[str] | None = None
    of_devices: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of points."""
        return len(next(iter(self.columns.values())))

    def labels(self) -> list[Any]:
        """The dimension's coordinate: names or values, or 0, 1, ... of a zipped group."""
        if self.names is not None:
            return self.names
        return list(range(self.size)) if self.zipped else self.columns[self.name]

    def along(self) -> dict[str, list[Any]]:
        """What the points of a zipped group are called by: devices, and all else that varies."""
        if not self.zipped or self.names is not None:
            return {}
        others = {name: column for name, column in self.columns.items() if not self.is_theirs(name)}
        return others if self.devices is None else {"device": self.devices, **others}

    def is_theirs(self, parameter: str) -> bool:
        """Whether a parameter is one of whole devices."""
        return self.names is not None or parameter in self.of_devices


def parse_axis(name: str, entry: Any) -> Axis:
    """An axis from its TOML value.

    Args:
      name: the key in ``[axes]``.
      entry: a list; ``{linspace = [first, last, count]}``, ``logspace`` (exponents of 10),
        ``geomspace``, ``{powers_of_two = [first, last]}`` (exponents); or a table of such values,
        whose parameters move together (a zipped group named ``name``).

    Raises:
      SpecError: a name that is taken, an empty axis, a malformed range, a value that is there
        twice, or a group of unequal lengths.

    Example:
      >>> parse_axis("sigma_c2c", {"linspace": [0, 1, 3]}).columns
      {'sigma_c2c': [0, 0.5, 1]}
      >>> parse_axis("material", {"levels": [8, 32], "on_off": [2, 10]}).labels()
      [0, 1]
    """
    if name in RESERVED:
        raise SpecError("every result has something of that name; give the axis another")
    if not isinstance(entry, dict) or is_range(entry):
        columns = {name: parse_values(entry)}
        check_distinct(columns[name])
        return Axis(name, columns)
    if not name.isidentifier():
        raise SpecError("a zipped group needs a name of letters, digits and underscores")
    if not entry:
        raise SpecError("the zipped group is empty; give it parameters, or remove it")
    columns = {parameter: parse_values(values) for parameter, values in entry.items()}
    lengths = {parameter: len(values) for parameter, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{parameter} has {n}" for parameter, n in lengths.items())
        raise SpecError(f"zipped parameters need equally many values: {told}")
    check_distinct(list(zip(*columns.values(), strict=True)))
    return Axis(name, columns, zipped=True)


def parse_values(entry: Any) -> list[Any]:
    """The values of one parameter, from a list or a range."""
    if isinstance(entry, dict) and is_range(entry):
        values = _expand(*next(iter(entry.items())))
    elif isinstance(entry, list):
        values = entry
    else:
        raise SpecError(f"{entry!r} must be a list such as [1, 2], or a range: one of {_NAMES}")
    if not values:
        raise SpecError("the axis is empty; give it at least one value, or remove it")
    if len(values) > MOST_POINTS:
        raise SpecError(f"{len(values)} values are too many; at most {MOST_POINTS} an axis")
    for value in values:
        if not isinstance(value, int | float | str):
            raise SpecError(f"the value {value!r} must be a number or a string")
        if isinstance(value, float) and not math.isfinite(value):
            hint = f"; {INSTEAD_OF_INFINITY}" if math.isinf(value) else ""
            raise SpecError(f"the value {value} must be a finite number{hint}")
    return values


def check_distinct(points: list[Any]) -> None:
    """A point that is there twice would be the same lane twice."""
    seen = set()
    for point in points:
        if point in seen:
            raise SpecError(f"{point!r} is there twice; an axis needs distinct values")
        seen.add(point)


def check_apart(columns: dict[str, list[Any]], devices: list[str] | None = None) -> None:
    """Numbers that a float32 cannot tell apart would be the same lane twice, too.

    Args:
      columns: of an axis, those of numbers that are not compiled in.
      devices: names of whole devices that vary with them.
    """
    seen: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    points = list(zip(*columns.values(), strict=True))
    for device, point in zip(devices or [""] * len(points), points, strict=True):
        other = (device, *np.asarray(point, np.float32).tolist())
        if other in seen:
            one, two = (", ".join(map(str, p)) for p in (seen[other], point))
            raise SpecError(f"{one} and {two} are one point to a float32; keep one of them")
        seen[other] = point


def entries(axes: dict[str, Any], sections: Collection[str]) -> dict[Keys, Any]:
    """The entries of ``[axes]`` by the path to each: ``model.width = [4, 8]`` is a table in TOML.

    Args:
      axes: the specification's.
      sections: names of sections: a table of such a name holds parameters of it, no zipped group.

    Example:
      >>> entries({"levels": [8, 16], "model": {"width": [4, 8]}}, ["model"])
      {('levels',): [8, 16], ('model', 'width'): [4, 8]}
    """
    found: dict[Keys, Any] = {}
    for name, entry in axes.items():
        is_section = any(f"{section}.".startswith(f"{name}.") for section in sections)
        whole = is_device_axis(name, entry) or (isinstance(entry, dict) and is_range(entry))
        if whole or not (is_section and isinstance(entry, dict)):
            found[(name,)] = entry
            continue
        for key, inner in entries(entry, [s[len(name) + 1 :] for s in sections]).items():
            found[(name, *key)] = inner
    return found


def is_range(entry: dict[str, Any]) -> bool:
    """Whether a table is a range of values."""
    return len(entry) == 1 and next(iter(entry)) in (*_RANGES, "powers_of_two")


def _expand(kind: str, bounds: Any) -> list[Any]:
    form = "[first, last]" if kind == "powers_of_two" else "[first, last, count]"
    numbers = isinstance(bounds, list) and all(type(b) in (int, float) for b in bounds)
    if not numbers or len(bounds) != form.count(",") + 1 or not all(map(math.isfinite, bounds)):
        raise SpecError(f"{kind} = {bounds!r} must be {form}, all finite numbers")
    if kind == "powers_of_two":
        first, last = bounds
        if first != int(first) or last != int(last) or not 0 <= first <= last <= 64:
            raise SpecError(f"{kind} = {bounds} needs whole exponents, 0 <= first <= last <= 64")
        return [2**exponent for exponent in range(int(first), int(last) + 1)]
    first, last, count = bounds
    if count != int(count) or not 1 <= count <= MOST_POINTS:
        raise SpecError(f"{kind} = {bounds}: the count must be a whole number, 1 .. {MOST_POINTS}")
    if kind == "geomspace" and not first * last > 0:
        raise SpecError(f"{kind} = {bounds} needs first and last of one sign, not 0")
    with np.errstate(over="ignore", invalid="ignore"):
        values = _RANGES[kind](float(first), float(last), int(count))
    if not np.all(np.isfinite(values)):
        raise SpecError(f"{kind} = {bounds} runs out of the range of numbers")
    return [_tidy(float(f"{value:.12g}")) for value in values]


def _tidy(value: float) -> int | float:
    """Whole numbers as such, so that a range may vary a count."""
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
