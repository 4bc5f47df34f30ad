"""The arrays of a network's layers, out of an optimiser's state: what they multiply by."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from memjax import random
from memjax.cells import Cell
from memjax.crossbar import InSituArray
from memjax.crossbar.array_dense import Backward
from memjax.crossbar.state import CrossbarState
from memjax.devices import Device
from memjax.updates.fire_pulses import PulsedUpdateState
from memjax.updates.transfer import TransferState


class LayerArray(NamedTuple):
    """What a layer and its errors are multiplied by.

    Attributes:
      forward: the array; a bias is its last row.
      backward: the transposed array, or weights.
    """

    forward: CrossbarState
    backward: Backward


def layer_arrays(
    array: InSituArray,
    device: Device,
    cell: Cell,
    opt_state: Any,
    weights: list[dict[str, jax.Array]],
    stream: random.Stream,
) -> list[LayerArray]:
    """One a layer.

    Args:
      array: how products are made.
      device: of the weights.
      cell: of the weights.
      opt_state: of an optimiser with devices.
      weights: a kernel a layer, and a bias where it has one.
      stream: random stream of what is drawn for life.
    """
    found = []
    for number, (layer, held) in enumerate(
        zip(weights, held_conductances(opt_state, weights), strict=True)
    ):
        g = held["kernel"]
        if "bias" in held:
            rows = [bias[None, :] for bias in held["bias"]]
            g = tuple(map(jnp.concatenate, zip(g, rows, strict=True)))
        own = random.fold_in(stream, number)
        forward = array.forward(device, cell, g, own)
        found.append(LayerArray(forward, array.back(device, cell, layer["kernel"], g, own)))
    return found


def held_conductances(opt_state: Any, weights: Any) -> Any:
    """Normalised conductances of the array that holds the weights, of C where there are two.

    Args:
      opt_state: of an optimiser with devices.
      weights: a tree of the weights.

    Returns:
      A tree like ``weights`` with a tuple in place of each array, one a device of the cell.
    """
    kinds = (TransferState, PulsedUpdateState)
    nodes = jax.tree.leaves(opt_state, is_leaf=lambda node: isinstance(node, kinds))
    (held,) = (node for node in nodes if isinstance(node, kinds))
    if isinstance(held, PulsedUpdateState):
        return held.normalised_conductances(weights)
    return held.slow.normalised_conductances(weights if held.c is None else held.c)
