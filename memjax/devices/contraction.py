"""Devices that approach a bound exponentially: n pulses in closed form, at a cost free of n."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.devices.base import Device
from memjax.devices.population import Spread
from memjax.pytree import params


class Contraction(NamedTuple):
    """What pulses do to each device; scalars where the devices have no spread.

    Attributes:
      rate_up, rate_down: contraction per pulse.
      last_up, last_down: ``gain (exp(rate) - 1)``, a pulse's step over the distance that it leaves.
      gain_up, gain_down: 1, or more where one pulse alone would lead beyond the asymptote.
      top, bottom: the asymptotes that pulses lead to, which may lie beyond the bounds.
      zero: where the noise of a step is taken that all pulses have alike.
      g_min, g_max: the bounds.
    """

    rate_up: Float[Array, "..."]
    rate_down: Float[Array, "..."]
    last_up: Float[Array, "..."]
    last_down: Float[Array, "..."]
    gain_up: Float[Array, "..."]
    gain_down: Float[Array, "..."]
    top: Float[Array, "..."]
    bottom: Float[Array, "..."]
    zero: Float[Array, "..."]
    g_min: Float[Array, "..."]
    g_max: Float[Array, "..."]


_ALMOST_ALL = 0.99
_LOG2_E = 1.4426950408889634


def by_rates(
    rates: tuple[Array, Array], top: Array, bottom: Array, zero: Any, spread: Spread
) -> Contraction:
    """A contraction of these rates (up, down) between these asymptotes, within the own bounds.

    Args:
      rates: contraction per pulse, up and down.
      top: the asymptote of pulses up.
      bottom: that of pulses down.
      zero: where the noise of a step is taken that all pulses have alike.
      spread: the own bounds.
    """
    up, down = rates
    one, zero = jnp.float32(1.0), jnp.asarray(zero, jnp.float32)
    last = jnp.expm1(up), jnp.expm1(down)
    return Contraction(up, down, *last, one, one, top, bottom, zero, spread.g_min, spread.g_max)


def by_fractions(
    fractions: tuple[Array, Array], top: Array, bottom: Array, zero: Any, spread: Spread
) -> Contraction:
    """The same by the fraction of the way to the asymptote that a pulse goes.

    A fraction of 1 or more overshoots: the bound stops it, but its noise is that of all of it.

    Args:
      fractions: of the way, up and down.
      top: the asymptote of pulses up.
      bottom: that of pulses down.
      zero: where the noise of a step is taken that all pulses have alike.
      spread: the own bounds.
    """
    some = tuple(jnp.minimum(fraction, _ALMOST_ALL) for fraction in fractions)
    rates = -jnp.log1p(-some[0]), -jnp.log1p(-some[1])
    up, down = (jnp.maximum(fraction / _ALMOST_ALL, 1.0) for fraction in fractions)
    plain = by_rates(rates, top, bottom, zero, spread)
    return plain._replace(
        gain_up=up,
        gain_down=down,
        last_up=up * plain.last_up,
        last_down=down * plain.last_down,
    )


def fast_expm1(x: Array) -> Array:
    """``e^x - 1`` to 1e-6 of itself, in half the operations of XLA's; x counts as 62 at most.

    ``x = k ln 2 + r`` with k whole and |r| <= ln 2 / 2; then ``2^k p + 2^k - 1``, with p the series
    of ``e^r - 1``, which has all its digits where k is 0, and 2^k made of its bits. (A curve that
    retraces grows without limit beyond its bound; the limit keeps its products finite.)
    """
    t = jnp.clip(x * jnp.asarray(_LOG2_E, x.dtype), -90.0, 90.0)
    k = jnp.round(t)
    r = (t - k) * jnp.asarray(1.0 / _LOG2_E, x.dtype)
    p = r * (1.0 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720))))))
    power = jax.lax.bitcast_convert_type((k.astype(jnp.int32) + 127) << 23, jnp.float32)
    power = power.astype(x.dtype)
    return power * p + (power - 1.0)


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
        distance = g - jnp.where(up, array.top, array.bottom)
        mean = distance * fast_expm1(-rate * count)
        last_step = jnp.where(up, array.last_up, array.last_down) * (distance + mean)
        mean = jnp.where(up, array.gain_up, array.gain_down) * mean
        return mean, jnp.sqrt(count) * jnp.abs(last_step) * self.sigma_c2c

    def additive_sd(self, array: Contraction, g: Array, n: Array) -> Array:
        """Every pulse has the noise of the step at ``zero``, which those after it contract."""
        del g
        up = n > 0
        rate = jnp.where(up, array.rate_up, array.rate_down)
        gain = jnp.where(up, array.gain_up, array.gain_down)
        step = gain * fast_expm1(-rate) * (array.zero - jnp.where(up, array.top, array.bottom))
        one, all_of_them = fast_expm1(-2.0 * rate), fast_expm1(-2.0 * rate * jnp.abs(n))
        kept = jnp.where(one != 0, all_of_them / jnp.where(one != 0, one, 1.0), jnp.abs(n))
        return jnp.abs(step) * jnp.sqrt(kept) * self.sigma_c2c
