"""Products and updates of those rows of an array alone whose inputs have fired."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int32

from memjax.cells import Cell
from memjax.devices import Device
from memjax.updates import Algorithm, MixedPrecision, PulsedSGD
from memjax.updates.manhattan import Manhattan

_ROW_BY_ROW = (PulsedSGD, Manhattan, MixedPrecision)
"""Algorithms that leave a weight alone for which no change is wanted."""

_SHARES = (0.5, 0.625, 0.75, 1.0)
"""Of the most rows that fire: what is computed is the least of these that suffices."""


def is_row_by_row(algorithm: Algorithm, cell: Cell, device: Device) -> bool:
    """Whether rows for which nothing is wanted stay as they are, so that others may go alone.

    Args:
      algorithm: that the update is of.
      cell, device: that hold the weights.
    """
    return isinstance(algorithm, _ROW_BY_ROW) and cell.is_static(device)


def first_rows(function: Callable[..., Any], count: Int32[Array, ""], *arrays: Any) -> Any:
    """A function of the first rows of arrays, about as many as are in use.

    Args:
      function: of arrays of the same number of rows; its result has the same shape for any.
      count: rows in use; what is behind them must not matter.
      arrays: trees of arrays of as many rows.
    """
    most = len(jax.tree.leaves(arrays)[0])
    sizes = sorted({min(most, -(-int(share * most) // 8) * 8) for share in _SHARES} | {most})

    def of(size: int) -> Callable[..., Any]:
        return lambda *own: function(*jax.tree.map(lambda array: array[:size], own))

    which = jnp.searchsorted(jnp.asarray(sizes, jnp.int32), count)
    return jax.lax.switch(which, [of(size) for size in sizes], *arrays)


def put_first(
    array: Float[Array, "rows columns"], some: Float[Array, "some columns"]
) -> Float[Array, "rows columns"]:
    """An array with others in place of its first rows.

    Not by padding, which XLA would fuse with what makes the rows, and then not vectorise.

    Args:
      array: all rows.
      some: the first ones.
    """
    return jax.lax.dynamic_update_slice(array, some, (0, 0))


def update_rows(
    tx: optax.GradientTransformationExtraArgs,
    gradient: Float[Array, "some columns"],
    state: Any,
    weights: Float[Array, "rows columns"],
    rows: Int32[Array, " some"],
    *,
    alone: bool,
) -> tuple[Float[Array, "rows columns"], Any]:
    """Weights and state after an update that wants changes of some rows.

    Args:
      tx: the transform.
      gradient: of these rows.
      state: its state; arrays of the weights' shape are taken to be an entry a weight.
      weights: all of them.
      rows: their numbers, each once; numbers beyond the last row are none.
      alone: whether only these rows go through the transform (``is_row_by_row``; static).
    """
    if not alone:
        whole = jnp.zeros_like(weights).at[rows].set(gradient, mode="drop")
        changes, state = tx.update(whole, state, weights)
        return weights + changes, state

    def is_an_entry_a_weight(leaf: Any) -> bool:
        return jnp.shape(leaf) == weights.shape

    def take(leaf: Any) -> Any:
        return leaf.at[rows].get(mode="clip") if is_an_entry_a_weight(leaf) else leaf

    def put(leaf: Any, new: Any) -> Any:
        return leaf.at[rows].set(new, mode="drop") if is_an_entry_a_weight(leaf) else new

    some = take(weights)
    changes, after = tx.update(gradient, jax.tree.map(take, state), some)
    return put(weights, some + changes), jax.tree.map(put, state, after)
