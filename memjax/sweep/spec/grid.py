"""The lanes of a sweep: one for every combination of coordinates and seed, and their groups."""

import math
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np

from memjax.sweep.spec.axes import Axis
from memjax.sweep.spec.schema import Schema, Table

Values = dict[str, list[Any]]
"""The values of every swept parameter, lane by lane."""


@runtime_checkable
class Swept(Protocol):
    """What of a specification lays out its lanes."""

    @property
    def axes(self) -> list[Axis]:
        """The swept dimensions."""
        ...

    @property
    def seeds(self) -> int:
        """Lanes a configuration."""
        ...

    @property
    def sections(self) -> dict[str, Table]:
        """Every section's table."""
        ...

    @property
    def schema(self) -> Schema:
        """What the sections may hold."""
        ...

    def parameter(self, name: str) -> tuple[str, str]:
        """The section and the key of a swept parameter."""
        ...


def shape(spec: Swept) -> tuple[int, ...]:
    """Points along every axis, then seeds; a lane's number counts through it row by row."""
    return (*(axis.size for axis in spec.axes), spec.seeds)


def count(spec: Swept) -> int:
    """Number of lanes."""
    return math.prod(shape(spec))


def parameter_values(spec: Swept, lanes: np.ndarray) -> Values:
    """The value of every swept parameter in the lanes of these numbers."""
    indices = np.unravel_index(lanes, shape(spec))
    return {
        parameter: [column[i] for i in index]
        for axis, index in zip(spec.axes, indices[:-1], strict=True)
        for parameter, column in axis.columns.items()
    }


def combinations(spec: Swept) -> Iterator[Values]:
    """The values of each group's lanes, one seed of each; those of equal statics are a group."""
    for group in static_groups(spec):
        yield parameter_values(spec, group[group % spec.seeds == 0])


def static_groups(spec: Swept) -> list[np.ndarray]:
    """Lane numbers by what is compiled in: one compilation a group."""
    groups = np.zeros(shape(spec), np.int64)
    for place, axis in enumerate(spec.axes):
        kinds: dict[Any, int] = {}
        along = [kinds.setdefault(kind, len(kinds)) for kind in _kinds(spec, axis)]
        apart = np.expand_dims(along, [d for d in range(groups.ndim) if d != place])
        groups = groups * len(kinds) + apart
    flat = groups.ravel()
    order = np.argsort(flat, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(flat[order])) + 1)


def _kinds(spec: Swept, axis: Axis) -> list[tuple[Any, ...]]:
    """What of an axis' points is compiled in."""
    kinds: list[list[Any]] = [[] for _ in range(axis.size)]
    for name, column in axis.columns.items():
        section, key = spec.parameter(name)
        is_static = bool(spec.schema.candidates(name, spec.sections)) and spec.schema.is_static(
            section, spec.sections[section], key
        )
        # Where some devices have an effect and others have not, each kind is a program of its own.
        some, tables = None in column, any(isinstance(value, list) for value in column)
        for kind, value in zip(kinds, column, strict=True):
            if is_static or tables:
                kind.append(repr(value))
            if some:
                kind.append(value is None)
    return [tuple(kind) for kind in kinds]


def tasks(spec: Swept, size: int, known: np.ndarray) -> list[np.ndarray]:
    """The lanes that are not known yet, in parts of one static group and of at most a size."""
    found = []
    for group in static_groups(spec):
        missing = np.setdiff1d(group, known, assume_unique=True)
        found += [missing[start : start + size] for start in range(0, len(missing), size)]
    return found
