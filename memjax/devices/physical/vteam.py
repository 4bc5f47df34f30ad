"""VTEAM: nothing moves between two threshold voltages, beyond them a power of the excess."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.devices.physical.flow import flow
from memjax.devices.physical.windows import WindowedModel
from memjax.pytree import Leaf, param, params


@params
class VTEAM(WindowedModel):
    """Voltage threshold adaptive memristor; the state is ``x = w / d``.

    ``R = r_on + (r_off - r_on) x`` and, w in m, ``dw/dt = k_off (V / v_off - 1)^alpha_off f(x)``
    from ``v_off`` > 0 upwards, ``k_on (V / v_on - 1)^alpha_on f(x)`` from ``v_on`` < 0 downwards,
    0 between: a *negative* voltage raises the conductance. A step is exact without a window and
    with one within 1e-4 of the range from 1e-3 off an end (``flow``).

    Example:
      >>> from memjax.devices.physical import VTEAM
      >>> device = VTEAM()
      >>> x = device.step(0.0, 0.3, 100e-9)
      >>> round(float(x * device.thickness * 1e9), 4), round(float(1 / device.conductance(x)), 3)
      (0.7, 271.667)

    Source: Kvatinsky, Ramadan, Friedman & Kolodny, IEEE TCAS-II 62:786 (2015), eqs. 4 and 5.
    """

    r_on: Leaf = param(default=50.0, doc="resistance at x = 0", unit="Ω", more_than=0)
    r_off: Leaf = param(default=1e3, doc="resistance at x = 1", unit="Ω", more_than=0)
    thickness: Leaf = param(default=3e-9, doc="range d of w", unit="m", more_than=0)
    k_on: Leaf = param(default=-10.0, doc="speed of SET", unit="m/s", at_most=0)
    k_off: Leaf = param(default=5e-4, doc="speed of RESET", unit="m/s", at_least=0)
    alpha_on: Leaf = param(default=3.0, doc="exponent of SET", at_least=0)
    alpha_off: Leaf = param(default=1.0, doc="exponent of RESET", at_least=0)
    v_on: Leaf = param(default=-0.2, doc="threshold of SET", unit="V", at_most=-1e-6)
    v_off: Leaf = param(default=0.02, doc="threshold of RESET", unit="V", more_than=0)

    def conductance(self, state: Leaf) -> Float[Array, "..."]:
        """``1 / R``, in S, at any voltage."""
        return 1.0 / (jnp.asarray(state) * (self.r_off - self.r_on) + self.r_on)

    def state_at(self, conductance: Leaf) -> Float[Array, "..."]:
        """``x = (1 / G - r_on) / (r_off - r_on)``."""
        x = (1.0 / jnp.asarray(conductance) - self.r_on) / (self.r_off - self.r_on)
        return jnp.clip(x, *self.bounds)

    def drive(self, voltage: Leaf) -> Array:
        """``dx/dt`` without a window, in 1/s."""
        voltage = jnp.asarray(voltage)

        def speed(k: Leaf, threshold: Leaf, alpha: Leaf) -> Array:
            return jnp.maximum(voltage / threshold - 1.0, 0.0) ** alpha * (k / self.thickness)

        off = jnp.where(voltage >= self.v_off, speed(self.k_off, self.v_off, self.alpha_off), 0.0)
        return jnp.where(voltage <= self.v_on, speed(self.k_on, self.v_on, self.alpha_on), off)

    def advance(self, state: Array, voltage: Array, dt: Array) -> Array:
        """Linear in time without a window."""
        drive = self.drive(voltage)
        if self.window == "none":
            return state + drive * dt
        return flow(lambda x: self.windowed(x, drive), state, self.bounds, dt, self.substeps)
