"""The axis ``device``: presets, models and device files side by side, each with all its values.

It is a zipped group of every parameter in which the devices differ, with their names as labels. A
parameter that one of them lacks, or an effect that it has not, is ``None`` there; in TOML, where
there is no such value, ``"absent"``.
"""

import dataclasses
from pathlib import Path
from typing import Any

from memjax.devices import catalogue
from memjax.errors import SpecError, UserError

NAME = "device"
ABSENT = "absent"
_NAMES = "names"
_NOT_TRAINED = ("gmax", "weight_span")  # only pulse responses ask for them


def columns(entry: Any, given: dict[str, Any]) -> tuple[list[str], dict[str, list[Any]]]:
    """The labels and the parameters' columns of a ``device`` axis.

    Args:
      entry: a list of names, or the table that ``as_toml`` makes of a resolved axis.
      given: what ``[device]`` gives; it holds for all devices.

    Raises:
      SpecError: no list of names, a device that there is not, or that has a table of its own.

    Example:
      >>> names, found = columns(["EpiRAM", "GST-PCM"], {"sigma_c2c": 0})
      >>> names, found["levels"], "sigma_c2c" in found
      (['EpiRAM', 'GST-PCM'], [64.0, 100.0], False)
    """
    if isinstance(entry, dict) and _NAMES in entry:
        found = {
            key: [None if value == ABSENT else value for value in values]
            for key, values in entry.items()
            if key != _NAMES
        }
        return list(entry[_NAMES]), found
    if not isinstance(entry, list) or not all(isinstance(name, str) for name in entry):
        raise SpecError(f"{entry!r} must be a list of devices, such as ['EpiRAM', 'mine.toml']")
    tables = [_table(name) for name in entry]
    keys = {key: None for table in tables for key in table}  # in order, each once
    kept = [key for key in keys if key not in given and key not in _NOT_TRAINED]
    for key in kept:
        if any(isinstance(table.get(key), list) for table in tables):
            raise SpecError(f"{key} is a whole table of numbers; give such devices a sweep each")
    names = [Path(name).stem if catalogue.is_file(name) else catalogue.find(name) for name in entry]
    found = {key: [table.get(key) for table in tables] for key in kept}
    return names, {
        key: column for key, column in found.items() if any(v is not None for v in column)
    }


def as_toml(names: list[str], found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """What ``columns`` reads back."""
    shown = {
        key: [ABSENT if value is None else value for value in values]
        for key, values in found.items()
    }
    return {_NAMES: names, **shown}


def row(found: dict[str, list[Any]], point: int) -> dict[str, Any]:
    """One device's own table."""
    return {key: values[point] for key, values in found.items() if values[point] is not None}


def _table(name: str) -> dict[str, Any]:
    try:
        device = catalogue.get(name)
    except UserError as error:
        raise SpecError(str(error)) from None
    table = catalogue.as_table(device)
    optional = (field.name for field in dataclasses.fields(device) if field.default is None)
    return dict.fromkeys(optional) | table
