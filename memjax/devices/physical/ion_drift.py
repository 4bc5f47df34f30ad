"""HP's memristor: the boundary of the doped region drifts with the charge that has passed."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.devices.physical.flow import flow
from memjax.devices.physical.windows import WindowedModel
from memjax.pytree import Leaf, param, params


@params
class LinearIonDrift(WindowedModel):
    """Linear ion drift; the state is ``x = w / d``, the doped part of the film.

    ``R = r_on x + r_off (1 - x)`` and ``dx/dt = mobility (r_on / thickness^2) (V / R) f(x)``: a
    positive voltage raises x and the conductance. Without a window the square of the resistance is
    linear in the flux V t, ``R'^2 = R^2 - 2 (r_off - r_on) mobility (r_on / thickness^2) V dt``,
    and a step is exact; with one it is within 1e-4 of the range from 1e-3 off an end (``flow``).

    Example:
      >>> from memjax.devices.physical import LinearIonDrift
      >>> device = LinearIonDrift()
      >>> x = device.step(0.1, 1.0, 0.1)
      >>> round(float(x), 5), round(float(1 / device.conductance(x)), 1)
      (0.17228, 13260.8)

    Source: Strukov, Snider, Stewart & Williams, Nature 453:80 (2008), eqs. 5 and 6.
    """

    mobility: Leaf = param(default=1e-14, doc="ion mobility u_v", unit="m²/(V s)", more_than=0)
    thickness: Leaf = param(default=10e-9, doc="film thickness d", unit="m", more_than=0)

    @property
    def drift(self) -> Leaf:
        """``mobility r_on / thickness^2``, in Ω/(V s): the law's one constant."""
        return self.mobility / self.thickness * self.r_on / self.thickness

    def resistance(self, state: Leaf) -> Array:
        """``r_on x + r_off (1 - x)``, in Ω."""
        return jnp.asarray(state) * (self.r_on - self.r_off) + self.r_off

    def conductance(self, state: Leaf) -> Float[Array, "..."]:
        """``1 / R``, in S, at any voltage."""
        return 1.0 / self.resistance(state)

    def state_at(self, conductance: Leaf) -> Float[Array, "..."]:
        """``x = (r_off - 1 / G) / (r_off - r_on)``."""
        x = (self.r_off - 1.0 / jnp.asarray(conductance)) / (self.r_off - self.r_on)
        return jnp.clip(x, *self.bounds)

    def advance(self, state: Array, voltage: Array, dt: Array) -> Array:
        """Exact without a window: ``x' = x + 2 drift V dt / (R + R')``, R' from its square."""
        if self.window != "none":

            def rate(x: Array) -> Array:
                return self.windowed(x, voltage * self.drift / self.resistance(x))

            return flow(rate, state, self.bounds, dt, self.substeps)
        before, moved = self.resistance(state), voltage * 2.0 * self.drift * dt
        square = before * before - (self.r_off - self.r_on) * moved
        return state + moved / (before + jnp.sqrt(jnp.maximum(square, self.r_on * self.r_on)))
