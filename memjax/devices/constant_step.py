"""Constant step: every pulse moves the conductance by the same amount."""

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.devices.base import Device
from memjax.devices.population import Spread
from memjax.pytree import params


@params
class ConstantStep(Device):
    """The linear device, the baseline of resistive processing units.

    ``dg = +-n dg0`` with ``dg0 = 1 / (levels - 1)``, sd ``sigma_c2c dg0 sqrt(n)``.

    Example:
      >>> from memjax.devices import ConstantStep, pulse_response
      >>> pulse_response(ConstantStep(levels=5), 3, 2).tolist()
      [0.0, 0.25, 0.5, 0.75, 0.5, 0.25]

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016), eq. 2.
    """

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Spread:
        """The spread with its steps in conductance units."""
        return self.spread(stream, shape).times(self.nominal_step)

    def response(self, array: Spread, g: Array, n: Array) -> tuple[Array, Array]:
        """``n`` steps, the variances of which add."""
        del g
        step = jnp.where(n > 0, array.up, array.down)
        return n * step, step * self.sigma_c2c * jnp.sqrt(jnp.abs(n))

    def _pulses_to_raise(self, array: Spread, g: Array, distance: Array) -> Array:
        """``round(distance / step)``, as far as the bound."""
        distance = jnp.minimum(distance, array.g_max - g)
        return jnp.round(distance * (1.0 / jnp.maximum(array.up, 1e-6 * self.nominal_step)))
