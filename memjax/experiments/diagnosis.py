"""What pulses did to a lane's devices, layer by layer."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32

from memjax.devices import Device, pulse_response
from memjax.experiments import update_probe
from memjax.experiments.base import Column, Coordinate
from memjax.updates import PulsedUpdateState, TransferState
from memjax.updates.diagnostics import BINS, PulseStats, histogram, saturated
from memjax.updates.fire_pulses import cell_structure
from memjax.updates.struct_of_trees import unstack

_LAYER, _BIN = ("layer",), ("layer", "conductance")
_PAIR_BINS = 16
_QUANTILES = (0.05, 0.5, 0.95)
_POPULATION = 64  # devices of a response
_TRAINS = 48  # up, and as many down
_ACROSS = 32  # trains that lead from Gmin to Gmax, where there are more levels

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
    "update_pairs": Column(
        ("layer", "wanted", "realised"), "updates of a weight", "updates, wanted and realised"
    ),
    "update_errors": Column(("layer", "error"), "updates of a weight", "updates by their error"),
    "pairs": Column(("layer", "g_plus", "g_minus"), "pairs", "pairs after training"),
    "response": Column(
        ("quantile", "train"), "fraction of the range", "conductance of a population"
    ),
    "response_pulses": Column((), "pulses", "pulses a train of the response"),
    "only_trained": Column((), "1", "1: nothing but training moves devices"),
}
"""What diagnostics report.

Of the array that holds the weight (C, where there are two) unless said otherwise; a layer's kernel
and bias are one array. ``wanted_pulses`` is ``|learning_rate gradient| / pulse size`` in total;
``update_snr`` is ``sum (n pulse size)^2 / sum (change - n pulse size)^2``. Energy and time, of all
arrays, are NaN where gmax or the pulses are not known. ``update_pairs`` and ``update_errors`` are
of the next ``update_probe.UPDATES`` updates after training, of the array that gradients drive (A,
where there are two), in pulses; ``pairs`` are NaN where a weight is not made of two devices. The
response is that of fresh devices of the lane, from Gmin: trains up, then as many down.
"""


def coords(layers: int) -> dict[str, Coordinate]:
    """Layers from 1, and the bins' middles."""
    bins, coarse = ((np.arange(n) + 0.5) / n for n in (BINS, _PAIR_BINS))
    return {
        "layer": Coordinate(np.arange(1, layers + 1), long_name="layer"),
        "conductance": Coordinate(bins, _RANGE, "(G - Gmin) / (Gmax - Gmin)"),
        "wanted": Coordinate(update_probe.middles(), "pulses", "wanted change of a weight"),
        "realised": Coordinate(update_probe.middles(), "pulses", "realised change of a weight"),
        "error": Coordinate(update_probe.middles(), "pulses", "realised less wanted change"),
        "g_plus": Coordinate(coarse, _RANGE, "G+ of a pair"),
        "g_minus": Coordinate(coarse, _RANGE, "G- of a pair"),
        "quantile": Coordinate(np.array(_QUANTILES), "1", "part of the devices"),
        "train": Coordinate(np.arange(2 * _TRAINS + 1), "1", "trains of pulses, up, then down"),
    }


_RANGE = "fraction of the range"


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


def driven(weights: Any, opt_state: Any) -> Any:
    """The weights of the array that gradients drive, A where there are two."""
    return _arrays(weights, opt_state)[-1][1]


def without_choppers(opt_state: Any) -> Any:
    """The same, with all rows of A taking gradients as they are."""

    def plain(node: Any) -> Any:
        if not isinstance(node, TransferState) or node.chopper is None:
            return node
        return node._replace(chopper=jax.tree.map(jnp.ones_like, node.chopper))

    return jax.tree.map(plain, opt_state, is_leaf=lambda node: isinstance(node, TransferState))


def pairs(weights: Any, opt_state: Any, layers: int) -> Float32[Array, "layers plus minus"]:
    """Pairs by the conductances of their two devices; NaN where a cell has not two."""
    devices, held = _arrays(weights, opt_state)[0]
    leaves, treedef = jax.tree.flatten(held)
    states = unstack(devices.cells, treedef, cell_structure(devices.device, devices.cell))
    found = jnp.zeros((layers, _PAIR_BINS, _PAIR_BINS))
    for number, (state, leaf) in enumerate(zip(states, leaves, strict=True)):
        held_by = devices.cell.conductances(devices.device, state, leaf)
        if len(held_by) != 2:
            return jnp.full_like(found, jnp.nan)
        plus, minus = (
            jnp.clip(jnp.floor(g * _PAIR_BINS), 0, _PAIR_BINS - 1).astype(jnp.int32).reshape(-1)
            for g in held_by
        )
        found = found.at[number * layers // len(leaves), plus, minus].add(1.0)
    return found


def response(device: Device) -> dict[str, Float32[Array, "..."]]:
    """Conductances of a population under trains of pulses up, then down, by their quantiles.

    Args:
      device: its parameters.
    """
    pulses = jnp.ceil(1.0 / (_ACROSS * jnp.float32(device.mean_step)) - 1e-3)
    pulses = jnp.clip(pulses, 1.0, 1e6)
    keys = jax.random.split(jax.random.key(1), _POPULATION)
    g = jax.vmap(lambda key: pulse_response(device, _TRAINS, _TRAINS, train=pulses, key=key))(keys)
    return {"response": jnp.quantile(g, jnp.array(_QUANTILES), axis=0), "response_pulses": pulses}
