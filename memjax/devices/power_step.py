"""Power step: the step falls with a power of the distance from the bound."""

from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax import random
from memjax.devices.stepped import SteppedDevice
from memjax.pytree import Leaf, param, params


class Power(NamedTuple):
    """Fabricated power-step devices: own steps in conductance units, power and bounds."""

    up: Float[Array, "..."]
    down: Float[Array, "..."]
    gamma: Float[Array, "..."]
    g_min: Float[Array, "..."]
    g_max: Float[Array, "..."]


@params
class PowerStep(SteppedDevice):
    """Steps in proportion to ``((g_max - g) / (g_max - g_min))^gamma``.

    A pulse up adds ``dg0 up`` times that, one down takes ``dg0 down ((g - g_min) / (g_max -
    g_min))^gamma``: ``dg0 = 1 / (levels - 1)`` is the step from the far bound, and ``2^-gamma`` of
    it that at mid-range.

    Example:
      >>> from memjax.devices import PowerStep, pulse_response
      >>> pulse_response(PowerStep(levels=3, gamma=2), 2, 0).tolist()
      [0.0, 0.5, 0.625]

    Source: Frascaroli et al., Sci. Rep. 8:7178 (2018); Fusi & Abbott, Nat. Neurosci. 10:485 (2007).
    """

    gamma: Leaf = param(default=1.0, doc="power of the distance from the bound", at_least=0)
    sigma_gamma: Leaf | None = param(
        default=None, doc="device-to-device sd of gamma", unit="relative", at_least=0
    )

    step_vanishes_at_bounds: ClassVar[bool] = True

    @property
    def mean_step(self) -> Any:
        """``dg0 (1 - g_ref)^gamma`` up and ``dg0 g_ref^gamma`` down, averaged."""
        return self.nominal_step * 0.5 * ((1.0 - self.g_ref) ** self.gamma + self.g_ref**self.gamma)

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Power:
        """Own steps and an own power."""
        spread = self.spread(stream, shape)
        gamma = jnp.asarray(self.gamma, jnp.float32)
        if self.sigma_gamma is not None:
            xi = random.normal(random.fold_in(stream, 7), shape, exact=True)
            gamma = jnp.abs(gamma * (1.0 + self.sigma_gamma * xi))
        up, down = spread.up * self.nominal_step, spread.down * self.nominal_step
        return Power(up, down, gamma, spread.g_min, spread.g_max)

    def pulse(self, array: Power, g: Array, up: Array) -> Array:
        """The power law; a device without extent (a stuck one) has no step."""
        extent = array.g_max - array.g_min
        room = jnp.where(up, array.g_max - g, g - array.g_min) / jnp.where(extent > 0, extent, 1.0)
        size = jnp.where(room > 0, jnp.maximum(room, 1e-30) ** array.gamma, 0.0)
        return jnp.where(up, array.up, -array.down) * size
