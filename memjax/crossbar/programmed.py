"""Crossbars that were programmed: with errors and stuck devices, and as time leaves them."""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.crossbar.access import behind
from memjax.crossbar.array import Array as CrossbarArray
from memjax.crossbar.crossbar import Crossbar
from memjax.crossbar.drift import Drift
from memjax.crossbar.faults import Faults
from memjax.crossbar.mapping import decoding
from memjax.crossbar.programming import Exact, Programming, Writing
from memjax.crossbar.wires import Wires, effective
from memjax.errors import UserError
from memjax.pytree import Leaf, params, static


@params
class Cells:
    """What the devices of an array do beyond holding their targets: nothing, by default.

    In this order: programming, faults, and at each time drift and the noise of a read. What a
    matrix wants of the devices, their levels too, is the ``Array``'s.

    Attributes:
      programming: the error of what is programmed.
      faults: stuck devices.
      drift: what time does.
    """

    programming: Programming = Exact()
    faults: Faults = Faults()
    drift: Drift = Drift()
    compensation: bool = static(
        default=False, doc="scale the outputs of a tile by what all its devices have lost to drift"
    )

    def __post_init__(self) -> None:
        for name, kind in (("programming", Programming), ("faults", Faults), ("drift", Drift)):
            if not isinstance(given := getattr(self, name), kind):
                raise UserError(
                    f"Cells: {name} = {given!r} must be a {kind.__name__} of memjax.crossbar, such "
                    f"as {_SUCH_AS[name]}"
                )


_SUCH_AS = {"programming": "PCM()", "faults": "Faults(stuck_hrs=0.01)", "drift": "PCMDrift()"}


class Programmed(NamedTuple):
    """A crossbar as it was programmed.

    Attributes:
      crossbar: with the conductances at the end of programming.
      nu: the drift exponent of each device.
      seen: the crossbar that products are made by: at a time, and through wires.
      writing: what its pulses took, where it was written with verification; devices that are stuck
        are counted as if they moved.
    """

    crossbar: Crossbar
    nu: Array
    seen: Crossbar
    writing: Writing | None = None


def program(crossbar: Crossbar, cells: Cells, stream: random.Stream) -> Programmed:
    """Programs a crossbar.

    Args:
      crossbar: with the targets.
      cells: its devices.
      stream: random stream of the crossbar; what is drawn from it is for life.
    """
    targets, array = crossbar.g, crossbar.array
    gmin = jnp.asarray(array.gmin, jnp.float32)
    own = [random.fold_in(stream, purpose) for purpose in range(3)]
    reached, took = cells.programming.program_cells(
        own[1], targets, crossbar.is_cell, gmin=gmin, gmax=array.gmax
    )
    stuck = cells.faults.stuck(own[0], targets.shape)
    g = stuck.held(reached, gmin=gmin)
    nu = jnp.where(
        stuck.at_gmax | stuck.at_gmin, 0.0, cells.drift.exponents(own[2], targets)
    )  # stuck for life
    made = crossbar.replace(g=_of_cells(crossbar, g))
    return Programmed(made, nu, made, took)


def seen_at(
    programmed: Programmed,
    cells: Cells,
    wires: Wires | None,
    time: Leaf | None,
    stream: random.Stream,
) -> Programmed:
    """A crossbar as it is read at a time: one draw of the noise of reads, kept for this time.

    Args:
      programmed: the crossbar.
      cells: its devices.
      wires: of its tiles, or ``None``.
      time: seconds from the end of programming; ``None``: nothing has drifted yet.
      stream: random stream of the crossbar at this time.
    """
    before = now = programmed.crossbar
    compensates = cells.compensation and time is not None
    if compensates and before.array.mapping == "offset":
        raise UserError(
            "compensation: mapping = 'offset' subtracts a number that does not drift; take pairs "
            "or mapping = 'unit_column'"
        )
    if time is not None:
        g = cells.drift.seen(stream, before.g, programmed.nu, time)
        now = before.replace(g=_of_cells(before, g))
    if wires is not None:
        now = wired(now, wires)
        before = wired(before, wires) if compensates else before
    if compensates:
        now = now.replace(limit=now.limit * _lost(before, now))
    return programmed._replace(seen=now)


