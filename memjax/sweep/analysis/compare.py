"""Two finished sweeps side by side: what differs in their specifications, and what in accuracy."""

import math
import tomllib
from typing import Any

import numpy as np
import xarray as xr
from rich.console import Group
from rich.table import Table
from rich.text import Text
from scipy import stats

from memjax.errors import UserError
from memjax.sweep.analysis.effects import final_accuracy, labels, text, zipped

LEVEL = 0.05
"""False discovery rate among the cells that are called better or worse."""

_MOST = 5  # changes listed
_LONGEST = 200  # characters of a value of a specification
_EQUAL = 1e-9  # differences of float32 means that are rounding


def compare(first: xr.Dataset, second: xr.Dataset) -> xr.Dataset:
    r"""Compares the final test accuracies of two sweeps, cell by cell of the grid that they share.

    Both need the same axes; one of a single value may be absent from the other sweep, or have
    another value there. Points are matched by their values (of a zipped group, all of its values).

    With n1, n2 seeds, means m1, m2 and sample variances s1^2, s2^2 of a cell (Welch),

        difference = m2 - m1,    standard error = sqrt(s1^2 / n1 + s2^2 / n2),

    or, where the lanes of a seed share their random numbers in both sweeps, those of the paired
    differences d: mean(d) and sd(d) / sqrt(n). Lanes share them if the sweeps have one `root_seed`
    and the cell the same parameters (those that can be an axis, but for `common_random_numbers`);
    other lanes are independent, and pairing them would only lose degrees of freedom. p values are
    of the two-sided t tests; `p_adjusted` controls the false discovery rate over all cells
    (Benjamini & Hochberg 1995). A cell is better or worse beyond noise if that is at most 0.05. A
    failed lane counts at chance, see `memjax.sweep.analysis.effects.final_accuracy`.

    The standard error of the mean over cells takes cells as independent, or, with common random
    numbers, is that of the seeds' means over cells.

    Args:
        first: A sweep's result, see `memjax.sweep.run.run`.
        second: Another.

    Returns:
        `first`, `second` (mean accuracies), `difference`, `standard_error` (fractions), `p_value`,
        `p_adjusted` and `paired` over the shared axes of the first; the baselines' final accuracies
        `first_baseline` and `second_baseline` (seed, other_seed). p values are NaN with one seed,
        and where all seeds agree on a difference, for want of a spread. `attrs` holds
        `mean_difference`, `mean_standard_error`, the numbers of cells `better`, `worse` and
        `undecided` (no p value), `changes` (key: the two values, in words) and `notes`.

    Raises:
        UserError: The numbers of classes or the axes differ, or no point is shared.

    >>> y = xr.DataArray([[[0.50], [0.52]], [[0.8], [0.82]]], dims=("levels", "seed", "epoch"))
    >>> data = {"test_accuracy": y, "status": y[..., 0] < 0, "baseline_accuracy": y[0]}
    >>> one = xr.Dataset(data, {"levels": [8, 32]}, {"n_classes": 10})
    >>> two = one.assign_coords(levels=[32, 64])
    >>> found = compare(one, two)
    >>> found["levels"].values.tolist(), round(float(found["difference"][0]), 3)
    ([32], -0.3)

    References:
        B. L. Welch, Biometrika 34 (1947) 28-35; Y. Benjamini and Y. Hochberg, J. R. Stat. Soc. B 57
        (1995) 289-300.
    """
    classes = [int(ds.attrs["n_classes"]) for ds in (first, second)]
    if classes[0] != classes[1]:
        raise UserError(
            f"the first sweep has {classes[0]} classes, the second {classes[1]}: their accuracies "
            "cannot be compared; give two sweeps of one task"
        )
    specs = [_spec(ds) for ds in (first, second)]
    notes = _notes(first, second)
    one, two = _aligned(_lanes(first), _lanes(second))
    names = [str(dim) for dim in one["y"].dims if dim != "seed"]
    paired = _paired(one, two)
    if paired.any() and one.sizes["seed"] != two.sizes["seed"]:
        least = min(one.sizes["seed"], two.sizes["seed"])
        one, two = (ds.isel(seed=slice(least)) for ds in (one, two))
        notes.append(f"the first {least} seeds of both: they share their random numbers")
    y1, y2 = (ds["y"].transpose(*names, "seed").values for ds in (one, two))
    difference = y2.mean(-1) - y1.mean(-1)
    error, p = _tests(y1, y2, paired)
    adjusted = np.full_like(p, np.nan)
    told = ~np.isnan(p)
    if told.any():
        adjusted[told] = stats.false_discovery_control(p[told], method="bh")
    shared = any(spec.get("common_random_numbers") for spec in specs)
    real = adjusted <= LEVEL
    values = {
        "first": y1.mean(-1),
        "second": y2.mean(-1),
        "difference": difference,
        "standard_error": error,
        "p_value": p,
        "p_adjusted": adjusted,
        "paired": paired,
    }
    coords = {name: coord for name, coord in one["y"].coords.items() if "seed" not in coord.dims}
    result = xr.Dataset({name: (names, value) for name, value in values.items()}, coords)
    result["first_baseline"] = ("seed", first["baseline_accuracy"].isel(epoch=-1).values)
    result["second_baseline"] = ("other_seed", second["baseline_accuracy"].isel(epoch=-1).values)
    titles = [str(ds.attrs.get("name", "sweep")) for ds in (first, second)]
    result.attrs = {
        "name": titles[0] if titles[0] == titles[1] else " → ".join(titles),
        "mean_difference": float(difference.mean()),
        "mean_standard_error": _mean_error(y1, y2, error, paired, shared),
        "better": int((real & (difference > 0)).sum()),
        "worse": int((real & (difference < 0)).sum()),
        "undecided": int((~told).sum()),
        "changes": _changes(*specs),
        "notes": notes,
    }
    return result


