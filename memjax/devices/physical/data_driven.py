"""The data-driven model of Messaris and Serb: a resistance pulled to where the voltage puts it."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from memjax.devices.physical.base import PhysicalModel, require_ascending
from memjax.errors import UserError
from memjax.pytree import Leaf, check, param, params


@params
class DataDriven(PhysicalModel):
    """A switching-rate surface measured on TiOx; the state is the resistance R, in Ω.

    ``dR/dt = s (r - R)^2`` with ``s = a (e^(|V| / t) - 1)`` and ``r = r0 + r1 V``, each with its
    own constants for V > 0 (``_p``) and V <= 0 (``_n``), and only while s leads R towards r,
    ``s (r - R) > 0``: beyond r nothing moves. A step is exact,
    ``R' = R + (r - R) u / (1 + u)``, ``u = s (r - R) dt``. With the default constants a positive
    voltage lowers R and raises the conductance ``1 / R``; the current is
    ``i = i_scale sinh(i_slope V) / R``, for R is what a read at a small voltage gives.

    Example:
      >>> from memjax.devices.physical import DataDriven
      >>> device = DataDriven()
      >>> [round(float(device.step(2500.0, volts, 1e-6))) for volts in (0.9, -0.9, -1.5)]
      [2420, 2500, 2504]

    Source: Messaris, Serb, Khiat, Nikolaidis & Prodromakis, arXiv:1703.01167 (2017), eqs. 4 to 8;
    constants after arXiv:2012.02267. (``DataDriven2018`` has another, exponential window.)
    """

    state_name: ClassVar[str] = "resistance R (Ω)"

    a_p: Leaf = param(default=600.10075, doc="speed at V > 0", unit="1/(Ω s)")
    a_n: Leaf = param(default=-34.5988399, doc="speed at V < 0", unit="1/(Ω s)")
    t_p: Leaf = param(default=-0.0212028, doc="voltage scale at V > 0", unit="V")
    t_n: Leaf = param(default=-0.05343997, doc="voltage scale at V < 0", unit="V")
    r0_p: Leaf = param(default=2699.2336, doc="where V = +0 would lead", unit="Ω")
    r1_p: Leaf = param(default=-672.930205, doc="its slope at V > 0", unit="Ω/V")
    r0_n: Leaf = param(default=649.413746, doc="where V = -0 would lead", unit="Ω")
    r1_n: Leaf = param(default=-1474.32358, doc="its slope at V < 0", unit="Ω/V")
    r_on: Leaf = param(default=1600.0, doc="least resistance", unit="Ω", more_than=0)
    r_off: Leaf = param(default=3000.0, doc="greatest resistance", unit="Ω", more_than=0)
    i_scale: Leaf = param(default=0.32046175, doc="current's scale", unit="V", more_than=0)
    i_slope: Leaf = param(default=2.71689828, doc="current's slope", unit="1/V", more_than=0)

    def __post_init__(self) -> None:
        check(self)
        require_ascending(self, "r_on", "r_off")
        for name, scale in (("t_p", self.t_p), ("t_n", self.t_n)):
            if not isinstance(scale, jax.core.Tracer) and np.any(np.asarray(scale) == 0):
                raise UserError(f"DataDriven: {name} = {scale} must not be 0: it divides voltages")

    @property
    def bounds(self) -> tuple[Leaf, Leaf]:
        """``r_on`` and ``r_off``."""
        return self.r_on, self.r_off

    def current(self, state: Leaf, voltage: Leaf) -> Float[Array, "..."]:
        """``i_scale sinh(i_slope V) / R``, in A."""
        return jnp.sinh(jnp.asarray(voltage) * self.i_slope) * self.i_scale / state

    def conductance(self, state: Leaf) -> Float[Array, "..."]:
        """``1 / R``, in S: what the model's authors read, at 0.2 V."""
        return 1.0 / jnp.asarray(state)

    def state_at(self, conductance: Leaf) -> Float[Array, "..."]:
        """``R = 1 / G``."""
        return jnp.clip(1.0 / jnp.asarray(conductance), *self.bounds)

    def advance(self, state: Array, voltage: Array, dt: Array) -> Array:
        """Exact: the hyperbola that the distance to r follows."""

        def of_sign(positive: Leaf, negative: Leaf) -> Array:
            return jnp.where(voltage > 0, positive, negative)

        exponent = jnp.abs(voltage) / of_sign(self.t_p, self.t_n)
        speed = of_sign(self.a_p, self.a_n) * jnp.expm1(jnp.minimum(exponent, 60.0))
        r = of_sign(self.r0_p, self.r0_n) + of_sign(self.r1_p, self.r1_n) * voltage
        pull = jnp.clip(speed * (r - state) * dt, 0.0, 1e30)
        return state + (r - state) * (pull / (1.0 + pull))
