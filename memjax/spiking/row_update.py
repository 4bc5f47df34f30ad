"""An update of those rows of an array alone whose inputs have fired."""

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


def is_row_by_row(algorithm: Algorithm, cell: Cell, device: Device) -> bool:
    """Whether rows for which nothing is wanted stay as they are, so that others may go alone.

    Args:
      algorithm: that the update is of.
      cell, device: that hold the weights.
    """
    return isinstance(algorithm, _ROW_BY_ROW) and cell.is_static(device)


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
        return jnp.shape(leaf) == jnp.shape(weights)

    def take(leaf: Any) -> Any:
        return leaf.at[rows].get(mode="clip") if is_an_entry_a_weight(leaf) else leaf

    def put(leaf: Any, new: Any) -> Any:
        return leaf.at[rows].set(new, mode="drop") if is_an_entry_a_weight(leaf) else new

    some = take(weights)
    changes, after = tx.update(gradient, jax.tree.map(take, state), some)
    return put(weights, some + changes), jax.tree.map(put, state, after)
