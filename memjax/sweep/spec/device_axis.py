"""The axes ``device`` and ``model``: presets, models and files side by side, with all their values.

Such an axis is a zipped group of every parameter in which the devices differ, with their names as
labels. A parameter that one of them lacks, or an effect that it has not, is ``None`` there; in
TOML, which has no such value, ``"absent"``. A zipped group may have devices too, beside other
parameters: each device at a learning rate of its own, say.
"""

import dataclasses
from collections.abc import Collection
from pathlib import Path
from typing import Any

from memjax.devices import MODELS, catalogue
from memjax.errors import SpecError, UserError

AXES = ("device", "model")
"""What the axis may be called."""

ABSENT = "absent"
_NAMES = "names"


def is_device_axis(name: str, entry: Any) -> bool:
    """Whether an entry of ``[axes]`` is such an axis."""
    return name in AXES and (
        isinstance(entry, list) or (isinstance(entry, dict) and _NAMES in entry)
    )


def is_group(entry: Any) -> bool:
    """Whether an entry of ``[axes]`` is a zipped group that has devices."""
    return isinstance(entry, dict) and is_device_axis("device", entry.get("device"))


def resolve_paths(raw: dict[str, Any], folder: Path) -> None:
    """Device files that a specification names are looked for beside it first.

    Args:
      raw: its tables, which are changed.
      folder: where it lies.
    """

    def place(name: Any) -> Any:
        is_there = isinstance(name, str) and catalogue.is_file(name) and (folder / name).exists()
        return str(folder / name) if is_there else name

    device, axes = raw.get("device"), raw.get("axes")
    if isinstance(device, dict) and "model" in device:
        device["model"] = place(device["model"])
    if isinstance(axes, dict):
        groups = [entry for entry in axes.values() if is_group(entry)]
        for table in (axes, *groups):
            for name in AXES:
                if isinstance(entry := table.get(name), list):
                    table[name] = [place(item) for item in entry]


def columns(entry: Any, given: Collection[str]) -> tuple[list[str], dict[str, list[Any]]]:
    """The labels and the parameters' columns of an axis of devices.

    Args:
      entry: a list of names, or the table that ``as_toml`` makes of a resolved axis.
      given: parameters that ``[device]`` or another axis gives, for all devices.

    Raises:
      SpecError: no list of names, or a device that there is not.

    Example:
      >>> names, found = columns(["EpiRAM", "GST-PCM"], ["sigma_c2c"])
      >>> names, found["levels"], "sigma_c2c" in found
      (['EpiRAM', 'GST-PCM'], [64.0, 100.0], False)
    """
    if isinstance(entry, dict):
        _check_resolved(entry)
        found = {
            key: [None if value == ABSENT else value for value in values]
            for key, values in entry.items()
            if key != _NAMES
        }
        return list(entry[_NAMES]), found
    if not entry or not all(isinstance(name, str) for name in entry):
        raise SpecError(f"{entry!r} must be a list of devices, such as ['EpiRAM', 'mine.toml']")
    tables = [_table(name) for name in entry]
    keys = {key: None for table in tables for key in table}  # in order, each once
    found = {}
    for key in keys:
        column = [table.get(key) for table in tables]
        if key in given or all(value is None for value in column):
            continue
        found[key] = column
    names = [Path(name).stem if catalogue.is_file(name) else catalogue.find(name) for name in entry]
    return names, found


def _check_resolved(entry: dict[str, Any]) -> None:
    """A table that a person wrote may lack what ``as_toml`` writes."""
    names = entry[_NAMES]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SpecError(f"names = {names!r} must be a list of strings")
    if not isinstance(entry.get("model"), list):
        raise SpecError(f"has no list model; write the axis as a list, {names!r}")
    for key, column in entry.items():
        if not isinstance(column, list) or len(column) != len(names):
            raise SpecError(f"{key} must be a list of {len(names)} values, one for each of names")
    for model in entry["model"]:
        if model not in MODELS:
            raise SpecError(f"model {model!r} is not known; there are {', '.join(MODELS)}")


def as_toml(names: list[str], found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """What ``columns`` reads back."""
    shown = {
        key: [ABSENT if value is None else value for value in values]
        for key, values in found.items()
    }
    return {_NAMES: names, **shown}


def row(found: dict[str, list[Any]], point: int, given: dict[str, Any]) -> dict[str, Any]:
    """One device's own table, with what ``[device]`` gives that this device has."""
    own = {key: values[point] for key, values in found.items() if values[point] is not None}
    fields = {field.name for field in dataclasses.fields(MODELS[own["model"]])}
    return own | {key: value for key, value in given.items() if key in fields}


def _table(name: str) -> dict[str, Any]:
    try:
        device = catalogue.get(name)
    except UserError as error:
        raise SpecError(str(error)) from None
    table = catalogue.as_table(device)
    optional = (field.name for field in dataclasses.fields(device) if field.default is None)
    return dict.fromkeys(optional) | table
