"""What a search found, as a table and as a picture."""

import itertools

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table
from rich.text import Text

from memjax.sweep.analysis.effects import heading, is_numeric, labels, text
from memjax.sweep.show.panels import (
    COLOURS,
    MOST,
    label,
    legend,
    make_panels,
    x_axis,
)

_ROWS = 20
_SURE = 0.9


def table(ds: xr.Dataset) -> Table:
    """Tabulates a search, the most tolerant combinations first, to print with `rich`.

    Args:
        ds: What `memjax.sweep.search.search.search` returned.

    Returns:
        A row a combination: the weakest value that reaches the target, the interpolated crossing
        with its 90 % interval, and the probability that the whole grid would give the same weakest
        value. The caption counts lanes, combinations and how many of them are sure.
    """
    along, others = str(ds.attrs["along"]), _others(ds)
    title = f"{ds.attrs['name']}: the weakest {along} that reaches {100 * ds.attrs['target']:g} %"
    result = Table(title=Text(title), caption=Text(_caption(ds)), caption_justify="left")
    separate = len(others) <= 3
    for name in [heading(ds, axis) for axis in others] if separate else ["combination"]:
        result.add_column(Text(name))
    for name in ("weakest", "crossing (90 %)", "sure"):
        result.add_column(name, no_wrap=True)
    texts = [labels(ds, axis) for axis in others]
    sign = -1 if ds.attrs["weaker"] == "larger" else 1
    order = np.argsort(sign * ds["crossing"].values.ravel(), kind="stable")  # NaN comes last
    for place in order[:_ROWS]:
        index = np.unravel_index(place, ds["weakest"].shape)
        own = [names[i] for names, i in zip(texts, index, strict=True)]
        if not separate:
            own = [", ".join(f"{axis} {name}" for axis, name in zip(others, own, strict=True))]
        row = ds.isel(dict(zip(others, index, strict=True)))
        result.add_row(*map(Text, own), *_answer(row), f"{100 * float(row['probability']):.0f} %")
    return result


def _others(ds: xr.Dataset) -> list[str]:
    return [str(dim) for dim in ds["weakest"].dims]


def _weak_end(ds: xr.Dataset) -> float:
    """The weakest value of the axis."""
    return ds[ds.attrs["along"]].values[-1 if ds.attrs["weaker"] == "larger" else 0].item()


def _answer(row: xr.Dataset) -> tuple[str, str]:
    """Writes the weakest value, and the crossing with its interval, of one combination."""
    weakest = "none" if np.isnan(row["weakest"]) else text(row["weakest"].item())
    low, crossing, high = (_number(row[name]) for name in ("low", "crossing", "high"))
    if row["weakest"] == _weak_end(row):
        crossing = "always"
    return weakest, crossing if low == high else f"{crossing} ({low}–{high})"


def _number(value: xr.DataArray) -> str:
    return "never" if np.isnan(value) else f"{float(value):.3g}"


def _caption(ds: xr.Dataset) -> str:
    weakest = ds["weakest"]
    never, always = int(weakest.isnull().sum()), int((weakest == _weak_end(ds)).sum())
    sure = int((ds["probability"] >= _SURE).sum())
    size = weakest.size
    return "\n".join(
        [f"... and {size - _ROWS} more"] * (size > _ROWS)
        + [
            f"lanes: {ds.attrs['lanes']} of {ds.attrs['lanes_of_grid']}; weaker is "
            f"{ds.attrs['weaker']} {ds.attrs['along']}",
            f"combinations: {size}: {size - never - always} cross the target, {always} always "
            f"reach it, {never} never",
            f"sure that the whole grid would say the same: {sure} of {size} at {100 * _SURE:.0f} %",
        ]
    )


