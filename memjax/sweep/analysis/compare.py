"""Two finished sweeps side by side: what differs in their specifications, and what in results."""

import math
import tomllib
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from memjax.errors import UserError
from memjax.sweep.analysis.objective import Objective, attributes
from memjax.sweep.analysis.results import (
    baseline,
    baseline_name,
    final,
    labels,
    objective,
    shares_random_numbers,
    text,
    zipped,
)

LEVEL = 0.05
"""False discovery rate among the cells that are called better or worse."""

_OWN = (
    *("first", "second", "difference", "standard_error", "p_value", "p_adjusted", "paired"),
    *("first_baseline", "second_baseline", "other_seed", "y", "words"),
)
_LONGEST = 200  # characters of a value of a specification
_EQUAL = 1e-9  # of the largest value: differences of float32 means that are rounding


def compare(first: xr.Dataset, second: xr.Dataset) -> xr.Dataset:
    r"""Compares the final objective of two sweeps, cell by cell of the grid that they share.

    Both need the same objective and the same axes; one of a single value may be absent from the
    other sweep, or have another value there. Points are matched by their values (of a zipped group,
    all of its values). An axis that has the name of something returned is ``NAME (axis)`` there.

    With n1, n2 seeds, means m1, m2 and sample variances s1^2, s2^2 of a cell (Welch),

        difference = m2 - m1,    standard error = sqrt(s1^2 / n1 + s2^2 / n2),

    or, where the lanes of a seed share their random numbers in both sweeps (equal ``key_data``),
    those of the paired differences d: mean(d) and sd(d) / sqrt(n). Other lanes are independent, and
    pairing them would only lose degrees of freedom. p values are of the two-sided t tests;
    ``p_adjusted`` controls the false discovery rate over all cells (Benjamini & Hochberg 1995). A
    cell is better or worse beyond noise if that is at most 0.05. A failed lane counts as a guess,
    see ``memjax.sweep.analysis.results.final``.

    The standard error of the mean over cells takes cells as independent, or, with common random
    numbers, is that of the seeds' means over cells.

    Args:
      first: a sweep's result, see ``memjax.sweep.run.run``.
      second: another.

    Returns:
      ``first``, ``second`` (means), ``difference``, ``standard_error`` (all in the objective's
      units), ``p_value``, ``p_adjusted`` and ``paired`` over the shared axes of the first; the
      final objective of the references, ``first_baseline`` and ``second_baseline`` (seed,
      other_seed), of those that have one. p values are NaN with one seed, and where all seeds agree
      on a difference, for want of a spread. ``attrs`` describe the objective as results do, of
      which ``first`` is the column, and hold ``mean_difference``, ``mean_standard_error``, the
      numbers of cells ``improved``, ``worsened`` and ``undecided`` (no p value), ``changes`` (key:
      the two values, in words) and ``notes``.

    Raises:
      UserError: the objectives or the axes differ, or no point is shared.

    Example:
      >>> y = xr.DataArray([[[0.5], [0.52]], [[0.8], [0.82]]], dims=("levels", "seed", "time_s"))
      >>> said = {"objective": "error", "better": "lower", "guess": 1.0, "stage": "time_s"}
      >>> data = {"error": y, "status": y[..., 0] < 0}
      >>> one = xr.Dataset(data, {"levels": [8, 32], "time_s": [1.0]}, said)
      >>> found = compare(one, one.assign_coords(levels=[32, 64]))
      >>> found["levels"].values.tolist(), round(float(found["difference"][0]), 3)
      ([32], -0.3)
      >>> found.attrs["improved"]
      1

    References:
      B. L. Welch, Biometrika 34 (1947) 28-35; Y. Benjamini and Y. Hochberg, J. R. Stat. Soc. B 57
      (1995) 289-300.
    """
    about = _common_objective(first, second)
    notes = _notes(first, second)
    shared = any(shares_random_numbers(ds) for ds in (first, second))
    one, two = _aligned(_lanes(first), _lanes(second))
    names = _axes(one)
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
    real, gain = adjusted <= LEVEL, about.gain(difference)
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
    for name in ("first", "second", "difference", "standard_error"):
        result[name].attrs = {"units": about.units, "long_name": about.label}
    seeds = {"first": (first, "seed"), "second": (second, "other_seed")}
    for name, (ds, dim) in seeds.items():
        reference = baseline(ds)
        if reference is not None:
            result[f"{name}_baseline"] = (dim, reference.values)
    titles = [str(ds.attrs.get("name", "sweep")) for ds in (first, second)]
    result.attrs = attributes(about._replace(column="first")) | {
        "name": titles[0] if titles[0] == titles[1] else " → ".join(titles),
        "reference_name": baseline_name(first),
        "mean_difference": float(difference.mean()),
        "mean_standard_error": _mean_error(y1, y2, error, paired, shared),
        "improved": int((real & (gain > 0)).sum()),
        "worsened": int((real & (gain < 0)).sum()),
        "undecided": int((~told).sum()),
        "changes": _changes(*(tomllib.loads(ds.attrs.get("spec", "")) for ds in (first, second))),
        "notes": notes,
    }
    return result


