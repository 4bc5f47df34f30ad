"""Device-to-device spread: what fabrication did to each device of an array."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax import random
from memjax.devices.levels import Levels
from memjax.pytree import Leaf, param, params, static

LAWS = ("normal", "lognormal")
"""How the mean step may be distributed over devices."""


@params
class SpreadParameters(Levels):
    """How the devices of an array differ from each other."""

    sigma_d2d: Leaf | None = param(
        default=None, doc="device-to-device sd of the mean step", unit="relative", at_least=0
    )
    d2d: str = static(default="normal", doc="law of the mean step over devices", choices=LAWS)
    sigma_up_down: Leaf | None = param(
        default=None,
        doc="device-to-device sd of the up/down imbalance",
        unit="fraction of a step",
        at_least=0,
    )
    sigma_bounds: Leaf | None = param(
        default=None,
        doc="device-to-device sd of each bound's distance from g_ref",
        unit="relative",
        at_least=0,
    )
    sigma_lower_bound: Leaf | None = param(
        default=None,
        doc="the same for the lower bound alone, where it differs",
        unit="relative",
        at_least=0,
    )
    stuck: Leaf | None = param(
        default=None, doc="fraction of devices stuck at a random conductance", at_least=0, at_most=1
    )


class Spread(NamedTuple):
    """What fabrication did to each device; scalars where the device has no spread.

    Attributes:
      up, down: the device's own mean step over the nominal step (1 without spread).
      g_min, g_max: its own conductance bounds in normalised units; a stuck device's coincide.
    """

    up: Float[Array, "..."]
    down: Float[Array, "..."]
    g_min: Float[Array, "..."]
    g_max: Float[Array, "..."]

    def times(self, size: Any) -> "Spread":
        """The same with steps of that size instead of 1.

        Args:
          size: of a step, a number or one a device.
        """
        return self._replace(up=self.up * size, down=self.down * size)


def spread(device: SpreadParameters, stream: random.Stream, shape: tuple[int, ...]) -> Spread:
    """Draws the device-to-device spread of an array of devices.

    ``gain = 1 + sigma_d2d xi`` (``d2d = "normal"``) or ``exp(sigma_d2d xi)`` (``"lognormal"``),
    ``r = sigma_up_down xi'``; then ``up = |gain + min(up_down, 0) + r|`` and
    ``down = |gain - max(up_down, 0) - r|``. Bounds are ``g_ref + (1 - g_ref)(1 + sigma_bounds xi)``
    and ``g_ref - g_ref (1 + sigma_bounds xi')``, or ``sigma_lower_bound`` for the lower: exchanged
    where they cross, then folded each to its own side of ``g_ref``. They may lie beyond the nominal
    0 and 1, but not below ``G = 0``. A stuck device's bounds coincide at a uniform random
    conductance.

    Args:
      device: the parameters.
      stream: random stream of this array.
      shape: its shape (static).

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016); folding as aihwkit 1.1.0 does.
    """

    def normal(purpose: int) -> Array:
        return random.normal(random.fold_in(stream, purpose), shape, exact=True)

    gain, tilt = jnp.float32(1.0), jnp.float32(0.0)
    if device.sigma_d2d is not None:
        deviation = device.sigma_d2d * normal(0)
        gain = jnp.exp(deviation) if device.d2d == "lognormal" else 1.0 + deviation
    if device.sigma_up_down is not None:
        tilt = device.sigma_up_down * normal(1)
    up = jnp.abs(jnp.minimum(device.up_down, 0.0) + gain + tilt)
    down = jnp.abs(-jnp.maximum(device.up_down, 0.0) + gain - tilt)
    g_min, g_max = jnp.float32(0.0), jnp.float32(1.0)
    sigma_upper, sigma_lower = device.sigma_bounds, device.sigma_lower_bound
    sigma_lower = sigma_upper if sigma_lower is None else sigma_lower
    if sigma_lower is not None:
        sigma_upper = 0.0 if sigma_upper is None else sigma_upper
        above = (1.0 - device.g_ref) * (1.0 + sigma_upper * normal(2))
        below = -device.g_ref * (1.0 + sigma_lower * normal(3))
        g_max = device.g_ref + jnp.abs(jnp.maximum(above, below))
        g_min = device.g_ref - jnp.abs(jnp.minimum(above, below))
        g_min = jnp.maximum(g_min, -device.g_offset)
    if device.stuck is not None:
        is_stuck = random.uniform(random.fold_in(stream, 4), shape) < device.stuck
        at = random.uniform(random.fold_in(stream, 5), shape)
        g_min, g_max = jnp.where(is_stuck, at, g_min), jnp.where(is_stuck, at, g_max)
    return Spread(up, down, g_min, g_max)
