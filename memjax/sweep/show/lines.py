"""Lines of a picture: one a value of an axis, each a mean over seeds with its spread."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes

from memjax.palette import COLOURS
from memjax.sweep.analysis.results import axes, is_numeric, labels, spread
from memjax.sweep.show.panels import MOST, evenly, label, part_drawn
from memjax.words import literal


def tidy(ds: xr.Dataset) -> xr.Dataset:
    """Sorts the numeric axes and drops those of one value, which have nothing to show."""
    ds = ds.isel({axis: 0 for axis in axes(ds) if ds.sizes[axis] == 1}, drop=True)
    return ds.sortby([axis for axis in axes(ds) if is_numeric(ds, axis)])


def lines(ds: xr.Dataset, axis: str | None) -> Iterator[tuple[str, Any, xr.Dataset]]:
    """Yields name, colour and lanes of each line: evenly chosen values of an axis, or all lanes."""
    if axis is None:
        yield "all lanes", COLOURS[0], ds
        return
    chosen = evenly(ds.sizes[axis])
    ordered = colormaps["viridis"](np.linspace(0, 0.88, len(chosen)))
    for index, colour in zip(chosen, ordered if is_numeric(ds, axis) else COLOURS, strict=False):
        name = literal(labels(ds, axis)[index])
        yield name, colour, ds.isel({axis: index}, drop=True)


def band(ax: Axes, x: np.ndarray, by_seed: xr.DataArray, name: str, look: dict[str, Any]) -> None:
    """Draws the mean over seeds with a band of one standard deviation."""
    mean, sd = by_seed.mean("seed").values, spread(by_seed).values
    ax.plot(x, mean, marker="o", markersize=3, label=name, **look)
    ax.fill_between(x, mean - sd, mean + sd, color=look["color"], alpha=0.2, linewidth=0)


def legend_title(ds: xr.Dataset, axis: str | None) -> str:
    """What the lines' values are of, and whether they are all."""
    if axis is None:
        return ""
    size = ds.sizes[axis]
    return label(ds, axis) + part_drawn(min(MOST, size), size, "values").replace(", ", "\n")


def averaged(ds: xr.Dataset, others: list[str]) -> str:
    """Says over what was averaged."""
    seeds = ds.sizes["seed"]
    over = [*others, f"{seeds} seed{'s' * (seeds > 1)}"]
    return f"averaged over {', '.join(over)}"
