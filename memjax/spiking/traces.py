"""What a spike leaves behind: synaptic currents, and the membranes that they charge."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.pytree import Leaf, param, params


@params
class Synapse:
    """``exp(-t / decay) - exp(-t / rise)`` after a spike: 0 at once, largest a little later."""

    decay: Leaf = param(default=5.0, doc="tau_1, of the slow exponential", unit="ms", more_than=0)
    rise: Leaf = param(default=1.25, doc="tau_2, of the fast exponential", unit="ms", more_than=0)

    def decays(self, dt: float | int) -> tuple[Array, Array]:
        """What is left of both exponentials after a step: ``exp(-dt / tau)``.

        Args:
          dt: the step, in ms.
        """
        return jnp.exp(jnp.asarray(-dt / self.decay)), jnp.exp(jnp.asarray(-dt / self.rise))


SYNAPSE = Synapse()
"""The published one."""


def traces(
    spikes: Float[Array, "steps ..."], dt: float | int, synapse: Synapse = SYNAPSE
) -> Float[Array, "steps ..."]:
    """``c(t) = sum over spikes of exp(-(t - s) / tau_1) - exp(-(t - s) / tau_2)``.

    A step decays and then adds its spikes, so that a spike contributes 0 at its own step. It is
    linear: the filtered sum ``c(S W)`` is the weighted sum of filtered spikes ``c(S) W``.

    Args:
      spikes: 1 where there is one; or any sum of them.
      dt: the step, in ms.
      synapse: the time constants.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.spiking import traces
      >>> c = traces(jnp.zeros((51, 1)).at[0].set(1.0), 0.1)[:, 0]
      >>> [round(float(c[step]), 4) for step in (0, 5, 10, 50)]
      [0.0, 0.2345, 0.3694, 0.3496]
    """
    decays, none = synapse.decays(dt), jnp.zeros_like(spikes[0])
    return jax.lax.scan(lambda both, now: trace_step(both, now, decays), (none, none), spikes)[1]


def trace_step(both: Any, spikes: Any, decays: tuple[Any, Any]) -> tuple[tuple[Any, Any], Any]:
    """The two exponentials of a trace after a step, and the trace, their difference.

    Args:
      both: the exponentials before it.
      spikes: of the step, or any sum of them.
      decays: what is left of each after a step (``Synapse.decays``).
    """
    p, q = both[0] * decays[0] + spikes, both[1] * decays[1] + spikes
    return (p, q), p - q


def responses(
    currents: Float[Array, "steps ..."], dt: float | int, tau: float | int = 1.0
) -> Float[Array, "steps ..."]:
    """``d(t + dt) = d(t) exp(-dt / tau) + c(t)``: membranes that leak so fast that none fires.

    NormAD's ``d^`` less the factor ``dt / C``, which cancels where it is divided by its norm.

    Args:
      currents: synaptic currents c.
      dt: the step, in ms.
      tau: time constant, in ms.
    """
    left = math.exp(-dt / tau)

    def step(d: Array, now: Array) -> tuple[Array, Array]:
        d = d * left + now
        return d, d

    return jax.lax.scan(step, jnp.zeros_like(currents[0]), currents)[1]