def wired(crossbar: Crossbar, wires: Wires) -> Crossbar:
    """A crossbar as its wires leave it: each tile's conductances are those of ``effective``.

    A tile ends where its cells end: its last row is next to the converters. Access transistors are
    part of the matrix that is found.

    Args:
      crossbar: of linear cells.
      wires: of a topology without gates; interleaved ones take both devices of a pair.

    Raises:
      UserError: wires that the array cannot have (``check_wires``), or a topology that gates its
        rows.
    """
    array = crossbar.array
    check_wires(array, wires)
    gmax = jnp.asarray(array.gmax, jnp.float32)
    down = [max(crossbar.tiles.rows) - rows for rows in crossbar.tiles.rows]
    g = _rolled(behind(array, crossbar.g, gmax), down) * gmax
    if wires.is_interleaved:
        pairs = jnp.moveaxis(g, 1, -3)  # [slices, tiles, tiles, 2, rows, columns]
        seen = _each(pairs, wires, 3)
        seen = jnp.stack([seen, jnp.zeros_like(seen)], axis=1)
    else:
        seen = _each(g, wires, 2)
    if array.r_access is not None:
        crossbar = crossbar.replace(array=dataclasses.replace(array, r_access=None))
    return crossbar.replace(g=_of_cells(crossbar, _rolled(seen / gmax, [-d for d in down])))


def check_wires(array: CrossbarArray, wires: Wires) -> None:
    """Refuses wires that an array cannot have.

    Args:
      array: how matrices are held.
      wires: of its tiles.

    Raises:
      UserError: interleaved wires where weights are no pairs, a unit column, cells that are not
        linear, or wires that are approximated too.
    """
    if array.iv != "linear":
        raise UserError(
            f"wires: cells of iv = {array.iv!r} are no matrix behind wires; leave iv out, or solve "
            "input by input: memjax.crossbar.currents(G, volts, wires, law=array.amperes)"
        )
    if array.ir_drop is not None:
        raise UserError(
            "wires: ir_drop approximates what wires lose exactly, and would take it twice; leave "
            "out one of them"
        )
    if wires.is_interleaved and not array.is_pair:
        raise UserError(
            f"wires: topology = {wires.topology!r} joins the devices of pairs; mapping = "
            f"{array.mapping!r} has none"
        )
    if array.mapping == "unit_column":
        raise UserError(
            "wires: mapping = 'unit_column' has a column of its own, whose place on the wires is "
            "not modelled; take 'differential' or 'offset'"
        )


def _rolled(g: Array, by: list[int]) -> Array:
    """The rows of each tile along the inputs, moved down."""
    if not any(by):
        return g
    return jnp.stack([jnp.roll(g[:, :, i], n, axis=-2) for i, n in enumerate(by)], axis=2)


def _each(g: Array, wires: Wires, rank: int) -> Array:
    """``effective`` of every tile, one after the other: a processor's cache holds one."""
    lead = g.shape[: g.ndim - rank]
    found = jax.lax.map(lambda tile: effective(tile, wires), g.reshape(-1, *g.shape[-rank:]))
    return found.reshape(*lead, *found.shape[1:])


def _lost(before: Crossbar, now: Crossbar) -> Any:
    """What the products of a tile are to be multiplied by: the mean magnitude of its columns then
    and now, each column read by one input at a time."""
    sums = []
    for crossbar in (before, now):
        g = behind(crossbar.array, crossbar.g, crossbar.array.gmax)
        seen = g[:, 0] - (g[:, 1] if crossbar.array.is_pair else g[:, 0, ..., -1:])
        factor = decoding(crossbar.array).factor.reshape(-1, 1, 1, 1, 1)
        sums.append(jnp.mean(jnp.abs(jnp.sum(factor * seen, axis=0)), axis=(-2, -1)))
    ratio = sums[0] / jnp.maximum(sums[1], 1e-4 * sums[0] + 1e-30)
    return ratio[..., None, None]


def _of_cells(crossbar: Crossbar, g: Array) -> Array:
    """Conductances of cells; padding stays at 0."""
    return jnp.where(crossbar.is_cell, g, 0.0)
