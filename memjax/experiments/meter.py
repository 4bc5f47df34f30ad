"""What gradient descent wants of a layer, measured on its way back."""

from functools import partial
from typing import Any, NamedTuple

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
    y: Float32[Array, "batch columns"],
    x: Float32[Array, "batch rows"],
    meters: Meters,
    *,
    has_bias: bool = True,
) -> Float32[Array, "batch columns"]:
    """``y`` itself; the cotangents of ``meters`` are what they measure.

    The total of one sample is ``(sum |x| + 1) sum |d|``, with no array of the weights' size.

    Args:
      y: a layer's outputs, of error d.
      x: its inputs.
      meters: those of the layer, any numbers.
      has_bias: whether it has a row that is driven by 1 (static).
    """
    return y if all(meter is None for meter in meters) else _metered(has_bias, y, x, meters)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _metered(has_bias: bool, y: Array, x: Array, meters: Meters) -> Array:
    del has_bias, x, meters
    return y


def _forward(has_bias: bool, y: Array, x: Array, meters: Meters) -> tuple[Array, Any]:
    del has_bias
    return y, (x, meters)


def _backward(
    has_bias: bool, residuals: tuple[Array, Meters], d: Array
) -> tuple[Array, None, Meters]:
    x, meters = residuals
    return (
        d,
        None,
        Meters(
            None if meters.total is None else _total(x, d, has_bias),
            None if meters.largest is None else _largest(x, d, has_bias),
        ),
    )


def _total(x: Array, d: Array, has_bias: bool) -> Array:
    if x.shape[0] == 1:
        return (jnp.sum(jnp.abs(x)) + float(has_bias)) * jnp.sum(jnp.abs(d))
    of_kernel = total(jnp.abs(x.T @ d))
    return of_kernel + jnp.sum(jnp.abs(jnp.sum(d, axis=0))) if has_bias else of_kernel


def _largest(x: Array, d: Array, has_bias: bool) -> Array:
    """A bias is driven by 1."""
    of_rows = jnp.maximum(jnp.max(jnp.abs(x), axis=1), float(has_bias))
    return jnp.max(of_rows * jnp.max(jnp.abs(d), axis=1))


_metered.defvjp(_forward, _backward)
