"""What every transform refuses, in one line."""

from typing import Any

import jax
import jax.numpy as jnp

from memjax.cells import Cell, ReferenceCell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.pulses import Counts


def check_device(who: str, device: Any) -> None:
    """Raises ``UserError`` for what is no device."""
    if not isinstance(device, Device):
        raise UserError(
            f"{who}: device = {device!r} is no device; try memjax.devices.ConstantStep()"
        )


def checked_cell(who: str, device: Any, cell: Any, key: Any) -> Cell:
    """The cell, ``ReferenceCell()`` where there is none.

    Raises:
      UserError: there is no device, no cell, or no key, or more than one.
    """
    check_device(who, device)
    typed = hasattr(key, "dtype") and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    if not typed or key.shape:
        given = f"keys of shape {key.shape}" if typed else repr(key)
        raise UserError(
            f"{who}: key = {given} must be one typed key, such as jax.random.key(0); for "
            "several variants use vmap over init"
        )
    cell = ReferenceCell() if cell is None else cell
    if not isinstance(cell, Cell):
        raise UserError(f"{who}: cell = {cell!r} is no cell; try memjax.cells.ReferenceCell()")
    check_polarity(who, device, cell)
    cell.check(device)
    return cell


def check_polarity(who: str, device: Device, cell: Cell) -> None:
    """Raises ``UserError`` for a device of one polarity in a cell that depresses devices."""
    if device.polarity == "up" and not cell.refreshes:
        raise UserError(
            f"{who}: a device of polarity = 'up' is not depressed by pulses, which a "
            f"{type(cell).__name__} needs; take RefreshPair(), in a specification cell.kind = "
            '"refresh_pair"'
        )


def wanted_changes(who: str, updates: Any) -> Any:
    """The updates.

    Raises:
      UserError: some of them are ``Counts``, of which no pulses can be made.
    """
    nodes = jax.tree.leaves(updates, is_leaf=lambda node: isinstance(node, Counts))
    if any(isinstance(node, Counts) for node in nodes):
        raise UserError(f"{who}: it makes pulses of gradients itself; give no Counts")
    return updates
