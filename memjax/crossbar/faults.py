"""Stuck devices: each for life, whatever is programmed."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from memjax import random
from memjax.errors import UserError
from memjax.pytree import Leaf, check, param, params


class Stuck(NamedTuple):
    """Which devices of an array are stuck, and at what.

    Attributes:
      at_gmax: whether a device is stuck at Gmax.
      at_gmin: whether it is stuck at Gmin.
    """

    at_gmax: Array
    at_gmin: Array

    def held(self, g: Array, *, gmin: Leaf) -> Array:
        """Conductances with the stuck ones in place.

        Args:
          g: fractions of Gmax.
          gmin: a fraction of Gmax.
        """
        return jnp.where(self.at_gmax, 1.0, jnp.where(self.at_gmin, gmin, g))


@params
class Faults:
    """Shares of devices that stay at Gmax (LRS) or at Gmin (HRS); each device of a pair by itself.

    A device that was never formed counts as one at Gmin.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax import random
      >>> from memjax.crossbar import Faults
      >>> g = Faults(stuck_lrs=0.5, stuck_hrs=0.5).apply(
      ...     random.stream(jax.random.key(0)), jnp.full(4, 0.3), gmin=0.1)
      >>> sorted({round(float(x), 1) for x in g})
      [0.1, 1.0]
    """

    stuck_lrs: Leaf = param(
        default=0.0, doc="share of devices stuck at Gmax", at_least=0, at_most=1
    )
    stuck_hrs: Leaf = param(
        default=0.0, doc="share of devices stuck at Gmin", at_least=0, at_most=1
    )

    def __post_init__(self) -> None:
        check(self)
        lrs, hrs = self.stuck_lrs, self.stuck_hrs
        are_known = not any(isinstance(share, jax.core.Tracer) for share in (lrs, hrs))
        if are_known and np.any(np.asarray(lrs) + np.asarray(hrs) > 1.0 + 1e-6):
            raise UserError(
                f"Faults: stuck_lrs = {lrs} and stuck_hrs = {hrs} are more than all devices"
            )

    def apply(self, stream: random.Stream, g: Array, *, gmin: Leaf) -> Array:
        """Conductances with the stuck ones in place.

        Args:
          stream: random stream of the array; the same one gives the same devices.
          g: fractions of Gmax.
          gmin: a fraction of Gmax.
        """
        return self.stuck(stream, g.shape).held(g, gmin=gmin)

    def stuck(self, stream: random.Stream, shape: tuple[int, ...]) -> Stuck:
        """Which devices of an array are stuck.

        Args:
          stream: random stream of the array.
          shape: of the array (static).
        """
        u = random.uniform(stream, shape)
        return Stuck(u < self.stuck_lrs, u >= 1.0 - self.stuck_hrs)
