"""aihwkit's approximation of the voltage that bit lines lose."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.pytree import Leaf, param, params

AIHWKIT_RATIO = 1.0 / (0.35 * 5e-6)
"""Conductance of a segment of 0.35 ohm over a Gmax of 5 uS."""


@params
class IRDrop:
    """The drop along the bit lines of each tile, by aihwkit's approximation."""

    ir_drop: Leaf | None = param(
        default=None,
        doc="aihwkit's approximation of what bit lines lose, times this; None: none, 1: as it is",
        at_least=0,
    )
    ir_drop_ratio: Leaf = param(
        default=AIHWKIT_RATIO,
        doc="conductance of a segment of a bit line, of ir_drop",
        unit="Gmax",
        more_than=0,
    )


def lost(load: Array, rows: Array | float, ratio: Array) -> Array:
    """The share ``c = a (a (a / 20 - 1 / 5) + 1 / 2)``, with ``a = load rows / ratio``.

    Args:
      load: of a column, ``sum_i |w_i| |x_i|``.
      rows: of its tile.
      ratio: conductance of a segment over Gmax.
    """
    a = rows / ratio * load
    return a * (a * (0.05 * a - 0.2) + 0.5)


def distance(rows: Array, count: Array | float) -> Array:
    """How much of the bit line is beyond each row: ``1 - (1 - i / m)^2``.

    Args:
      rows: i, from 0.
      count: m, of the tile.
    """
    return 1.0 - (1.0 - rows / count) ** 2


def aihwkit_ir_drop(
    weights: Float[Array, "rows columns"],
    inputs: Float[Array, "*batch rows"],
    ratio: Leaf = AIHWKIT_RATIO,
    scale: Leaf = 1.0,
) -> Float[Array, "*batch columns"]:
    """What aihwkit subtracts from ``inputs @ weights`` for the resistance of the bit lines.

    ``scale c_j sum_i w_ij x_i (1 - (1 - i / m)^2)``, row i of m counted from 0, where
    ``c = a (a (a / 20 - 1 / 5) + 1 / 2)`` and ``a_j = m / ratio sum_i |w_ij| |x_i|``. It is a
    polynomial in a column's load: word lines have no resistance, all cells of a column are one
    load, and ``c`` grows without bound where lines saturate; `effective` is exact.

    Args:
      weights: by the largest: G / Gmax, with a sign.
      inputs: by the largest.
      ratio: conductance of a segment of wire over Gmax; aihwkit's is that of 0.35 ohm and 5 uS.
      scale: of the whole, aihwkit's ``ir_drop``.

    Returns:
      The drop of each product, in the products' unit.

    Example:
      >>> import jax.numpy as jnp
      >>> w, x = jnp.ones((512, 1)), jnp.ones(512)
      >>> f"{float(aihwkit_ir_drop(w, x)[0] / (x @ w)[0]):.1%} of the product"
      '12.8% of the product'

    Source: aihwkit 1.1.0, ``IOParameters.ir_drop`` (Rasch et al., IEEE AICAS 2021).
    """
    rows = float(weights.shape[0])
    ratio, scale = jnp.asarray(ratio, weights.dtype), jnp.asarray(scale, weights.dtype)
    place = distance(jnp.arange(len(weights), dtype=weights.dtype), rows)
    share = lost(jnp.abs(inputs) @ jnp.abs(weights), rows, ratio)
    return scale * share * ((inputs * jnp.broadcast_to(place, inputs.shape)) @ weights)