def _spec(ds: xr.Dataset) -> dict[str, Any]:
    return tomllib.loads(ds.attrs.get("spec", ""))


def _notes(first: xr.Dataset, second: xr.Dataset) -> list[str]:
    """What could mislead."""
    data = [ds.attrs.get("dataset", "unnamed") for ds in (first, second)]
    if data[0] != data[1]:
        return [f"they were trained on different data: {data[0]} and {data[1]}"]
    if first.attrs.get("data_digest") != second.attrs.get("data_digest"):
        return [f"they were trained on different parts or versions of {data[0]}"]
    return []


def _lanes(ds: xr.Dataset) -> xr.Dataset:
    """Each lane's final accuracy `y` and, if they can be told, its random `words` as one number."""
    from memjax.sweep.spec import grid as lanes
    from memjax.sweep.store import reuse as extension

    final = final_accuracy(ds)
    found = xr.Dataset({"y": final})
    try:
        spec = extension.spec_of(ds)
        words = lanes.lane_words(spec, np.arange(lanes.count(spec))).astype(np.uint64)
        words = (words[:, 0] << np.uint64(32)) | words[:, 1]
        return found.assign(words=(final.dims, words.reshape(final.shape)))
    except (KeyError, ValueError):  # no specification, or one that is none to this version
        return found


