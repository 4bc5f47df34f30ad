"""A sweep in one short table: which parameter matters, and how far the best device gets."""

import textwrap

import xarray as xr
from rich.table import Table
from rich.text import Text

from memjax.sweep.analysis.effects import all_at_guess, best_cell, main_effects
from memjax.sweep.analysis.results import (
    axes,
    baseline,
    baseline_name,
    failed,
    final,
    heading,
    labels,
    mean_and_spread,
    objective,
    text,
    zipped,
)
from memjax.words import count

_BAR = 12  # characters that stand for the whole variance
_NARROW = 16  # characters of a heading's line


def summary(ds: xr.Dataset) -> Table:
    """Tabulates the main effects of a sweep, to print with ``rich`` in 80 columns.

    Args:
      ds: a sweep's result, see ``memjax.sweep.run.run``.

    Returns:
      A row a parameter: its share of the variance of the final objective, its worst and best value
      and the mean objective there. The caption tells the reference, if there is one, the best cell
      and the lanes, the objective as mean ± standard deviation over seeds.
    """
    effects, about = main_effects(ds), objective(ds)
    table = Table(title=Text(str(ds.attrs.get("name", "sweep"))), caption=Text(_caption(ds)))
    table.caption_justify = "left"
    table.add_column("parameter")
    table.add_column("share of variance", no_wrap=True)
    table.add_column("worst → best value")
    table.add_column(Text(textwrap.fill(f"mean {about.label}", _NARROW)), no_wrap=True)
    for row in effects.reset_index().to_dict("records"):
        share = f"{100 * row['share']:5.1f} % {'█' * round(_BAR * row['share'])}"
        if row["parameter"] not in axes(ds):
            table.add_row(Text(row["parameter"], style="italic"), share)
            continue
        axis = row["parameter"]
        texts = dict(zip(ds[axis].values.tolist(), labels(ds, axis), strict=True))
        means = (about.number(row[name]) for name in ("worst_mean", "best_mean"))
        table.add_row(
            Text(heading(ds, axis)),
            share,
            Text(f"{texts[row['worst']]} → {texts[row['best']]}"),
            about.with_unit(" → ".join(means)),
        )
    return table


def _caption(ds: xr.Dataset) -> str:
    about, best, reference = objective(ds), best_cell(ds), baseline(ds)
    names = [name for axis in axes(ds) for name in (axis, *zipped(ds, axis))]
    where = ", ".join(f"{name} {text(best[name].values.item())}" for name in names)
    luck = nothing_found(ds)
    lanes, seeds, lost = ds["status"].size, ds.sizes["seed"], int(failed(ds).sum())
    guess = about.text(about.guess, form=".3g")
    fate = f"{lost} failed, counted at {about.guess_name} ({guess})" if lost else "none failed"
    found = []
    if reference is not None:
        found.append(f"{baseline_name(ds)}: {about.text(*mean_and_spread(reference))}")
    return "\n".join(
        [
            *found,
            *([luck] if luck else []),
            f"best cell: {about.text(*mean_and_spread(best))}" + (f" at {where}" if where else ""),
            f"lanes: {lanes} ({count(lanes // seeds, 'cell')} x {count(seeds, 'seed')}), {fate}",
        ]
    )


def nothing_found(ds: xr.Dataset) -> str:
    """Warns that no cell is clear of the guess; empty where one is."""
    if not all_at_guess(ds):
        return ""
    about, cells = objective(ds), final(ds).mean("seed")
    ends = " to ".join(about.number(cells.quantile(q)) for q in (0, 1))
    guess = about.text(about.guess, form=".3g")
    what = f"all cells are at {about.guess_name} ({guess}): {about.with_unit(ends)}"
    if cells.size == 1:
        return f"the cell is at {about.guess_name} ({guess})"
    return f"{what}; which of them is best, and why, is luck"
