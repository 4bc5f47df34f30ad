"""Conductances over time: power-law drift, 1/f noise of reads, failures of retention."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.pytree import Leaf, param, params, static

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


@params
class _MetalOxide(Drift):
    """What ``Retention`` and ``Endurance`` have in common."""

    failure: str = static(
        default="gradual", doc="of what is beyond the threshold", choices=("gradual", "sudden")
    )
    cell: Leaf = param(default=10.0, doc="size of a cell", unit="nm", more_than=0)
    temperature: Leaf = param(default=298.0, doc="of the devices", unit="K", more_than=0)
    lrs_from: Leaf = param(
        default=0.5, doc="conductance from which a device is one of LRS", unit="of Gmax"
    )
    lrs_p0: Leaf = param(default=1e30, doc="threshold of LRS, before its exponential", more_than=0)
    lrs_p1: Leaf = param(default=0.0, doc="by the size of the cell", unit="1/nm")
    lrs_p2: Leaf = param(default=0.0, doc="by Tc")
    lrs_p3: Leaf = param(default=0.0, doc="of the slope of log R beyond it")
    lrs_stable: Leaf = param(
        default=1.0, doc="of LRS after a sudden failure", unit="of Gmax", at_least=0
    )
    hrs_p0: Leaf = param(default=1e30, doc="threshold of HRS, before its exponential", more_than=0)
    hrs_p1: Leaf = param(default=0.0, doc="by the size of the cell", unit="1/nm")
    hrs_p2: Leaf = param(default=0.0, doc="by Tc")
    hrs_p3: Leaf = param(default=0.0, doc="of the slope of log R beyond it")
    hrs_stable: Leaf = param(
        default=0.0, doc="of HRS after a sudden failure", unit="of Gmax", at_least=0
    )

    def exponents(self, stream: random.Stream, g: Array) -> Array:
        """1: devices fail where this is above 0, as it is not of the stuck."""
        del stream
        return jnp.ones_like(g)

    def after(self, g: Array, x: Leaf) -> Array:
        """Conductances after so many seconds or cycles.

        Args:
          g: as they were programmed.
          x: seconds or cycles.
        """
        lrs = self._failed(g, x, self.lrs_p0, self.lrs_p1, self.lrs_p2, self.lrs_p3)
        hrs = self._failed(g, x, self.hrs_p0, self.hrs_p1, self.hrs_p2, self.hrs_p3)
        if self.failure == "sudden":
            stable = jnp.ones_like(g)
            lrs = lrs._replace(g=stable * self.lrs_stable)
            hrs = hrs._replace(g=stable * self.hrs_stable)
        is_lrs = g >= self.lrs_from
        fails = jnp.where(is_lrs, lrs.is_beyond, hrs.is_beyond)
        return jnp.where(fails, jnp.where(is_lrs, lrs.g, hrs.g), g)

    def _failed(self, g: Array, x: Leaf, p0: Leaf, p1: Leaf, p2: Leaf, p3: Leaf) -> "_Failed":
        """Conductances after a gradual failure, and whether there is one."""
        rate = jnp.asarray(p1 * self.cell + p2 * jnp.minimum(298.0 / self.temperature, 1.0))
        # In logarithms: thresholds of exponentials are large.
        beyond = jnp.log(jnp.maximum(jnp.asarray(x), 1e-30)) - (jnp.log(jnp.asarray(p0)) + rate)
        slope = jnp.where(beyond > 0.0, beyond, 0.0)
        return _Failed(g * jnp.exp(-p3 * rate * slope), beyond > 0.0)


class _Failed(NamedTuple):
    """Devices beyond their threshold."""

    g: Array
    is_beyond: Array


@params
class Retention(_MetalOxide):
    """Empirical loss of what metal-oxide devices hold, by the seconds since programming.

    Of ``x = t`` seconds: gradual from ``x0 = p0 exp(p1 cell + p2 Tc)`` on, ``Tc = min(298 / T,
    1)``: ``log10 R = log10 R0 + p3 (p1 cell + p2 Tc) log10(x / x0)``; sudden, to a stable R.
    Devices of low and of high resistance (from ``lrs_from`` of Gmax on, and below) have constants
    of their own. No technology's are built in: the defaults never fail, fit yours.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar import Retention
      >>> model = Retention(lrs_p0=10.0, lrs_p1=0.1, lrs_p3=0.5)  # from 27 s on, R as its root
      >>> model.after(jnp.array([1.0, 0.2]), 2718.2818).round(3).tolist()
      [0.10000000149011612, 0.20000000298023224]

    Source: Lammie, Rahimi Azghadi and Ielmini, Semicond. Sci. Technol. 36:065003 (2021), as
    MemTorch has it.
    """

    def at(self, g: Array, nu: Array, time: Leaf) -> Array:
        """``after`` so many seconds."""
        return jnp.where(nu > 0.0, self.after(g, time), g)


@params
class Endurance(_MetalOxide):
    """The same by the SET and RESET cycles that devices have seen before; time does nothing."""

    cycles: Leaf = param(default=0.0, doc="that devices have seen", at_least=0)

    def at(self, g: Array, nu: Array, time: Leaf) -> Array:
        """``after`` so many cycles."""
        del time
        return jnp.where(nu > 0.0, self.after(g, self.cycles), g)


DRIFTS: dict[str, type[Drift]] = {
    "none": Drift,
    "power_law": PowerLaw,
    "pcm": PCMDrift,
    "retention": Retention,
    "endurance": Endurance,
}
"""Models by their name in a specification."""
