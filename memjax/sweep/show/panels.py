"""What pictures are made of: titled panels, labelled axes and the lines of reference."""

import textwrap
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from memjax.sweep.analysis.effects import chance, heading, is_numeric, labels

LABELS = {
    "levels": "conductance levels",
    "on_off": r"on/off ratio $G_\mathrm{max}/G_\mathrm{min}$",
    "weight_range": "weight range ±w",
    "sigma_c2c": "cycle-to-cycle σ (mean steps)",
    "sigma_d2d": "device-to-device σ (relative)",
    "nl_up": "potentiation's non-linearity label",
    "nl_down": "depression's non-linearity label",
    "learning_rate": "learning rate η",
    "learning_rate_decay": "learning-rate factor per epoch",
    "length": "pulse-train length BL",
    "sigma_read": "read noise σ (relative)",
    "sigma_g": "pulse noise σ (fraction of G)",
    "up_down": "up/down imbalance (fraction of a step)",
    "sigma_up_down": "device-to-device σ of the up/down imbalance",
    "sigma_bounds": "device-to-device σ of the bounds (relative)",
    "stuck": "fraction of stuck devices",
    "batch_size": "batch size (samples an update)",
    "refresh_every": "updates between two refreshes",
    "transfer_every": "updates between two transfers",
    "transfer_rate": "transfer rate (fraction of A a read)",
}
"""Axis labels with units, by parameter name; other names are written with spaces."""

# Okabe and Ito's colours, less black (the baseline's) and yellow (too pale for a line).
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"]
MOST = 6  # lines in a picture, panels of heat maps
BASELINE: dict[str, Any] = {"color": "black", "linestyle": "--", "linewidth": 1.5}
MEAN: dict[str, Any] = {"color": "#0072B2", "capsize": 3, "label": "mean ± sd over seeds"}
MIDDLE: dict[str, Any] = {"color": "#56B4E9", "alpha": 0.4, "label": "middle half of the lanes"}
CHANCE: dict[str, Any] = {"color": "grey", "linestyle": ":", "linewidth": 2}


def label(ds: xr.Dataset, axis: str) -> str:
    """Writes an axis label, with its unit if it is a known one."""
    return LABELS.get(axis, heading(ds, axis).replace("_", " "))


def make_panels(
    ds: xr.Dataset, subtitle: str, count: int, ylabel: str, sharey: bool = True
) -> tuple[Figure, list[Axes]]:
    """Makes a titled figure of `count` panels, three or fewer in a row."""
    rows = -(-count // 3)
    columns = -(-count // rows)
    width, height = max(3.2 * columns + 2.6, 7.5), max(2.8 * rows + 1.6, 4.6)
    figure = Figure(figsize=(width, height), layout="constrained")
    title = [str(ds.attrs.get("name", "sweep")), *textwrap.wrap(subtitle, int(11 * width))]
    figure.suptitle("\n".join(title), fontsize=11)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=sharey).ravel().tolist()
    for ax in panels[count:]:
        ax.remove()
    for ax in panels[:count:columns]:
        ax.set_ylabel(ylabel)
    return figure, panels[:count]


def legend(figure: Figure, ax: Axes, place: Any, **options: Any) -> None:
    """Puts the legend of a panel beside the panels, where it covers nothing."""
    handles, names = ax.get_legend_handles_labels()
    figure.legend(handles, names, loc=place, frameon=False, **options)


def chance_line(ax: Axes, ds: xr.Dataset) -> None:
    """Draws the accuracy of guessing, or says that it lies far below all that was drawn."""
    guess = 100 * chance(ds)
    if far_above(guess, *ax.get_ylim()):
        ax.plot([], [], **CHANCE, label=f"chance ({guess:.3g} %, far below)")
    else:
        ax.axhline(guess, **CHANCE, label=f"chance ({guess:.3g} %)")
        ax.autoscale(axis="y")


def far_above(guess: float, low: float, high: float) -> bool:
    """Tells whether a scale from chance would leave the data less than a third of it."""
    return bool(low - guess > 2 * (high - low))


def x_axis(ax: Axes, ds: xr.Dataset, axis: str) -> np.ndarray:
    """Sets up the x axis for a parameter and returns where its values lie on it."""
    ax.set_xlabel(label(ds, axis))
    if not is_numeric(ds, axis):
        positions = np.arange(ds.sizes[axis])
        name_ticks(ax.xaxis, ds, axis, positions)
        ax.set_xlim(-0.5, positions[-1] + 0.5)
        return positions
    values = ds[axis].values.astype(float)
    few = len(values) <= MOST and np.diff(values).min() > np.ptp(values) / 12
    if is_geometric(values) and values[0] > 0:
        ax.set_xscale("log")
    elif is_geometric(values):
        ax.set_xscale("symlog", linthresh=values[1], linscale=np.log10(values[2] / values[1]))
    elif not few:
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        return values
    name_ticks(ax.xaxis, ds, axis, values)
    ax.minorticks_off()
    return values


def is_geometric(values: np.ndarray) -> bool:
    """Tells whether sorted values (a leading 0 aside) are evener in ratio than in difference."""
    positive = values[values > 0]
    if len(positive) < 3 or values[0] < 0:
        return False
    gaps, ratios = np.diff(positive), np.diff(np.log(positive))
    return bool(ratios.std() / ratios.mean() < gaps.std() / gaps.mean())


def name_ticks(ticks: Axis, ds: xr.Dataset, axis: str, positions: np.ndarray) -> None:
    """Labels positions with an axis' values (every k-th if many); long ones slant, or stand."""
    step = -(-len(positions) // (8 if is_numeric(ds, axis) else 12))
    texts = labels(ds, axis)[::step]
    ticks.set_ticks(positions[::step], texts)
    if isinstance(ticks, XAxis) and sum(len(t) + 2 for t in texts) > 36:
        standing: dict[str, Any] = {"rotation": 90, "fontsize": 8}
        slanted = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
        for text in ticks.get_ticklabels():
            text.set(**(standing if len(texts) > 6 else slanted))


def annotate(ax: Axes, values: np.ndarray, bottom: float, top: float) -> None:
    """Writes every value into its cell, in an ink that can be read there."""
    for (row, column), value in np.ndenumerate(values):
        ink = "white" if value < bottom + 0.55 * (top - bottom) else "black"
        ax.text(column, row, f"{value:.1f}", ha="center", va="center", color=ink, fontsize=8)


def mark_bar(bar: Axes, marks: dict[str, float], bottom: float, top: float) -> None:
    """Labels marks on a colour bar (below it: by an arrow), not the ticks too close to them."""
    named = {f"{name} {x:.1f}{' ↓' * (x < bottom)}": max(x, bottom) for name, x in marks.items()}
    near = 0.06 * (top - bottom)
    free = [
        x
        for x in MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(bottom, top)
        if bottom <= x <= top and all(abs(x - mark) > near for mark in named.values())
    ]
    bar.set_yticks([*free, *named.values()], [*(f"{x:g}" for x in free), *named])
