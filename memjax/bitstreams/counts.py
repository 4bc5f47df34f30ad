"""Counts of independent bits, without the bits."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from memjax.pytree import Leaf, check_number


def counts(
    p: Leaf, n: int, key: Key[Array, ""], shape: tuple[int, ...] = ()
) -> Float[Array, "..."]:
    """What counters read after ``n`` independent bits: binomial numbers, drawn at once.

    Of a gate of independent streams ``p`` is ``expected(gate, ...)``.

    Args:
      p: probabilities, of a shape that broadcasts to ``shape``.
      n: bits.
      key: all randomness comes from it.
      shape: of the counts (static).

    Example:
      >>> import jax
      >>> from memjax.bitstreams import counts, expected
      >>> counts(expected("and", 0.6, 0.3), 4096, jax.random.key(0))
      Array(701., dtype=float32)
    """
    check_number("counts: p", p, at_least=0, at_most=1)
    check_number("counts: n", n, whole=True, at_least=1)
    p = jnp.broadcast_to(jnp.asarray(p, jnp.float32), shape)
    return jax.random.binomial(key, jnp.float32(n), p, dtype=jnp.float32)
