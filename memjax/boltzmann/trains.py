"""Trains of pulses on rows and columns in place of a gradient."""

from typing import Any

import jax.numpy as jnp

from memjax import random
from memjax.boltzmann.machine import Machine, Parameters
from memjax.boltzmann.phases import Phases
from memjax.pulses import OuterProduct


def counts(
    machine: Machine, phases: Phases, stream: random.Stream, pulses: OuterProduct, rate: Any
) -> Parameters:
    """Pulses down by trains on rows and columns, whose coincidences make the outer products.

    Each state is a sample of its own: the visible units and a 1 drive rows, the hidden units
    drive columns, with a minus where the state is the machine's. Biases of visible units are
    another column, driven by the 1.

    Args:
      machine: whose states they are.
      phases: what ``phases`` returned.
      stream: random stream of this update.
      pulses: the trains (static).
      rate: pulses for a unit of gradient: learning rate over pulse size.

    Returns:
      A tree like ``params``, to be descended as ``memjax.coincidence_sgd`` descends.
    """
    data, model = phases
    sign = jnp.repeat(jnp.array([1.0, -1.0]), data.hidden.shape[1])[:, None]
    visible = [jnp.concatenate(both, 1).T for both in zip(data.visible, model.visible, strict=True)]
    hidden = jnp.concatenate([data.hidden, model.hidden], 1).T * sign
    rate = jnp.asarray(rate / data.hidden.shape[1], jnp.float32)
    rows = (*visible, jnp.ones_like(sign))
    *kernels, hidden_bias = pulses.count(random.fold_in(stream, 0), rows, hidden, rate)
    biases = pulses.count(random.fold_in(stream, 1), tuple(visible), sign, rate)
    found = {"hidden_bias": -hidden_bias[0]}
    for group, kernel, bias in zip(machine.groups, kernels, biases, strict=True):
        found |= {group.kernel: -kernel, group.bias: -bias[:, 0]}
    return found
