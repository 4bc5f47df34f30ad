"""What pictures are made of: titled panels, labelled axes and the lines of reference."""

import textwrap
from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from memjax.sweep.analysis.objective import Objective
from memjax.sweep.analysis.results import axis_label, is_geometric, is_numeric, labels
from memjax.words import literal

# Okabe and Ito's colours, less black (the reference's) and yellow (too pale for a line).
NAMES = 50  # labels of an axis of names
_FULL = 20  # labels of usual size that have room along a panel
MOST = 6  # lines in a picture, panels of heat maps
BASELINE: dict[str, Any] = {"color": "black", "linestyle": "--", "linewidth": 1.5}
MEAN: dict[str, Any] = {"color": "#0072B2", "capsize": 3, "label": "mean ± sd over seeds"}
MIDDLE: dict[str, Any] = {"color": "#56B4E9", "alpha": 0.4, "label": "middle half of the lanes"}
GUESS: dict[str, Any] = {"color": "grey", "linestyle": ":", "linewidth": 2}


def label(ds: xr.Dataset, axis: str) -> str:
    """What an axis is, with its unit, in lines that fit a panel."""
    return wrapped(axis_label(ds, axis))


def wrapped(words: str, width: int = 42) -> str:
    """Words in lines, of which matplotlib takes no dollar for the start of a formula."""
    return "\n".join(textwrap.wrap(literal(words), width))


def evenly(size: int, most: int = MOST) -> list[int]:
    """Picks some indices of so many, first and last among them.

    Args:
      size: how many there are.
      most: that are picked, at least 2.

    Example:
      >>> evenly(3), evenly(10, most=4)
      ([0, 1, 2], [0, 3, 6, 9])
    """
    return np.linspace(0, size - 1, min(size, most)).round().astype(int).tolist()


def part_drawn(drawn: int, size: int, noun: str) -> str:
    """Says that not all is drawn; nothing where all is.

    Args:
      drawn: how many are.
      size: how many there are.
      noun: what they are.

    Example:
      >>> part_drawn(6, 10, "panels"), part_drawn(6, 6, "panels")
      (', 6 of 10 panels', '')
    """
    return f", {drawn} of {size} {noun}" if drawn < size else ""


def make_panels(
    ds: xr.Dataset, subtitle: str, count: int, ylabel: str, sharey: bool = True
) -> tuple[Figure, list[Axes]]:
    """Makes a titled figure of `count` panels, three or fewer in a row."""
    rows = -(-count // 3)
    columns = -(-count // rows)
    width, height = max(3.2 * columns + 2.6, 7.5), max(2.8 * rows + 1.6, 4.6)
    figure = Figure(figsize=(width, height), layout="constrained")
    name = literal(str(ds.attrs.get("name", "sweep")))
    figure.suptitle(f"{name}\n{wrapped(subtitle, int(11 * width))}", fontsize=11)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=sharey).ravel().tolist()
    for ax in panels[count:]:
        ax.remove()
    for ax in panels[:count:columns]:
        ax.set_ylabel(literal(ylabel))
    return figure, panels[:count]


def legend(figure: Figure, ax: Axes, place: Any, **options: Any) -> None:
    """Puts the legend of a panel beside the panels, where it covers nothing."""
    handles, names = ax.get_legend_handles_labels()
    names = [literal(name) for name in names]
    figure.legend(handles, names, loc=place, frameon=False, **options)


def panel_title(ax: Axes, words: str) -> None:
    """Says over a panel what it is of."""
    ax.set_title(literal(words), fontsize=10)


def guess_line(ax: Axes, about: Objective) -> None:
    """Draws what a guess gets, or says that it lies far from all that was drawn."""
    guess, name = about.shown(about.guess), about.guess_name
    told = about.text(about.guess, form=".3g")
    if side := far_side(guess, *ax.get_ylim()):
        ax.plot([], [], **GUESS, label=f"{name} ({told}, far {side})")
    else:
        ax.axhline(guess, **GUESS, label=f"{name} ({told})")
        ax.autoscale(axis="y")


def far_side(guess: float, low: float, high: float) -> str:
    """Where a guess lies if a scale with it would leave the data less than a third, else empty."""
    if low - guess > 2 * (high - low):
        return "below"
    return "above" if guess - high > 2 * (high - low) else ""


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


def name_ticks(ticks: Axis, ds: xr.Dataset, axis: str, positions: np.ndarray) -> None:
    """Labels positions with an axis' values; long ones slant, or stand.

    Of many numbers every k-th; all names, since none can be guessed from its neighbours.
    """
    step = -(-len(positions) // (8 if is_numeric(ds, axis) else NAMES))
    texts = [literal(text) for text in labels(ds, axis)[::step]]
    ticks.set_ticks(positions[::step], texts)
    if isinstance(ticks, XAxis) and sum(len(t) + 2 for t in texts) > 36:
        standing: dict[str, Any] = {"rotation": 90, "fontsize": 8}
        slanted = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
        for written in ticks.get_ticklabels():
            written.set(**(standing if len(texts) > 6 else slanted))
    if len(texts) > _FULL:
        for written in ticks.get_ticklabels():
            written.set_fontsize(max(8 * _FULL / len(texts), 4))


def write_values(ax: Axes, image: AxesImage, texts: Iterable[str]) -> None:
    """Writes a text into every cell of a heat map, row by row, in an ink that can be read there."""
    values = np.asarray(image.get_array())
    for ((row, column), value), text in zip(np.ndenumerate(values), texts, strict=True):
        red, green, blue, _ = image.to_rgba(value)
        ink = "white" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.5 else "black"
        ax.text(column, row, text, ha="center", va="center", color=ink, fontsize=8)


def mark_bar(
    bar: Axes, marks: dict[str, float], bottom: float, top: float, about: Objective
) -> None:
    """Labels marks on a colour bar (beyond it: by an arrow), not the ticks too close to them.

    Args:
      bar: of a scale in the unit that the objective is shown in.
      marks: values of the objective, by name.
      bottom, top: of the scale.
      about: the objective.
    """
    named = {}
    for name, mark in marks.items():
        value = about.shown(mark)
        arrow = " ↓" * (value < bottom) + " ↑" * (value > top)
        named[f"{literal(name)} {about.number(mark)}{arrow}"] = min(max(value, bottom), top)
    near = 0.06 * (top - bottom)
    free = [
        x
        for x in MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(bottom, top)
        if bottom <= x <= top and all(abs(x - mark) > near for mark in named.values())
    ]
    bar.set_yticks([*free, *named.values()], [*(f"{x:g}" for x in free), *named])
