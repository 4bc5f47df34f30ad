"""What a search found, as a table."""

import numpy as np
import xarray as xr
from rich.table import Table
from rich.text import Text

from memjax.sweep.analysis.results import dims, heading, labels, objective, text

_ROWS = 20
_SURE = 0.9


def table(ds: xr.Dataset) -> Table:
    """Tabulates a search, the most tolerant combinations first, to print with ``rich``.

    Args:
      ds: what ``memjax.sweep.search.search.search`` returned.

    Returns:
      A row a combination: the weakest value that reaches the target, the interpolated crossing
      with its 90 % interval, and the probability that the whole grid would give the same weakest
      value. The caption counts lanes, combinations and how many of them are sure.
    """
    along, others = str(ds.attrs["along"]), dims(ds["weakest"])
    title = f"{ds.attrs['name']}: the weakest {along} that reaches {target(ds)}"
    result = Table(title=Text(title), caption=Text(_caption(ds)), caption_justify="left")
    separate = len(others) <= 3
    for name in [heading(ds, axis) for axis in others] if separate else ["combination"]:
        result.add_column(Text(name))
    for name in ("weakest", "crossing (90 %)", "sure"):
        result.add_column(name, no_wrap=True)
    texts = [labels(ds, axis) for axis in others]
    sign = -1 if ds.attrs["weaker"] == "larger" else 1
    order = np.argsort(sign * ds["crossing"].values.ravel(), kind="stable")  # NaN comes last
    for place in order[:_ROWS]:
        index = np.unravel_index(place, ds["weakest"].shape)
        own = [names[i] for names, i in zip(texts, index, strict=True)]
        if not separate:
            own = [", ".join(f"{axis} {name}" for axis, name in zip(others, own, strict=True))]
        row = ds.isel(dict(zip(others, index, strict=True)))
        result.add_row(*map(Text, own), *_answer(row), f"{100 * float(row['probability']):.0f} %")
    return result


def target(ds: xr.Dataset) -> str:
    """The target in words, and whether it is the most or the least that will do."""
    about = objective(ds)
    side = "" if about.better == "higher" else " or less"
    return f"{about.text(ds.attrs['target'], form='g')}{side}"


def _weak_end(ds: xr.Dataset) -> float:
    """The weakest value of the axis."""
    return ds[ds.attrs["along"]].values[-1 if ds.attrs["weaker"] == "larger" else 0].item()


def _answer(row: xr.Dataset) -> tuple[str, str]:
    """Writes the weakest value, and the crossing with its interval, of one combination."""
    weakest = "none" if np.isnan(row["weakest"]) else text(row["weakest"].item())
    low, crossing, high = (_number(row[name]) for name in ("low", "crossing", "high"))
    if row["weakest"] == _weak_end(row):
        crossing = "always"
    return weakest, crossing if low == high else f"{crossing} ({low}–{high})"


def _number(value: xr.DataArray) -> str:
    return "never" if np.isnan(value) else f"{float(value):.3g}"


def _caption(ds: xr.Dataset) -> str:
    weakest = ds["weakest"]
    never, always = int(weakest.isnull().sum()), int((weakest == _weak_end(ds)).sum())
    sure = int((ds["probability"] >= _SURE).sum())
    size = weakest.size
    return "\n".join(
        [f"... and {size - _ROWS} more"] * (size > _ROWS)
        + [
            f"lanes: {ds.attrs['lanes']} of {ds.attrs['lanes_of_grid']}; weaker is "
            f"{ds.attrs['weaker']} {ds.attrs['along']}",
            f"combinations: {size}: {size - never - always} cross the target, {always} always "
            f"reach it, {never} never",
            f"sure that the whole grid would say the same: {sure} of {size} at {100 * _SURE:.0f} %",
        ]
    )
