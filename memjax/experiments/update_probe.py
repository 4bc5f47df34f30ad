"""What the devices make of an update that is wanted: a histogram of both, and of the error."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int32

UPDATES = 8
"""Updates of a probe: few, so that a short training does not notice them."""

LEAST, _A_DECADE, _SIDE = 0.01, 2.5, 10

BINS = 2 * _SIDE + 1
"""Bins of pulses: nothing in the middle, and each side's evenly by their logarithm."""


class Probed(NamedTuple):
    """Weights by what updates want of them and what they get, in pulses.

    Attributes:
      both: by the wanted and the realised change.
      error: by the realised less the wanted one.
    """

    both: Float32[Array, "layers wanted realised"]
    error: Float32[Array, "layers error"]


def middles() -> np.ndarray:
    """The geometric middle of every bin, in pulses; 0 for changes below ``LEAST``.

    Example:
      >>> middles()[[0, 9, 10, 11, 20]].round(3).tolist()
      [-63.096, -0.016, 0.0, 0.016, 63.096]
    """
    side = LEAST * 10 ** ((np.arange(_SIDE) + 0.5) / _A_DECADE)
    return np.concatenate([-side[::-1], [0.0], side])


def places(pulses: Float32[Array, "..."]) -> Int32[Array, "..."]:
    """The bin of each number of pulses; the outer ones are open."""
    size = jnp.maximum(jnp.abs(pulses), 1e-30) / LEAST
    step = jnp.clip(jnp.floor(_A_DECADE * jnp.log10(size)) + 1, 0, _SIDE)
    return (_SIDE + jnp.sign(pulses) * step).astype(jnp.int32)


def nothing(layers: int) -> Probed:
    """No weight seen yet."""
    return Probed(jnp.zeros((layers, BINS, BINS)), jnp.zeros((layers, BINS)))


def seen(probed: Probed, wanted: Any, realised: Any) -> Probed:
    """The same and one update more.

    Args:
      probed: what was seen before.
      wanted: changes in pulses, a tree of the same leaves for each layer.
      realised: what the devices made of them.
    """
    both, error = probed
    leaves = list(zip(jax.tree.leaves(wanted), jax.tree.leaves(realised), strict=True))
    for number, (want, got) in enumerate(leaves):
        layer = number * len(both) // len(leaves)
        want, got = want.reshape(-1), got.reshape(-1)
        both = both.at[layer, places(want), places(got)].add(1.0)
        error = error.at[layer, places(got - want)].add(1.0)
    return Probed(both, error)
