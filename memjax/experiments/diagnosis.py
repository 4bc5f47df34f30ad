"""What pulses did to a lane's devices, layer by layer."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32

from memjax.experiments.lane import LaneState, Program, Variant
from memjax.updates import PulsedUpdateState, TransferState
from memjax.updates.diagnostics import PulseStats, histogram, saturated
from memjax.updates.fire_pulses import cell_structure
from memjax.updates.struct_of_trees import unstack


class Diagnosis(NamedTuple):
    """A lane's pulses and devices so far; NaN once the lane is not finite.

    Of the array that holds the weight (C, where there are two) unless said otherwise; a layer's
    kernel and bias are one array.

    Attributes:
      updates: updates of the weights.
      saturated: fraction of devices less than half a step from a bound that pulses drive them to.
      pulses: pulses a weight in total.
      wanted_pulses: the same of ``|learning_rate gradient| / pulse size``.
      pulses_per_update: pulses a weight and update.
      update_snr: ``sum (n pulse size)^2 / sum (change - n pulse size)^2``.
      conductance: devices by their normalised conductance.
      fast_saturated, fast_pulses: of the fast array; NaN where there is none.
      energy_J, programming_time_s: of all arrays; NaN where gmax or the pulses are not known.
    """

    updates: Float32[Array, ""]
    saturated: Float32[Array, " layers"]
    pulses: Float32[Array, " layers"]
    wanted_pulses: Float32[Array, " layers"]
    pulses_per_update: Float32[Array, " layers"]
    update_snr: Float32[Array, " layers"]
    conductance: Float32[Array, "layers bins"]
    fast_saturated: Float32[Array, " layers"]
    fast_pulses: Float32[Array, " layers"]
    energy_J: Float32[Array, ""]
    programming_time_s: Float32[Array, ""]


class _Crossbars(NamedTuple):
    """One array a layer: its pulses and devices."""

    saturated: Array
    pulses: Array
    snr: Array
    conductance: Array
    energy: Array
    time: Array


def diagnose(program: Program, variant: Variant, state: LaneState) -> Diagnosis:
    """The diagnosis of a lane of a program with ``diagnostics``.

    Args:
      program: the compiled part.
      variant: the swept part.
      state: the lane.
    """
    del variant  # the optimiser's state has all of it
    layers = len(program.sizes) - 1
    (slow, weights), *others = _arrays(state)
    held = _measure(slow, weights, layers)
    fast = [_measure(*array, layers) for array in others]
    none = jnp.full(layers, jnp.nan)
    updates = slow.count.astype(jnp.float32)
    found = Diagnosis(
        updates=updates,
        saturated=held.saturated,
        pulses=held.pulses,
        wanted_pulses=jnp.asarray(state.wanted) / _sizes(weights, layers).sum(axis=1),
        pulses_per_update=held.pulses / updates,
        update_snr=held.snr,
        conductance=held.conductance,
        fast_saturated=fast[0].saturated if fast else none,
        fast_pulses=fast[0].pulses if fast else none,
        energy_J=sum((array.energy for array in fast), held.energy),
        programming_time_s=sum((array.time for array in fast), held.time),
    )
    return jax.tree.map(lambda value: jnp.where(state.finite, value, jnp.nan), found)


def _arrays(state: LaneState) -> list[tuple[PulsedUpdateState, Any]]:
    """The devices that hold the weights, and the weights; then those of a fast array."""
    kinds = (TransferState, PulsedUpdateState)
    nodes = jax.tree.leaves(state.opt_state, is_leaf=lambda node: isinstance(node, kinds))
    (held,) = (node for node in nodes if isinstance(node, kinds))
    if isinstance(held, PulsedUpdateState):
        return [(held, state.params)]
    return [(held.slow, state.params if held.c is None else held.c), (held.fast, held.a)]


def _sizes(weights: Any, layers: int) -> Array:
    """Weights of every layer's bias and kernel, ``[layers, 2]``."""
    return jnp.array([float(w.size) for w in jax.tree.leaves(weights)]).reshape(layers, -1)


def _measure(devices: PulsedUpdateState, weights: Any, layers: int) -> _Crossbars:
    device, cell = devices.device, devices.cell
    leaves, treedef = jax.tree.flatten(weights)
    states = unstack(devices.cells, treedef, cell_structure(device, cell))
    pairs = list(zip(states, leaves, strict=True))

    def by_layer(values: list[Array]) -> Array:
        return jnp.stack(values).reshape(layers, -1, *values[0].shape)

    sizes = _sizes(weights, layers)
    stats = PulseStats(*(by_layer(jax.tree.leaves(tree)) for tree in devices.stats or ()))
    is_saturated = by_layer([saturated(device, cell, *pair) for pair in pairs])
    counts = by_layer([histogram(device, cell, *pair) for pair in pairs])
    number = sizes.sum(axis=1)
    return _Crossbars(
        saturated=(is_saturated * sizes).sum(axis=1) / number,
        pulses=stats.pulses.sum(axis=1) / number,
        snr=stats.signal.sum(axis=1) / stats.noise.sum(axis=1),
        conductance=counts.sum(axis=1),
        energy=stats.energy.sum(),
        time=stats.time.max(axis=1).sum(),  # kernel and bias are pulsed at once
    )
