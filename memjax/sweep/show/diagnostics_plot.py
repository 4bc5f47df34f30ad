"""What was counted of a cell's pulses and devices, as a picture.

Columns are found by their names; each panel is there if its column is.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from memjax.palette import COLOURS
from memjax.sweep.analysis.results import axis_label
from memjax.sweep.show.chosen import choose
from memjax.sweep.show.panels import BASELINE, evenly, part_drawn
from memjax.words import literal

_MOST = 4  # layers
_SHARES = (0.1, 100.0)  # percent, from one end of the colours to the other


def has_diagnostics(ds: xr.Dataset) -> bool:
    """Whether anything is there that the picture shows."""
    return any(_has(ds, name) for name in (*_OF_A_LAYER, *_BY_LAYER))


def diagnostics_figure(ds: xr.Dataset, lane: Mapping[str, int] | None = None) -> Figure:
    """Draws what pulses did to the devices of a cell, a row a layer, and layers side by side.

    Of many layers four have rows, evenly chosen, first and last among them.

    Args:
      ds: a sweep's result, with diagnostics.
      lane: its indices along the axes and ``seed``; without ``seed``, the mean over the seeds; the
        best cell without any.
    """
    chosen = choose(ds, lane)
    here = chosen.values
    count = here.sizes["layer"]
    layers = evenly(count, _MOST)
    of_a_layer = [draw for name, draw in _OF_A_LAYER.items() if _is_counted(here, name)]
    by_layer = [draw for name, draw in _BY_LAYER.items() if _is_counted(here, name)]
    what = "what pulses did"
    if of_a_layer:
        what += part_drawn(len(layers), count, "layers in rows")
    columns = max(len(of_a_layer), len(by_layer), 1)
    rows = (len(layers) if of_a_layer else 0) + bool(by_layer)
    figure = Figure(figsize=(3.9 * columns + 0.6, 3.3 * max(rows, 1) + 1.0), layout="constrained")
    figure.suptitle(literal(chosen.title(what)), fontsize=11)
    panels = figure.subplots(max(rows, 1), columns, squeeze=False)
    for row, layer in enumerate(layers if of_a_layer else []):
        for ax, draw in zip(panels[row], of_a_layer, strict=False):
            draw(ax, here.isel(layer=layer))
            ax.set_title(f"layer {here['layer'].values[layer]}: {ax.get_title()}", fontsize=10)
    for ax, draw in zip(panels[-1], by_layer, strict=False):
        draw(ax, here)
    for ax in panels.ravel():
        if not ax.has_data():
            ax.remove()
    return figure


def _has(ds: xr.Dataset, name: str) -> bool:
    return name in ds and "layer" in ds[name].dims


def _is_counted(here: xr.Dataset, name: str) -> bool:
    """Whether anything is known of it; a column that does not apply is NaN."""
    return _has(here, name) and bool(here[name].notnull().any())


def _conductances(ax: Axes, here: xr.Dataset) -> None:
    middles = here["conductance"].values
    width = middles[1] - middles[0]
    for name, colour in (("conductance_before", COLOURS[1]), ("conductance_after", COLOURS[0])):
        if name in here:
            shares = 100 * here[name] / here[name].sum()
            edges = np.append(middles - width / 2, middles[-1] + width / 2)
            label = f"{name.rpartition('_')[2]} training"
            ax.stairs(shares.values, edges, color=colour, linewidth=1.8, label=label)
    ax.set_title("conductances")
    ax.set_xlabel(axis_label(here, "conductance"))
    ax.set_ylabel("share of the devices (%)")
    ax.set_ylim(0, 1.25 * ax.get_ylim()[1])  # room for the legend
    ax.legend(frameon=False, fontsize=8, loc="upper center", ncols=2)


def _updates(ax: Axes, here: xr.Dataset) -> None:
    """The share of what is realised, of updates that want so much."""
    counts = here["update_pairs"].transpose("realised", "wanted").values
    _map(ax, counts, counts.sum(0), "of those that want so much (%)")
    ends = np.array([0, len(counts) - 1])
    ax.plot(ends, ends, **BASELINE, label="as wanted")
    for along, dim in ((ax.xaxis, "wanted"), (ax.yaxis, "realised")):
        along.set_ticks(*_pulse_ticks(here[dim].values))
    ax.set_title("realised updates" + _aside(here))
    ax.set_xlabel(axis_label(here, "wanted"))
    ax.set_ylabel(axis_label(here, "realised"))
    ax.legend(fontsize=8, loc="upper left")


def _errors(ax: Axes, here: xr.Dataset) -> None:
    counts = here["update_errors"].values
    middle = len(counts) // 2
    ax.bar(np.arange(len(counts)), 100 * counts / counts.sum(), width=0.9, color=COLOURS[0])
    ax.axvline(middle, **BASELINE)
    ax.set_xticks(*_pulse_ticks(here["error"].values))
    ax.set_yscale("log")
    ax.set_ylim(0.01, 130)
    ax.set_title("errors of updates" + _aside(here))
    ax.set_xlabel(axis_label(here, "error"))
    ax.set_ylabel("share of the updates (%)")


def _pairs(ax: Axes, here: xr.Dataset) -> None:
    counts = here["pairs"].transpose("g_plus", "g_minus").values
    _map(ax, counts, counts.sum(), "of the pairs (%)")
    ticks = np.linspace(-0.5, len(counts) - 0.5, 5)
    for along in (ax.xaxis, ax.yaxis):
        along.set_ticks(ticks, [f"{x:g}" for x in np.linspace(0, 1, 5)])
    ax.plot(ticks[[0, -1]], ticks[[0, -1]], **BASELINE, label="weight 0")
    ax.set_title("pairs after training")
    ax.set_xlabel(axis_label(here, "g_minus"))
    ax.set_ylabel(axis_label(here, "g_plus"))
    ax.legend(fontsize=8, loc="lower left")


def _map(ax: Axes, counts: np.ndarray, total: Any, label: str) -> None:
    shares = 100 * counts / np.maximum(total, 1e-30)
    image = ax.imshow(
        np.where(counts > 0, shares, np.nan), "viridis", norm=LogNorm(*_SHARES), origin="lower"
    )
    ax.figure.colorbar(image, ax=ax, label=label, shrink=0.85)


def _aside(here: xr.Dataset) -> str:
    """Says of which array, and reminds of algorithms whose pulses are not to follow each update."""
    if "follows_updates" in here and float(here["follows_updates"]) < 1:
        return "\n(the algorithm gathers or weighs them)"
    has_two = "fast_pulses" in here and bool(here["fast_pulses"].notnull())
    return " of the fast array" if has_two else ""


def _pulse_ticks(middles: np.ndarray) -> tuple[list[float], list[str]]:
    """Where powers of ten of pulses lie among bins that are even by their logarithm."""
    side = middles[middles > 0]
    powers = [p for p in (0.1, 1.0, 10.0) if side[0] <= p <= side[-1]]
    offsets = 1 + np.interp(np.log10(powers), np.log10(side), np.arange(len(side)))
    zero = len(middles) // 2
    places = [*(zero - offsets[::-1]), float(zero), *(zero + offsets)]
    return places, [*(f"-{p:g}" for p in powers[::-1]), "0", *(f"{p:g}" for p in powers)]


def _pulses(ax: Axes, here: xr.Dataset) -> None:
    series = {
        "wanted": "wanted_pulses",
        "fired": "pulses",
        "fired at the fast array": "fast_pulses",
    }
    _bars(
        ax, here, {label: here[name] for label, name in series.items() if _is_counted(here, name)}
    )
    _log_scale(ax)
    ax.set_title("pulses", fontsize=10)
    ax.set_ylabel("pulses a weight, in all")


def _saturation(ax: Axes, here: xr.Dataset) -> None:
    series = {"the weights' array": "saturated", "the fast array": "fast_saturated"}
    shares = {k: 100 * here[name] for k, name in series.items() if _is_counted(here, name)}
    _bars(ax, here, shares)
    ax.set_ylim(0, 100)
    ax.set_title("devices at a bound", fontsize=10)
    ax.set_ylabel("saturated devices (%)")


def _noise(ax: Axes, here: xr.Dataset) -> None:
    _bars(ax, here, {"": here["update_snr"].where(np.isfinite(here["update_snr"]))})
    ax.axhline(1, **BASELINE, label="as much noise as signal")
    _log_scale(ax)
    ax.set_title("noise of programming", fontsize=10)
    ax.set_ylabel("signal over noise (power)")
    ax.legend(frameon=False, fontsize=8)


def _bars(ax: Axes, here: xr.Dataset, series: dict[str, xr.DataArray]) -> None:
    places, width = np.arange(here.sizes["layer"]), 0.8 / len(series)
    colours = COLOURS if "wanted" not in series else [COLOURS[1], COLOURS[0], COLOURS[2]]
    for number, (name, values) in enumerate(series.items()):
        shift = (number - (len(series) - 1) / 2) * width
        bars = ax.bar(places + shift, values.values, 0.9 * width, color=colours[number], label=name)
        ax.bar_label(bars, [_number(x) for x in values.values], fontsize=8)
    ax.set_xticks(places, [str(x) for x in here["layer"].values])
    ax.set_xlabel(axis_label(here, "layer"))
    ax.margins(y=0.15)
    if len(series) > 1:
        ax.legend(frameon=False, fontsize=8)


def _log_scale(ax: Axes) -> None:
    """A logarithmic scale with room for the legend, named at powers of ten alone."""
    heights = [bar.get_height() for bar in ax.patches if bar.get_height() > 0] or [1.0]  # type: ignore[attr-defined]
    ax.set_yscale("log")
    ax.set_ylim(0.2 * min([*heights, 1.0]), 20 * max([*heights, 1.0]))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


_OF_A_LAYER: dict[str, Callable[[Axes, xr.Dataset], None]] = {
    "conductance_after": _conductances,
    "update_pairs": _updates,
    "update_errors": _errors,
    "pairs": _pairs,
}
"""A panel for each layer, by the column that it needs."""

_BY_LAYER: dict[str, Callable[[Axes, xr.Dataset], None]] = {
    "pulses": _pulses,
    "saturated": _saturation,
    "update_snr": _noise,
}
"""A panel with all layers, likewise."""
