"""Rows of crossbars: arrays that share a parent and a width are the rows of one, read in turn."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax.updates.leaf_names import weight_paths


class Rows(NamedTuple):
    """Where an array's rows are in its crossbar (static).

    Attributes:
      first: number of its first row.
      of: rows of the whole crossbar.
    """

    first: int
    of: int


def crossbars(params: Any) -> list[Rows]:
    """The place of every leaf, in the order of the leaves.

    The last dimension is the crossbar's columns, all others are rows. Leaves of one parent and one
    width are one crossbar: a layer's bias is the last row of its kernel's.

    Example:
      >>> import jax.numpy as jnp
      >>> [tuple(p) for p in crossbars({"bias": jnp.zeros(3), "kernel": jnp.zeros((4, 3))})]
      [(0, 5), (1, 5)]
    """
    leaves, paths = jax.tree.leaves(params), weight_paths(params)
    keys = [(path[:-1], jnp.shape(leaf)[-1:]) for path, leaf in zip(paths, leaves, strict=True)]
    sizes = [as_rows(leaf).shape[0] for leaf in leaves]
    firsts, totals = [], dict.fromkeys(keys, 0)
    for key, size in zip(keys, sizes, strict=True):
        firsts.append(totals[key])
        totals[key] += size
    return [Rows(first, totals[key]) for first, key in zip(firsts, keys, strict=True)]


def as_rows(leaf: Array) -> Array:
    """A leaf as rows and columns; a vector is one row."""
    shape = jnp.shape(leaf)
    return jnp.reshape(leaf, (-1, shape[-1]) if len(shape) > 1 else (1, -1))


def take(leaf: Array, row: Array) -> Array:
    """One row of a leaf, ``[1, columns]``."""
    return jax.lax.dynamic_slice_in_dim(as_rows(leaf), row, 1)


def put(leaf: Array, values: Array, row: Array) -> Array:
    """A leaf with one row replaced."""
    rows = jax.lax.dynamic_update_slice_in_dim(as_rows(leaf), values, row, 0)
    return rows.reshape(leaf.shape)
