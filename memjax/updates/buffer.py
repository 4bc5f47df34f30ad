"""A digital buffer: whole pulses go out, the rest stays."""

import jax.numpy as jnp
from jaxtyping import Array

MOST = 31
"""Pulses a weight and update, unless said otherwise."""


def drain(h: Array, size: Array, most: int = MOST) -> tuple[Array, Array]:
    """What is left in a buffer, and the whole pulses that it held: ``n = trunc(h / size)``.

    Args:
      h: wanted changes that have been gathered.
      size: the change that one pulse makes.
      most: most pulses a weight (static).
    """
    n = jnp.clip(jnp.trunc(h / size), -float(most), float(most))
    return h - n * size, n
