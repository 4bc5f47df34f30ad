"""The data-driven model of 2018: a resistance pulled the faster, the further off it is."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.devices.physical.base import PhysicalModel, require_ascending
from memjax.pytree import Leaf, check, param, params

_LARGEST = 80.0  # e^80 is finite in float32


@params
class DataDriven2018(PhysicalModel):
    """A switching-rate surface with an exponential window; the state is the resistance R, in Ω.

    ``dR/dt = s (e^(k |r - R|) - 1)`` with ``s = a (e^(t |V|) - 1)`` and ``r = r0 + r1 V``, each
    with its own constants for V > 0 (``_p``) and V <= 0 (``_n``), and only while s leads R towards
    r, ``s (r - R) > 0``: beyond r nothing moves. A step is exact: with ``d = |r - R|`` R comes
    nearer by ``ln(1 + (1 - e^(-k |s| dt)) (e^(k d) - 1)) / k``. With the default constants a
    positive voltage raises R and lowers the conductance ``1 / R``; the current is ``i = i_scale
    sinh(i_slope V) / R``.

    Example:
      >>> from memjax.devices.physical import DataDriven2018
      >>> device = DataDriven2018()
      >>> [round(float(device.step(9e3, volts, 1e-5))) for volts in (1.0, -1.0, -0.8)]
      [9237, 8987, 9000]

    Source: Messaris, Serb, Stathopoulos, Khiat, Nikolaidis & Prodromakis, IEEE TCAD 37:3151 (2018);
    constants after the ``Data_Driven`` of MemTorch.
    """

    state_name: ClassVar[str] = "resistance R (Ω)"

    a_p: Leaf = param(default=743.47, doc="speed at V > 0", unit="Ω/s")
    a_n: Leaf = param(default=-68012.28374, doc="speed at V < 0", unit="Ω/s")
    t_p: Leaf = param(default=6.51, doc="growth of the speed at V > 0", unit="1/V")
    t_n: Leaf = param(default=0.31645, doc="growth of the speed at V < 0", unit="1/V")
    k_p: Leaf = param(default=5.11e-4, doc="window's steepness at V > 0", unit="1/Ω", more_than=0)
    k_n: Leaf = param(default=1.17e-3, doc="window's steepness at V < 0", unit="1/Ω", more_than=0)
    r0_p: Leaf = param(default=16719.0, doc="where V = +0 would lead", unit="Ω")
    r1_p: Leaf = param(default=0.0, doc="its slope at V > 0", unit="Ω/V")
    r0_n: Leaf = param(default=29304.82557, doc="where V = -0 would lead", unit="Ω")
    r1_n: Leaf = param(default=23692.77225, doc="its slope at V < 0", unit="Ω/V")
    r_on: Leaf = param(default=1280.0, doc="least resistance", unit="Ω", more_than=0)
    r_off: Leaf = param(default=17000.0, doc="greatest resistance", unit="Ω", more_than=0)
    i_scale: Leaf = param(default=0.24, doc="current's scale", unit="V", more_than=0)
    i_slope: Leaf = param(default=3.0, doc="current's slope", unit="1/V", more_than=0)

    def __post_init__(self) -> None:
        check(self)
        require_ascending(self, "r_on", "r_off")

    @property
    def bounds(self) -> tuple[Leaf, Leaf]:
        """``r_on`` and ``r_off``."""
        return self.r_on, self.r_off

    def current(self, state: Leaf, voltage: Leaf) -> Float[Array, "..."]:
        """``i_scale sinh(i_slope V) / R``, in A."""
        return jnp.sinh(jnp.asarray(voltage) * self.i_slope) * self.i_scale / state

    def conductance(self, state: Leaf) -> Float[Array, "..."]:
        """``1 / R``, in S."""
        return 1.0 / jnp.asarray(state)

    def state_at(self, conductance: Leaf) -> Float[Array, "..."]:
        """``R = 1 / G``."""
        return jnp.clip(1.0 / jnp.asarray(conductance), *self.bounds)

    def advance(self, state: Array, voltage: Array, dt: Array) -> Array:
        """Exact: ``e^(-k d)`` approaches 1 exponentially."""

        def of_sign(positive: Leaf, negative: Leaf) -> Array:
            return jnp.where(voltage > 0, positive, negative)

        growth = of_sign(self.t_p, self.t_n) * jnp.abs(voltage)
        speed = of_sign(self.a_p, self.a_n) * jnp.expm1(jnp.minimum(growth, _LARGEST))
        r = of_sign(self.r0_p, self.r0_n) + of_sign(self.r1_p, self.r1_n) * voltage
        k, away = of_sign(self.k_p, self.k_n), r - state
        distance = jnp.where(speed * away > 0, jnp.abs(away), 0.0)
        part = -jnp.expm1(-k * jnp.abs(speed) * dt)
        nearer = jnp.log1p(part * jnp.expm1(jnp.minimum(k * distance, _LARGEST))) / k
        return state + jnp.sign(away) * jnp.minimum(nearer, distance)
