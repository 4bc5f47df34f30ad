"""Pulse counts from any wanted change, weight by weight: convolutions, attention, batches."""

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.pytree import params, static


@params
class Bernoulli:
    """Stochastic rounding: ``floor(|m|)`` pulses, and one more with the rest as probability.

    ``E[n] = m`` up to ``max_pulses``; the variance is the least that whole pulses allow.
    """

    max_pulses: int = static(default=31, doc="most pulses a weight and update", at_least=1)

    @property
    def most(self) -> int:
        """``max_pulses``."""
        return self.max_pulses

    def draw(self, stream: random.Stream, wanted: Array) -> Array:
        """Signed pulse counts."""
        size = jnp.minimum(jnp.abs(wanted), float(self.max_pulses))
        whole = jnp.floor(size)
        more = random.uniform(stream, wanted.shape) < size - whole
        return jnp.sign(wanted) * (whole + more.astype(whole.dtype))


@params
class Binomial:
    """``length`` independent slots, each of which fires with ``p = |m| / length``.

    ``E[n] = m`` while ``|m| <= length`` and ``Var[n] = |m| (1 - p)``: the statistics of coincidence
    trains at one crosspoint, without their correlation along rows and columns.
    """

    length: int = static(default=10, doc="slots an update, BL", at_least=1, at_most=64)

    @property
    def most(self) -> int:
        """``length``."""
        return self.length

    def draw(self, stream: random.Stream, wanted: Array) -> Array:
        """Signed pulse counts."""
        threshold = jnp.minimum(jnp.abs(wanted) / self.length, 1.0)
        count = jnp.zeros_like(threshold)
        for slot in range(self.length):
            fires = random.uniform(random.fold_in(stream, slot), wanted.shape) < threshold
            count += fires.astype(count.dtype)
        return jnp.sign(wanted) * count


@params
class Deterministic:
    """The nearest whole number of pulses: a wanted change below half a pulse is lost.

    Source: Chen, Peng & Yu, IEEE TCAD 37:3067 (2018), NeuroSim's updates.
    """

    max_pulses: int = static(default=31, doc="most pulses a weight and update", at_least=1)

    @property
    def most(self) -> int:
        """``max_pulses``."""
        return self.max_pulses

    def draw(self, stream: random.Stream, wanted: Array) -> Array:
        """Signed pulse counts."""
        del stream
        return jnp.clip(jnp.round(wanted), -float(self.max_pulses), float(self.max_pulses))


@params
class Truncated:
    """Whole pulses, the rest cut off: a wanted change below one pulse is lost."""

    max_pulses: int = static(default=31, doc="most pulses a weight and update", at_least=1)

    @property
    def most(self) -> int:
        """``max_pulses``."""
        return self.max_pulses

    def draw(self, stream: random.Stream, wanted: Array) -> Array:
        """Signed pulse counts."""
        del stream
        return jnp.clip(jnp.trunc(wanted), -float(self.max_pulses), float(self.max_pulses))
