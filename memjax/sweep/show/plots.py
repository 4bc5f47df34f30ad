"""The pictures of a sweep: builders that return matplotlib figures, and ``draw`` to write them."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from memjax.errors import UserError, mend
from memjax.outputs import save_picture
from memjax.sweep.analysis.effects import main_effects, ranked
from memjax.sweep.analysis.results import (
    baseline,
    baseline_curve,
    baseline_name,
    final,
    is_geometric,
    is_numeric,
    labels,
    objective,
    robustness,
    scores,
    spread,
    stage,
)
from memjax.sweep.show.confusion_plot import confusion_figure, has_confusion
from memjax.sweep.show.diagnostics_plot import diagnostics_figure, has_diagnostics
from memjax.sweep.show.lines import averaged, band, legend_title, lines, tidy
from memjax.sweep.show.panels import (
    BASELINE,
    MEAN,
    MIDDLE,
    evenly,
    far_side,
    guess_line,
    label,
    legend,
    make_panels,
    mark_bar,
    name_ticks,
    panel_title,
    part_drawn,
    write_values,
    x_axis,
)
from memjax.sweep.show.response_plot import has_response, response_figure
from memjax.sweep.show.robustness_plot import robustness_figure
from memjax.sweep.show.tables import nothing_found
from memjax.words import literal


def draw(
    ds: xr.Dataset, directory: Path | str, lane: Mapping[str, int] | None = None
) -> list[Path]:
    """Writes the pictures that a sweep's result allows.

    ``main_effects.png`` needs an axis of two or more values, ``heatmap.png`` two such axes; the
    objective along the stages, ``learning_curves.png`` where lanes learn along them and else
    ``curves.png``, is always drawn; so is, by the name of its dimension, a column that tells the
    objective under other circumstances (``corruption.png``). With diagnostics there are
    ``diagnostics.png`` and ``pulse_response.png``, with confusions ``confusion.png``.

    Args:
      ds: a sweep's result, see ``memjax.sweep.run.run``.
      directory: where to write; made if missing.
      lane: of which diagnostics are drawn, see ``diagnostics_figure``.

    Returns:
      The files written. Each appears whole or not at all.

    Raises:
      UserError: they cannot be written there.
    """
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
        paths = []
        for name, build in _builders(ds, lane).items():
            paths.append(Path(directory) / f"{name}.png")
            save_picture(build(ds), paths[-1])
        return paths
    except OSError as error:
        raise UserError(
            f"{directory}: plots cannot be written: {error.strerror or error}; "
            f"{mend(error)}, then `memjax plot {directory}`"
        ) from None


def are_drawn(ds: xr.Dataset, directory: Path | str, since: float) -> bool:
    """Whether every picture that ``draw`` writes is there, as of these results.

    Args:
      ds: a sweep's result.
      directory: where pictures are.
      since: when the results were written, in seconds of the file system's clock.
    """
    paths = [Path(directory) / f"{name}.png" for name in _builders(ds)]
    return all(path.exists() and path.stat().st_mtime >= since for path in paths)


def _builders(
    ds: xr.Dataset, lane: Mapping[str, int] | None = None
) -> dict[str, Callable[[xr.Dataset], Figure]]:
    """What draws each picture that a sweep's result allows."""
    varied, robust = len(ranked(tidy(ds))), robustness(ds)
    found: dict[str, Callable[[xr.Dataset], Figure]] = {}
    if varied >= 1:
        found["main_effects"] = main_effects_figure
    if varied >= 2:
        found["heatmap"] = heatmap_figure
    found["learning_curves" if stage(ds).is_training else "curves"] = curves_figure
    if robust is not None:
        found[robust.dim] = robustness_figure
    if has_diagnostics(ds):
        found["diagnostics"] = functools.partial(diagnostics_figure, lane=lane)
    if has_confusion(ds):
        found["confusion"] = functools.partial(confusion_figure, lane=lane)
    if has_response(ds):
        found["pulse_response"] = response_figure
    return found


