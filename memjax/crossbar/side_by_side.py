"""Crossbars side by side: of groups of a convolution, heads, slices of a scan."""

import zlib
from typing import Any

import jax
import jax.numpy as jnp

from memjax import random
from memjax.crossbar.crossbar import Crossbar
from memjax.crossbar.model_products import Use
from memjax.crossbar.programmed import Programmed

RANK = 6
"""Axes of the conductances of one crossbar."""


def side_by_side(function: Any, tree: Any, stream: random.Stream, axes: int) -> Any:
    """A function of each of several trees, which lie side by side over leading axes.

    Args:
      function: ``function(tree, stream)``.
      tree: arrays with the leading axes.
      stream: of all; each has its own, folded from it.
      axes: how many leading axes there are.
    """
    if axes == 0:
        return function(tree, stream)
    count = jax.tree.leaves(tree)[0].shape[0]
    streams = jax.vmap(lambda k: random.fold_in(stream, k))(jnp.arange(count))
    return jax.vmap(lambda t, s: side_by_side(function, t, s, axes - 1))(tree, streams)


def axes_of(one: Programmed) -> int:
    """How many axes of matrices side by side come before a crossbar's own."""
    return one.nu.ndim - RANK


def matrices_of(crossbar: Crossbar) -> jax.Array:
    """The matrices of conductances of crossbars side by side, ``[..., rows, columns]``.

    Args:
      crossbar: with leading axes.
    """
    weights = Crossbar.weights
    for _ in range(crossbar.g.ndim - RANK):
        weights = jax.vmap(weights)
    return jnp.swapaxes(weights(crossbar), -1, -2)


def number_of(name: str) -> int:
    """A number of a name, whatever other names there are."""
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


def name_of(use: Use) -> str:
    """A use as a text: the parameter's path, and a number where it is not the first."""
    return use[0] if use[1] == 0 else f"{use[0]} #{use[1]}"


def use_of(name: str) -> Use:
    """The inverse of ``name_of``."""
    path, _, number = name.partition(" #")
    return path, int(number or 0)
