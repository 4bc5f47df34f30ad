"""Stanford and PKU's RRAM: a filament's gap, grown and closed by hopping ions in its own heat."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.devices.physical.base import PhysicalModel, require_ascending
from memjax.devices.physical.flow import flow
from memjax.pytree import Leaf, check, param, params, static

_Q_OVER_K = 11604.518  # elementary charge over Boltzmann's constant, in K/V (CODATA 2018)
_LARGEST = 80.0  # e^80 is finite in float32


@params
class StanfordPKU(PhysicalModel):
    """Metal-oxide RRAM; the state is the filament's gap g, in nm.

    ``i = i0 e^(-g / g0) sinh(V / v0)``; ``T = t0 + |V i r_th|``;
    ``gamma = gamma0 - beta (g / 1 nm)^3``;
    ``dg/dt = -vel0 e^(-q ea / (k T)) sinh(gamma (a0 / t_ox) q V / (k T))``: a positive voltage
    closes the gap and raises the conductance, which is read at ``v_read``. Where the field
    ``gamma |V| / t_ox`` is below ``field_min`` the gap rests; the compact model's own threshold is
    1.4 V/nm, the default is none. The default gaps are 542 Ω and 219 kΩ. A step is within 2e-5 nm
    (``flow``).

    Example:
      >>> from memjax.devices.physical import StanfordPKU
      >>> device = StanfordPKU()
      >>> round(float(1 / device.conductance(0.2))), round(float(device.step(1.7, 1.2, 1e-3)), 3)
      (542, 0.2)

    Source: Guan, Yu & Wong, IEEE EDL 33:1405 (2012); Jiang et al., IEEE TED 63:1884 (2016).
    """

    state_name: ClassVar[str] = "gap g (nm)"

    i0: Leaf = param(default=1e-3, doc="current's scale", unit="A", more_than=0)
    g0: Leaf = param(default=0.25, doc="current's decay length", unit="nm", more_than=0)
    v0: Leaf = param(default=0.25, doc="current's voltage scale", unit="V", more_than=0)
    t0: Leaf = param(default=298.0, doc="ambient temperature", unit="K", more_than=0)
    r_th: Leaf = param(default=2.1e3, doc="thermal resistance", unit="K/W", at_least=0)
    gamma0: Leaf = param(default=16.0, doc="field enhancement without a gap", at_least=0)
    beta: Leaf = param(default=0.8, doc="loss of enhancement at a gap of 1 nm", at_least=0)
    t_ox: Leaf = param(default=12.0, doc="oxide thickness", unit="nm", more_than=0)
    vel0: Leaf = param(default=10.0, doc="velocity scale", unit="m/s", at_least=0)
    ea: Leaf = param(default=0.6, doc="activation energy", unit="eV", at_least=0)
    a0: Leaf = param(default=0.25, doc="hopping distance", unit="nm", more_than=0)
    field_min: Leaf = param(default=0.0, doc="least field that acts", unit="V/nm", at_least=0)
    gap_min: Leaf = param(default=0.2, doc="least gap", unit="nm", at_least=0)
    gap_max: Leaf = param(default=1.7, doc="greatest gap", unit="nm", more_than=0)
    v_read: Leaf = param(default=0.1, doc="read voltage", unit="V", more_than=0)
    substeps: int = static(16, "cells of a step", at_least=1)

    def __post_init__(self) -> None:
        check(self)
        require_ascending(self, "gap_min", "gap_max")

    @property
    def bounds(self) -> tuple[Leaf, Leaf]:
        """``gap_min`` and ``gap_max``."""
        return self.gap_min, self.gap_max

    def current(self, state: Leaf, voltage: Leaf) -> Float[Array, "..."]:
        """``i0 e^(-g / g0) sinh(V / v0)``, in A."""
        reduced = jnp.clip(jnp.asarray(voltage) / self.v0, -_LARGEST, _LARGEST)
        return jnp.exp(-jnp.asarray(state) / self.g0) * jnp.sinh(reduced) * self.i0

    def conductance(self, state: Leaf) -> Float[Array, "..."]:
        """``i / V`` at ``v_read``, in S."""
        return self.current(state, self.v_read) / self.v_read

    def state_at(self, conductance: Leaf) -> Float[Array, "..."]:
        """``g = g0 ln(G(g = 0) / G)``."""
        gap = self.g0 * jnp.log(self.conductance(0.0) / jnp.asarray(conductance))
        return jnp.clip(gap, *self.bounds)

    def rate(self, state: Array, voltage: Array) -> Array:
        """``dg/dt``, in nm/s; the two exponents are joined, so that neither overflows."""
        power = jnp.abs(voltage * self.current(state, voltage))
        per_volt = _Q_OVER_K / (self.t0 + self.r_th * power)
        gamma = self.gamma0 - self.beta * state**3
        acts = gamma * jnp.abs(voltage) >= self.field_min * self.t_ox
        hop = jnp.where(acts, gamma, 0.0) * (self.a0 / self.t_ox) * per_volt * jnp.abs(voltage)
        barrier = self.ea * per_volt
        ahead, back = (jnp.exp(jnp.minimum(e, _LARGEST)) for e in (hop - barrier, -hop - barrier))
        return -jnp.sign(voltage) * (0.5e9 * self.vel0) * (ahead - back)

    def advance(self, state: Array, voltage: Array, dt: Array) -> Array:
        """The gap after ``dt``, by cells of the way to its bound."""
        return flow(lambda gap: self.rate(gap, voltage), state, self.bounds, dt, self.substeps)