def _common_objective(first: xr.Dataset, second: xr.Dataset) -> Objective:
    """What both sweeps are about."""
    one, two = objective(first), objective(second)
    names = [f"{o.label} ({o.better} is better, units {o.units})" for o in (one, two)]
    if one[:3] != two[:3] or one.units != two.units:
        raise UserError(
            f"the first sweep is about {names[0]}, the second about {names[1]}: they cannot be "
            "compared; give two sweeps of one task"
        )
    if not math.isclose(one.guess, two.guess, rel_tol=1e-9):
        told = [o.text(o.guess, form=".3g") for o in (one, two)]
        raise UserError(
            f"the first sweep's {one.guess_name} is {told[0]}, the second's {told[1]}: their "
            f"{one.label} cannot be compared; give two sweeps of one task"
        )
    return one


def _notes(first: xr.Dataset, second: xr.Dataset) -> list[str]:
    """What could mislead."""
    sets, experiments, digests = (
        [ds.attrs.get(name) for ds in (first, second)]
        for name in ("dataset", "experiment", "data_digest")
    )
    found = []
    if None not in experiments and experiments[0] != experiments[1]:
        found.append(f"they are different experiments: {experiments[0]} and {experiments[1]}")
    if sets[0] != sets[1]:
        told = [name or "unnamed" for name in sets]
        found.append(f"they were trained on different data: {told[0]} and {told[1]}")
    elif digests[0] != digests[1]:
        name = sets[0] or "their data"
        found.append(f"they were trained on different parts or versions of {name}")
    if any("key_data" not in ds.coords for ds in (first, second)):
        found.append("older results do not tell their random numbers: no seeds are paired")
    return found


def _lanes(ds: xr.Dataset) -> xr.Dataset:
    """Each lane's final objective ``y`` and, if they can be told, its random ``words``."""
    values = final(ds)
    found = xr.Dataset({"y": values.drop_vars(["lane_key", "key_data"], errors="ignore")})
    if "key_data" in ds.coords:
        found["words"] = ds["key_data"].drop_vars(["lane_key", "key_data"], errors="ignore")
    return found.rename({n: f"{n} (axis)" for n in _OWN if n in found.dims or n in found.coords})


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
    return np.asarray((w1 == w2).all(-1))


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
    rounding = _EQUAL * max(abs(y1).max(), abs(y2).max())
    flat = error <= rounding
    error = np.where(flat, 0.0, error)
    p = 2 * stats.t.sf(abs(difference) / np.where(flat, 1.0, error), freedom)
    return error, np.where(flat, np.where(abs(difference) <= rounding, 1.0, np.nan), p)


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
