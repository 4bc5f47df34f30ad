"""A cell of several devices: programmed, and pulsed, all of them or one that is chosen."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.cells.base import CellState
from memjax.devices import Device
from memjax.devices.bounds import clip_to_bounds
from memjax.fusion import materialize


def program(device: Device, stream: random.Stream, wanted: Sequence[Array]) -> CellState:
    """Fabricates cells and programs each device as nearly as its bounds allow.

    Args:
      device: the device that the cells are made of.
      stream: random stream of the weight array.
      wanted: normalised conductances, an array a device.
    """
    made = [device.init(random.fold_in(stream, k), g) for k, g in enumerate(wanted)]
    return CellState(*zip(*made, strict=True))


def pulse_one(
    device: Device,
    state: CellState,
    chosen: Array,
    n: Array,
    stream: random.Stream,
    *,
    exact_noise: bool,
) -> CellState:
    """Fires ``n`` pulses at device number ``chosen`` of each cell; the others get none.

    Devices that nothing but pulses changes, and those in the conductance alone, are gathered first,
    so that a cell of many devices draws one random number and makes one step a weight, as a cell of
    one does.

    Args:
      device: the device that the cells are made of.
      state: the cells' state.
      chosen: a number below the cell's number of devices, a scalar or one a weight.
      n: signed pulse counts of the weights' shape.
      stream: random stream of this update.
      exact_noise: exact normal numbers instead of the fast ones (static).
    """
    if device.has_memory:
        each = [jnp.where(chosen == k, n, 0.0) for k in range(len(state.devices))]
        return pulse_all(device, state, each, stream, exact_noise=exact_noise)
    array, g = pick(chosen, state)

    def noise(purpose: int) -> Array:
        return random.normal(random.fold_in(stream, purpose), n.shape, exact=exact_noise)

    _, change = device.advance(array, g, n, noise)
    change = materialize(clip_to_bounds(array, g + change) - g)
    conductances = tuple(
        old + jnp.where(chosen == k, change, 0.0) for k, old in enumerate(state.conductances)
    )
    return state._replace(conductances=conductances)


def pick(chosen: Array, state: CellState) -> tuple[Any, Array]:
    """Device number ``chosen`` of each cell, and its conductance.

    Args:
      chosen: a number below the cell's number of devices, a scalar or one a weight.
      state: the cells' state.
    """
    weights = jnp.ndim(state.conductances[0])

    def choose(first: Array, *others: Array) -> Array:
        if jnp.ndim(first) < weights:  # a scalar: the same for all devices
            return first
        for k, other in enumerate(others, 1):
            first = jnp.where(chosen == k, other, first)
        return first

    return jax.tree.map(choose, *state.devices), choose(*state.conductances)


def pulse_all(
    device: Device,
    state: CellState,
    counts: Sequence[Array],
    stream: random.Stream,
    *,
    exact_noise: bool,
) -> CellState:
    """Fires signed pulses at every device of each cell.

    Args:
      device: the device that the cells are made of.
      state: the cells' state.
      counts: signed pulse counts, an array a device.
      stream: random stream of this update.
      exact_noise: exact normal numbers instead of the fast ones (static).
    """
    number, moved = len(counts), []
    for k, (array, g, n) in enumerate(zip(state.devices, state.conductances, counts, strict=True)):

        def noise(purpose: int, k: int = k, n: Array = n) -> Array:
            own = random.fold_in(stream, number * purpose + k)
            return random.normal(own, n.shape, exact=exact_noise)

        array, change = device.advance(array, g, n, noise)
        moved.append((array, materialize(clip_to_bounds(array, g + change))))
    return CellState(*zip(*moved, strict=True))
