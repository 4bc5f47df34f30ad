"""Devices whose pulses write arrays: the ``[device]`` beside a programming by write-verify."""

import dataclasses
from collections import ChainMap

import numpy as np

from memjax.crossbar import Programming, WriteVerify
from memjax.crossbar.mapping import Mapping
from memjax.devices import MODELS, Device
from memjax.errors import UserError
from memjax.experiments.base import Swept
from memjax.pytree import params


@params
class NoDevice:
    """Nothing is pulsed."""


WRITERS = ChainMap[str, type]({"none": NoDevice}, MODELS)
"""Devices that arrays may be written by, by name; none is the default."""


def written_by(programming: Programming, device: Device | NoDevice) -> Programming:
    """How devices are programmed: by pulses on this device, if by pulses.

    Args:
      programming: as the specification says.
      device: of its ``[device]``.

    Raises:
      UserError: there is no device to pulse.
    """
    if not isinstance(programming, WriteVerify):
        return programming
    if isinstance(device, NoDevice):
        raise UserError(
            "programming: error = 'write_verify' pulses a device; give [device] model, such as "
            "'EpiRAM'"
        )
    return dataclasses.replace(programming, device=device)


def programming_notes(
    programming: Programming,
    device: Device | NoDevice,
    mapping: Mapping,
    swept: Swept,
    *,
    section: str,
    holder: str,
) -> list[str]:
    """Tells of a device that nothing pulses, and of a model beyond what it was stated for.

    Args:
      programming, device: as of ``written_by``.
      mapping: of the weights.
      swept: values of axes by their parameters' names.
      section, holder: the sections of the programming and of the mapping.
    """
    if f"{section}.error" in swept:
        return []
    found = []
    if not isinstance(device, NoDevice) and not isinstance(programming, WriteVerify):
        found.append(f"device has no effect: nothing pulses it ({section}.error)")
    gmax, on_off = (
        np.asarray(swept[f"{holder}.{name}"])
        if f"{holder}.{name}" in swept
        else getattr(mapping, name)
        for name in ("gmax", "on_off")
    )
    if sentence := programming.beyond(gmax, on_off):
        found.append(f"{section}: {sentence}")
    return found
