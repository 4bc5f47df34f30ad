"""Variants side by side: devices of one model as one, a leading dimension on every leaf."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from memjax.devices.base import Device
from memjax.errors import UserError

_LONGEST = 4097  # entries of a table along a dimension


def stack(devices: Sequence[Device]) -> Device:
    """Devices of one model, ready for ``vmap``: every leaf gains a leading dimension.

    Tables of unlike length are drawn on their least common grid, which changes nothing between
    their entries, since they are interpolated linearly; so lanes with different tables share a
    shape and a compilation.

    Args:
      devices: of one model, with the same effects present and the same choices.

    Raises:
      UserError: none, or of different models, or no common grid of at most 4,097 entries.

    Example:
      >>> import jax
      >>> from memjax.devices import PiecewiseStep, pulse_response, stack
      >>> both = stack([
      ...     PiecewiseStep(levels=11, up_nodes=[2, 1]),
      ...     PiecewiseStep(levels=11, up_nodes=[1, 2, 1]),
      ... ])
      >>> both.up_nodes.tolist()
      [[2.0, 1.5, 1.0], [1.0, 2.0, 1.0]]
      >>> g = jax.vmap(lambda device: pulse_response(device, 1, 0)[1])(both)
      >>> [round(float(after), 4) for after in g]
      [0.2, 0.1]
    """
    if not devices:
        raise UserError("stack: there are no devices; give at least one")
    devices = [_on_grids(device, devices) for device in devices]
    structures = {jax.tree.structure(device) for device in devices}
    if len(structures) > 1:
        raise UserError(
            "stack: the devices differ in their model, in a choice such as c2c, or in the effects "
            "that they have; give an absent effect the value 0"
        )
    return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(x) for x in leaves]), *devices)


def _on_grids(device: Device, devices: Sequence[Device]) -> Device:
    """The device with each of its tables as long as the least common grid of all devices'."""
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(device):
        if rank := field.metadata.get("rank"):
            entries = np.asarray(getattr(device, field.name), np.float64)
            shapes = [np.shape(getattr(other, field.name, entries)) for other in devices]
            for axis in range(rank):
                gaps = math.lcm(*(shape[axis] - 1 for shape in shapes))
                if gaps >= _LONGEST:
                    lengths = sorted({shape[axis] for shape in shapes})
                    raise UserError(
                        f"stack: {field.name} of {lengths} entries have no common grid of at most "
                        f"{_LONGEST}; interpolate them to one length"
                    )
                entries = _drawn(entries, axis, gaps + 1)
            changes[field.name] = entries.astype(np.float32)
    return dataclasses.replace(device, **changes)


def _drawn(entries: np.ndarray, axis: int, count: int) -> np.ndarray:
    """A table on ``count`` entries along an axis."""
    old, new = (np.linspace(0.0, 1.0, n) for n in (entries.shape[axis], count))
    return np.apply_along_axis(lambda line: np.interp(new, old, line), axis, entries)
