"""What XLA is not to compute twice, or not at all.

XLA fuses a cheap producer into each of its consumers, and computes it anew in every one. Pulse
counts and noise are cheap by its reckoning, and most of a step by ours. And under ``vmap`` it
computes both branches of a ``cond``, whichever are wanted.
"""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

_T = TypeVar("_T")


def once(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The same numbers, bit for bit, computed once and kept for all their consumers.

    A division, which XLA holds to be too expensive to duplicate, by a 1 that it cannot see through.
    """
    infinity = jax.lax.optimization_barrier(jnp.full((), jnp.inf, x.dtype))
    return x / jnp.where(x > infinity, 2.0, jnp.ones_like(x))


def when(needed: Bool[Array, ""], function: Callable[[Array, _T], _T], operand: _T) -> _T:
    """``function(needed, operand)`` where needed, else the operand; skipped where no lane needs it.

    Args:
      needed: whether this lane needs it; give ``function`` what is computed of it alone to compute,
        or it is computed in any case.
      function: from ``needed`` and a pytree to one of the same types.
      operand: what it is applied to.
    """

    def body(carry: tuple[Array, _T]) -> tuple[Array, _T]:
        needed, operand = carry
        return jnp.zeros_like(needed), function(needed, operand)

    return jax.lax.while_loop(lambda carry: carry[0], body, (needed, operand))[1]
