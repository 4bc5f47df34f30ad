"""The lanes of a sweep: one for every combination of coordinates and seed."""

import hashlib
from collections import defaultdict
from typing import Any

import jax
import numpy as np
from jaxtyping import UInt32

from memjax.sweep.spec import Spec, static_parameters, unusual


def shape(spec: Spec) -> tuple[int, ...]:
    """Points along every axis, then seeds; a lane's number counts through it row by row."""
    return (*(axis.size for axis in spec.axes), spec.seeds)


def parameter_values(spec: Spec, lanes: np.ndarray) -> dict[str, list[Any]]:
    """The value of every swept parameter in the lanes of these numbers."""
    indices = np.unravel_index(lanes, shape(spec))
    return {
        parameter: [column[i] for i in index]
        for axis, index in zip(spec.axes, indices[:-1], strict=True)
        for parameter, column in axis.columns.items()
    }


def static_groups(spec: Spec) -> dict[tuple[Any, ...], np.ndarray]:
    """Lane numbers by the values of their static parameters: one compilation a group."""
    lanes = np.arange(np.prod(shape(spec)))
    values = parameter_values(spec, lanes)
    columns = [values[name] for name in static_parameters(spec)]
    # Where some devices have an effect and others have not, each kind is a program of its own.
    columns += [[v is None for v in column] for column in values.values() if None in column]
    columns += [list(map(repr, c)) for c in values.values() if any(isinstance(v, list) for v in c)]
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for lane, key in enumerate(zip(*columns, strict=True) if columns else [()] * len(lanes)):
        groups[key].append(lane)
    return {key: np.asarray(members) for key, members in groups.items()}


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
