"""Stochastic pulse trains, packed 32 slots to a word; coincidences are a popcount of an AND."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float32, UInt32

from memjax import random

_UNROLLED = 8  # words; a longer batch loops, so that the program does not grow with it


class Trains(NamedTuple):
    """One train a line; every (sample, slot) of a batch is one bit.

    Attributes:
      fire: bit set where the line fires.
      negative: bit set where the line's value is negative.
    """

    fire: UInt32[Array, "words lines"]
    negative: UInt32[Array, "words lines"]


def trains(
    stream: random.Stream,
    probability: Float32[Array, "batch lines"],
    negative: Bool[Array, "batch lines"],
    length: int,
    active: Array | None = None,
) -> Trains:
    """Draws each sample's train of ``length`` Bernoulli slots on every line.

    The ``batch * length`` slots of a line lie end to end in as few words as hold them, so a batch
    costs words, not samples.

    Args:
      stream: random stream of these trains.
      probability: probability that a slot fires; above 1 counts as 1.
      negative: the sign of each line's value.
      length: slots a sample, at most 32 (static).
      active: slots a sample that may fire, ``[batch]``; all without it.

    Returns:
      Packed trains, ``ceil(batch * length / 32)`` words a line.
    """
    shape = (length, *probability.shape)
    threshold = (jnp.clip(probability, 0.0, 1.0) * jnp.float32(2.0**24)).astype(jnp.uint32)
    fires = (random.bits(stream, shape) >> 8) < threshold[None]
    slot = jax.lax.broadcasted_iota(jnp.uint32, shape, 0)
    if active is not None:
        fires &= slot < active.astype(jnp.uint32)[None, :, None]
    bit = jnp.uint32(1) << slot

    def words(flags: Array) -> Array:
        return _pack(_or(jnp.where(flags, bit, jnp.uint32(0)), axis=0), length)

    return Trains(fire=words(fires), negative=words(jnp.broadcast_to(negative[None], shape)))


def _pack(trains: UInt32[Array, "batch lines"], length: int) -> UInt32[Array, "words lines"]:
    """Trains of ``length`` bits, end to end: the one of sample b begins at bit ``b * length``."""
    batch, lines = trains.shape
    words = -(-batch * length // 32)
    if batch > 32:  # 32 trains fill `length` words exactly: shift within blocks, not across all
        blocks = -(-batch // 32)
        padded = jnp.pad(trains, ((0, 32 * blocks - batch), (0, 0))).reshape(blocks, 32, lines)
        packed = jax.vmap(lambda block: _pack(block, length))(padded)
        return packed.reshape(-1, lines)[:words]
    begin = np.arange(batch)[None, :] * length - 32 * np.arange(words)[:, None]
    left, right = (np.clip(b, 0, 32).astype(np.uint32)[:, :, None] for b in (begin, -begin))
    spread = jnp.broadcast_to(trains[None], (words, *trains.shape))
    spread = jax.lax.shift_left(spread, jnp.broadcast_to(left, spread.shape))
    return _or(jax.lax.shift_right_logical(spread, jnp.broadcast_to(right, spread.shape)), axis=1)


def _or(words: Array, axis: int) -> Array:
    """Bitwise or along an axis; a reduction, so XLA keeps its result instead of fusing it away.

    Fused into the update of the weights, the trains would be drawn anew for every weight.
    """
    return jax.lax.reduce(words, jnp.uint32(0), jax.lax.bitwise_or, (axis,))


def coincidences(rows: Trains, columns: Trains) -> Float32[Array, "rows columns"]:
    """Signed coincidences at every crosspoint, positive where the signs agree.

    ``n = popcount(r & c) - 2 popcount(r & c & (sr ^ sc))``, summed over words: exact, with the
    row and column correlations of the hardware.

    Args:
      rows: the rows' trains.
      columns: the columns' trains.

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016), eq. 1.
    """

    def add(word: int | Array, total: Array) -> Array:
        fire = rows.fire[word][:, None] & columns.fire[word][None, :]
        opposite = fire & (rows.negative[word][:, None] ^ columns.negative[word][None, :])
        count, wrong = (jax.lax.population_count(w).astype(jnp.int32) for w in (fire, opposite))
        return total + count - 2 * wrong

    words = rows.fire.shape[0]
    total = jnp.zeros((rows.fire.shape[1], columns.fire.shape[1]), jnp.int32)
    if words > _UNROLLED:
        return jax.lax.fori_loop(0, words, add, total).astype(jnp.float32)
    for word in range(words):  # fuses into the update of the weights
        total = add(word, total)
    return total.astype(jnp.float32)
