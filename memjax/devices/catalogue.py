"""What devices there are, by name or by file, and what each parameter means."""

import dataclasses
import difflib
import inspect
from pathlib import Path
from typing import Any

import numpy as np

from memjax.devices import files
from memjax.devices.base import Device
from memjax.devices.models import MODELS
from memjax.devices.presets import PRESETS
from memjax.errors import UserError


def get(name: str | Path, **changes: Any) -> Device:
    """A device by the name of a preset or a model, or by its file.

    Args:
      name: such as ``"ReRamES"``, ``"ag:a-si"``, ``"softbounds"`` (whatever the case, with or
        without punctuation) or ``"mine.toml"``.
      **changes: parameters to have other values.

    Raises:
      UserError: there is none of this name (the message says which was probably meant), no such
        parameter, or a value out of range.

    Example:
      >>> import memjax
      >>> device = memjax.devices.get("ag:a-si", sigma_c2c=0)
      >>> device.levels, device.nl_down, device.sigma_c2c
      (97, -4.88, 0)
    """
    device = load(name) if is_file(name) else _known(find(str(name)))
    return replace(device, changes)


def load(path: str | Path) -> Device:
    """A device from its TOML file, as ``memjax fit --out`` writes it.

    The file has a table ``[device]``: ``model``, a model or a preset, and any of its parameters.

    Args:
      path: the file.

    Raises:
      UserError: one line with the file, the line, the key and the remedy.
    """
    table, origin = files.read_device(Path(path))
    name = table.pop("model")
    try:
        device = _known(find(name))
    except UserError as error:
        origin.fail(("device", "model"), str(error))
    for key, value in table.items():
        try:
            device = replace(device, {key: value})
        except UserError as error:
            origin.fail(("device", key), str(error))
    for field in dataclasses.fields(device):
        rank = field.metadata.get("rank", 0)
        if np.ndim(getattr(device, field.name)) != rank and not field.metadata.get("static"):
            what = "a number" if rank == 0 else f"{'one list' if rank == 1 else 'rows'} of numbers"
            origin.fail(("device", field.name), f"must be {what}")
    return device


def save(path: str | Path, device: Device, **tables: dict[str, Any]) -> None:
    """Writes a device for ``load``, whole or not at all.

    Args:
      path: the file.
      device: the device.
      **tables: more tables, such as where it comes from; ``load`` passes them over.

    Raises:
      UserError: the file cannot be written.
    """
    files.write(Path(path), {"device": as_table(device), **tables})


def as_table(device: Device) -> dict[str, Any]:
    """A device as its file has it: the model's name and every parameter that is not absent.

    Args:
      device: the device.
    """
    values = {
        field.name: files.plain(getattr(device, field.name))
        for field in dataclasses.fields(device)
        if getattr(device, field.name) is not None
    }
    return {"model": type(device).__name__, **values}


def is_file(name: str | Path) -> bool:
    """Whether a device's name is that of a file.

    Args:
      name: what a user gave.
    """
    return isinstance(name, Path) or name.lower().endswith(".toml")


def find(name: str) -> str:
    """The name, as it is written, of a preset or a model.

    Args:
      name: in any case, with or without punctuation.

    Raises:
      UserError: there is none; the message names those that are near.
    """
    plain = {_plain(known): known for known in (*PRESETS, *MODELS)}
    wanted = _plain(name)
    if wanted in plain:
        return plain[wanted]
    starting = [known for key, known in plain.items() if wanted and key.startswith(wanted)]
    near = starting or [plain[key] for key in difflib.get_close_matches(wanted, plain, n=2)]
    hint = f"did you mean {' or '.join(near)}?" if near else "see `memjax devices`"
    raise UserError(f"no device is called {name!r}; {hint}")


def replace(device: Device, changes: dict[str, Any]) -> Device:
    """The device with other values of some parameters.

    Args:
      device: the device.
      changes: values by parameter.

    Raises:
      UserError: no such parameter, or a value of a wrong kind or out of range.
    """
    known = [field.name for field in dataclasses.fields(device)]
    for key, value in changes.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise UserError(f"{type(device).__name__} has no parameter {key!r}; {hint}")
        if isinstance(value, bool):
            raise UserError(f"{type(device).__name__}: {key} = {value} must be a number")
    return dataclasses.replace(device, **changes)


def summary(name: str) -> str:
    """What a preset or a model is, in a line.

    Args:
      name: of a preset or a model, as it is written.
    """
    return PRESETS[name].what if name in PRESETS else _doc(name).splitlines()[0].rstrip(".")


def source(name: str) -> str:
    """The paper that it is from.

    Args:
      name: of a preset or a model, as it is written.
    """
    if name in PRESETS:
        return PRESETS[name].source
    _, _, cited = _doc(name).partition("Source:")
    return " ".join(cited.split())


def parameters(device: Device) -> list[tuple[str, Any, str, str]]:
    """Every parameter's name, value (``None``: the effect is absent), unit and meaning.

    Args:
      device: the device.
    """
    return [
        (field.name, getattr(device, field.name), field.metadata["unit"], field.metadata["doc"])
        for field in dataclasses.fields(device)
    ]


def nonlinearity(device: Device) -> str:
    """The values of the parameters that bend the response, in short: ``nl 2.4/-4.88``.

    Args:
      device: the device.
    """
    common = {field.name for field in dataclasses.fields(Device)}
    values = {
        field.name: getattr(device, field.name)
        for field in dataclasses.fields(device)
        if field.name not in common and not field.name.startswith(("sigma_", "levels_"))
    }
    shown: dict[str, list[str]] = {}
    for name, value in values.items():
        if isinstance(value, int | float):
            shown.setdefault(name.removesuffix("_up").removesuffix("_down"), []).append(
                f"{value:g}"
            )
    return ", ".join(f"{name} {'/'.join(texts)}" for name, texts in shown.items())


def _known(name: str) -> Device:
    return PRESETS[name].device if name in PRESETS else MODELS[name]()


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def _doc(name: str) -> str:
    return inspect.getdoc(MODELS[name]) or ""
