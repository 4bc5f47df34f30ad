"""What gradient descent wants of a layer, measured on its way back."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32

from memjax.updates.diagnostics import total


class Meters(NamedTuple):
    """Numbers whose cotangents are measures of the gradients ``dL/dW, dL/db`` of layers.

    Attributes:
      total: of each layer, the sum of their magnitudes; ``None``: not measured.
      largest: of each layer, the largest of one sample, ``max |x| max |d|``; ``None``: likewise.
    """

    total: Float32[Array, "*layers"] | None
    largest: Float32[Array, "*layers"] | None

    def of_layer(self, number: int) -> "Meters":
        """The meters of one layer."""
        return Meters(*(None if meter is None else meter[number] for meter in self))


NO_METERS = Meters(None, None)


def metered(
    y: Float32[Array, "batch columns"], x: Float32[Array, "batch rows"], meters: Meters
) -> Float32[Array, "batch columns"]:
    """``y`` itself; the cotangents of ``meters`` are what they measure.

    The total of one sample is ``(sum |x| + 1) sum |d|``, with no array of the weights' size.

    Args:
      y: a layer's outputs, of error d.
      x: its inputs.
      meters: those of the layer, any numbers.
    """
    return y if all(meter is None for meter in meters) else _metered(y, x, meters)


@jax.custom_vjp
def _metered(y: Array, x: Array, meters: Meters) -> Array:
    del x, meters
    return y


def _forward(y: Array, x: Array, meters: Meters) -> tuple[Array, tuple[Array, Meters]]:
    return y, (x, meters)


def _backward(residuals: tuple[Array, Meters], d: Array) -> tuple[Array, None, Meters]:
    x, meters = residuals
    return (
        d,
        None,
        Meters(
            None if meters.total is None else _total(x, d),
            None if meters.largest is None else _largest(x, d),
        ),
    )


def _total(x: Array, d: Array) -> Array:
    if x.shape[0] == 1:
        return (jnp.sum(jnp.abs(x)) + 1.0) * jnp.sum(jnp.abs(d))
    return total(jnp.abs(x.T @ d)) + jnp.sum(jnp.abs(jnp.sum(d, axis=0)))


def _largest(x: Array, d: Array) -> Array:
    """A bias is driven by 1."""
    of_rows = jnp.maximum(jnp.max(jnp.abs(x), axis=1), 1.0)
    return jnp.max(of_rows * jnp.max(jnp.abs(d), axis=1))


_metered.defvjp(_forward, _backward)
