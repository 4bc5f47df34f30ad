"""The picture of a fit: measured ramps, the device's mean curve, its band, and what is left."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from memjax.devices.units import in_unit
from memjax.fitting.ramps import Ramps
from memjax.words import count

_COLOURS = {1: "#0072B2", -1: "#D55E00"}
_AS_POINTS = 3  # ramps that are drawn as points
_FEW: dict[str, Any] = {"color": "black", "marker": ".", "markersize": 3, "lw": 0, "alpha": 0.8}
_MANY: dict[str, Any] = {"color": "grey", "lw": 0.5, "alpha": 0.6, "zorder": 1.5}
_DECADES = 300.0  # on/off ratio from which the axis is logarithmic
_NAMES = {1: "potentiation", -1: "depression"}


def draw(
    ramps: Ramps,
    window: tuple[float, float],
    curves: np.ndarray,
    band: Sequence[np.ndarray],
    model: str,
    title: str,
) -> Any:
    """A fit over the ramps, above the mean curve's residual.

    Args:
      ramps: what was measured.
      window: Gmin and Gmax of the device, in siemens.
      curves: the mean curve from each ramp's own start, in siemens [ramp, point].
      band: the 5th and 95th per cent of readings, likewise.
      model: what was fitted.
      title: of the picture.

    Returns:
      A matplotlib figure.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    highest = float(np.nanmax(ramps.conductance))
    unit, scale = ("", 1.0) if ramps.normalised else in_unit(highest)
    signs = [sign for sign in (1, -1) if np.any(ramps.sign == sign)]
    figure = Figure(figsize=(4.2 * len(signs) + 0.6, 5.6), layout="constrained")
    panels = figure.subplots(
        2, len(signs), squeeze=False, sharex="col", sharey="row", height_ratios=(3, 1)
    )
    for (top, bottom), sign in zip(panels.T, signs, strict=True):
        mine = ramps.sign == sign
        pulses = np.cumsum(ramps.pulses[mine], axis=1)
        x = np.arange(pulses.max() + 1)
        measured, mean, low, high = (
            _on_grid(rows[mine] / scale, pulses, len(x))
            for rows in (ramps.conductance, curves, *band)
        )
        few = np.isfinite(measured).sum(axis=0) >= max(1, mine.sum() // 2)
        with np.errstate(all="ignore"):
            centre, lower, upper = (_mean(rows, few) for rows in (mean, low, high))
            residual = _mean(measured, few) - centre
        label = "90 % band of readings"
        top.fill_between(x, lower, upper, color=_COLOURS[sign], alpha=0.2, lw=0, label=label)
        top.plot(x, centre, color=_COLOURS[sign], lw=2, label=f"{model}, mean")
        style = _FEW if mine.sum() <= _AS_POINTS else _MANY
        for row, reading in enumerate(measured):
            name = f"measured: {count(int(mine.sum()), 'ramp')}" if row == 0 else None
            top.plot(x, reading, label=name, **style)
        if np.nanmax(ramps.conductance) > _DECADES * np.nanmin(ramps.conductance):
            top.set_yscale("log")
        top.set_title(_NAMES[sign])
        top.legend(frameon=False, fontsize=8)
        extent = (window[1] - window[0]) / scale
        bottom.axhline(0.0, color="black", lw=0.8)
        bottom.plot(x, 100.0 * residual / extent, color=_COLOURS[sign], lw=1.5)
        bottom.set_xlabel("pulse number")
        bottom.xaxis.set_major_locator(MaxNLocator(integer=True))
    name = "normalised conductance" if ramps.normalised else f"conductance ({unit})"
    panels[0, 0].set_ylabel(name)
    panels[1, 0].set_ylabel("mean residual\n(% of the window)")
    figure.suptitle(title, fontsize=10)
    return figure


def _on_grid(rows: np.ndarray, pulses: np.ndarray, width: int) -> np.ndarray:
    """Readings by their pulse number, NaN where there is none."""
    grid = np.full((len(rows), width), np.nan)
    for row, (values, at) in enumerate(zip(rows, pulses, strict=True)):
        seen = np.isfinite(values)
        grid[row, at[seen]] = values[seen]
    return grid


def _mean(rows: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The mean over ramps, where at least half of them have a reading."""
    mean = np.full(rows.shape[1], np.nan)
    mean[where] = np.nanmean(rows[:, where], axis=0)
    return mean
