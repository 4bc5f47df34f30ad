"""What updates did to the devices: pulses, their energy and time, and how well they hit."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.cells import Cell, CellState
from memjax.devices import Device, effects
from memjax.fusion import materialize
from memjax.pulses import Counts

BINS = 32
"""Bins of a histogram of conductances, from Gmin to Gmax."""

_SLICES = 8


class PulseStats(NamedTuple):
    """Sums over all updates so far, of one weight array.

    Attributes:
      pulses: pulses that the weights took, ``|n|``.
      clipped: pulses that were wanted beyond the most that the scheme fires, ``|wanted| / pulse
        size - most``: a share of ``clipped / (pulses + clipped)``; NaN where counts were delivered.
      signal, noise: ``(n pulse size)^2``, and the square of what the change missed it by.
      energy: of programming, ``V^2 G t`` of every pulse on every device, in joules; NaN where the
        device's ``gmax`` or pulses are not known.
      time: of programming, in seconds: the array's longest train of an update up and the longest
        down, one after the other; NaN where the width of a pulse is not known.
    """

    pulses: Float[Array, ""]
    clipped: Float[Array, ""]
    signal: Float[Array, ""]
    noise: Float[Array, ""]
    energy: Float[Array, ""]
    time: Float[Array, ""]


def no_pulses(device: Device) -> PulseStats:
    """Nothing yet.

    Args:
      device: the device, which says what can be known.
    """
    zero, unknown = jnp.zeros(()), jnp.full((), jnp.nan)
    energy = zero if device.knows_energy else unknown
    return PulseStats(zero, zero, zero, zero, energy, zero if device.knows_time else unknown)


def count_pulses(
    device: Device,
    cell: Cell,
    state: CellState,
    weight: Array,
    *,
    counts: Counts,
    change: Array,
) -> PulseStats:
    """One update's part of the sums.

    Args:
      device: the device.
      cell: the cell.
      state: the cells before the update.
      weight: the weights before it.
      counts: signed pulse counts.
      change: what the weights changed by, without what the first programming missed them by.
    """
    size = cell.pulse_size(device)
    n = materialize(
        counts.n
    )  # here alone: what computes the weights stays as it is without diagnostics
    taken = cell.shares(n)
    counted = no_pulses(device)._replace(
        pulses=total(jnp.abs(n)),
        clipped=jnp.full((), jnp.nan) if counts.clipped is None else counts.clipped,
        signal=size**2 * total(n * n),
        noise=total((change - n * size) ** 2),
    )
    if device.knows_energy:
        held = cell.conductances(device, state, weight)
        heat = [device.energy(share, g) for share, g in zip(taken, held, strict=True)]
        counted = counted._replace(energy=total(sum(heat[1:], heat[0])))
    if device.knows_time:
        longest = [
            jnp.max(_folded(functools.reduce(jnp.maximum, sides), jnp.maximum), initial=0.0)
            for sides in (taken, [-share for share in taken])
        ]
        counted = counted._replace(time=device.time(*longest))
    return counted


def total(x: Array) -> Array:
    """The sum of an array: XLA's own does not use a CPU's vectors, a sum of its slices does."""
    return jnp.sum(_folded(x, jnp.add))


def _folded(x: Array, add: Callable[[Array, Array], Array]) -> Array:
    """An array's slices of rows in one."""
    height = x.shape[0] // _SLICES if x.ndim > 1 else 0
    if not height or x.shape[0] % _SLICES:
        return x
    slices = (x[k * height : (k + 1) * height] for k in range(_SLICES))
    return materialize(functools.reduce(add, slices))


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
        own = effects.model_array(array)
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