def figure(ds: xr.Dataset) -> Figure:
    """Draws the crossing with its 90 % band: an axis across, a line a value of another, panels.

    Combinations that always reach the target lie on the axis's weak end, those that never do a step
    beyond its strong end. The vertical scale has a step of the grid for a step.
    """
    along, ranked = str(ds.attrs["along"]), _ranked(ds)
    target = f"{100 * ds.attrs['target']:g} %"
    told = f"{ds.attrs['lanes']} of {ds.attrs['lanes_of_grid']} lanes trained"
    title = f"where the accuracy crosses {target}, with 90 % interval ({told})"
    if not ranked:
        return _curve(ds, title)
    x, rest = ranked[0], ranked[2:]
    line = ranked[1] if len(ranked) > 1 else None
    every = list(itertools.product(*(range(ds.sizes[axis]) for axis in rest)))
    chosen = [every[i] for i in _evenly(len(every))]
    if len(chosen) < len(every):
        title += f", {len(chosen)} of {len(every)} panels"
    picture, panels = make_panels(ds, title, len(chosen), label(ds, along))
    for ax, index in zip(panels, chosen, strict=True):
        part = ds.isel(dict(zip(rest, index, strict=True)))
        names = [f"{label(ds, a)}: {labels(ds, a)[i]}" for a, i in zip(rest, index, strict=True)]
        ax.set_title("\n".join(names), fontsize=10)
        places = x_axis(ax, ds, x)
        lines = _evenly(ds.sizes[line]) if line else [0]
        ordered = colormaps["viridis"](np.linspace(0, 0.88, len(lines)))
        colours = ordered if line and len(lines) > len(COLOURS) else COLOURS
        for number, (i, colour) in enumerate(zip(lines, colours, strict=False)):
            one = part.isel({line: i}) if line else part
            name = labels(ds, line)[i] if line else f"crosses {target}"
            _iso_line(ax, one, places, name, colour, "osD^vP"[number], is_numeric(ds, x))
        _vertical(ax, ds)
    legend(picture, panels[0], "outside right center", title=label(ds, line) if line else "")
    return picture


def _ranked(ds: xr.Dataset) -> list[str]:
    """Names the other axes of more than one value: first a numeric one to draw against.

    Then those whose values move the crossing most.
    """
    places = _place(ds, "crossing")

    def moved(axis: str) -> float:
        return float(places.mean([d for d in places.dims if d != axis]).var())

    several = [axis for axis in _others(ds) if ds.sizes[axis] > 1]
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
    ax: Axes, ds: xr.Dataset, x: np.ndarray, name: str, colour: str, marker: str, joined: bool
) -> None:
    low, middle, high = (_place(ds, which).values for which in ("low", "crossing", "high"))
    order = np.argsort(x)
    style = "-" if joined else "none"
    ax.plot(
        x[order], middle[order], color=colour, marker=marker, markersize=4, ls=style, label=name
    )
    if joined:
        ax.fill_between(x[order], low[order], high[order], color=colour, alpha=0.2, linewidth=0)
    else:
        ax.vlines(x, low, high, color=colour, alpha=0.4, linewidth=3)


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
    """Draws the model's accuracy along the axis, where there is no other."""
    along, target = str(ds.attrs["along"]), 100 * ds.attrs["target"]
    picture, (ax,) = make_panels(ds, title, 1, "test accuracy (%)")
    one = ds.squeeze(drop=True)
    places = x_axis(ax, ds, along)
    ax.plot(places, 100 * one["accuracy"].values, "o-", color=COLOURS[0], label="model")
    ax.axhline(target, color="black", linestyle="--", label=f"target ({target:g} %)")
    if not np.isnan(one["weakest"]):
        strong = places[0 if ds.attrs["weaker"] == "larger" else -1]
        low, high = (float(one[name].fillna(strong)) for name in ("low", "high"))
        ax.axvspan(low, high, color=COLOURS[1], alpha=0.3, label="crossing, 90 % interval")
        ax.axvline(float(one["crossing"]), color=COLOURS[1], label="crossing")
    legend(picture, ax, "outside right center")
    return picture


def _evenly(size: int) -> list[int]:
    """Picks up to six indices of `size`, first and last among them."""
    return np.linspace(0, size - 1, min(size, MOST)).round().astype(int).tolist()
