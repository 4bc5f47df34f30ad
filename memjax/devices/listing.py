"""Devices on a terminal: the list of them, one's parameters, one's pulse response."""

from rich import box
from rich.table import Table

from memjax.devices import catalogue
from memjax.devices.base import Device
from memjax.devices.ltp_ltd import Response
from memjax.devices.models import MODELS
from memjax.devices.presets import PRESETS

_LINE = "{:<21} {:<6} {:<14} {:<6} {:<24} {}"


def everything(width: int | None = None) -> str:
    """Every preset, then every model: a line each.

    Args:
      width: where to cut the lines, if anywhere.
    """
    rows = [("preset", "levels", "c2c", "d2d", "non-linearity", "source")]
    for name in PRESETS:
        device = PRESETS[name].device
        c2c = f"{device.sigma_c2c:g} {device.c2c}" if device.sigma_c2c else "-"
        d2d = "-" if device.sigma_d2d is None else f"{device.sigma_d2d:g}"
        rows.append(
            (name, f"{device.levels:.4g}", c2c, d2d, _bends(device), catalogue.source(name))
        )
    rows.append(("model", "", "", "", "non-linearity", "source"))
    rows += [
        (name, "any", "any", "any", _bends(MODELS[name]()), catalogue.source(name))
        for name in MODELS
    ]
    lines = [_LINE.format(*row).rstrip() for row in rows]
    return "\n".join(line if width is None else line[:width] for line in lines)


def parameters(device: Device) -> Table:
    """Every parameter with its value, unit and meaning."""
    table = _table("parameter", "value", "unit", "meaning")
    for name, value, unit, meaning in catalogue.parameters(device):
        table.add_row(name, _shown(value), unit, meaning)
    return table


def response(response: Response) -> Table:
    """The conductance at the start and at the end of every ramp."""
    device, titles = response.device, ["after", "normalised conductance", "weight"]
    known = device.gmax is not None
    table = _table(*titles, *(["conductance (S)"] if known else []))
    pulse, lengths = 0, [("up", response.ups), ("down", response.downs)]
    rows = [("start", 0)]
    while pulse < len(response.g) - 1:
        for direction, length in lengths:
            pulse += length
            if length:
                rows.append((f"{length} {direction}", pulse))
    for label, at in rows:
        g = float(response.g[at])
        siemens = [f"{float(device.siemens(g)):.6g}"] if known else []
        table.add_row(label, f"{g:.6f}", f"{float(device.weights(g)):.6f}", *siemens)
    return table


def _bends(device: Device) -> str:
    text = catalogue.nonlinearity(device) or "-"
    return text if len(text) <= 24 else f"{text[:23]}…"


def _table(*titles: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _shown(value: object) -> str:
    if value is None:
        return "absent"
    return f"{value:g}" if isinstance(value, int | float) else str(value)
