"""Convolutions unrolled: every patch of the inputs a row, the kernel a matrix."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def patches(x: Array, kernel_shape: tuple[int, ...], own: dict[str, Any]) -> tuple[Array, Any]:
    """The patches that a convolution multiplies with its kernel, and the way back.

    Args:
      x: the inputs of ``lax.conv_general_dilated``.
      kernel_shape: of its kernel.
      own: its parameters (strides, dilations, padding, groups).

    Returns:
      ``[groups, patches, rows]``, rows by place and then channel, and a function that makes the
      convolution's outputs of ``[groups, patches, columns]``.
    """
    numbers, groups = own["dimension_numbers"], own["feature_group_count"]
    x = jnp.transpose(x, _channels_last(numbers.lhs_spec))
    _, _, *places = numbers.rhs_spec
    extents = [kernel_shape[place] for place in places]
    steps, dilations = own["window_strides"], own["rhs_dilation"]
    interior = [spread - 1 for spread in own["lhs_dilation"]]
    padded = [(*ends, between) for ends, between in zip(own["padding"], interior, strict=True)]
    x = jax.lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), *padded, (0, 0, 0)))
    sizes = [
        (length - (extent - 1) * dilation - 1) // step + 1
        for length, extent, step, dilation in zip(
            x.shape[1:-1], extents, steps, dilations, strict=True
        )
    ]
    slices = []
    for place in itertools.product(*map(range, extents)):
        first = [offset * dilation for offset, dilation in zip(place, dilations, strict=True)]
        last = [
            start + (size - 1) * step + 1
            for start, size, step in zip(first, sizes, steps, strict=True)
        ]
        slices.append(
            jax.lax.slice(x, (0, *first, 0), (x.shape[0], *last, x.shape[-1]), (1, *steps, 1))
        )
    rows = jnp.stack(slices, axis=-2)  # [batch, *sizes, places, channels]
    rows = rows.reshape(-1, len(slices), groups, x.shape[-1] // groups)
    rows = jnp.moveaxis(rows, 2, 0).reshape(groups, rows.shape[0], -1)
    batch = x.shape[0]

    def outputs(y: Float[Array, "groups patches columns"]) -> Array:
        y = jnp.moveaxis(y, 0, 1).reshape(batch, *sizes, -1)
        return jnp.transpose(y, _from_channels_last(numbers.out_spec))

    return rows, outputs


def matrix(kernel: Array, own: dict[str, Any]) -> Float[Array, "groups rows columns"]:
    """The kernel of a convolution as matrices, rows by place and then channel.

    Args:
      kernel: of ``lax.conv_general_dilated``.
      own: its parameters.
    """
    groups = own["feature_group_count"]
    out, channels, *places = own["dimension_numbers"].rhs_spec
    kernel = jnp.transpose(kernel, (*places, channels, out))
    flat = kernel.reshape(-1, groups, kernel.shape[-1] // groups)
    return jnp.moveaxis(flat, 1, 0)


def _channels_last(spec: tuple[int, ...]) -> tuple[int, ...]:
    """The order that brings (batch, channels, places) to (batch, places, channels)."""
    batch, channels, *places = spec
    return batch, *places, channels


def _from_channels_last(spec: tuple[int, ...]) -> tuple[int, ...]:
    order = _channels_last(spec)
    return tuple(order.index(axis) for axis in range(len(order)))
