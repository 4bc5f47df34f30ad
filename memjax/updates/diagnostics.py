"""What updates did to the devices: pulses, their energy and time, and how well they hit."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.cells import Cell, CellState
from memjax.devices import Device
from memjax.fusion import once

BINS = 32
"""Bins of a histogram of conductances, from Gmin to Gmax."""

_SLICES = 16


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

    A cell's ``shares`` are in proportion to the pulses of either sign.

    Args:
      device: the device.
      cell: the cell.
      state: the cells before the update.
      weight: the weights before it.
      asked: wanted changes in pulses.
      n: signed pulse counts.
      change: what the weights changed by.
    """
    loads = [g + device.g_offset for g in cell.conductances(device, state, weight)]
    signs = jnp.maximum(n, 0.0), jnp.maximum(-n, 0.0)
    fired = [total(part) for part in signs]
    most = [total(part, jnp.maximum, jnp.max) for part in signs]
    number, heat, longest = [], [], []
    for sides in _sides(cell):  # of n's signs, the pulses that each device takes, up, then down
        number.append(sum(f * sum(side) for f, side in zip(fired, sides, strict=True)))
        longest.append(jnp.maximum(*(m * max(side) for m, side in zip(most, sides, strict=True))))
        pairs = [
            part * (load * share)
            for part, side in zip(signs, sides, strict=True)
            for load, share in zip(loads, side, strict=True)
            if share
        ]
        heat.append(total(sum(pairs[1:], pairs[0])) if pairs else jnp.zeros(()))
    size = cell.pulse_size(device)
    return PulseStats(
        fired[0] + fired[1] if asked is n else total(jnp.abs(asked)),
        *number,
        *heat,
        *longest,
        size**2 * total(n * n),
        total((change - n * size) ** 2),
    )


def total(x: Array, add: Any = jnp.add, reduce: Any = jnp.sum) -> Array:
    """The sum of an array. XLA's own does not use a CPU's vectors; a sum of slices does.

    Args:
      x: any shape.
      add, reduce: another operation than addition, of two arrays and of one; of 0, it changes none.
    """
    flat = x.reshape(-1)
    slices = jnp.pad(flat, (0, -flat.size % _SLICES)).reshape(_SLICES, -1)
    return reduce(once(functools.reduce(add, list(slices))))


def _sides(cell: Cell) -> tuple[list[list[float]], list[list[float]]]:
    """Pulses up, and pulses down, that each device takes of one up and of one down."""
    with jax.ensure_compile_time_eval():
        shares = [[float(s) for s in cell.shares(jnp.float32(sign))] for sign in (1.0, -1.0)]
    up, down = ([[max(k * s, 0.0) for s in of] for of in shares] for k in (1.0, -1.0))
    return up, down


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
    _, down = _sides(cell)
    only_up = not any(share for side in down for share in side)
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
