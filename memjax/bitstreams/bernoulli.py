"""Independent random bits of a probability, a word at a time."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, UInt32

from memjax import random

DIGITS = 24
"""Binary digits of a probability: it is held to 2**-25."""
_AT_ONCE = 8  # digits in one kernel: all of them take seconds to compile in a loop


def bernoulli(stream: random.Stream, p: Array, shape: tuple[int, ...]) -> UInt32[Array, "..."]:
    """Words of 32 independent bits, each 1 with its probability.

    A bit says whether a uniform number is below ``p``; the two are compared digit by digit from the
    last, 32 comparisons in one word: where they differ the digit decides, else those below it do.
    So words of one stream and several probabilities are nested: what is below the smaller one is
    below the larger.

    Args:
      stream: random stream of these words.
      p: probabilities, of a shape that broadcasts to ``shape``.
      shape: of the words (static).

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax import random
      >>> words = bernoulli(random.stream(jax.random.key(0)), jnp.array([0.25]), (1000,))
      >>> print(f"{jnp.mean(jax.lax.population_count(words)) / 32:.3f}")
      0.251
    """
    one = jnp.uint32(1 << DIGITS)
    whole = jnp.round(jnp.asarray(p, jnp.float32) * (1 << DIGITS)).astype(jnp.uint32)
    whole = jnp.broadcast_to(whole, shape)
    words = jnp.zeros(shape, jnp.uint32)

    def compared(words: Array, digit: Array) -> tuple[Array, None]:
        drawn = random.bits(random.fold_in(stream, digit), shape)
        has = jnp.uint32(0) - ((whole >> digit.astype(jnp.uint32)) & jnp.uint32(1))
        return (words & drawn) | (has & (words | drawn)), None

    words, _ = jax.lax.scan(compared, words, jnp.arange(DIGITS), unroll=_AT_ONCE)
    return jnp.where(whole == one, jnp.uint32(0xFFFFFFFF), words)
