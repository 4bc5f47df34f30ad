"""The output layer: LIF neurons that inhibit one another."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memjax.pytree import Leaf
from memjax.spiking.lif import LIF
from memjax.spiking.traces import SYNAPSE, Synapse, trace_step


class Response(NamedTuple):
    """What the outputs do at a step, or at all.

    Attributes:
      spikes: which fire.
      u: their potential after the step, in units of the threshold.
      current: that flows into them, in nA.
    """

    spikes: Bool[Array, "... outputs"]
    u: Float[Array, "... outputs"]
    current: Float[Array, "... outputs"]


def compete(
    drive: Float[Array, "steps outputs"],
    dt: float | int,
    neuron: LIF | None = None,
    *,
    lateral: Leaf = -1.0,
    synapse: Synapse = SYNAPSE,
) -> Response:
    """LIF outputs of weighted input spikes, each inhibited by the spikes of all others.

    ``I_j(t) = c[S W]_j(t) + w_lat sum over i != j of c[s_i](t - dt)``, with the trace c of both: an
    output's spike reaches the others a step later.

    Args:
      drive: ``S W``, the sums of the weights of inputs that fire at each step, in nA.
      dt: the step, in ms.
      neuron: of the outputs.
      lateral: weight between outputs w_lat, in nA.
      synapse: time constants of both kinds of synapses.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.spiking import compete
      >>> drive = jnp.zeros((20, 2)).at[1, 0].set(800.0)
      >>> jnp.argwhere(compete(drive, 0.1).spikes).tolist()
      [[5, 0]]
    """
    neuron = LIF() if neuron is None else neuron
    decays = synapse.decays(dt)

    def step(carry: Any, now: Array) -> tuple[Any, Response]:
        state, of_drive, of_own, before = carry
        of_drive, driven = trace_step(of_drive, now, decays)
        of_own, own = trace_step(of_own, before, decays)
        current = driven + lateral * (jnp.sum(own) - own)
        state, fires = neuron.step(state, current, dt)
        return (state, of_drive, of_own, fires.astype(own.dtype)), Response(fires, state.u, current)

    none = jnp.zeros_like(drive[0])
    carry = (neuron.init(none.shape), (none, none), (none, none), none)
    return jax.lax.scan(step, carry, drive)[1]


def answer(spikes: Bool[Array, "steps outputs"]) -> tuple[Array, Array]:
    """The output that fires most often, the first of several, and whether it is one of several.

    Args:
      spikes: of the outputs.
    """
    counts = jnp.sum(spikes.astype(jnp.int32), axis=0)
    return jnp.argmax(counts), jnp.sum((counts == jnp.max(counts)).astype(jnp.int32)) > 1
