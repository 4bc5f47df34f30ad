"""Stochastic pulse trains, packed 32 slots to a word; coincidences are a popcount of an AND."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, UInt32

from memjax import random


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

    The ``batch * length`` slots are spread evenly over as few words as hold them, so a batch costs
    words, not samples.

    Args:
      stream: random stream of these trains.
      probability: probability that a slot fires; above 1 counts as 1.
      negative: the sign of each line's value.
      length: slots a sample (static).
      active: slots a sample that may fire, ``[batch]``; all without it.

    Returns:
      Packed trains, ``ceil(batch * length / 32)`` words a line.
    """
    batch, lines = probability.shape
    slots = batch * length
    words = -(-slots // 32)
    per_word = -(-slots // words)
    shape = (words, per_word, lines)

    def by_slot(values: Array) -> Array:
        values = jnp.broadcast_to(values[:, None, :], (batch, length, lines))
        if active is not None:
            on = jnp.arange(length)[None, :] < active[:, None]
            values = jnp.where(on[:, :, None], values, jnp.zeros((), values.dtype))
        values = values.reshape(slots, lines)
        return jnp.pad(values, ((0, words * per_word - slots), (0, 0))).reshape(shape)

    threshold = (jnp.clip(probability, 0.0, 1.0) * jnp.float32(2.0**24)).astype(jnp.uint32)
    fires = (random.bits(stream, shape) >> 8) < by_slot(threshold)
    # The reduction is what makes XLA keep the words instead of computing them anew for each weight.
    bit = jax.lax.broadcasted_iota(jnp.uint32, shape, 1)

    def pack(flags: Array) -> Array:
        return jax.lax.reduce(
            flags.astype(jnp.uint32) << bit, jnp.uint32(0), jax.lax.bitwise_or, (1,)
        )

    return Trains(pack(fires), pack(by_slot(negative)))


def coincidences(rows: Trains, columns: Trains) -> Float32[Array, "rows columns"]:
    """Signed coincidences at every crosspoint, positive where the signs agree.

    ``n = popcount(r & c) - 2 popcount(r & c & (sr ^ sc))``, summed over words: exact, with the
    row and column correlations of the hardware.

    Args:
      rows: the rows' trains.
      columns: the columns' trains.

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016), eq. 1.
    """
    total = jnp.zeros((rows.fire.shape[1], columns.fire.shape[1]), jnp.int32)
    for word in range(rows.fire.shape[0]):
        fire = rows.fire[word][:, None] & columns.fire[word][None, :]
        opposite = fire & (rows.negative[word][:, None] ^ columns.negative[word][None, :])
        total += jax.lax.population_count(fire).astype(jnp.int32)
        total -= 2 * jax.lax.population_count(opposite).astype(jnp.int32)
    return total.astype(jnp.float32)
