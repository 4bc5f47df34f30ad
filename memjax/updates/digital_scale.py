"""The digital scale of each array: a weight of the model is omega times the cell's."""

import dataclasses
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax.cells import Cell
from memjax.errors import UserError
from memjax.pulses import Counts
from memjax.pytree import Leaf
from memjax.updates.struct_of_trees import is_masked

WeightRange = Leaf | Literal["fit"] | None
"""The largest weight R of every array, or ``"fit"``: each array's own."""

ROOM = 4.0
"""The least R that ``"fit"`` gives an array, in its largest initial weights."""


def is_fit(weight_range: WeightRange) -> bool:
    """Whether each array is to have a range of its own."""
    return isinstance(weight_range, str)


def ranged(who: str, cell: Cell, weight_range: WeightRange) -> Cell:
    """The cell, with a range that is given as a number.

    Raises:
      UserError: it is neither a number nor ``"fit"``.
    """
    if weight_range is None or weight_range == "fit":
        return cell
    if isinstance(weight_range, str):
        raise UserError(f'{who}: weight_range = {weight_range!r} must be a number or "fit"')
    return dataclasses.replace(cell, weight_range=weight_range)


def omega_to_fit(weights: Any, weight_range: Leaf) -> Array:
    """The scale of an array: the least power of two at which R is ``ROOM`` times its weights.

    A power of two rounds nothing. It is 1 where all weights are 0, as in heads and adapters that
    begin so.

    Args:
      weights: the initial weights.
      weight_range: R of the cell.

    Example:
      >>> from memjax.updates.digital_scale import omega_to_fit
      >>> float(omega_to_fit([0.3, -0.7], 0.5))  # R = 4, for weights up to 0.7
      8.0
    """
    largest = jnp.max(jnp.abs(jnp.asarray(weights)), initial=0.0)
    mantissa, exponent = jnp.frexp(largest / jnp.asarray(weight_range, jnp.float32))
    mantissa, more = jnp.frexp(ROOM * mantissa)  # apart, or it might overflow
    exponent = jnp.clip(exponent + more - (mantissa == 0.5).astype(jnp.int32), -120, 120)
    return jnp.where(largest > 0, jnp.ldexp(jnp.float32(1.0), exponent), 1.0)


def in_cells(omega: Any, params: Any) -> Any:
    """Weights in units of the cell; those that are not on devices as they are."""
    return jax.tree.map(lambda o, w: w if is_masked(o) else w / o, omega, params, is_leaf=is_masked)


def in_model(omega: Any, params: Any) -> Any:
    """Weights, or their changes, in units of the model; others as they are."""
    return jax.tree.map(lambda o, w: w if is_masked(o) else w * o, omega, params, is_leaf=is_masked)


def wanted_in_cells(omega: Any, wanted: Any) -> Any:
    """Wanted changes in units of the cell; counts are pulses whatever the units."""
    is_counts = lambda node: isinstance(node, Counts)  # noqa: E731
    return jax.tree.map(lambda u, o: u if is_counts(u) else u / o, wanted, omega, is_leaf=is_counts)
