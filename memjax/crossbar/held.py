"""Crossbars of given conductances: those that trained cells hold, not those of a matrix."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from memjax import random
from memjax.crossbar import tiling
from memjax.crossbar.array import Array
from memjax.crossbar.dac import number_of_slices
from memjax.crossbar.state import CrossbarState
from memjax.errors import UserError
from memjax.pytree import Leaf


def hold(
    array: Array,
    g: Sequence[jax.Array],
    *,
    weight_range: Leaf,
    g_ref: Leaf = 0.5,
    stream: random.Stream | None = None,
) -> CrossbarState:
    """What multiplies by conductances as they are: ``memjax.crossbar.multiply`` takes it.

    Two devices a weight are ``W = R (g+ - g-)``; one is ``W = 2 R (g - g_ref)``, whose reference is
    another device of every cell where ``array`` has pairs, and a column of each tile, read by an
    ADC of its own, with ``mapping = "unit_column"``.

    Args:
      array: how products are made; of its mapping whether there are pairs, or a unit column.
      g: normalised conductances in [0, 1], inputs by outputs: those of G+ and G-, or of one device.
      weight_range: R.
      g_ref: the reference of one device.
      stream: of what columns are drawn for life with, the same at every call.

    Raises:
      UserError: a mapping in which these devices make no weight, or what is of weights that are to
        be mapped: slices, significance, levels, limits.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar import Array, hold, multiply
      >>> g = jnp.array([[1.0, 0.5], [0.25, 0.0]])
      >>> held = hold(Array(on_off=10, mapping="two_sided"), (g,), weight_range=2.0)
      >>> multiply(held, jnp.ones((1, 2)), None).round(4).tolist()  # of 2 0; -1 -2
      [[1.0, -2.0]]
    """
    of_weights = ("significance", "levels", "percentile", "omega", "weight_limit")
    given = [name for name in of_weights if getattr(array, name) is not None]
    if given := given + ["slices"] * (array.slices > 1):
        raise UserError(f"hold: {', '.join(given)}: conductances are given here; leave it out")
    if len(g) == 2 and array.is_pair:
        has_column = False
    elif len(g) == 1 and (array.is_pair or array.mapping == "unit_column"):
        has_column = not array.is_pair
    else:
        raise UserError(f"hold: mapping = {array.mapping!r} makes no weight of {len(g)} devices")

    def of_gmax(share: Any) -> Any:
        return array.gmin + (1.0 - array.gmin) * share

    rows, outputs = g[0].shape
    tiles = tiling.tiles(array, (outputs, rows))
    reference = jnp.asarray(g_ref, jnp.float32)
    sees_sides = not (array.iv == "linear" and array.r_access is None and array.w_noise is None)
    if array.is_pair and array.subtract == "analog" and not sees_sides:  # differences will do
        less = g[1] if len(g) == 2 else reference
        sides = [tiling.split_matrix((1.0 - array.gmin) * (g[0] - less).T, tiles)]
    else:
        sides = [tiling.split_matrix(of_gmax(one).T, tiles) for one in g]
        if has_column:
            column = jnp.broadcast_to(of_gmax(reference), (*sides[0].shape[:-1], 1))
            sides = [jnp.concatenate([sides[0], column], axis=-1)]
        elif len(g) == 1:
            sides.append(jnp.broadcast_to(of_gmax(reference), sides[0].shape))
    held = jnp.stack(sides)[None]
    columns = None
    if array.has_spread:
        if stream is None:
            raise UserError("hold: gain_sigma, offset_sigma and v_offset_sigma need a stream")
        converted = 2 if array.is_pair and array.subtract == "digital" else 1
        columns = random.normal(stream, (3, 1, converted, *held.shape[2:4], held.shape[-1]))
    # Of a column apart, half of the range is R: what is decoded is twice its share.
    limit = (2.0 if len(g) == 1 and array.is_pair else 1.0) * jnp.asarray(weight_range, jnp.float32)
    return CrossbarState(
        array=array,
        g=held,
        limit=limit.reshape(1, 1, 1, 1),
        columns=columns,
        adc_range=None,
        input_range=None,
        gain=None,
        bias=None,
        tiles=tiles,
        cycles=number_of_slices(array),
    )
