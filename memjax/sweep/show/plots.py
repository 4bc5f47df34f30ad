"""The pictures of a sweep: builders that return matplotlib figures, and `draw` to write them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from memjax.errors import UserError
from memjax.sweep.analysis.effects import (
    accuracy,
    axes,
    chance,
    failed,
    final_accuracy,
    is_numeric,
    labels,
    main_effects,
)
from memjax.sweep.show.panels import (
    BASELINE,
    COLOURS,
    MEAN,
    MIDDLE,
    MOST,
    annotate,
    chance_line,
    far_above,
    label,
    legend,
    make_panels,
    mark_bar,
    name_ticks,
    x_axis,
)


def draw(ds: xr.Dataset, directory: Path | str) -> list[Path]:
    """Writes the pictures that a sweep's result allows.

    `main_effects.png` needs an axis of two or more values, `heatmap.png` two such axes,
    `corruption.png` the variable `corrupted_accuracy`; `learning_curves.png` is always drawn.

    Args:
        ds: A sweep's result, see `effects.main_effects`, with `baseline_accuracy`
            (seed, epoch) and, where the test images were corrupted too, `corrupted_accuracy`
            (axes..., seed, corruption) and `baseline_corrupted_accuracy` (seed, corruption), the
            coordinate `corruption` being "clean" or a kind and a level: "gaussian 0.1".
        directory: Where to write; made if missing.

    Returns:
        The files written. Each appears whole or not at all.

    Raises:
        UserError: They cannot be written there.
    """
    varied = len(_ranked(_tidy(ds)))
    builders = {
        "main_effects": main_effects_figure if varied >= 1 else None,
        "heatmap": heatmap_figure if varied >= 2 else None,
        "learning_curves": learning_curves_figure,
        "corruption": corruption_figure if "corrupted_accuracy" in ds else None,
    }
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
        return [
            _write(build(ds), Path(directory) / f"{name}.png")
            for name, build in builders.items()
            if build
        ]
    except OSError as error:
        raise UserError(
            f"{directory}: plots cannot be written: {error.strerror or error}; make room there, "
            f"then `memjax plot {directory}`"
        ) from None


def main_effects_figure(ds: xr.Dataset) -> Figure:
    """Draws the final accuracy against each parameter, most explanatory first."""
    ds = _tidy(ds)
    ranked, final, shares = _ranked(ds), 100 * final_accuracy(ds), 100 * main_effects(ds)["share"]
    baseline = 100 * float(ds["baseline_accuracy"].isel(epoch=-1).mean())
    rest = "interactions explain {interactions:.1f} %, seeds {seeds:.1f} % of the variance"
    question = f"which parameter matters? ({rest.format(**shares)})"
    figure, panels = make_panels(ds, question, len(ranked), "final test accuracy (%)")
    for ax, axis in zip(panels, ranked, strict=True):
        x, line = x_axis(ax, ds, axis), is_numeric(ds, axis)
        by_seed = final.mean([d for d in final.dims if d not in (axis, "seed")])
        low, high = final.quantile([0.25, 0.75], [d for d in final.dims if d != axis]).values
        if line:
            ax.fill_between(x, low, high, linewidth=0, **MIDDLE)
        else:
            ax.vlines(x, low, high, linewidth=14, **MIDDLE)
        marks = ax.errorbar(x, by_seed.mean("seed").values, _sd(by_seed), fmt="o-", **MEAN)
        marks[0].set_linestyle("-" if line else "none")
        ax.axhline(baseline, **BASELINE, label=f"float baseline ({baseline:.1f} %)")
        ax.set_title(f"{axis} explains {shares[axis]:.1f} % of the variance", fontsize=10)
    for ax in panels:
        chance_line(ax, ds)
    legend(figure, panels[0], "outside lower center", ncols=2)
    return figure


def heatmap_figure(ds: xr.Dataset) -> Figure:
    """Draws the final accuracy over the two most explanatory parameters, panels over a third."""
    ds = _tidy(ds)
    y, x, *others = _ranked(ds)
    cells = 100 * final_accuracy(ds).mean(["seed", *others[1:]])
    chosen = _evenly(ds.sizes[others[0]]) if others else [0]
    subtitle = f"final accuracy, {_averaged(ds, others[1:])}"
    figure, panels = make_panels(ds, subtitle, len(chosen), label(ds, y), sharey=False)
    baseline, guess = 100 * float(ds["baseline_accuracy"].isel(epoch=-1).mean()), 100 * chance(ds)
    bottom, top = float(cells.min()), max(float(cells.max()), baseline)
    if not far_above(guess, bottom, top):
        bottom = min(bottom, guess)
    for ax, index in zip(panels, chosen, strict=True):
        values = (cells.isel({others[0]: index}) if others else cells).transpose(y, x).values
        image = ax.imshow(values, "viridis", vmin=bottom, vmax=top, origin="lower", aspect="auto")
        ax.set_xlabel(label(ds, x))
        name_ticks(ax.xaxis, ds, x, np.arange(ds.sizes[x]))
        name_ticks(ax.yaxis, ds, y, np.arange(ds.sizes[y]))
        if max(values.shape) <= 8:
            annotate(ax, values, bottom, top)
        if others:
            ax.set_title(f"{label(ds, others[0])}: {labels(ds, others[0])[index]}", fontsize=10)
    bar = figure.colorbar(image, ax=panels, label="test accuracy (%)").ax
    bar.yaxis.set_label_position("left")
    mark_bar(bar, {"float baseline": baseline, "chance": guess}, bottom, top)
    return figure


def learning_curves_figure(ds: xr.Dataset) -> Figure:
    """Draws the accuracy against the epoch, a line a value of the most explanatory parameter."""
    ds = _tidy(ds)
    axis = next(iter(_ranked(ds)), None)
    subtitle = f"{_averaged(ds, _ranked(ds)[1:])}, band: ± sd over seeds"
    figure, (ax,) = make_panels(ds, subtitle, 1, "test accuracy (%)")
    for name, colour, chosen in _lines(ds, axis):
        scores = 100 * accuracy(chosen)
        by_seed = scores.mean([d for d in scores.dims if d not in ("seed", "epoch")])
        name = f"{name} ({float(by_seed.isel(epoch=-1).mean()):.1f} %)"
        _band(ax, ds["epoch"].values, by_seed, name, {"color": colour})
    curve = 100 * ds["baseline_accuracy"].mean("seed")
    ax.plot(ds["epoch"], curve, **BASELINE, label=f"float baseline ({float(curve[-1]):.1f} %)")
    chance_line(ax, ds)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.set_xlabel("epoch")
    legend(figure, ax, "outside right center", title=_legend_title(ds, axis))
    return figure


def corruption_figure(ds: xr.Dataset) -> Figure:
    """Draws the accuracy on corrupted images relative to clean ones, a panel a kind of corruption.

    A line a value of `sigma_c2c` if that was swept, else of the most explanatory parameter. Failed
    lanes are left out: at chance, clean or not, they would look robust.
    """
    ds = _tidy(ds)
    ranked = _ranked(ds)
    axis = "sigma_c2c" if "sigma_c2c" in ranked else next(iter(ranked), None)
    kinds = _kinds(ds["corruption"].values.tolist())
    subtitle = f"{_averaged(ds, [a for a in ranked if a != axis])}, band: ± sd over seeds"
    left_out = " (failed lanes left out)" if failed(ds).any() else ""
    y_label = "accuracy relative to clean images (%)"
    figure, panels = make_panels(ds, subtitle + left_out, len(kinds), y_label)
    series = [
        (name, {"color": colour}, part["corrupted_accuracy"].astype(float).where(~failed(part)))
        for name, colour, part in _lines(ds, axis)
    ] + [("float baseline", BASELINE, ds["baseline_corrupted_accuracy"])]
    for ax, (kind, levels) in zip(panels, kinds.items(), strict=True):
        for name, look, scores in series:
            by_seed = scores.mean([d for d in scores.dims if d not in ("seed", "corruption")])
            clean = by_seed.sel(corruption="clean")
            relative = 100 * by_seed.sel(corruption=list(levels)) / clean
            fate = "failed" if clean.isnull().all() else f"clean {100 * float(clean.mean()):.0f} %"
            _band(ax, np.array(list(levels.values())), relative, f"{name} ({fate})", look)
        ax.set_title(kind.replace("_", " "), fontsize=10)
        ax.set_xlabel("corruption level")
    legend(figure, panels[0], "outside right center", title=_legend_title(ds, axis))
    return figure


def _tidy(ds: xr.Dataset) -> xr.Dataset:
    """Sorts the numeric axes and drops those of one value, which have nothing to show."""
    ds = ds.isel({axis: 0 for axis in axes(ds) if ds.sizes[axis] == 1}, drop=True)
    return ds.sortby([axis for axis in axes(ds) if is_numeric(ds, axis)])


def _ranked(ds: xr.Dataset) -> list[str]:
    return [name for name in main_effects(ds).index if name in axes(ds)]


def _legend_title(ds: xr.Dataset, axis: str | None) -> str:
    if axis is None:
        return ""
    some = f"\n({MOST} of {ds.sizes[axis]} values)" if ds.sizes[axis] > MOST else ""
    return label(ds, axis) + some


def _averaged(ds: xr.Dataset, others: list[str]) -> str:
    seeds = ds.sizes["seed"]
    over = [*others, f"{seeds} seed{'s' * (seeds > 1)}"]
    return f"averaged over {', '.join(over)}"


def _lines(ds: xr.Dataset, axis: str | None) -> Iterator[tuple[str, Any, xr.Dataset]]:
    """Yields name, colour and lanes of each line: evenly chosen values of an axis, or all lanes."""
    if axis is None:
        yield "all lanes", COLOURS[0], ds
        return
    chosen = _evenly(ds.sizes[axis])
    ordered = colormaps["viridis"](np.linspace(0, 0.88, len(chosen)))
    for index, colour in zip(chosen, ordered if is_numeric(ds, axis) else COLOURS, strict=False):
        yield labels(ds, axis)[index], colour, ds.isel({axis: index}, drop=True)


def _band(ax: Axes, x: np.ndarray, by_seed: xr.DataArray, name: str, look: dict[str, Any]) -> None:
    """Draws the mean over seeds with a band of one standard deviation."""
    mean, sd = by_seed.mean("seed").values, _sd(by_seed)
    ax.plot(x, mean, marker="o", markersize=3, label=name, **look)
    ax.fill_between(x, mean - sd, mean + sd, color=look["color"], alpha=0.2, linewidth=0)


def _sd(by_seed: xr.DataArray) -> np.ndarray:
    """Returns the sample standard deviation over seeds; of one seed, 0."""
    return by_seed.std("seed", ddof=min(1, by_seed.sizes["seed"] - 1)).values


def _kinds(corruptions: list[str]) -> dict[str, dict[str, float]]:
    """Groups corruptions by kind: from clean (level 0) on, each name with its level, ascending."""
    kinds: dict[str, dict[str, float]] = {}
    for name in corruptions:
        kind, _, level = name.rpartition(" ")
        if kind:
            kinds.setdefault(kind, {"clean": 0.0})[name] = float(level)
    return {kind: dict(sorted(found.items(), key=lambda x: x[1])) for kind, found in kinds.items()}


def _evenly(size: int) -> list[int]:
    """Picks up to six indices of `size`, first and last among them."""
    return np.linspace(0, size - 1, min(size, MOST)).round().astype(int).tolist()


def _write(figure: Figure, path: Path) -> Path:
    """Saves a figure whole or not at all: under another name first, then renamed."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        figure.savefig(partial, format="png", dpi=150)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path
