"""Digital care for the ranges of converters: input scales, and products done again."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from memjax import random
from memjax.pytree import Leaf, param, params, static


@params
class Management:
    """How inputs are scaled before the DAC, and what is done where an ADC overflows."""

    input_scale: str = static(
        default="fixed",
        doc="what inputs are divided by: fixed, x_max; abs_max, the largest |x| of each sample and "
        "tile (noise management); average_abs_max, its mean a tile over some data; calibrated, a "
        "quantile of |x| of some data",
        choices=("fixed", "abs_max", "average_abs_max", "calibrated"),
    )
    x_max: Leaf = param(default=1.0, doc="fixed input scale", unit="input units", more_than=0)
    input_cap: Leaf | None = param(
        default=None,
        doc="largest scale of abs_max; larger inputs are clipped",
        unit="input units",
        more_than=0,
    )
    input_quantile: Leaf = param(
        default=0.9995,
        doc="share of the inputs that a calibrated scale holds",
        more_than=0,
        at_most=1,
    )
    bound_management: str = static(
        default="none",
        doc="none; iterative, where a tile's ADC overflows inputs are halved until it does not",
        choices=("none", "iterative"),
    )
    bound_factor: Leaf = param(
        default=1000.0, doc="no input is halved that is divided by more than this", at_least=1
    )
    bound_resolution: Leaf = param(
        default=0.25,
        doc="nor is one that the DAC then resolves by fewer steps than the inverse of this",
        more_than=0,
    )


def largest(management: Management, x: jax.Array) -> jax.Array:
    """The scale ``abs_max`` of each sample and tile: 0 where all its inputs are.

    Args:
      management: the parameters.
      x: inputs, rows of a tile last.
    """
    scale = jax.lax.stop_gradient(jnp.max(jnp.abs(x), axis=-1, keepdims=True))
    if management.input_cap is None:
        return scale
    return jnp.minimum(scale, jnp.asarray(management.input_cap, x.dtype))


Product = Callable[[Any, jax.Array, random.Stream | None], tuple[jax.Array, jax.Array]]
"""Of operands, their inputs divided by a reduction, and a stream; and which tiles overflow."""


def redo(
    product: Product, operands: Any, stream: random.Stream | None, most: jax.Array
) -> jax.Array:
    """Products, with inputs halved where an output of the tile overflows: iterative bounds.

    All outputs of a tile are redone together, with fresh noise, and multiplied by as much as its
    inputs were divided by. Nothing is done again where nothing overflows. Gradients are those of
    the product that counts.

    Args:
      product: what it is given is the operands, a reduction of their inputs (1, or one of the shape
        of what it returns second) and a stream.
      operands: a pytree of what gradients flow to.
      stream: others are folded from it, one a product.
      most: what has been divided by more is not redone.

    Source: Gokmen et al., Front. Neurosci. 11:538 (2017); aihwkit documentation.
    """

    def own(n: Any) -> random.Stream | None:
        return None if stream is None else random.fold_in(stream, n)

    first, overflows = product(operands, jnp.ones((), jnp.float32), own(0))
    again = overflows & (most >= 1.0)
    fixed = jax.lax.stop_gradient(operands)

    def halve(state: Any) -> Any:
        tries, waits, reduction, y = state
        reduction = jnp.where(waits, 2.0 * reduction, reduction)
        tried, overflows = product(fixed, reduction, own(tries))
        y = jnp.where(waits, tried * reduction, y)
        return tries + 1, waits & overflows & (reduction <= most), reduction, y

    def redone(first: jax.Array) -> jax.Array:
        once = jnp.ones(again.shape, jnp.float32)
        start = (jnp.int32(1), again, once, jax.lax.stop_gradient(first))
        tries, _, reduction, y = jax.lax.while_loop(lambda s: jnp.any(s[1]), halve, start)
        passing = product(operands, reduction, own(tries))[0] * reduction  # for its gradient
        return jnp.where(again, passing + jax.lax.stop_gradient(y - passing), first)

    return jax.lax.cond(jnp.any(again), redone, lambda first: first, first)
