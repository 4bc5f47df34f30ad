"""Weights as conductances: which devices make a weight, and what undoes it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from memjax.crossbar.quantise import clip_through, to_levels
from memjax.crossbar.slices import Slicing, digits, significances
from memjax.pytree import Leaf, param, params, static


@params
class Mapping(Slicing):
    """How a weight lies on devices.

    Conductances are normalised, ``g = G / Gmax``: from ``1 / on_off`` to 1.
    """

    mapping: str = static(
        default="differential",
        doc="differential, G+ or G- above Gmin; two_sided, both, of a fixed sum; offset, one "
        "device, its middle subtracted digitally; unit_column, one device, the middle read from "
        "a column of each tile",
        choices=("differential", "two_sided", "offset", "unit_column"),
    )
    levels: Leaf | None = param(
        default=None, doc="conductance levels of a cell; None: continuous", at_least=2
    )
    on_off: Leaf | None = param(
        default=None, doc="Gmax / Gmin; None: Gmin is 0", unit="ratio", more_than=1
    )
    gmax: Leaf = param(default=25e-6, doc="largest conductance", unit="S", more_than=0)
    scale: str = static(
        default="column",
        doc="what shares a weight limit, and so a digital scale: the layer, a tile, or a column "
        "of a tile",
        choices=("layer", "tile", "column"),
    )
    percentile: Leaf | None = param(
        default=None,
        doc="p of the weight limit: p max|W| from 1 on; below 1 the larger of |P_p| and |P_(1-p)| "
        "of W, beyond which weights are clipped; None: max|W|",
        more_than=0,
    )
    omega: Leaf | None = param(
        default=None,
        doc="share of the range that the weight limit takes; above 1 weights are clipped at "
        "1 / omega of it (aihwkit's weight_scaling_omega)",
        more_than=0,
    )
    weight_limit: Leaf | None = param(
        default=None, doc="the weight limit itself", unit="weight units", more_than=0
    )

    @property
    def is_pair(self) -> bool:
        """Whether a weight has two devices, G+ and G-."""
        return self.mapping in ("differential", "two_sided")

    @property
    def gmin(self) -> jax.Array:
        """Gmin / Gmax."""
        if self.on_off is None:
            return jnp.zeros((), jnp.float32)
        return 1.0 / jnp.asarray(self.on_off, jnp.float32)


def limits(mapping: Mapping, cells: jax.Array, is_cell: np.ndarray) -> jax.Array:
    """The weight limit W_lim of each column: weights are mapped as ``w = W / W_lim``.

    Args:
      mapping: the parameters.
      cells: weights, tiles along inputs and outputs by rows by columns.
      is_cell: which are not padding.

    Returns:
      Limits that broadcast to ``cells``, of its rank; 1 where all weights are 0.
    """
    over = {"layer": (0, 1, 2, 3), "tile": (2, 3), "column": (2,)}[mapping.scale]
    if mapping.weight_limit is not None:
        limit = jnp.asarray(mapping.weight_limit, jnp.float32)
        return jnp.broadcast_to(limit, (1,) * cells.ndim)
    limit = jnp.max(jnp.abs(cells), axis=over, keepdims=True)
    if mapping.percentile is not None:
        p = jnp.asarray(mapping.percentile, jnp.float32)
        inside = jnp.clip(p, 0.0, 1.0)
        ends = jnp.stack([_quantile(cells, is_cell, q, over) for q in (inside, 1.0 - inside)])
        limit = jnp.where(p < 1.0, jnp.max(jnp.abs(ends), axis=0), p * limit)
    if mapping.omega is not None:
        limit = limit / jnp.asarray(mapping.omega, jnp.float32)
    return jnp.where(limit > 0.0, limit, jnp.ones_like(limit))


def _quantile(cells: jax.Array, is_cell: np.ndarray, q: jax.Array, over: Any) -> jax.Array:
    """The q-quantile of what is no padding, over axes that are kept; 0 where there is nothing.

    Without NaN as a mark: the derivative of ``jnp.nanquantile`` is NaN where XLA does not optimise.
    """
    rest = [axis for axis in range(cells.ndim) if axis not in over]
    shape = [1 if axis in over else cells.shape[axis] for axis in range(cells.ndim)]

    def flat(of: Any) -> Any:
        return of.transpose(*rest, *over).reshape(*(of.shape[axis] for axis in rest), -1)

    is_there = flat(np.broadcast_to(is_cell, cells.shape))
    is_empty = ~is_there.any(axis=-1, keepdims=True)
    last = np.maximum(is_there.sum(axis=-1, keepdims=True) - 1, 0)
    ascending = jnp.sort(jnp.where(is_there, flat(cells), jnp.where(is_empty, 0.0, jnp.inf)))
    place = q * last.astype(np.float32)
    below = jnp.floor(jax.lax.stop_gradient(place)).astype(jnp.int32)
    low, high = (
        jnp.take_along_axis(ascending, jnp.minimum(below + n, last.astype(np.int32)), axis=-1)
        for n in (0, 1)
    )
    share = place - below.astype(place.dtype)
    return (low + share * (high - low)).reshape(shape)


def encode(mapping: Mapping, w: jax.Array) -> jax.Array:
    """Conductances of weights.

    With ``r = Gmax - Gmin``, a digit d of w (w itself without slices) is

    * differential: ``G+ = Gmin + r max(d, 0)``, ``G- = Gmin + r max(-d, 0)``;
    * two-sided: ``G+- = Gmin + r (1 +- d) / 2``;
    * offset and unit column: ``G = Gmin + r (1 + d) / 2``, and with levels the lowest is not used,
      so that 0 is one: ``Gmin + r (1 + (L - 2) (1 + d) / 2) / (L - 1)``. Bit slices store their
      digits in [0, 1] as ``Gmin + r d``.

    With levels, each is then the nearest of ``Gmin + r k / (L - 1)``.

    Args:
      mapping: the parameters.
      w: weights in units of their limit; clipped to [-1, 1].

    Returns:
      Conductances over Gmax: slices, sides (G+ and G- of a pair), then the shape of w.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar.mapping import Mapping, encode
      >>> encode(Mapping(on_off=5), jnp.array([0.5, -1.0])).tolist()  # G+, G-
      [[[0.6000000238418579, 0.20000000298023224], [0.20000000298023224, 1.0]]]

    Source: CrossSim manual; aihwkit documentation.
    """
    share = shares(mapping, w)
    if mapping.levels is not None:
        share = to_levels(share, mapping.levels)
    return mapping.gmin + (1.0 - mapping.gmin) * share


def shares(mapping: Mapping, w: jax.Array) -> jax.Array:
    """Wanted conductances as shares of the range, before a cell's levels.

    Args:
      mapping: the parameters.
      w: weights in units of their limit.

    Returns:
      Slices, sides, then the shape of w.
    """
    w = clip_through(w, -1.0, 1.0)
    if mapping.is_pair:
        d = digits(mapping, w, signed=True)
        if mapping.mapping == "differential":
            return jnp.stack([jnp.maximum(d, 0.0), jnp.maximum(-d, 0.0)], axis=1)
        return jnp.stack([0.5 * (1.0 + d), 0.5 * (1.0 - d)], axis=1)
    if mapping.slices > 1:
        return digits(mapping, w, signed=False)[:, None]
    share = 0.5 * (1.0 + digits(mapping, w, signed=True)[:, None])
    if mapping.levels is None:
        return share
    levels = jnp.asarray(mapping.levels, jnp.float32)
    return (1.0 + (levels - 2.0) * share) / (levels - 1.0)


class Decoding(NamedTuple):
    """What makes weights of conductances: ``w = sum_s factor_s (g_s - zero_s)``.

    Attributes:
      factor: a number a slice; of a pair, ``g`` is ``g+ - g-``.
      zero: a number a slice, the conductance of w = 0; 0 of a pair.
    """

    factor: jax.Array
    zero: jax.Array


def decoding(mapping: Mapping) -> Decoding:
    """The inverse of ``encode``: by the range of conductances, not by Gmax.

    An offset with levels is divided by the whole range, as CrossSim does, though it uses
    ``(L - 2) / (L - 1)`` of it: products are smaller by that, and ``tune`` finds it.

    Args:
      mapping: the parameters.
    """
    span = 1.0 - mapping.gmin
    signed = mapping.is_pair or mapping.slices == 1
    factor = significances(mapping, signed=signed) / span
    if mapping.is_pair:
        return Decoding(factor, jnp.zeros_like(factor))
    middle = mapping.gmin + span * shares(mapping, jnp.zeros((), jnp.float32))[:, 0]
    return Decoding(factor * (2.0 if signed else 1.0), middle)
