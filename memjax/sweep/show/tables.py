"""A sweep in one short table: which parameter matters, and how far the best device gets."""

import xarray as xr
from rich.table import Table
from rich.text import Text

from memjax.sweep.analysis.effects import (
    axes,
    best_cell,
    chance,
    failed,
    heading,
    labels,
    main_effects,
    text,
    zipped,
)

_BAR = 12  # characters that stand for the whole variance


def summary(ds: xr.Dataset) -> Table:
    """Tabulates the main effects of a sweep, to print with `rich` in 80 columns.

    Args:
        ds: A sweep's result, see `effects.main_effects`, with `baseline_accuracy`
            (seed, epoch).

    Returns:
        A row a parameter: its share of the variance of the final test accuracy, its worst and best
        value and the mean accuracies there (%). The caption tells the float baseline, the best cell
        and the lanes, accuracies as mean ± standard deviation over seeds.
    """
    effects = main_effects(ds)
    table = Table(title=Text(str(ds.attrs.get("name", "sweep"))), caption=Text(_caption(ds)))
    table.caption_justify = "left"
    table.add_column("parameter")
    table.add_column("share of variance", no_wrap=True)
    table.add_column("worst → best value")
    table.add_column("mean accuracy", no_wrap=True)
    for row in effects.reset_index().to_dict("records"):
        share = f"{100 * row['share']:5.1f} % {'█' * round(_BAR * row['share'])}"
        if row["parameter"] not in axes(ds):
            table.add_row(Text(row["parameter"], style="italic"), share)
            continue
        axis = row["parameter"]
        texts = dict(zip(ds[axis].values.tolist(), labels(ds, axis), strict=True))
        table.add_row(
            Text(heading(ds, axis)),
            share,
            Text(f"{texts[row['worst']]} → {texts[row['best']]}"),
            f"{100 * row['worst_accuracy']:.1f} → {100 * row['best_accuracy']:.1f} %",
        )
    return table


def _caption(ds: xr.Dataset) -> str:
    best, seeds = best_cell(ds), ds.sizes["seed"]
    names = [name for axis in axes(ds) for name in (axis, *zipped(ds, axis))]
    where = ", ".join(f"{name} {text(best[name].values.item())}" for name in names)
    lanes, lost = int(ds["status"].size), int(failed(ds).sum())
    fate = f"{lost} failed, counted at chance ({100 * chance(ds):.3g} %)" if lost else "none failed"
    return "\n".join(
        [
            f"float baseline: {_percent(ds['baseline_accuracy'].isel(epoch=-1))}",
            f"best cell: {_percent(best)}" + (f" at {where}" if where else ""),
            f"lanes: {lanes} ({count(lanes // seeds, 'cell')} x {count(seeds, 'seed')}), {fate}",
        ]
    )


def _percent(scores: xr.DataArray) -> str:
    """Writes the mean over seeds in %, with the standard deviation if there are two or more."""
    spread = f" ± {100 * float(scores.std(ddof=1)):.1f}" if scores.size > 1 else ""
    return f"{100 * float(scores.mean()):.1f}{spread} %"


def count(number: int, noun: str) -> str:
    """``1 lane``, ``2 lanes``."""
    return f"{number} {noun}{'s' * (number != 1)}"
