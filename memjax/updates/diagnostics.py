"""What updates did to the devices: pulses, their energy and time, and how well they hit."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.cells import Cell, CellState
from memjax.devices import Device

BINS = 32
"""Bins of a histogram of conductances, from Gmin to Gmax."""


class PulseStats(NamedTuple):
    """Sums over all updates so far, of one weight array.

    Attributes:
      asked: wanted changes, ``|wanted| / pulse size``; pulses, where those were delivered.
      up, down: pulses that devices took, of potentiation and of depression.
      load_up, load_down: the same, each times its device's conductance over ``Gmax - Gmin``.
      longest_up, longest_down: the most that any device took in an update: a row or a whole array
        is pulsed at once.
      signal, noise: ``(n pulse size)^2``, and the square of what the change missed it by.
    """

    asked: Float[Array, ""]
    up: Float[Array, ""]
    down: Float[Array, ""]
    load_up: Float[Array, ""]
    load_down: Float[Array, ""]
    longest_up: Float[Array, ""]
    longest_down: Float[Array, ""]
    signal: Float[Array, ""]
    noise: Float[Array, ""]


def no_pulses() -> PulseStats:
    """Nothing yet."""
    return PulseStats(*(jnp.zeros(()) for _ in PulseStats._fields))


def count_pulses(
    device: Device,
    cell: Cell,
    state: CellState,
    weight: Array,
    *,
    asked: Array,
    n: Array,
    change: Array,
) -> PulseStats:
    """One update's part of the sums.

    Args:
      device: the device.
      cell: the cell.
      state: the cells before the update.
      weight: the weights before it.
      asked: wanted changes in pulses.
      n: signed pulse counts.
      change: what the weights changed by.
    """
    shares = cell.shares(n)
    loads = [g + device.g_offset for g in cell.conductances(device, state, weight)]
    sides = [([jnp.maximum(sign * share, 0.0) for share in shares]) for sign in (1.0, -1.0)]
    fired = [sum(jnp.sum(side) for side in of) for of in sides]
    heated = [
        sum(jnp.sum(side * load) for side, load in zip(of, loads, strict=True)) for of in sides
    ]
    longest = [jnp.max(jnp.stack([jnp.max(side, initial=0.0) for side in of])) for of in sides]
    meant = n * cell.pulse_size(device)
    return PulseStats(
        jnp.sum(jnp.abs(asked)),
        *fired,
        *heated,
        *longest,
        jnp.sum(meant**2),
        jnp.sum((change - meant) ** 2),
    )


def energy_and_time(device: Device, stats: PulseStats) -> tuple[Any, Any]:
    """Joules and seconds of programming: ``sum of V^2 G t`` over pulses, and of t over trains.

    NaN where the device's ``gmax`` or pulses are not known.

    Args:
      device: the device.
      stats: of its updates; any shape.
    """
    pulses = device.voltage_up, device.voltage_down, device.width_up, device.width_down
    if device.gmax is None or any(part is None for part in pulses):
        unknown = jnp.full_like(stats.up, jnp.nan)
        return unknown, unknown
    span = device.gmax * (1.0 - 1.0 / device.on_off)
    # In float32, V^2 G t of a pulse may be below the smallest normal number; the sums are not.
    up = device.voltage_up**2 * span * (device.width_up * stats.load_up)  # type: ignore[operator]
    down = device.voltage_down**2 * span * (device.width_down * stats.load_down)  # type: ignore[operator]
    time = device.width_up * stats.longest_up + device.width_down * stats.longest_down  # type: ignore[operator]
    return up + down, time


def saturated(device: Device, cell: Cell, state: CellState, weight: Array) -> Array:
    """The fraction of devices less than half a step from a bound that pulses drive them to.

    A device that is only potentiated has the upper one alone.

    Args:
      device: the device.
      cell: the cell.
      state: its cells.
      weight: the weights that they hold.
    """
    with jax.ensure_compile_time_eval():
        only_up = all(bool(jnp.all(s >= 0)) for s in cell.shares(jnp.array([1.0, -1.0])))
    half, found = 0.5 * device.nominal_step, []
    for array, g in zip(state.devices, cell.conductances(device, state, weight), strict=True):
        own = getattr(array, "array", array)
        at_top, at_bottom = own.g_max - g < half, g - own.g_min < half
        found.append(jnp.mean((at_top if only_up else at_top | at_bottom).astype(jnp.float32)))
    return sum(found[1:], found[0]) / len(found)


def histogram(device: Device, cell: Cell, state: CellState, weight: Array) -> Array:
    """Devices by their conductance, ``BINS`` equal bins from Gmin to Gmax; the outer ones are open.

    Args:
      device: the device.
      cell: the cell.
      state: its cells.
      weight: the weights that they hold.
    """
    counts = jnp.zeros(BINS)
    for g in cell.conductances(device, state, weight):
        place = jnp.clip(jnp.floor(g * BINS), 0, BINS - 1).astype(jnp.int32)
        counts = counts.at[place.reshape(-1)].add(1.0)
    return counts
