"""Weights as products take them: as they are, or as two halves of 16 bits."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32, Shaped

from memjax.fusion import materialize

_UPPER = 0xFFFF0000


class Weights(NamedTuple):
    """A machine's weights for one update, a matrix a group of visible units.

    Attributes:
      up: ``W^T``, from visible to hidden units.
      down: ``W``, from hidden to visible units.
      down_bias: of the visible units of each group.
      up_bias: of the hidden units.
    """

    up: tuple[Shaped[Array, "_ _"], ...]
    down: tuple[Shaped[Array, "_ _"], ...]
    down_bias: tuple[Float32[Array, " _"], ...]
    up_bias: Float32[Array, " hidden"]


def halves(w: Float32[Array, "rows columns"]) -> Shaped[Array, "both columns"]:
    """Two matrices of 16-bit numbers, one below the other, whose sum is w but for 2**-16 of it.

    Products with states that are 0 or 1 are then as exact, whatever the precision of 16-bit
    products is not: they add in 32 bits.

    Args:
      w: a matrix.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.boltzmann.weights import halves
      >>> upper, lower = halves(jnp.array([[1.0 / 3.0]])).astype(jnp.float32)
      >>> abs(float(upper[0] + lower[0]) - 1 / 3) < 2**-16 / 3
      True
    """
    bits = jax.lax.bitcast_convert_type(w, jnp.uint32) & jnp.uint32(_UPPER)
    upper = jax.lax.bitcast_convert_type(bits, jnp.float32)
    return jnp.concatenate([upper.astype(jnp.bfloat16), (w - upper).astype(jnp.bfloat16)])


def transposed_halves(w: Float32[Array, "rows columns"]) -> Shaped[Array, "both rows"]:
    """``halves`` of the transpose, which is written first.

    Args:
      w: a matrix.
    """
    return halves(materialize(w.T))


def product(
    matrix: Shaped[Array, "_ units"], states: Float[Array, "units states"]
) -> Float32[Array, "_ states"]:
    """``matrix @ states`` in 32 bits.

    Args:
      matrix: of ``Weights``.
      states: 0 or 1, a column each.
    """
    found = jax.lax.dot_general(
        matrix,
        states.astype(matrix.dtype),
        (((1,), (0,)), ((), ())),
        preferred_element_type=jnp.float32,
    )
    if matrix.dtype == jnp.float32:
        return found
    upper, lower = jnp.split(found, 2)
    return upper + lower
