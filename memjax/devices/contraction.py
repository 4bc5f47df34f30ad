"""Devices that approach a bound exponentially: n pulses in closed form, at a cost free of n."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.devices.base import Device, Spread
from memjax.pytree import params


class Contraction(NamedTuple):
    """What pulses do to each device; scalars where the devices have no spread.

    Attributes:
      rate_up, rate_down: contraction per pulse.
      last_up, last_down: ``exp(rate) - 1``, a pulse's step over the distance that it leaves.
      top, bottom: the asymptotes that pulses lead to, which may lie beyond the bounds.
      g_min, g_max: the bounds.
    """

    rate_up: Float[Array, "..."]
    rate_down: Float[Array, "..."]
    last_up: Float[Array, "..."]
    last_down: Float[Array, "..."]
    top: Float[Array, "..."]
    bottom: Float[Array, "..."]
    g_min: Float[Array, "..."]
    g_max: Float[Array, "..."]


def contraction(
    rates: tuple[Array, Array], top: Array, bottom: Array, spread: Spread
) -> Contraction:
    """A contraction of these rates (up, down) between these asymptotes, within the own bounds."""
    up, down = rates
    return Contraction(
        up, down, jnp.expm1(up), jnp.expm1(down), top, bottom, spread.g_min, spread.g_max
    )


@params
class ContractionDevice(Device):
    """``g -> a + (g - a) exp(-n rate)`` towards ``a = top`` (up) or ``bottom`` (down).

    Each pulse's noise is in proportion to its step, and the pulses after it contract it too, so
    all n contribute alike: with ``d`` the distance from the asymptote after them, the sd of the sum
    is ``sigma_c2c sqrt(n) |(exp(rate) - 1) d|``, exact to first order in ``sigma_c2c^2``.
    """

    def response(self, array: Contraction, g: Array, n: Array) -> tuple[Array, Array]:
        """One exponential, whatever the number of pulses."""
        up = n > 0
        count = jnp.abs(n)
        rate = jnp.where(up, array.rate_up, array.rate_down)
        target = jnp.where(up, array.top, array.bottom)
        # A curve that retraces grows without limit beyond its bound; 60 keeps the product finite.
        mean = (g - target) * jnp.expm1(jnp.minimum(-rate * count, 60.0))
        last_step = jnp.where(up, array.last_up, array.last_down) * (g - target + mean)
        return mean, jnp.sqrt(count) * jnp.abs(last_step) * self.sigma_c2c

    def additive_sd(self, array: Contraction, g: Array, n: Array) -> Array:
        """Every pulse has the noise of the step at ``g_ref``, which those after it contract."""
        del g
        up = n > 0
        rate = jnp.where(up, array.rate_up, array.rate_down)
        target = jnp.where(up, array.top, array.bottom)
        step = jnp.expm1(-rate) * (self.g_ref - target)
        kept = jnp.where(
            rate != 0,
            jnp.expm1(-2.0 * rate * jnp.abs(n)) / _not_zero(jnp.expm1(-2.0 * rate)),
            jnp.abs(n),
        )
        return self.sigma_c2c * jnp.abs(step) * jnp.sqrt(kept)


def _not_zero(x: Array) -> Array:
    return jnp.where(x == 0, 1.0, x)
