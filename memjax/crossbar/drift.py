"""Conductances over time: power-law drift with an exponent a device, and 1/f noise of reads."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.pytree import Leaf, param, params

_LEAST = 1e-12
"""Of Gmax: what a conductance of 0 is taken for under a logarithm."""


@params
class Drift:
    """No drift, and the contract of those below: an exponent drawn once, and what time makes of g.

    Time t is in seconds from the end of programming.
    """

    def exponents(self, stream: random.Stream, g: Array) -> Array:
        """The exponent nu of each device, for life.

        Args:
          stream: random stream of the array.
          g: targets, fractions of Gmax.
        """
        del stream
        return jnp.zeros_like(g)

    def at(self, g: Array, nu: Array, time: Leaf) -> Array:
        """Conductances at a time.

        Args:
          g: as they were programmed.
          nu: what ``exponents`` returned.
          time: seconds since.
        """
        del nu, time
        return g

    def read_sd(self, g: Array, time: Leaf) -> Array:
        """The sd of a read at a time, of the conductance, by the conductances programmed."""
        del time
        return jnp.zeros_like(g)

    def seen(self, stream: random.Stream, g: Array, nu: Array, time: Leaf) -> Array:
        """Conductances as they are read at a time: drifted, with the noise of one read, at least 0.

        Args:
          stream: random stream of the read.
          g: as they were programmed.
          nu: what ``exponents`` returned.
          time: seconds since.
        """
        xi = random.normal(stream, g.shape, exact=True)
        return jnp.maximum(self.at(g, nu, time) * (1.0 + self.read_sd(g, time) * xi), 0.0)


@params
class PowerLaw(Drift):
    """``g(t) = g (1 + t / t0)^-nu``, with nu the same or normal over devices, at least 0.

    With ``t0`` of 1 ps and nu 0.1 this is MemTorch's.
    """

    nu: Leaf = param(default=0.05, doc="mean exponent", at_least=0)
    sigma_nu: Leaf = param(default=0.0, doc="device-to-device sd of the exponent", at_least=0)
    t0: Leaf = param(default=20.0, doc="when drift sets in", unit="s", more_than=0)

    def exponents(self, stream: random.Stream, g: Array) -> Array:
        """``max(nu + sigma_nu xi, 0)``."""
        xi = random.normal(stream, g.shape, exact=True)
        return jnp.maximum(self.nu + self.sigma_nu * xi, 0.0)

    def at(self, g: Array, nu: Array, time: Leaf) -> Array:
        """``g (1 + t / t0)^-nu``."""
        return g * jnp.exp(-nu * jnp.log1p(jnp.asarray(time) / self.t0))


@params
class PCMDrift(Drift):
    """Drift and 1/f noise of phase-change memory; both depend on the conductance.

    ``nu ~ N(clip(0.0244 - 0.0155 ln g, 0.049, 0.1), clip(-0.0059 - 0.0125 ln g, 0.008, 0.045))``,
    at least 0, of the target g; reads have an sd of ``q sqrt(ln((t + t0 + t_r) / (2 t_r)))`` of the
    conductance, ``q = min(0.0088 / g^0.65, 0.2)`` of what was programmed, with t_r 250 ns.

    Source: Joshi et al., Nat. Commun. 11:2473 (2020); Nandakumar et al., IEEE ICECS (2019).
    """

    nu_scale: Leaf = param(default=1.0, doc="of the exponents", at_least=0)
    spread_scale: Leaf = param(default=1.0, doc="of their spread", at_least=0)
    noise_scale: Leaf = param(default=1.0, doc="of the noise of reads", at_least=0)
    t0: Leaf = param(default=20.0, doc="when drift sets in", unit="s", more_than=0)
    t_read: Leaf = param(default=250e-9, doc="duration of a read", unit="s", more_than=0)

    def exponents(self, stream: random.Stream, g: Array) -> Array:
        """By the target."""
        log = jnp.log(jnp.maximum(g, _LEAST))
        mean = jnp.clip(0.0244 - 0.0155 * log, 0.049, 0.1)
        sd = jnp.clip(-0.0059 - 0.0125 * log, 0.008, 0.045)
        xi = random.normal(stream, g.shape, exact=True)
        return jnp.maximum(self.nu_scale * mean + self.spread_scale * sd * xi, 0.0)

    def at(self, g: Array, nu: Array, time: Leaf) -> Array:
        """``g (1 + t / t0)^-nu``."""
        return PowerLaw(t0=self.t0).at(g, nu, time)

    def read_sd(self, g: Array, time: Leaf) -> Array:
        """By the time, and by what was programmed."""
        q = jnp.minimum(0.0088 / jnp.maximum(g, _LEAST) ** 0.65, 0.2)
        t: Any = jnp.asarray(time) + self.t0
        root = jnp.sqrt(jnp.log((t + self.t_read) / (2.0 * self.t_read)))
        return jnp.asarray(self.noise_scale * q * root)


DRIFTS: dict[str, type[Drift]] = {"none": Drift, "power_law": PowerLaw, "pcm": PCMDrift}
"""Models by their name in a specification."""
