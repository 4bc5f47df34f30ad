"""What XLA is not to compute twice.

XLA fuses a cheap producer into each of its consumers, and computes it anew in every one. Pulse
counts and noise are cheap by its reckoning, and most of a step by ours.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def materialize(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The same numbers, bit for bit, computed once and kept in memory for all their consumers.

    A division, which XLA holds to be too expensive to duplicate, by a 1 that it cannot see through.
    """
    infinity = jax.lax.optimization_barrier(jnp.full((), jnp.inf, x.dtype))
    return x / jnp.where(x > infinity, 2.0, jnp.ones_like(x))
