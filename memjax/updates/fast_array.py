"""A fast array beside its pulses: its own learning rate, its symmetry points, its erasure."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int32

from memjax import random
from memjax.errors import UserError
from memjax.pulses import Counts

_FINDS, ERASES = 2, 3
"""Purposes of pulses beside those of updates, which have 0 and 1."""

_SLOWLY = 0.99
"""What the running mean of the largest gradient keeps at an update, as aihwkit's does."""


def rate_now(learning_rate: optax.ScalarOrSchedule, count: Int32[Array, ""]) -> Array:
    """A rate at an update, of a number or of an Optax schedule."""
    if not callable(learning_rate):
        return jnp.asarray(learning_rate, jnp.float32)
    with jax.numpy_dtype_promotion("standard"):  # as Optax does
        return jnp.asarray(learning_rate(count), jnp.float32)


def at_rate(wanted: Any, rate: Any, learning_rate: Array) -> Any:
    """Wanted changes at another rate than the chain's before, 0 where that is 0; Counts pass.

    Args:
      wanted: changes or ``Counts``, a tree.
      rate: of all arrays, or a tree of the same structure.
      learning_rate: that of the chain before.
    """

    def scaled(change: Any, rate: Any) -> Any:
        return change if isinstance(change, Counts) else change * (rate * inverse(learning_rate))

    if jax.tree_util.all_leaves([rate]):
        rate = jax.tree.map(lambda _: rate, wanted, is_leaf=are_counts)
    return jax.tree.map(scaled, wanted, rate, is_leaf=are_counts)


def largest_gradients(wanted: Any, learning_rate: Array) -> Any:
    """The largest magnitude of each array's gradient.

    Raises:
      UserError: some of what is wanted are ``Counts``, of which that is not known.
    """

    def largest(change: Any) -> Array:
        if isinstance(change, Counts):
            raise UserError(
                "transfer: auto_scale follows gradients, and these are counts; give update the "
                "largest gradient of each array, largest=..., or leave auto_scale out"
            )
        return jnp.max(jnp.abs(change), initial=0.0) * inverse(learning_rate)

    return jax.tree.map(largest, wanted, is_leaf=are_counts)


def inverse(number: Array) -> Array:
    """``1 / number`` of a number that is not negative, and 0 of 0."""
    return jnp.where(number > 0, 1.0 / jnp.where(number > 0, number, 1.0), 0.0)


def running_mean(mean: Array, seen: Array) -> Array:
    """``0.99 mean + 0.01 seen``, which begins at the first that is not 0."""
    return jnp.where(mean > 0, _SLOWLY * mean + (1 - _SLOWLY) * seen, seen)


def symmetry_points(fast: Any, state: Any, weights: Any, pairs: int) -> tuple[Any, Any]:
    """Devices at their symmetry points: after as many pairs of a pulse up and one down.

    Zero-shifting: alternating pulses draw each device to where a step up is a step down.

    Args:
      fast: the transform of the array.
      state: its state.
      weights: what it holds.
      pairs: of pulses (static).

    Returns:
      The state, in which these pulses are not counted, and the weights reached.

    Source: Kim et al., arXiv:1907.10228 (2019).
    """

    def pair(number: Array, now: tuple[Any, Any]) -> tuple[Any, Any]:
        for i, sign in enumerate((1.0, -1.0)):
            weights, of_a = now
            counts = jax.tree.map(lambda w, sign=sign: Counts(jnp.full_like(w, sign)), weights)
            own = beside_updates(of_a, _FINDS, 2 * number + i)
            change, after = fast.update(counts, own, weights)
            now = jax.tree.map(jnp.add, weights, change), as_numbered(after, of_a)
        return now

    weights, after = jax.lax.fori_loop(0, pairs, pair, (weights, state))
    return after._replace(stats=state.stats, lost=state.lost), weights


def beside_updates(state: Any, purpose: int, number: Any) -> Any:
    """A state of devices with a stream of its own, for pulses beside those of updates."""
    return state._replace(key=random.fold_in(random.fold_in(state.key, purpose), number))


def as_numbered(after: Any, before: Any) -> Any:
    """The state after such pulses, with the stream and the count of updates as they were."""
    return after._replace(key=before.key, count=before.count)


def are_counts(node: Any) -> bool:
    """Whether a node of a tree of updates is ``Counts``."""
    return isinstance(node, Counts)
