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


def with_rows(array: Float[Array, "some ..."], rows: int) -> Float[Array, "rows ..."]:
    """An array with rows of 0 behind its own, so that there are so many.

    Args:
      array: of fewer rows.
      rows: how many there are to be.
    """
    return jnp.pad(array, [(0, rows - len(array))] + [(0, 0)] * (array.ndim - 1))


def update_rows(
    tx: optax.GradientTransformationExtraArgs,
    gradient: Float[Array, "some columns"],
    state: Any,
    weights: Float[Array, "rows columns"],
    rows: Int32[Array, " some"],
    count: Int32[Array, ""],
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
      count: how many are rows; those behind are none.
      alone: whether only these rows go through the transform (``is_row_by_row``; static).
    """
    if not alone:
        whole = jnp.zeros_like(weights).at[rows].set(gradient, mode="drop")
        changes, state = tx.update(whole, state, weights)
        return weights + changes, state
    treedef: Any
    leaves, treedef = jax.tree.flatten((weights, state))
    is_of_rows = [jnp.shape(leaf) == weights.shape for leaf in leaves]

    def joined(of_rows: list[Array], others: list[Array]) -> Any:
        one, other = iter(of_rows), iter(others)
        return treedef.unflatten([next(one if own else other) for own in is_of_rows])

    def parted(tree: Any) -> tuple[list[Array], list[Array]]:
        both = list(zip(jax.tree.leaves(tree), is_of_rows, strict=True))
        return [leaf for leaf, own in both if own], [leaf for leaf, own in both if not own]

    of_rows, others = parted((weights, state))

    def update(gradient: Array, of_rows: list[Array]) -> tuple[list[Array], list[Array]]:
        some, own = joined(of_rows, others)
        changes, own = tx.update(gradient, own, some)
        after, rest = parted((some + changes, own))
        return [with_rows(leaf, len(rows)) for leaf in after], rest

    taken = [leaf.at[rows].get(mode="clip") for leaf in of_rows]
    after, rest = first_rows(update, count, gradient, taken)
    put = [old.at[rows].set(new, mode="drop") for old, new in zip(of_rows, after, strict=True)]
    return joined(put, rest)
