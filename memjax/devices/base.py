"""What a device is: parameters, a fabricated population, and its answer to a train of pulses."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax import random
from memjax.pytree import Leaf, param, params


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


@params
class Device:
    """Parameters that every response model has.

    Conductance is normalised, ``g = (G - Gmin) / (Gmax - Gmin)``, nominally in [0, 1]; the step is
    ``1 / (levels - 1)``. Every parameter may be swept. A spread or noise that is ``None`` is absent
    and costs nothing; 0 and ``None`` mean the same physics.

    Source of the d2d conventions: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016).
    """

    levels: Leaf = param(default=32.0, doc="number of conductance levels L", at_least=2)
    on_off: Leaf = param(default=10.0, doc="on/off ratio Gmax / Gmin", more_than=1)
    up_down: Leaf = param(
        default=0.0,
        doc="up/down imbalance: that fraction of a step off depression (> 0) or potentiation (< 0)",
        at_least=-1,
        at_most=1,
    )
    sigma_c2c: Leaf = param(
        default=0.0, doc="cycle-to-cycle sd of one step", unit="mean steps", at_least=0
    )
    sigma_g: Leaf | None = param(
        default=None,
        doc="sd of one pulse in proportion to the conductance",
        unit="fraction of G",
        at_least=0,
    )
    sigma_read: Leaf | None = param(
        default=None,
        doc="sd of one read in proportion to the conductance",
        unit="fraction of G",
        at_least=0,
    )
    sigma_d2d: Leaf | None = param(
        default=None, doc="device-to-device sd of the mean step", unit="relative", at_least=0
    )
    sigma_up_down: Leaf | None = param(
        default=None,
        doc="device-to-device sd of the up/down imbalance",
        unit="fraction of a step",
        at_least=0,
    )
    sigma_bounds: Leaf | None = param(
        default=None,
        doc="device-to-device sd of each bound's distance from mid-range",
        unit="relative",
        at_least=0,
    )
    stuck: Leaf | None = param(
        default=None, doc="fraction of devices stuck at a random conductance", at_least=0, at_most=1
    )

    @property
    def nominal_step(self) -> Any:
        """The mean step ``1 / (L - 1)`` in normalised conductance."""
        return 1.0 / (self.levels - 1.0)

    @property
    def g_offset(self) -> Any:
        """``Gmin / (Gmax - Gmin) = 1 / (on_off - 1)``: what a read sees below ``g = 0``."""
        return 1.0 / (self.on_off - 1.0)

    def spread(self, stream: random.Stream, shape: tuple[int, ...]) -> Spread:
        """Draws the device-to-device spread of an array of devices.

        ``gain = 1 + sigma_d2d xi``, ``r = sigma_up_down xi'``; then
        ``up = min(up_down, 0) + gain + r`` and ``down = -max(up_down, 0) + gain - r``, both at
        least 0; bounds ``1/2 +- 1/2 max(1 + sigma_bounds xi, 1/10)``, which may lie beyond the
        nominal 0 and 1 but not below ``G = 0``; a stuck device's bounds coincide at a uniform
        random conductance.

        Args:
          stream: random stream of this array.
          shape: its shape (static).
        """

        def normal(purpose: int) -> Array:
            return random.normal(random.fold_in(stream, purpose), shape, exact=True)

        gain = jnp.float32(1.0) if self.sigma_d2d is None else 1.0 + self.sigma_d2d * normal(0)
        tilt = jnp.float32(0.0) if self.sigma_up_down is None else self.sigma_up_down * normal(1)
        up = jnp.maximum(jnp.minimum(self.up_down, 0.0) + gain + tilt, 0.0)
        down = jnp.maximum(-jnp.maximum(self.up_down, 0.0) + gain - tilt, 0.0)
        g_min, g_max = jnp.float32(0.0), jnp.float32(1.0)
        if self.sigma_bounds is not None:
            g_max = 0.5 + 0.5 * jnp.maximum(1.0 + self.sigma_bounds * normal(2), 0.1)
            g_min = 0.5 - 0.5 * jnp.maximum(1.0 + self.sigma_bounds * normal(3), 0.1)
            g_min = jnp.maximum(g_min, -self.g_offset)
        if self.stuck is not None:
            is_stuck = random.uniform(random.fold_in(stream, 4), shape) < self.stuck
            at = random.uniform(random.fold_in(stream, 5), shape)
            g_min, g_max = jnp.where(is_stuck, at, g_min), jnp.where(is_stuck, at, g_max)
        return Spread(up, down, g_min, g_max)

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Any:
        """An array of devices: whatever ``mean_step`` needs, computed once.

        Args:
          stream: random stream of this array.
          shape: its shape (static).

        Returns:
          A NamedTuple that has ``g_min`` and ``g_max``; each entry is a scalar or of ``shape``.
        """
        raise NotImplementedError(f"{type(self).__name__} must define fabricate")

    def response(self, array: Any, g: Array, n: Array) -> tuple[Array, Array]:
        """Mean and c2c standard deviation of the change that ``n`` signed pulses make.

        Args:
          array: what ``fabricate`` returned.
          g: normalised conductances.
          n: signed pulse counts of the same shape, up positive.
        """
        raise NotImplementedError(f"{type(self).__name__} must define response")

    def change(self, array: Any, g: Array, n: Array, noise: Array) -> Array:
        """What ``n`` identical pulses would change with no bounds: ``mean(g, n) + sd(g, n) xi``.

        With ``sigma_g`` the variance of the noise gains ``|n| sigma_g^2 (g + 1 / (on_off - 1))^2``,
        so a small on/off ratio costs. (Every pulse counts alike, at the conductance before them.)

        Args:
          array: what ``fabricate`` returned.
          g: normalised conductances.
          n: signed pulse counts, up positive.
          noise: standard normal numbers, all of the same shape.
        """
        mean, sd = self.response(array, g, n)
        if self.sigma_g is not None:
            proportional = self.sigma_g * (g + self.g_offset)
            sd = jnp.sqrt(sd * sd + jnp.abs(n) * proportional * proportional)
        return mean + sd * noise

    def step(self, array: Any, g: Array, n: Array, noise: Array) -> Array:
        """Conductances after ``n`` identical pulses: ``clip(g + change, g_min, g_max)``.

        Zero pulses change nothing, beyond holding a device within its bounds. Arguments are those
        of ``change``.
        """
        return jnp.clip(g + self.change(array, g, n, noise), array.g_min, array.g_max)
