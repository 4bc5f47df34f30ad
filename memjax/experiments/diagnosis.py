"""What pulses did to a lane's devices, layer by layer."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32

from memjax.experiments.base import Column, Coordinate
from memjax.updates import PulsedUpdateState, TransferState
from memjax.updates.diagnostics import BINS, PulseStats, histogram, saturated
from memjax.updates.fire_pulses import cell_structure
from memjax.updates.struct_of_trees import unstack

_LAYER, _BIN = ("layer",), ("layer", "conductance")

COLUMNS = {
    "updates": Column((), "updates", "updates of the weights"),
    "saturated": Column(_LAYER, "1", "devices within half a step of a bound"),
    "pulses": Column(_LAYER, "pulses", "pulses a weight"),
    "wanted_pulses": Column(_LAYER, "pulses", "pulses a weight that gradient descent wanted"),
    "pulses_per_update": Column(_LAYER, "pulses", "pulses a weight and update"),
    "update_snr": Column(_LAYER, "power ratio", "signal over noise of programming"),
    "conductance_before": Column(_BIN, "devices", "devices before training"),
    "conductance_after": Column(_BIN, "devices", "devices after training"),
    "fast_saturated": Column(_LAYER, "1", "devices of the fast array near a bound"),
    "fast_pulses": Column(_LAYER, "pulses", "pulses a weight of the fast array"),
    "energy_J": Column((), "J", "energy of programming"),
    "programming_time_s": Column((), "s", "time of programming"),
    "follows_updates": Column((), "1", "1: pulses are to be what each update wants"),
    "only_trained": Column((), "1", "1: nothing but training moves devices"),
}
"""What diagnostics report.

Of the array that holds the weight (C, where there are two) unless said otherwise; a layer's kernel
and bias are one array. ``wanted_pulses`` is ``|learning_rate gradient| / pulse size`` in total;
``update_snr`` is ``sum (n pulse size)^2 / sum (change - n pulse size)^2``. Energy and time, of all
arrays, are NaN where gmax or the pulses are not known.
"""


def coords(layers: int) -> dict[str, Coordinate]:
    """Layers from 1, and the bins' middles."""
    bins = (np.arange(BINS) + 0.5) / BINS
    return {
        "layer": Coordinate(np.arange(1, layers + 1), long_name="layer"),
        "conductance": Coordinate(bins, "fraction of the range", "(G - Gmin) / (Gmax - Gmin)"),
    }


class _Crossbars(NamedTuple):
    """One array a layer: its pulses and devices."""

    saturated: Array
    pulses: Array
    snr: Array
    conductance: Array
    energy: Array
    time: Array


def diagnose(
    weights: Any, opt_state: Any, wanted: Float32[Array, " layers"]
) -> dict[str, Float32[Array, "..."]]:
    """What ``COLUMNS`` say of a lane so far; ``conductance`` is that of now.

    Args:
      weights: of the network, a kernel and a bias a layer.
      opt_state: of an optimiser with ``diagnostics``.
      wanted: pulses that gradient descent has wanted of each layer.
    """
    layers = len(wanted)
    (slow, held_weights), *others = _arrays(weights, opt_state)
    held = _measure(slow, held_weights, layers)
    fast = [_measure(*array, layers) for array in others]
    none = jnp.full(layers, jnp.nan)
    updates = slow.count.astype(jnp.float32)
    return {
        "updates": updates,
        "saturated": held.saturated,
        "pulses": held.pulses,
        "wanted_pulses": wanted / _sizes(held_weights, layers).sum(axis=1),
        "pulses_per_update": held.pulses / updates,
        "update_snr": held.snr,
        "conductance": held.conductance,
        "fast_saturated": fast[0].saturated if fast else none,
        "fast_pulses": fast[0].pulses if fast else none,
        "energy_J": sum((array.energy for array in fast), held.energy),
        "programming_time_s": sum((array.time for array in fast), held.time),
    }


def _arrays(weights: Any, opt_state: Any) -> list[tuple[PulsedUpdateState, Any]]:
    """The devices that hold the weights, and the weights; then those of a fast array."""
    kinds = (TransferState, PulsedUpdateState)
    nodes = jax.tree.leaves(opt_state, is_leaf=lambda node: isinstance(node, kinds))
    (held,) = (node for node in nodes if isinstance(node, kinds))
    if isinstance(held, PulsedUpdateState):
        return [(held, weights)]
    return [(held.slow, weights if held.c is None else held.c), (held.fast, held.a)]


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
