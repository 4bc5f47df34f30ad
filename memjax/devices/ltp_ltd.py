"""The figure of every device paper: potentiation and depression, as a table and as a picture."""

import csv
import io
import re
from typing import Any, NamedTuple

import jax
import numpy as np

from memjax.devices.base import Device
from memjax.devices.pulse_response import pulse_response
from memjax.devices.units import PREFIXES, in_unit
from memjax.errors import UserError
from memjax.words import literal

_MOST = 100_000  # pulses
_POPULATION = 200  # devices of the band


class Response(NamedTuple):
    """A device's answer to ramps of pulses.

    Attributes:
      device: its parameters.
      ups, downs: pulses of each ramp.
      start: normalised conductance that was asked for.
      g: normalised conductance after each pulse, the start first.
    """

    device: Device
    ups: int
    downs: int
    start: float
    g: np.ndarray


def respond(
    device: Device,
    ups: int,
    downs: int,
    *,
    start: float = 0.0,
    cycles: int = 1,
    ideal: bool = False,
    seed: int = 0,
) -> Response:
    """Pulses one device.

    Args:
      device: its parameters.
      ups, downs: pulses up, then down.
      start: normalised conductance before them.
      cycles: how often.
      ideal: turns off every spread and noise.
      seed: draws the device and its noise.

    Raises:
      UserError: a number of pulses or cycles, or a start, that is out of range.
    """
    if ups + downs == 0:
        raise UserError("--up 0 --down 0: there are no pulses; give at least one")
    if cycles * (ups + downs) > _MOST:
        raise UserError(f"{cycles * (ups + downs)} pulses are too many; give at most {_MOST}")
    key = None if ideal else jax.random.key(seed)
    g = pulse_response(device, ups, downs, start=start, cycles=cycles, key=key)
    return Response(device, ups, downs, float(start), np.asarray(g, float))


def parse_start(device: Device, text: str) -> float:
    """A start, a weight or a conductance with its unit, as a normalised conductance.

    Args:
      device: whose weights or siemens they are.
      text: such as ``"0"``, ``"-0.3"``, ``"0.5mS"``, ``"1.6e-4 S"``.

    Raises:
      UserError: neither of the two, or out of the device's range.
    """
    pattern = r"\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*([a-z\u00b5\u03bc]?S)?\s*"
    parsed = re.fullmatch(pattern, text, re.ASCII)
    try:
        number, unit = float(parsed[1]), parsed[2]  # type: ignore[index]
        scale = PREFIXES[unit] if unit else 1.0
    except (TypeError, ValueError, KeyError):
        known = ", ".join(dict.fromkeys(u for u in PREFIXES if u.isascii()))
        raise UserError(
            f"--start {text}: must be a weight, such as 0.1, or a conductance in one of {known}"
        ) from None
    if unit and device.gmax is None:
        raise UserError(f"--start {text}: this device's gmax is not known; give a weight")
    to = device.siemens if unit else device.weights
    low, high = float(to(0.0)), float(to(1.0))
    g = (number * scale - low) / (high - low)
    if not -1e-6 <= g <= 1.0 + 1e-6:
        shown = "S" if unit else "in the model's weights"
        raise UserError(f"--start {text}: the device reaches from {low:.6g} to {high:.6g} {shown}")
    return float(np.clip(g, 0.0, 1.0))


def to_csv(response: Response) -> str:
    """``pulse,direction,weight,conductance_S``, the start as pulse 0 of the first ramp.

    The last column is empty where the device's ``gmax`` is not known.
    """
    device, text = response.device, io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("pulse", "direction", "weight", "conductance_S"))
    names = ["up"] * response.ups + ["down"] * response.downs
    for pulse, g in enumerate(response.g.tolist()):
        direction = names[max(pulse - 1, 0) % len(names)]
        siemens = "" if device.gmax is None else f"{float(device.siemens(g)):.9g}"
        writer.writerow((pulse, direction, f"{float(device.weights(g)):.9g}", siemens))
    return text.getvalue()


def draw(response: Response, title: str, *, ideal: bool = False) -> Any:
    """The picture: the ideal curve, this device, and the band of a population.

    Args:
      response: what one device did.
      title: of the picture.
      ideal: the device is the ideal one, so there is no band.

    Returns:
      A matplotlib figure.
    """
    from matplotlib.figure import Figure

    device, ups, downs = response.device, response.ups, response.downs
    cycles, start = (len(response.g) - 1) // (ups + downs), response.start
    unit, scaled = _axis(device)
    figure = Figure(figsize=(7.5, 4.4), layout="constrained")
    axes = figure.subplots()
    pulses = np.arange(len(response.g))
    if not ideal:
        keys = jax.random.split(jax.random.key(1), _POPULATION)
        population = np.asarray(
            jax.vmap(
                lambda key: pulse_response(device, ups, downs, start=start, cycles=cycles, key=key)
            )(keys)
        )
        low, median, high = scaled(np.percentile(population, [5, 50, 95], axis=0))
        label = f"90 % of {_POPULATION} devices"
        axes.fill_between(pulses, low, high, color="#56B4E9", alpha=0.35, lw=0, label=label)
        axes.plot(pulses, median, color="#0072B2", lw=1.5, label="their median")
        axes.plot(pulses, scaled(response.g), ".", color="#D55E00", ms=3, label="one of them")
    mean = pulse_response(device, ups, downs, start=start, cycles=cycles)
    axes.plot(
        pulses, scaled(np.asarray(mean)), color="black", lw=1.2, ls="--", label="ideal device"
    )
    for turn in range(cycles):
        axes.axvline(turn * (ups + downs) + ups, color="grey", lw=0.8, ls=":")
    depression = "depression, to which it does not answer"
    ramps = f"potentiation, then {depression if device.polarity == 'up' else 'depression'}"
    axes.set(xlabel=f"pulse number ({ramps})", ylabel=unit, title=literal(title))
    axes.margins(x=0.01)
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _axis(device: Device) -> tuple[str, Any]:
    """The label of conductance with its unit, and what normalised conductance is in it."""
    if device.gmax is None:
        return "weight (model units)", lambda g: np.asarray(device.weights(g))
    unit, scale = in_unit(float(device.gmax))
    return f"conductance ({unit})", lambda g: np.asarray(device.siemens(g)) / scale
