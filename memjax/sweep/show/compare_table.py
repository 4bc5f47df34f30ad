"""Two sweeps compared, as tables and in words."""

import math

import numpy as np
import xarray as xr
from rich.console import Group
from rich.table import Table
from rich.text import Text

from memjax.sweep.analysis.compare import LEVEL
from memjax.sweep.analysis.objective import POINTS
from memjax.sweep.analysis.results import dims, mean_and_spread, objective, text

_MOST = 5  # changes listed


def summary(result: xr.Dataset, names: tuple[str, str] = ("first", "second")) -> Group:
    """Tabulates a comparison, to print with ``rich`` in 80 columns.

    Args:
      result: see ``memjax.sweep.analysis.compare.compare``.
      names: what to call the two sweeps.

    Returns:
      What differs in the specifications, the five largest changes of the objective, and in words
      the mean difference ± standard error, the cells beyond noise, and both references.
    """
    about = objective(result)
    changes = Table(title=Text("what differs in the specifications"))
    for column in ("key", *names):
        changes.add_column(Text(column), overflow="fold")
    for key, (one, two) in result.attrs["changes"].items():
        changes.add_row(Text(key), Text(one), Text(two))
    largest = Table(title=Text(f"largest changes of the final {about.label}"))
    for column in ("cell", "first → second", "difference", "adjusted p"):
        largest.add_column(column, no_wrap=column != "cell")
    for cell in _largest(result):
        p = float(cell["p_adjusted"])
        largest.add_row(
            Text(_where(cell, dims(result["difference"])) or "(the only one)"),
            about.with_unit(" → ".join(about.number(cell[n]) for n in ("first", "second"))),
            about.difference(cell["difference"], cell["standard_error"]),
            "-" if math.isnan(p) else f"{p:.1g}" + (" *" if p <= LEVEL else ""),
        )
    differ = changes if result.attrs["changes"] else Text("the specifications do not differ")
    return Group(differ, largest, *(Text(line) for line in sentences(result, names)))


def sentences(result: xr.Dataset, names: tuple[str, str] = ("first", "second")) -> list[str]:
    """Says what a comparison found.

    Args:
      result: see ``memjax.sweep.analysis.compare.compare``.
      names: what to call the two sweeps.
    """
    facts, cells = result.attrs, result["difference"].size
    pairs = int(result["paired"].sum())
    how = {0: "Welch", cells: "paired"}.get(pairs, f"{pairs} paired, others Welch")
    over = "the only cell" if cells == 1 else f"{cells} cells"
    mean = mean_difference(result)
    found = [f"{names[1]} - {names[0]}: {mean} (mean ± standard error over {over}{side(result)})"]
    if facts["undecided"] == cells:
        found.append("beyond noise: cannot be told; run both with seeds = 3 or more")
    else:
        beyond = f"{facts['improved']} cells better, {facts['worsened']} worse"
        found.append(f"beyond noise: {beyond} (*: false discovery rate {LEVEL:g}; {how})")
        if facts["undecided"]:
            found.append(f"undecided: {facts['undecided']} cells, whose seeds all agree")
    about = objective(result)
    for name, own in zip(names, ("first_baseline", "second_baseline"), strict=True):
        if own in result:
            reached = about.text(*mean_and_spread(result[own]))
            found.append(f"{facts['reference_name']} of {name}: {reached}")
    return [*found, *(f"note: {note}" for note in facts["notes"])]


def mean_difference(result: xr.Dataset) -> str:
    """The mean difference over cells ± its standard error."""
    about, facts = objective(result), result.attrs
    mean = about.difference(facts["mean_difference"], facts["mean_standard_error"])
    return f"{mean} {POINTS}" if about.as_percent else about.with_unit(mean)


def side(result: xr.Dataset) -> str:
    """Reminds of which differences are improvements, where it is those below 0."""
    return "" if objective(result).better == "higher" else "; lower is better"


def _largest(result: xr.Dataset) -> list[xr.Dataset]:
    """The cells of the largest changes, largest first."""
    sizes = abs(result["difference"].values).ravel()
    order = np.argsort(-sizes, kind="stable")[:_MOST]
    places = [np.unravel_index(i, result["difference"].shape) for i in order if sizes[i] > 0]
    return [
        result.isel(dict(zip(dims(result["difference"]), place, strict=True))) for place in places
    ]


def _where(cell: xr.Dataset, axes: list[str]) -> str:
    own = [n for n in cell.coords if cell[n].ndim == 0]
    names = [d for d in axes if d in own] + [str(n) for n in own if n not in axes]
    return ", ".join(f"{name} {text(cell[name].values.item())}" for name in names)