def main_effects_figure(ds: xr.Dataset) -> Figure:
    """Draws the final objective against each parameter, most explanatory first."""
    ds = tidy(ds)
    about, reference = objective(ds), baseline(ds)
    order, values = ranked(ds), about.shown(final(ds))
    shares = 100 * main_effects(ds)["share"]
    rest = "interactions explain {interactions:.1f} %, seeds {seeds:.1f} % of the variance"
    question = f"which parameter matters? ({rest.format(**shares)})"
    if luck := nothing_found(ds):
        question = f"{luck} ({rest.format(**shares)})"
    figure, panels = make_panels(ds, question, len(order), f"final {about.axis_label}")
    for ax, axis in zip(panels, order, strict=True):
        x, line = x_axis(ax, ds, axis), is_numeric(ds, axis)
        by_seed = values.mean([d for d in values.dims if d not in (axis, "seed")])
        low, high = values.quantile([0.25, 0.75], [d for d in values.dims if d != axis]).values
        if line:
            ax.fill_between(x, low, high, linewidth=0, **MIDDLE)
        else:
            ax.vlines(x, low, high, linewidth=14, **MIDDLE)
        marks = ax.errorbar(
            x, by_seed.mean("seed").values, spread(by_seed).values, fmt="o-", **MEAN
        )
        marks[0].set_linestyle("-" if line else "none")
        if reference is not None:
            reached = float(reference.mean())
            name = f"{baseline_name(ds)} ({about.text(reached)})"
            ax.axhline(about.shown(reached), **BASELINE, label=name)
        panel_title(ax, f"{axis} explains {shares[axis]:.1f} % of the variance")
    for ax in panels:
        guess_line(ax, about)
    legend(figure, panels[0], "outside lower center", ncols=2)
    return figure


def heatmap_figure(ds: xr.Dataset) -> Figure:
    """Draws the final objective over the two most explanatory parameters, panels over a third.

    The brighter a cell, the better.
    """
    ds = tidy(ds)
    about, reference = objective(ds), baseline(ds)
    y, x, *others = ranked(ds)
    cells = final(ds).mean(["seed", *others[1:]])
    chosen = evenly(ds.sizes[others[0]]) if others else [0]
    subtitle = f"final {about.label}, {averaged(ds, others[1:])}"
    if others:
        subtitle += part_drawn(len(chosen), ds.sizes[others[0]], "panels")
    figure, panels = make_panels(ds, subtitle, len(chosen), label(ds, y), sharey=False)
    marks = {} if reference is None else {baseline_name(ds): float(reference.mean())}
    ends = [float(cells.min()), float(cells.max())]
    best = max([*ends, *marks.values()], key=about.gain)
    bottom, top = (about.shown(f([*ends, best])) for f in (min, max))
    marks |= {about.guess_name: about.guess}
    guess = about.shown(about.guess)
    if not far_side(guess, bottom, top):
        bottom, top = min(bottom, guess), max(top, guess)
    colours = "viridis" if about.better == "higher" else "viridis_r"
    for ax, index in zip(panels, chosen, strict=True):
        values = (cells.isel({others[0]: index}) if others else cells).transpose(y, x).values
        image = ax.imshow(
            about.shown(values), colours, vmin=bottom, vmax=top, origin="lower", aspect="auto"
        )
        ax.set_xlabel(label(ds, x))
        name_ticks(ax.xaxis, ds, x, np.arange(ds.sizes[x]))
        name_ticks(ax.yaxis, ds, y, np.arange(ds.sizes[y]))
        if max(values.shape) <= 8:
            write_values(ax, image, [about.number(value) for value in values.flat])
        if others:
            panel_title(ax, f"{label(ds, others[0])}: {labels(ds, others[0])[index]}")
    bar = figure.colorbar(image, ax=panels, label=literal(about.axis_label)).ax
    bar.yaxis.set_label_position("left")
    mark_bar(bar, marks, bottom, top, about)
    return figure


def curves_figure(ds: xr.Dataset) -> Figure:
    """Draws the objective along the stages, a line a value of the most explanatory parameter."""
    ds = tidy(ds)
    about, along, order = objective(ds), stage(ds), ranked(ds)
    axis = next(iter(order), None)
    subtitle = f"{averaged(ds, order[1:])}, band: ± sd over seeds"
    figure, (ax,) = make_panels(ds, subtitle, 1, about.axis_label)
    x = ds[along.dim].values
    for name, colour, chosen in lines(ds, axis):
        values = scores(chosen)
        by_seed = values.mean([d for d in values.dims if d not in ("seed", along.dim)])
        name = f"{name} ({about.text(by_seed.isel({along.dim: -1}).mean())})"
        band(ax, x, about.shown(by_seed), name, {"color": colour})
    curve = baseline_curve(ds)
    if curve is not None:
        mean = curve.mean("seed")
        name = f"{baseline_name(ds)} ({about.text(mean[-1])})"
        ax.plot(x, about.shown(mean), **BASELINE, label=name)
    guess_line(ax, about)
    if is_geometric(x) and x[0] > 0:
        ax.set_xscale("log")
    else:
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=np.issubdtype(x.dtype, np.integer)))
    ax.set_xlabel(literal(along.axis_label))
    legend(figure, ax, "outside right center", title=legend_title(ds, axis))
    return figure
