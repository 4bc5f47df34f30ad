"""The bounds of devices, which nothing leads beyond."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array


def clip_to_bounds(
    array: Any, x: Array, of_conductance: Callable[[Array], Array] = lambda g: g
) -> Array:
    """``x`` held between each device's own bounds.

    Args:
      array: an array of devices, which has ``g_min`` and ``g_max``.
      x: normalised conductances, or what they make.
      of_conductance: what ``x`` is of a normalised conductance, growing with it.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.devices import Spread
      >>> from memjax.devices.bounds import clip_to_bounds
      >>> array = Spread(up=1.0, down=1.0, g_min=jnp.array(0.0), g_max=jnp.array([0.75, 1.0]))
      >>> clip_to_bounds(array, jnp.array([0.875, 0.875])).tolist()
      [0.75, 0.875]
    """
    return jnp.clip(x, of_conductance(array.g_min), of_conductance(array.g_max))
