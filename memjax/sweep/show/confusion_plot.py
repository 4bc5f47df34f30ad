"""Which classes are taken for which, of a cell or a lane."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from memjax.sweep.analysis.results import axis_label
from memjax.sweep.show.chosen import choose
from memjax.words import literal


def has_confusion(ds: xr.Dataset) -> bool:
    """Whether results count images by their class and the answer."""
    return "confusion" in ds and {"label", "answer"} <= set(ds["confusion"].dims)


def confusion_figure(ds: xr.Dataset, lane: Mapping[str, int] | None = None) -> Figure:
    """Draws the confusion matrix: of each class's images, the share of each answer.

    Args:
      ds: a sweep's result, with ``evaluate.confusion``.
      lane: as in ``diagnostics_figure``.
    """
    chosen = choose(ds, lane)
    counts = chosen.values["confusion"].transpose("label", "answer")
    shares = (100.0 * counts / counts.sum("answer")).values
    size = max(4.5, 0.55 * len(shares) + 1.5)
    figure = Figure(figsize=(size + 0.8, size), layout="constrained")
    figure.suptitle(literal(chosen.title("test images by class and answer")), fontsize=10)
    ax = figure.subplots()
    drawn = ax.imshow(shares, cmap="cividis", vmin=0.0, vmax=100.0)
    for row, column in np.ndindex(*shares.shape):
        if (share := shares[row, column]) >= 0.5:
            colour = "black" if share > 60 else "white"
            ax.text(column, row, f"{share:.0f}", ha="center", va="center", color=colour, fontsize=8)
    for axis, dim in ((ax.xaxis, "answer"), (ax.yaxis, "label")):
        axis.set_ticks(range(counts.sizes[dim]), [str(x) for x in counts[dim].values])
        axis.set_label_text(axis_label(chosen.values, dim))
    figure.colorbar(drawn, label="share of the class (%)", shrink=0.8)
    return figure
