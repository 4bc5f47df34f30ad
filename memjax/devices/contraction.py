"""Devices that approach a bound exponentially: n pulses in closed form, at a cost free of n."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.devices.base import Device
from memjax.pytree import params


class Contraction(NamedTuple):
    """Rates per pulse and the asymptotes that pulses lead to, which may lie beyond the bounds."""

    rate_up: Float[Array, "..."]
    rate_down: Float[Array, "..."]
    top: Float[Array, "..."]
    bottom: Float[Array, "..."]
    g_min: Float[Array, "..."]
    g_max: Float[Array, "..."]


@params
class ContractionDevice(Device):
    """``g -> a + (g - a) exp(-n rate)`` towards ``a = top`` (up) or ``bottom`` (down).

    The sd of the sum of n steps is ``sigma_c2c |dg| / sqrt(n)``: each step's noise is in proportion
    to it, and the n steps of one update are nearly equal.
    """

    def response(self, array: Contraction, g: Array, n: Array) -> tuple[Array, Array]:
        """One exponential, whatever the number of pulses."""
        up = n > 0
        count = jnp.abs(n)
        rate = jnp.where(up, array.rate_up, array.rate_down)
        target = jnp.where(up, array.top, array.bottom)
        # A curve that retraces grows without limit beyond its bound; 60 keeps the product finite.
        mean = (g - target) * jnp.expm1(jnp.minimum(-rate * count, 60.0))
        return mean, jnp.abs(mean) * self.sigma_c2c / jnp.sqrt(jnp.maximum(count, 1.0))
