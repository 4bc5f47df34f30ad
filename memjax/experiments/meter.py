"""What gradient descent wants of a layer, measured on its way back."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32

from memjax.updates.diagnostics import total


@jax.custom_vjp
def metered(
    y: Float32[Array, "batch columns"], x: Float32[Array, "batch rows"], meter: Float32[Array, ""]
) -> Float32[Array, "batch columns"]:
    """``y`` itself; the cotangent of ``meter`` is the sum of the magnitudes of ``dL/dW, dL/db``.

    Of one sample that is ``(sum |x| + 1) sum |d|``, with no array of the weights' size.

    Args:
      y: a layer's outputs, of error d.
      x: its inputs.
      meter: any number.
    """
    del x, meter
    return y


def _forward(y: Array, x: Array, meter: Array) -> tuple[Array, Array]:
    del meter
    return y, x


def _backward(x: Array, d: Array) -> tuple[Array, None, Array]:
    if x.shape[0] == 1:
        return d, None, (jnp.sum(jnp.abs(x)) + 1.0) * jnp.sum(jnp.abs(d))
    return d, None, total(jnp.abs(x.T @ d)) + jnp.sum(jnp.abs(jnp.sum(d, axis=0)))


metered.defvjp(_forward, _backward)
