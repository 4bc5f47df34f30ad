"""A matrix on devices, once: mapped, rounded to levels, programmed with an error, and read back."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from memjax import random
from memjax.crossbar.mapping import Mapping, decoding, encode, limits
from memjax.crossbar.programming import Programming


def device_copies(
    mapping: Mapping,
    programming: Programming,
    stream: random.Stream,
    w: Float[Array, "rows columns"],
    devices: int = 1,
) -> Float[Array, "rows columns"]:
    """The weights that devices hold of those that are wanted.

    Args:
      mapping: how a weight lies on devices; weights beyond its limit are clipped.
      programming: the error of each device.
      stream: random stream of the matrix.
      w: the weights.
      devices: whose mean is a weight, each with an error of its own.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax import random
      >>> from memjax.crossbar import PROGRAMMING
      >>> from memjax.crossbar.mapping import Mapping
      >>> stream = random.stream(jax.random.key(0))
      >>> exact = PROGRAMMING["exact"]()
      >>> held = device_copies(Mapping(levels=3), exact, stream, jnp.array([[0.9], [0.2]]))
      >>> held.round(2).tolist()
      [[0.8999999761581421], [0.0]]
    """
    cells = w[None, None]
    limit: Any = limits(mapping, cells, np.ones(cells.shape, bool))[0, 0]
    g = encode(mapping, w / limit)
    total: Any = 0.0
    for number in range(devices):
        own = random.fold_in(stream, number)
        total = total + programming.program(own, g, gmin=mapping.gmin, gmax=mapping.gmax)
    mean = total / devices
    factor, zero = decoding(mapping)
    each = mean[:, 0] - mean[:, 1] if mapping.is_pair else mean[:, 0]
    of_slice = (-1, 1, 1)
    return limit * jnp.sum(factor.reshape(of_slice) * (each - zero.reshape(of_slice)), axis=0)
