"""What a search found, as a picture."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memjax.errors import UserError
from memjax.outputs import save_picture
from memjax.palette import COLOURS
from memjax.sweep.analysis.results import dims, is_numeric, labels, objective
from memjax.sweep.show.lines import legend_title, lines
from memjax.sweep.show.panels import (
    evenly,
    label,
    legend,
    make_panels,
    panel_title,
    part_drawn,
    x_axis,
)

PICTURE = "search.png"


def draw(ds: xr.Dataset, directory: Path) -> Path:
    """Writes the picture of a search.

    Args:
      ds: what ``memjax.sweep.search.search.search`` returned.
      directory: where to write ``search.png``.

    Returns:
      Its path. It appears whole or not at all.

    Raises:
      UserError: it cannot be written there.
    """
    path = directory / PICTURE
    try:
        save_picture(figure(ds), path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path


def figure(ds: xr.Dataset) -> Figure:
    """Draws the crossing with its 90 % band: an axis across, a line a value of another, panels.

    Combinations that always reach the target lie on the axis's weak end, those that never do a step
    beyond its strong end, where no line goes. The vertical scale has a step of the grid for a step.
    """
    along, ranked = str(ds.attrs["along"]), _ranked(ds)
    about = objective(ds)
    target = about.text(ds.attrs["target"], form="g")
    told = f"{ds.attrs['lanes']} of {ds.attrs['lanes_of_grid']} lanes"
    title = f"where the {about.label} crosses {target}, with 90 % interval ({told})"
    if not ranked:
        return _curve(ds, title)
    ds = ds.squeeze([axis for axis in dims(ds["weakest"]) if ds.sizes[axis] == 1])
    ds = ds.sortby([axis for axis in ranked if is_numeric(ds, axis)])
    x, rest = ranked[0], ranked[2:]
    line = ranked[1] if len(ranked) > 1 else None
    every = list(itertools.product(*(range(ds.sizes[axis]) for axis in rest)))
    chosen = [every[i] for i in evenly(len(every))]
    title += part_drawn(len(chosen), len(every), "panels")
    picture, panels = make_panels(ds, title, len(chosen), label(ds, along))
    for ax, index in zip(panels, chosen, strict=True):
        part = ds.isel(dict(zip(rest, index, strict=True)))
        names = [f"{label(ds, a)}: {labels(ds, a)[i]}" for a, i in zip(rest, index, strict=True)]
        panel_title(ax, "\n".join(names))
        places = x_axis(ax, ds, x)
        for number, (name, colour, one) in enumerate(lines(part, line)):
            name = name if line else f"crosses {target}"
            _iso_line(ax, one, places, name, colour, "osD^vP"[number], is_numeric(ds, x))
        _vertical(ax, ds)
    legend(picture, panels[0], "outside right center", title=legend_title(ds, line))
    return picture


def _ranked(ds: xr.Dataset) -> list[str]:
    """Names the other axes of more than one value: first a numeric one to draw against.

    Then those whose values move the crossing most.
    """
    places = _place(ds, "crossing")

    def moved(axis: str) -> float:
        return float(places.mean([d for d in places.dims if d != axis]).var())

    several = [axis for axis in dims(ds["weakest"]) if ds.sizes[axis] > 1]
    return sorted(
        sorted(several, key=moved, reverse=True),
        key=lambda axis: axis != max(several, key=lambda a: (is_numeric(ds, a), moved(a))),
    )


def _place(ds: xr.Dataset, name: str) -> xr.DataArray:
    """Where a value lies on the axis, in grid steps; never is a step beyond the strong end."""
    values = ds[ds.attrs["along"]].values.astype(float)
    place = np.interp(ds[name], values, np.arange(len(values)))
    beyond = -1.0 if ds.attrs["weaker"] == "larger" else float(len(values))
    return ds[name].copy(data=np.where(ds[name].isnull(), beyond, place))


def _iso_line(
    ax: Axes, ds: xr.Dataset, x: np.ndarray, name: str, colour: Any, marker: str, joined: bool
) -> None:
    """Joins the crossings; a hollow mark says "never", and no line goes there."""
    order = np.argsort(x)
    x = x[order]
    low, middle, high = (_place(ds, which).values[order] for which in ("low", "crossing", "high"))
    never = ds["crossing"].isnull().values[order]
    style = "-" if joined else "none"
    crossing = np.where(never, np.nan, middle)
    ax.plot(x, crossing, color=colour, marker=marker, markersize=4, ls=style, label=name)
    ax.scatter(x[never], middle[never], 16, marker=marker, facecolors="none", edgecolors=colour)
    if joined:
        ax.fill_between(x, low, high, where=~never, color=colour, alpha=0.2, linewidth=0)
    alone = never | (not joined)
    ax.vlines(x[alone], low[alone], high[alone], color=colour, alpha=0.4, linewidth=3)


def _vertical(ax: Axes, ds: xr.Dataset) -> None:
    """Labels the steps of the axis, and the step beyond for what never reaches the target."""
    along = str(ds.attrs["along"])
    steps = np.arange(ds.sizes[along])
    every = -(-len(steps) // 8)
    ticks, names = steps[::every].tolist(), labels(ds, along)[::every]
    beyond = -1 if ds.attrs["weaker"] == "larger" else len(steps)
    if any(bool(ds[name].isnull().any()) for name in ("low", "high")):
        ticks, names = [*ticks, beyond], [*names, "never"]
    ax.set_yticks(ticks, names)
    ax.set_ylim(min([*ticks, 0]) - 0.2, max([*ticks, len(steps) - 1]) + 0.2)
    ax.grid(axis="y", color="0.9")
    ax.set_axisbelow(True)


def _curve(ds: xr.Dataset, title: str) -> Figure:
    """Draws the model's objective along the axis, where there is no other."""
    along, about = str(ds.attrs["along"]), objective(ds)
    picture, (ax,) = make_panels(ds, title, 1, about.axis_label)
    one = ds.squeeze(drop=True)
    places = x_axis(ax, ds, along)
    expected, target = about.shown(one["expected"].values), ds.attrs["target"]
    ax.plot(places, expected, "o-", color=COLOURS[0], label="model")
    told = about.text(target, form="g")
    ax.axhline(about.shown(target), color="black", linestyle="--", label=f"target ({told})")
    if not np.isnan(one["weakest"]):
        strong = places[0 if ds.attrs["weaker"] == "larger" else -1]
        low, high = (float(one[name].fillna(strong)) for name in ("low", "high"))
        ax.axvspan(low, high, color=COLOURS[1], alpha=0.3, label="crossing, 90 % interval")
        ax.axvline(float(one["crossing"]), color=COLOURS[1], label="crossing")
    legend(picture, ax, "outside right center")
    return picture
