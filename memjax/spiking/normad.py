"""NormAD: weights that move a neuron's spikes to where they are wanted."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.spiking.traces import SYNAPSE, Synapse, responses, trace_step, traces

TAU = 1.0
"""The published time constant of the approximate membrane, in ms."""


def normad(
    spikes: Float[Array, "steps rows"],
    error: Float[Array, "steps columns"],
    dt: float | int,
    *,
    rate: float | Array = 0.2,
    synapse: Synapse = SYNAPSE,
    tau: float | int = TAU,
) -> Float[Array, "rows columns"]:
    """``dW = r sum over t of d^(t) e(t) / ||d^(t)||``, the change of weights that is wanted.

    ``d^`` are the input spikes' traces on a membrane of time constant ``tau``; the norm is over all
    rows. Steps at which no input has arrived yet (``||d^|| = 0``) count for nothing. The sign is
    that of a change, not of a gradient (``normad_update`` gives that).

    Args:
      spikes: 1 where an input fires, S.
      error: spikes that are wanted less those that are seen, in {-1, 0, 1}.
      dt: the step, in ms.
      rate: r, in units of the weights: nA.
      synapse: time constants of the inputs' traces.
      tau: of the membrane, in ms.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.spiking import normad
      >>> spikes = jnp.zeros((4, 2)).at[0, 0].set(1.0)
      >>> error = jnp.zeros((4, 1)).at[3, 0].set(1.0)
      >>> normad(spikes, error, 0.1).round(3).tolist()
      [[0.20000000298023224], [0.0]]

    Source: Anwani & Rajendran, IJCNN (2015); Kulkarni & Rajendran, Neural Networks 103:118 (2018).
    """
    d = responses(traces(spikes, dt, synapse), dt, tau)
    return rate * ((d * _inverse_norms(d)[:, None]).T @ error)


def inverse_norms(
    spikes: Float[Array, "steps rows"],
    dt: float | int,
    synapse: Synapse = SYNAPSE,
    tau: float | int = TAU,
) -> Float[Array, " steps"]:
    """``1 / ||d^(t)||`` over all rows; 0 where that is 0.

    Args:
      spikes, dt, synapse, tau: as of ``normad``.
    """
    return _inverse_norms(responses(traces(spikes, dt, synapse), dt, tau))


def normad_adjoint(
    spikes: Float[Array, "steps rows"],
    error: Float[Array, "steps columns"],
    norms: Float[Array, " steps"],
    dt: float | int,
    *,
    rate: float | Array = 0.2,
    synapse: Synapse = SYNAPSE,
    tau: float | int = TAU,
) -> Float[Array, "rows columns"]:
    """``normad`` without ``d^``: the errors are filtered backwards in time, not the inputs.

    With ``B(t) = e(t) / ||d^(t)||`` and A the filter of ``d^`` run from the last step to the first
    over B, ``dW = r S^T A``: one product, and a filter of as many columns as there are outputs.

    Args:
      spikes, error, dt, rate, synapse, tau: as of ``normad``; rows that are silent may be left out.
      norms: ``1 / ||d^||`` of all rows (``inverse_norms``).
    """
    return rate * (spikes.T @ backwards(error * norms[:, None], dt, synapse, tau))


def backwards(
    weighted: Float[Array, "steps columns"],
    dt: float | int,
    synapse: Synapse = SYNAPSE,
    tau: float | int = TAU,
) -> Float[Array, "steps columns"]:
    """The filter that makes ``d^`` of spikes, run from the last step to the first.

    Args:
      weighted: B, errors over norms.
      dt, synapse, tau: as of ``normad``.
    """
    decays, left = synapse.decays(dt), math.exp(-dt / tau)

    def step(state: Any, now: Array) -> tuple[Any, Array]:
        q, both = state
        q = q * left + now
        both, found = trace_step(both, q, decays)
        return (q, both), found

    none = jnp.zeros_like(weighted[0])
    return jax.lax.scan(step, (none, (none, none)), weighted, reverse=True)[1]


def _inverse_norms(d: Array) -> Array:
    squares = jnp.sum(d * d, axis=1)
    return jnp.where(squares > 0.0, jax.lax.rsqrt(jnp.where(squares > 0.0, squares, 1.0)), 0.0)
