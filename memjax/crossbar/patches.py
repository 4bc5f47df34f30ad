"""Convolutions unrolled: every patch of the inputs a row, the kernel a matrix."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def patches(
    x: Array, kernel_shape: tuple[int, ...], own: dict[str, Any]
) -> Float[Array, "groups patches rows"]:
    """The patches that a convolution multiplies with its kernel, rows by place and then channel.

    Args:
      x: the inputs of ``lax.conv_general_dilated``.
      kernel_shape: of its kernel.
      own: its parameters (strides, dilations, padding, groups).
    """
    numbers, groups = own["dimension_numbers"], own["feature_group_count"]
    sizes = _sizes(x, kernel_shape, own)
    x = jnp.transpose(x, _channels_last(numbers.lhs_spec))
    interior = [spread - 1 for spread in own["lhs_dilation"]]
    padded = [(*ends, between) for ends, between in zip(own["padding"], interior, strict=True)]
    x = jax.lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), *padded, (0, 0, 0)))
    steps, dilations = own["window_strides"], own["rhs_dilation"]
    slices = []
    for place in itertools.product(*map(range, _extents(kernel_shape, own))):
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
    return jnp.moveaxis(rows, 2, 0).reshape(groups, rows.shape[0], -1)


def outputs(
    y: Float[Array, "groups patches columns"],
    x: Array,
    kernel_shape: tuple[int, ...],
    own: dict[str, Any],
) -> Array:
    """A convolution's outputs, of the products of its patches.

    Args:
      y: the products.
      x: the inputs of ``lax.conv_general_dilated``.
      kernel_shape: of its kernel.
      own: its parameters.
    """
    numbers = own["dimension_numbers"]
    batch = x.shape[numbers.lhs_spec[0]]
    y = jnp.moveaxis(y, 0, 1).reshape(batch, *_sizes(x, kernel_shape, own), -1)
    return jnp.transpose(y, _from_channels_last(numbers.out_spec))


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


def _extents(kernel_shape: tuple[int, ...], own: dict[str, Any]) -> list[int]:
    """Of a kernel along its places."""
    _, _, *places = own["dimension_numbers"].rhs_spec
    return [kernel_shape[place] for place in places]


def _sizes(x: Array, kernel_shape: tuple[int, ...], own: dict[str, Any]) -> list[int]:
    """Of a convolution's outputs along its places."""
    _, _, *places = own["dimension_numbers"].lhs_spec
    found = []
    for place, extent, step, dilation, (low, high), spread in zip(
        places,
        _extents(kernel_shape, own),
        own["window_strides"],
        own["rhs_dilation"],
        own["padding"],
        own["lhs_dilation"],
        strict=True,
    ):
        length = (x.shape[place] - 1) * spread + 1 + low + high
        found.append((length - (extent - 1) * dilation - 1) // step + 1)
    return found


def _channels_last(spec: tuple[int, ...]) -> tuple[int, ...]:
    """The order that brings (batch, channels, places) to (batch, places, channels)."""
    batch, channels, *places = spec
    return batch, *places, channels


def _from_channels_last(spec: tuple[int, ...]) -> tuple[int, ...]:
    order = _channels_last(spec)
    return tuple(order.index(axis) for axis in range(len(order)))
