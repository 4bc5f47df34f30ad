"""Leaky integrate-and-fire neurons with a refractory hold."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int32

from memjax.pytree import Leaf, param, params, static


class LIFState(NamedTuple):
    """Neurons between two steps.

    Attributes:
      u: the potential, ``(V - E_L) / (V_T - E_L)``: 0 at rest, 1 at threshold.
      hold: steps for which it is still held at rest.
    """

    u: Float[Array, "..."]
    hold: Int32[Array, "..."]


@params
class LIF:
    """``C dV/dt = -g_L (V - E_L) + I``; a spike where ``V >= V_T``, then at rest for ``t_ref``.

    In units of the threshold ``u = (V - E_L) / (V_T - E_L)`` and of the rheobase
    ``I_rh = g_L (V_T - E_L)`` a step is ``u <- max(u + f (I / I_rh - u), 0)``. Between spikes the
    equation is linear, so with ``f = 1 - exp(-dt / tau)`` (``"exact"``) the step is exact for a
    current that is constant in it; ``"heun"`` is Heun's ``f = a - a^2 / 2``, ``a = dt / tau``.
    After a spike at step t the potential is held for the steps ``t + 1 .. t + t_ref / dt``.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.spiking import LIF
      >>> spikes, _ = LIF(scheme="heun").run(jnp.full((300, 1), 5.0), dt=0.1)  # 5 nA
      >>> jnp.flatnonzero(spikes[:, 0]).tolist()
      [77, 185, 293]

    Source: Kulkarni & Rajendran, Neural Networks 103:118 (2018).
    """

    capacitance: Leaf = param(default=300.0, doc="of the membrane, C", unit="pF", more_than=0)
    leak: Leaf = param(default=30.0, doc="conductance g_L", unit="nS", more_than=0)
    rest: Leaf = param(default=-70.0, doc="potential E_L", unit="mV")
    threshold: Leaf = param(default=20.0, doc="potential V_T", unit="mV")
    refractory: Leaf = param(default=3.0, doc="time at rest t_ref", unit="ms", at_least=0)
    scheme: str = static(
        default="exact", doc="of integration", choices=("exact", "heun"), swept=False
    )

    @property
    def rheobase(self) -> Any:
        """The least current that can make it fire, ``g_L (V_T - E_L)``, in nA."""
        return self.leak * (self.threshold - self.rest) * 1e-3

    def gain(self, dt: float | int) -> Any:
        """``f``, the share of its way to the steady state that u goes in a step.

        Args:
          dt: the step, in ms.
        """
        a = dt * self.leak / self.capacitance
        return a - a * a / 2 if self.scheme == "heun" else -jnp.expm1(-jnp.asarray(a))

    def hold_steps(self, dt: float | int) -> Array:
        """Steps of the refractory hold.

        Args:
          dt: the step, in ms.
        """
        return jnp.round(jnp.asarray(self.refractory / dt)).astype(jnp.int32)

    def potential(self, u: Any) -> Any:
        """V in mV.

        Args:
          u: the potential in units of the threshold.
        """
        return self.rest + u * (self.threshold - self.rest)

    def init(self, shape: tuple[int, ...]) -> LIFState:
        """Neurons at rest.

        Args:
          shape: of the array of neurons.
        """
        return LIFState(jnp.zeros(shape), jnp.zeros(shape, jnp.int32))

    def step(
        self, state: LIFState, current: Float[Array, "..."], dt: float | int
    ) -> tuple[LIFState, Bool[Array, "..."]]:
        """One step.

        Args:
          state: the neurons before it.
          current: that flows in it, in nA.
          dt: the step, in ms.

        Returns:
          The neurons after it, and which have fired.
        """
        is_free = state.hold == 0
        moved = state.u + self.gain(dt) * (current / self.rheobase - state.u)
        u = jnp.where(is_free, jnp.maximum(moved, 0.0), state.u)
        fires = is_free & (u >= 1.0)
        hold = jnp.where(fires, self.hold_steps(dt), jnp.maximum(state.hold - 1, 0))
        return LIFState(jnp.where(fires, 0.0, u), hold), fires

    def run(
        self, currents: Float[Array, "steps ..."], dt: float | int
    ) -> tuple[Bool[Array, "steps ..."], Float[Array, "steps ..."]]:
        """Neurons from rest, step by step.

        Args:
          currents: in nA.
          dt: the step, in ms.

        Returns:
          Which fire at each step, and u after it.
        """

        def step(state: LIFState, current: Array) -> tuple[LIFState, tuple[Array, Array]]:
            state, fires = self.step(state, current, dt)
            return state, (fires, state.u)

        return jax.lax.scan(step, self.init(currents.shape[1:]), currents)[1]
