"""Counters beside a gate: what is known of streams of any length when they have gone by."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, UInt32

from memjax.bitstreams.bitstream import WORD, between
from memjax.bitstreams.divider import divided
from memjax.bitstreams.gates import GATES

DIVIDE, FUSE = "divide", "fuse"
OPERATIONS = (*GATES, DIVIDE, FUSE)
"""What may be done with two streams."""


class Tally(NamedTuple):
    """Counts of many pairs of streams.

    Attributes:
      x, y, both, out: ones of the streams, of both at once, and of what comes out.
      successive: ones of x after a one of x.
      last_x, last_out: the last bits.
    """

    x: Int32[Array, "..."]
    y: Int32[Array, "..."]
    both: Int32[Array, "..."]
    out: Int32[Array, "..."]
    successive: Int32[Array, "..."]
    last_x: UInt32[Array, "..."]
    last_out: UInt32[Array, "..."]


def nothing(shape: tuple[int, ...]) -> Tally:
    """Counts before the first bit.

    Args:
      shape: of the pairs (static).
    """
    zero, last = jnp.zeros(shape, jnp.int32), jnp.zeros(shape, jnp.uint32)
    return Tally(zero, zero, zero, zero, zero, last, last)


def counted(
    tally: Tally,
    operation: str,
    words: tuple[Array, Array, Array],
    number: Array,
    low: Array,
    high: Array,
) -> Tally:
    """The counts after a word of each stream.

    Args:
      tally: before it.
      operation: of ``OPERATIONS`` (static).
      words: of x, y and the select stream.
      number: of the word.
      low, high: numbers of the bits that count, of the whole streams.
    """
    mask = between(number * WORD, low, high)
    x, y, select = words[0] & mask, words[1] & mask, words[2] & mask
    if operation == DIVIDE:
        last_out, out = divided(x, y, tally.last_out)
    elif operation == FUSE:
        last_out, out = divided(x & y, ~(x ^ y) & mask, tally.last_out)
    else:
        last_out, out = tally.last_out, GATES[operation].act(x, y, select)
    first = jnp.maximum(low - number * WORD, 0).astype(jnp.uint32)
    last = jnp.minimum(high - number * WORD, WORD).astype(jnp.uint32) - jnp.uint32(1)
    one = jnp.uint32(1)
    linked = tally.last_x & (x >> first) & one
    return Tally(
        tally.x + _ones(x),
        tally.y + _ones(y),
        tally.both + _ones(x & y),
        tally.out + _ones(out & mask),
        tally.successive + _ones(x & (x >> one)) + linked.astype(jnp.int32),
        (x >> last) & one,
        last_out,
    )


def _ones(words: Array) -> Array:
    return jax.lax.population_count(words).astype(jnp.int32)
