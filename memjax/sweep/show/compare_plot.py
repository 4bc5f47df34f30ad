"""Two sweeps compared, as a picture."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memjax.sweep.analysis.compare import LEVEL
from memjax.sweep.analysis.objective import Objective
from memjax.sweep.analysis.results import dims, is_numeric, labels, objective
from memjax.sweep.show.compare_table import mean_difference, side
from memjax.sweep.show.panels import (
    MEAN,
    evenly,
    label,
    make_panels,
    name_ticks,
    panel_title,
    part_drawn,
    write_values,
    x_axis,
)
from memjax.words import literal


def compare_figure(result: xr.Dataset, names: tuple[str, str] = ("first", "second")) -> Figure:
    """Draws the difference of the objective over the axes along which it varies most.

    Heat maps over two axes, panels over a third, averaged over others; with one axis a line with
    standard errors. Blue is better.

    Args:
      result: see ``memjax.sweep.analysis.compare.compare``.
      names: what to call the two sweeps.
    """
    about = objective(result)
    title = f"{names[1]} - {names[0]}: {mean_difference(result)} on average{side(result)}"
    result = result.drop_dims(("seed", "other_seed"), errors="ignore").assign_attrs(result.attrs)
    ranked = _ranked(result)
    single = [d for d in dims(result["difference"]) if d not in ranked]
    result = result.isel({d: 0 for d in single}, drop=True)
    result = result.sortby([axis for axis in ranked if is_numeric(result, axis)])
    what = f"{names[1]} - {names[0]}"
    if len(ranked) >= 2:
        return _heatmaps(result, ranked, title, f"{what} ({about.difference_label})")
    figure, (ax,) = make_panels(result, title, 1, f"difference ({about.difference_label})")
    _line(ax, result, ranked, what, about)
    return figure


def _ranked(result: xr.Dataset) -> list[str]:
    """The axes of two or more values, those first along which the difference varies most."""
    difference, names = result["difference"], dims(result["difference"])
    varied = [d for d in names if result.sizes[d] > 1]
    spread = {d: float(difference.mean([e for e in names if e != d]).var()) for d in varied}
    return sorted(varied, key=lambda d: -spread[d])


def _line(ax: Axes, result: xr.Dataset, ranked: list[str], what: str, about: Objective) -> None:
    difference, error = (
        about.shown(np.atleast_1d(result[name].values)) for name in ("difference", "standard_error")
    )
    x, style = np.zeros(1), "o"
    if ranked:
        x = x_axis(ax, result, ranked[0])
        style = "o-" if is_numeric(result, ranked[0]) else "o"
    else:
        ax.set_xticks([0], ["the only cell"])
    bars = None if np.isnan(error).all() else error
    name = what + ("" if bars is None else " ± standard error")
    ax.axhline(0, color="black", linewidth=1)
    ax.errorbar(x, difference, bars, fmt=style, **{**MEAN, "label": literal(name)})
    ax.legend(frameon=False)


def _heatmaps(result: xr.Dataset, ranked: list[str], title: str, what: str) -> Figure:
    y, x, *others = ranked
    about = objective(result)
    cells = result["difference"].mean(others[1:])
    real = (result["p_adjusted"] <= LEVEL) if len(others) < 2 else None
    chosen = evenly(result.sizes[others[0]]) if others else [0]
    over = f"; averaged over {', '.join(others[1:])}" if others[1:] else ""
    marks = "; •: beyond noise" if real is not None else ""
    some = part_drawn(len(chosen), result.sizes[others[0]], "panels") if others else ""
    figure, panels = make_panels(
        result, f"{title}{over}{marks}{some}", len(chosen), label(result, y), sharey=False
    )
    colours = "RdBu" if about.better == "higher" else "RdBu_r"
    most = about.shown(float(abs(cells).max())) or 1.0
    if about.as_percent:
        most = max(most, 0.1)
    for ax, index in zip(panels, chosen, strict=True):
        here = {others[0]: index} if others else {}
        values = cells.isel(here).transpose(y, x).values
        shown = about.shown(values)
        image = ax.imshow(shown, colours, vmin=-most, vmax=most, origin="lower", aspect="auto")
        ax.set_xlabel(label(result, x))
        name_ticks(ax.xaxis, result, x, np.arange(result.sizes[x]))
        name_ticks(ax.yaxis, result, y, np.arange(result.sizes[y]))
        if others:
            of = labels(result, others[0])[index]
            panel_title(ax, f"{label(result, others[0])}: {of}")
        if max(values.shape) <= 8:
            dots = np.zeros(values.shape, bool)
            if real is not None:
                dots = real.isel(here).transpose(y, x).values
            texts = [
                about.difference(value) + "•" * int(dot)
                for value, dot in zip(values.flat, dots.flat, strict=True)
            ]
            write_values(ax, image, texts)
    figure.colorbar(image, ax=panels, label=literal(what))
    return figure
