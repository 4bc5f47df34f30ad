"""Sobol indices as a table."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from rich.console import Group
from rich.table import Table
from rich.text import Text

from memjax.sweep.analysis.results import heading
from memjax.sweep.analysis.sensitivity import by_kind

MOST_PAIRS = 8
"""Pairs that are shown; the table in Python and the CSV file have all."""


def summary(ds: xr.Dataset, indices: pd.DataFrame) -> Group:
    """Tabulates Sobol indices, to print with ``rich`` in 80 columns.

    Args:
      ds: a sweep's result.
      indices: of it, see ``memjax.sweep.analysis.sensitivity.sobol_indices``.

    Returns:
      A row a parameter, largest total index first: first-order and total index (%) with their
      95 % intervals; then the largest second-order ones; in words the seeds' share.
    """
    first, total, pairs, noise = by_kind(indices)
    table = Table(title=Text(f"{ds.attrs.get('name', 'sweep')}: share of the variance"))
    table.add_column("parameter")
    for name in ("first-order S (alone)", "total ST (with interactions)"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in total.index:
        table.add_row(Text(heading(ds, name)), _cell(first.loc[name]), _cell(total.loc[name]))
    tables: list[Any] = [table]
    if len(pairs):
        more = f" (largest {MOST_PAIRS} of {len(pairs)})" if len(pairs) > MOST_PAIRS else ""
        table = Table(title=Text(f"interactions of two{more}"))
        table.add_column("parameters")
        table.add_column("second-order Sij", justify="right", no_wrap=True)
        for row in pairs.head(MOST_PAIRS).to_dict("records"):
            table.add_row(Text(f"{row['parameter']} × {row['other']}"), _cell(row))
        tables.append(table)
    seeds = indices.attrs["seeds"]
    lines = [
        f"seeds (noise): {_cell(noise)} of the variance of a lane; {seeds} seeds a cell",
        "(95 % intervals: bootstrap over seeds; indices corrected for seed noise, which the",
        "shares of variance of `memjax plot` and `report` are not: theirs are of these lanes)",
    ]
    if seeds == 1:
        lines = ["one seed: noise counts as interactions, no intervals; take seeds = 3 or more"]
    return Group(*tables, *(Text(line) for line in lines))


def _cell(row: Any) -> str:
    shown = f"{100 * row['index']:.1f} %"
    if np.isnan(row["low"]):
        return shown
    return f"{shown} ({100 * row['low']:.1f} – {100 * row['high']:.1f})"
