"""The lanes of a sweep: one for every combination of coordinates and seed."""

import hashlib
import math
from typing import Any

import jax
import numpy as np
from jaxtyping import UInt32

from memjax.sweep.spec.spec import Spec, static_parameters, unusual


def shape(spec: Spec) -> tuple[int, ...]:
    """Points along every axis, then seeds; a lane's number counts through it row by row."""
    return (*(axis.size for axis in spec.axes), spec.seeds)


def count(spec: Spec) -> int:
    """Number of lanes."""
    return math.prod(shape(spec))


def parameter_values(spec: Spec, lanes: np.ndarray) -> dict[str, list[Any]]:
    """The value of every swept parameter in the lanes of these numbers."""
    indices = np.unravel_index(lanes, shape(spec))
    return {
        parameter: [column[i] for i in index]
        for axis, index in zip(spec.axes, indices[:-1], strict=True)
        for parameter, column in axis.columns.items()
    }


def static_groups(spec: Spec) -> list[np.ndarray]:
    """Lane numbers by the values of their static parameters: one compilation a group."""
    static = set(static_parameters(spec))
    groups = np.zeros(shape(spec), np.int64)
    for place, axis in enumerate(spec.axes):
        kinds: dict[Any, int] = {}
        along = [kinds.setdefault(k, len(kinds)) for k in _kinds(axis.columns, static, axis.size)]
        apart = np.expand_dims(along, [d for d in range(groups.ndim) if d != place])
        groups = groups * len(kinds) + apart
    flat = groups.ravel()
    order = np.argsort(flat, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(flat[order])) + 1)


def _kinds(columns: dict[str, list[Any]], static: set[str], size: int) -> list[tuple[Any, ...]]:
    """What of an axis' points is compiled in."""
    kinds: list[list[Any]] = [[] for _ in range(size)]
    for name, column in columns.items():
        # Where some devices have an effect and others have not, each kind is a program of its own.
        some, tables = None in column, any(isinstance(value, list) for value in column)
        for kind, value in zip(kinds, column, strict=True):
            if name in static or tables:
                kind.append(repr(value))
            if some:
                kind.append(value is None)
    return [tuple(kind) for kind in kinds]


def tasks(spec: Spec, size: int, known: np.ndarray) -> list[np.ndarray]:
    """The lanes that are not known yet, in parts of one static group and of at most a size."""
    found = []
    for group in static_groups(spec):
        missing = np.setdiff1d(group, known, assume_unique=True)
        found += [missing[start : start + size] for start in range(0, len(missing), size)]
    return found


def lane_words(spec: Spec, lanes: np.ndarray) -> UInt32[np.ndarray, "lanes 2"]:
    """Each lane's root random words, a function of its own configuration and seed alone.

    The configuration is every parameter that could be an axis, that the lane's own device, cell and
    pulses have, and that is not at its default, whether swept or fixed. Adding points, other lanes
    and the order of axes change nothing, and a lane run alone with its values in the tables is the
    same lane. Axes in ``common_random_numbers`` are left out, so that lanes which differ only in
    them share their randomness.
    """
    shared = {p for a in spec.axes if a.name in spec.common_random_numbers for p in a.columns}
    values = parameter_values(spec, lanes)
    ids = np.empty((len(lanes), 2), np.uint32)
    for row, lane in enumerate(lanes):
        own = {name: column[row] for name, column in values.items()}
        told = [f"{n}={v!r}" for n, v in unusual(spec.sections, own).items() if n not in shared]
        told.append(f"seed={lane % spec.seeds}")
        digest = hashlib.blake2b(";".join(told).encode(), digest_size=8).digest()
        ids[row] = np.frombuffer(digest, "<u4")
    return _fold(spec.root_seed, ids)


def baseline_words(spec: Spec) -> UInt32[np.ndarray, "seeds 2"]:
    """The root random words of the float baseline, one pair a seed."""
    ids = np.stack([np.full(spec.seeds, 2**32 - 1), np.arange(spec.seeds)], axis=1)
    return _fold(spec.root_seed, ids.astype(np.uint32))


def _fold(root_seed: int, ids: np.ndarray) -> np.ndarray:
    root = jax.random.key(root_seed, impl="threefry2x32")
    return np.asarray(jax.random.key_data(_fold_all(root, ids)))


@jax.jit
def _fold_all(root: jax.Array, ids: jax.Array) -> jax.Array:
    def fold(pair: jax.Array) -> jax.Array:
        return jax.random.fold_in(jax.random.fold_in(root, pair[0]), pair[1])

    return jax.vmap(fold)(ids)
