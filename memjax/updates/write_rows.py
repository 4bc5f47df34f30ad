"""Pulses for some rows of arrays, at the cost of these rows."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax.pulses import Counts
from memjax.updates.fire_pulses import PulsedUpdateState, cell_structure
from memjax.updates.rows import Rows, Turn, put, take
from memjax.updates.struct_of_trees import stack, unstack


def write_rows(
    slow: Any,
    state: PulsedUpdateState,
    weights: list[Array],
    treedef: Any,
    places: list[Rows],
    turns: list[Turn],
    counts: list[Counts],
) -> tuple[PulsedUpdateState, Any]:
    """Fires pulses at some rows of each array; the others' cells are left alone where they idle.

    Args:
      slow: ``fire_pulses`` of the arrays.
      state: its state.
      weights: what the arrays hold.
      treedef: of the params.
      places: where each array is in its crossbar.
      turns: the rows of each that are read.
      counts: pulses for these rows.

    Returns:
      The new state, and the weights that the devices hold.
    """
    if not state.cell.is_static(state.device):
        everywhere = [
            Counts(put(jnp.zeros(jnp.shape(w), jnp.float32), n.n, place, turn))
            for w, place, turn, n in zip(weights, places, turns, counts, strict=True)
        ]
        c = treedef.unflatten(weights)
        change, state = slow.update(treedef.unflatten(everywhere), state, c)
        return state, jax.tree.map(lambda w, d: w.astype(jnp.float32) + d, c, change)
    fields = cell_structure(state.device, state.cell)
    cells = unstack(state.cells, treedef, fields)

    def rows_of(leaf: Array, weight: Array, place: Rows, turn: Turn) -> Array:
        """What the cells know of each weight, of these rows; what is the same for all stays."""
        return take(leaf, place, turn.row) if jnp.shape(leaf) == jnp.shape(weight) else leaf

    arrays = list(zip(weights, places, turns, strict=True))
    few = [
        jax.tree.map(lambda leaf, of=of: rows_of(leaf, *of), own)
        for own, of in zip(cells, arrays, strict=True)
    ]
    some = [take(w, place, turn.row).astype(jnp.float32) for w, place, turn in arrays]
    change, after = slow.update(
        treedef.unflatten(counts),
        state._replace(cells=stack(few, treedef, fields)),
        treedef.unflatten(some),
    )

    def put_back(leaf: Array, new: Array, weight: Array, place: Rows, turn: Turn) -> Array:
        return put(leaf, new, place, turn) if jnp.shape(leaf) == jnp.shape(weight) else leaf

    now = [
        jax.tree.map(lambda leaf, new, of=of: put_back(leaf, new, *of), own, new)
        for own, new, of in zip(cells, unstack(after.cells, treedef, fields), arrays, strict=True)
    ]
    state = after._replace(cells=stack(now, treedef, fields))
    moved = [
        put(w.astype(jnp.float32), old + d, place, turn)
        for (w, place, turn), old, d in zip(
            arrays, some, treedef.flatten_up_to(change), strict=True
        )
    ]
    return state, state.readout(treedef.unflatten(moved))
