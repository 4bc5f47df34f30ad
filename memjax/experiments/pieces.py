"""A function of a large batch, piece by piece, so that its arrays stay small."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array


def in_pieces(function: Callable[[Any, Array], Any], x: Array, at_once: int) -> Any:
    """What a function gives for a batch, in pieces of equal size and perhaps a smaller one.

    Args:
      function: of a piece's number and its samples, to a tree of outputs a sample.
      x: the batch.
      at_once: most samples of a piece (static).
    """
    pieces, size = _pieces(len(x), at_once)
    if pieces == 1:
        return function(0, x)
    whole = x[: pieces * size].reshape(pieces, size, *x.shape[1:])
    outputs = jax.lax.map(lambda piece: function(*piece), (jnp.arange(pieces), whole))
    outputs = jax.tree.map(lambda y: y.reshape(-1, *y.shape[2:]), outputs)
    if pieces * size == len(x):
        return outputs
    rest = function(pieces, x[pieces * size :])
    return jax.tree.map(lambda y, z: jnp.concatenate([y, z]), outputs, rest)


def _pieces(samples: int, at_once: int) -> tuple[int, int]:
    """How many pieces of which size; a smaller one may be left."""
    least = math.ceil(samples / at_once)
    for pieces in range(least, 2 * least):
        if samples % pieces == 0:
            return pieces, samples // pieces
    return samples // at_once, at_once
