"""Sobol indices as bars."""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memjax.palette import COLOURS
from memjax.sweep.analysis.results import heading, objective
from memjax.sweep.analysis.sensitivity import by_kind
from memjax.sweep.show.panels import legend
from memjax.sweep.show.sensitivity_table import MOST_PAIRS
from memjax.words import literal


def sensitivity_figure(ds: xr.Dataset, indices: pd.DataFrame) -> Figure:
    """Draws first-order and total indices as bars with their intervals, and pairs below.

    Args:
      ds: a sweep's result.
      indices: of it, see ``memjax.sweep.analysis.sensitivity.sobol_indices``.
    """
    first, total, pairs, noise = by_kind(indices)
    pairs = pairs.head(MOST_PAIRS)
    several = not np.isnan(noise["low"])
    heights = [len(total) + 1.0] + ([0.6 * len(pairs) + 0.6] if len(pairs) else [])
    figure = Figure(figsize=(7.5, 1.9 + 0.55 * sum(heights)), layout="constrained")
    how = "95 % intervals over seeds" if several else "one seed: noise counts as interactions"
    name = ds.attrs.get("name", "sweep")
    of = f"Sobol indices of the final {objective(ds).label}"
    figure.suptitle(literal(f"{name}\n{of} ({how})"), fontsize=11)
    panels = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights).ravel()
    ax, places = panels[0], np.arange(len(total))
    _bars(ax, places - 0.2, first, COLOURS[0], "first-order S (alone)")
    _bars(ax, places + 0.2, total, COLOURS[1], "total ST (with interactions)")
    names = [heading(ds, str(name)) for name in total.index]
    if several:
        _bars(ax, np.array([len(total)]), noise.to_frame().T, "grey", "seeds (noise)")
        names.append("seeds")
    ax.set_yticks(np.arange(len(names)), [literal(name) for name in names])
    if len(pairs):
        texts = [
            literal(f"{row['parameter']} × {row['other']}") for row in pairs.to_dict("records")
        ]
        _bars(panels[1], np.arange(len(pairs)), pairs, COLOURS[2], "second-order Sij (pair)")
        panels[1].set_yticks(np.arange(len(pairs)), texts)
        panels[1].set_title("second-order Sij: interactions of two, beyond each alone", fontsize=10)
    for panel in panels:
        panel.invert_yaxis()
        panel.set_xlim(left=0)
        panel.grid(axis="x", alpha=0.3)
        panel.set_axisbelow(True)
        panel.set_xlabel("share of the variance (%)")
    legend(figure, ax, "outside lower center", ncols=3)
    return figure


def _bars(ax: Axes, places: np.ndarray, rows: pd.DataFrame, colour: str, name: str) -> None:
    """Draws a row of bars (%), each with its interval and value."""
    index, low, high = (100 * rows[c].to_numpy(float) for c in ("index", "low", "high"))
    ax.barh(places, index, height=0.38, color=colour, label=name)
    ends = np.fmax(index, high)
    if not np.isnan(low).all():
        errors = np.maximum([index - low, high - index], 0.0)
        ax.errorbar(index, places, xerr=errors, fmt="none", ecolor="black", capsize=2, lw=1)
    for place, end, value in zip(places, ends, index, strict=True):
        ax.annotate(
            f"{value:.1f}",
            (end, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    ax.set_xlim(right=max(1.12 * ends.max(), ax.get_xlim()[1], 0.1))