def _changes(first: dict[str, Any], second: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """The keys whose values differ, dotted, with both in words."""
    one, two = _flat(first), _flat(second)
    keys = [key for key in {**one, **two} if one.get(key) != two.get(key)]
    return {key: (_word(one.get(key)), _word(two.get(key))) for key in keys}


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        inner = _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {}
        found |= inner or {f"{prefix}{key}": value}
    return found


def _word(value: Any) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, list):
        value = ", ".join(_word(item) for item in value) or "(none)"
    shown = str(value).lower() if isinstance(value, bool) else text(value)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _aligned(one: xr.Dataset, two: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Both on the points that they share, in the order of the first."""
    for place, (ds, other) in {"first": (one, two), "second": (two, one)}.items():
        for axis in _axes(ds):
            if axis not in other.dims and ds.sizes[axis] > 1:
                raise UserError(
                    f"only the {place} sweep has the axis {axis}: compare needs the same axes in "
                    "both, but for those of one value; run the other with it too"
                )
    single = [a for a in _axes(one) if one.sizes[a] == 1 and two.sizes.get(a, 1) == 1]
    single += [a for a in _axes(two) if a not in one.dims]
    one, two = (ds.isel({a: 0 for a in single if a in ds.dims}, drop=True) for ds in (one, two))
    for axis in _axes(one):
        where = {point: place for place, point in enumerate(_points(two, axis))}
        found = [(i, where[p]) for i, p in enumerate(_points(one, axis)) if p in where]
        if not found:
            said = [_labels(ds, axis) for ds in (one, two)]
            raise UserError(
                f"the sweeps share no point of the axis {axis}: {said[0]} in the first, {said[1]} "
                "in the second; give two sweeps that share some"
            )
        mine, others = (list(index) for index in zip(*found, strict=True))
        one, two = one.isel({axis: mine}), two.isel({axis: others})
    return one, two


def _axes(ds: xr.Dataset) -> list[str]:
    return [str(dim) for dim in ds["y"].dims if dim != "seed"]


def _points(ds: xr.Dataset, axis: str) -> list[tuple[str, ...]]:
    """A name for each point of an axis; the same for 1 and 1.0, and whatever rounding did."""
    names = [axis] if axis in ds.coords and not _numbered(ds, axis) else sorted(zipped(ds, axis))
    rows = zip(*(ds[name].values.tolist() for name in names or [axis]), strict=True)
    return [tuple(f"{v:.12g}" if isinstance(v, int | float) else str(v) for v in r) for r in rows]


def _numbered(ds: xr.Dataset, axis: str) -> bool:
    return bool(zipped(ds, axis)) and np.issubdtype(ds[axis].dtype, np.number)


def _labels(ds: xr.Dataset, axis: str) -> str:
    shown = labels(ds, axis)
    between = "; " if _numbered(ds, axis) else ", "
    return between.join(shown if len(shown) <= 6 else [*shown[:5], "…"])


def _paired(one: xr.Dataset, two: xr.Dataset) -> np.ndarray:
    """Marks the shared cells whose seeds have the same random numbers in both sweeps."""
    names = _axes(one)
    shape = tuple(one.sizes[name] for name in names)
    if "words" not in one or "words" not in two:
        return np.zeros(shape, bool)
    seeds = slice(min(one.sizes["seed"], two.sizes["seed"]))
    w1, w2 = (ds["words"].transpose(*names, "seed").values[..., seeds] for ds in (one, two))
    return (w1 == w2).all(-1)


def _tests(y1: np.ndarray, y2: np.ndarray, paired: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard errors and two-sided p values of the differences of cells (axes..., seed)."""
    n1, n2 = y1.shape[-1], y2.shape[-1]
    if min(n1, n2) < 2:
        return np.full(paired.shape, np.nan), np.full(paired.shape, np.nan)
    v1, v2 = y1.var(-1, ddof=1) / n1, y2.var(-1, ddof=1) / n2
    variance = v1 + v2
    spread = np.where(variance > 0, variance, 1.0)
    freedom = spread**2 / (v1**2 / (n1 - 1) + v2**2 / (n2 - 1) + (variance == 0))
    if paired.any():
        own = (y2 - y1).var(-1, ddof=1) / n1
        variance, freedom = np.where(paired, own, variance), np.where(paired, n1 - 1, freedom)
    error, difference = np.sqrt(variance), y2.mean(-1) - y1.mean(-1)
    flat = error < _EQUAL
    error = np.where(flat, 0.0, error)
    p = 2 * stats.t.sf(abs(difference) / np.where(flat, 1.0, error), freedom)
    return error, np.where(flat, np.where(abs(difference) < _EQUAL, 1.0, np.nan), p)


def _mean_error(
    y1: np.ndarray, y2: np.ndarray, error: np.ndarray, paired: np.ndarray, shared: bool
) -> float:
    """The standard error of the mean difference over cells; NaN with one seed."""
    if not shared or np.isnan(error).all():
        return float(np.sqrt(np.square(error).sum()) / error.size)
    cells = tuple(range(y1.ndim - 1))
    s1, s2 = y1.mean(cells), y2.mean(cells)
    if paired.all():
        return float((s2 - s1).std(ddof=1) / math.sqrt(len(s1)))
    return math.sqrt(s1.var(ddof=1) / len(s1) + s2.var(ddof=1) / len(s2))


def summary(result: xr.Dataset, names: tuple[str, str] = ("first", "second")) -> Group:
    """Tabulates a comparison, to print with `rich` in 80 columns.

    Args:
        result: See `compare`.
        names: What to call the two sweeps.

    Returns:
        What differs in the specifications, the five largest changes of accuracy, and in words the
        mean difference ± standard error, the cells beyond noise, and both baselines.
    """
    changes = Table(title=Text("what differs in the specifications"))
    for column in ("key", *names):
        changes.add_column(Text(column), overflow="fold")
    for key, (one, two) in result.attrs["changes"].items():
        changes.add_row(Text(key), Text(one), Text(two))
    largest = Table(title=Text("largest changes of the final accuracy"))
    for column in ("cell", "first → second", "difference", "adjusted p"):
        largest.add_column(column, no_wrap=column != "cell")
    for cell in _largest(result):
        p = float(cell["p_adjusted"])
        largest.add_row(
            Text(_where(cell, _dims(result)) or "(the only one)"),
            f"{100 * float(cell['first']):.1f} → {100 * float(cell['second']):.1f} %",
            _plus_minus(float(cell["difference"]), float(cell["standard_error"])),
            "-" if math.isnan(p) else f"{p:.1g}" + (" *" if p <= LEVEL else ""),
        )
    differ = changes if result.attrs["changes"] else Text("the specifications do not differ")
    return Group(differ, largest, *(Text(line) for line in sentences(result, names)))


def sentences(result: xr.Dataset, names: tuple[str, str] = ("first", "second")) -> list[str]:
    """Says what a comparison found.

    Args:
        result: See `compare`.
        names: What to call the two sweeps.
    """
    facts, cells = result.attrs, result["difference"].size
    mean = _plus_minus(facts["mean_difference"], facts["mean_standard_error"])
    pairs = int(result["paired"].sum())
    how = {0: "Welch", cells: "paired"}.get(pairs, f"{pairs} paired, others Welch")
    over = "the only cell" if cells == 1 else f"{cells} cells"
    found = [f"{names[1]} - {names[0]}: {mean} points (mean ± standard error over {over})"]
    if facts["undecided"] == cells:
        found.append("beyond noise: cannot be told; run both with seeds = 3 or more")
    else:
        beyond = f"{facts['better']} cells better, {facts['worse']} worse"
        found.append(f"beyond noise: {beyond} (*: false discovery rate {LEVEL:g}; {how})")
        if facts["undecided"]:
            found.append(f"undecided: {facts['undecided']} cells, whose seeds all agree")
    for name, which in zip(names, ("first_baseline", "second_baseline"), strict=True):
        scores = 100 * result[which].values
        spread = f" ± {scores.std(ddof=1):.1f}" if scores.size > 1 else ""
        found.append(f"float baseline of {name}: {scores.mean():.1f}{spread} %")
    return [*found, *(f"note: {note}" for note in facts["notes"])]


def _dims(result: xr.Dataset) -> list[str]:
    return [str(dim) for dim in result["difference"].dims]


def _largest(result: xr.Dataset) -> list[xr.Dataset]:
    """The cells of the largest changes, largest first."""
    sizes = abs(result["difference"].values).ravel()
    order = np.argsort(-sizes, kind="stable")[:_MOST]
    places = [np.unravel_index(i, result["difference"].shape) for i in order if sizes[i] > 0]
    return [result.isel(dict(zip(_dims(result), place, strict=True))) for place in places]


def _where(cell: xr.Dataset, dims: list[str]) -> str:
    own = [n for n in cell.coords if cell[n].ndim == 0]
    names = [d for d in dims if d in own] + [str(n) for n in own if n not in dims]
    return ", ".join(f"{name} {text(cell[name].values.item())}" for name in names)


def _signed(points: float) -> str:
    return f"{round(points, 1) + 0.0:+.1f}"  # no -0.0


def _plus_minus(difference: float, error: float) -> str:
    shown = _signed(100 * difference)
    return shown if math.isnan(error) else f"{shown} ± {100 * error:.1f}"


def compare_figure(result: xr.Dataset, names: tuple[str, str] = ("first", "second")) -> Any:
    """Draws the difference of accuracy over the axes along which it varies most.

    Heat maps over two axes, panels over a third, averaged over others; with one axis a line with
    standard errors.

    Args:
        result: See `compare`.
        names: What to call the two sweeps.

    Returns:
        A matplotlib figure.
    """
    from memjax.sweep.show.panels import is_numeric, make_panels

    result = result.drop_dims(("seed", "other_seed")).assign_attrs(result.attrs)
    ranked = _ranked(result)
    single = [d for d in _dims(result) if d not in ranked]
    result = result.isel({d: 0 for d in single}, drop=True)
    result = result.sortby([axis for axis in ranked if is_numeric(result, axis)])
    facts = result.attrs
    mean = _plus_minus(facts["mean_difference"], facts["mean_standard_error"])
    what = f"{names[1]} - {names[0]}"
    title = f"{what}: {mean} points on average"
    if len(ranked) >= 2:
        return _heatmaps(result, ranked, title, f"{what} (points of accuracy)")
    figure, (ax,) = make_panels(result, title, 1, "difference (points of accuracy)")
    _line(ax, result, ranked, what)
    return figure


def _ranked(result: xr.Dataset) -> list[str]:
    """The axes of two or more values, those first along which the difference varies most."""
    difference, dims = result["difference"], _dims(result)
    varied = [d for d in dims if result.sizes[d] > 1]
    spread = {d: float(difference.mean([e for e in dims if e != d]).var()) for d in varied}
    return sorted(varied, key=lambda d: -spread[d])


def _line(ax: Any, result: xr.Dataset, ranked: list[str], what: str) -> None:
    from memjax.sweep.show.panels import MEAN, is_numeric, x_axis

    difference, error = (
        100 * np.atleast_1d(result[name].values) for name in ("difference", "standard_error")
    )
    x, style = np.zeros(1), "o"
    if ranked:
        x = x_axis(ax, result, ranked[0])
        style = "o-" if is_numeric(result, ranked[0]) else "o"
    else:
        ax.set_xticks([0], ["the only cell"])
    bars = None if np.isnan(error).all() else error
    name = what + ("" if bars is None else " ± standard error")
    ax.axhline(0, color="black", linewidth=1)
    ax.errorbar(x, difference, bars, fmt=style, **{**MEAN, "label": name})
    ax.legend(frameon=False)


def _heatmaps(result: xr.Dataset, ranked: list[str], title: str, what: str) -> Any:
    from memjax.sweep.show.panels import MOST, label, make_panels, name_ticks

    y, x, *others = ranked
    cells = 100 * result["difference"].mean(others[1:])
    real = (result["p_adjusted"] <= LEVEL) if len(others) < 2 else None
    count = result.sizes[others[0]] if others else 1
    chosen = np.linspace(0, count - 1, min(count, MOST)).round().astype(int).tolist()
    over = f"; averaged over {', '.join(others[1:])}" if others[1:] else ""
    marks = "; •: beyond noise" if real is not None else ""
    figure, panels = make_panels(
        result, f"{title}{over}{marks}", len(chosen), label(result, y), sharey=False
    )
    most = max(float(abs(cells).max()), 0.1)
    for ax, index in zip(panels, chosen, strict=True):
        here = {others[0]: index} if others else {}
        values = cells.isel(here).transpose(y, x).values
        image = ax.imshow(values, "RdBu", vmin=-most, vmax=most, origin="lower", aspect="auto")
        ax.set_xlabel(label(result, x))
        name_ticks(ax.xaxis, result, x, np.arange(result.sizes[x]))
        name_ticks(ax.yaxis, result, y, np.arange(result.sizes[y]))
        if others:
            shown = labels(result, others[0])[index]
            ax.set_title(f"{label(result, others[0])}: {shown}", fontsize=10)
        if max(values.shape) <= 8:
            marked = None if real is None else real.isel(here).transpose(y, x).values
            _annotate(ax, values, marked, most)
    figure.colorbar(image, ax=panels, label=what)
    return figure


def _annotate(ax: Any, values: np.ndarray, marked: np.ndarray | None, most: float) -> None:
    """Writes each difference, with a dot where it is beyond noise."""
    for place, value in np.ndenumerate(values):
        dot = "•" if marked is not None and marked[place] else ""
        ink = "white" if abs(value) > 0.6 * most else "black"
        ax.text(*place[::-1], _signed(value) + dot, ha="center", va="center", color=ink, fontsize=8)
