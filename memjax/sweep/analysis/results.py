"""What a sweep's dataset says, by name: its axes, its objective, its stages and its reference.

Everything comes from dimensions, coordinates and attributes; of the specification's text only the
order of names is read. Results of versions that knew one experiment, a classifier, say no
objective: theirs is the test accuracy after the last epoch.
"""

import contextlib
import math
import tomllib
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from memjax.errors import UserError
from memjax.sweep.analysis.objective import Objective

FRACTION = Objective("test_accuracy", "higher", (0.0, 1.0), 0.0, "test accuracy", "1", "chance")
"""The objective of results that say none, but for its guess."""


class Stage(NamedTuple):
    """The dimension along which lanes were evaluated.

    Attributes:
      dim: its name.
      label: what it is.
      units: of its values, ``"1"`` for counts.
    """

    dim: str
    label: str
    units: str = "1"

    @property
    def is_training(self) -> bool:
        """Whether lanes learn along it."""
        return self.dim == "epoch"

    @property
    def axis_label(self) -> str:
        """Its name with its unit."""
        return _with_unit(self.label, self.units)

    @property
    def noun(self) -> str:
        """What one of its points is called in a sentence."""
        return self.dim if self.units == "1" else self.label

    def text(self, value: Any) -> str:
        """One of its points in words: ``epoch 3``, ``time since programming 10 s``."""
        return f"{self.noun} {text(np.asarray(value).item())}{_suffix(self.units)}"


class Robustness(NamedTuple):
    """A column that tells the objective again, under circumstances along a dimension of its own.

    Attributes:
      column: its name.
      baseline: of the reference, if there is one.
      dim: the dimension, whose points are the plain one, and kinds with levels: ``"gaussian 0.1"``.
      plain: the point that others are compared with.
      label: what the plain one is of.
    """

    column: str
    baseline: str | None
    dim: str
    plain: str
    label: str


def dims(values: xr.DataArray) -> list[str]:
    """The names of an array's dimensions."""
    return [str(dim) for dim in values.dims]


def axes(ds: xr.Dataset) -> list[str]:
    """The swept axes: every dimension of the lanes but ``seed``."""
    return [dim for dim in dims(ds["status"]) if dim != "seed"]


def objective(ds: xr.Dataset) -> Objective:
    """What the results are about.

    Raises:
      UserError: they do not hold it.
    """
    attrs = ds.attrs
    is_old = "objective" not in attrs and "n_classes" in attrs
    column = str(attrs.get("objective", FRACTION.column if is_old else ""))
    if column not in ds:
        what = f"no column {column!r}, their objective" if column else "no objective"
        raise UserError(f"{attrs.get('name', 'these results')}: have {what}; run the sweep again")
    about = ds[column].attrs
    label = about.get("long_name") or column.replace("_", " ")
    if is_old:
        guess = 1 / int(attrs["n_classes"])
        return FRACTION._replace(guess=guess, label=label)
    bounds = attrs.get("bounds")
    found = Objective(
        column,
        "lower" if attrs.get("better") == "lower" else "higher",
        None if bounds is None else (float(bounds[0]), float(bounds[1])),
        float(attrs["guess"]),
        label,
        str(about.get("units") or "1"),
        str(attrs.get("guess_name") or ("chance" if "n_classes" in attrs else "guess")),
    )
    return found.unbounded_if_infinite()


def stage(ds: xr.Dataset) -> Stage:
    """Along what lanes were evaluated."""
    dim = str(ds.attrs.get("stage", "epoch"))
    about = ds[dim].attrs
    return Stage(dim, str(about.get("long_name") or _spaced(dim)), str(about.get("units") or "1"))


def failed(ds: xr.Dataset) -> xr.DataArray:
    """Marks the lanes (axes..., seed) that went non-finite or could not be run."""
    return ds["status"] != 0


def scores(ds: xr.Dataset) -> xr.DataArray:
    """The objective (axes..., seed, stage), failed lanes at the guess once they are NaN."""
    about = objective(ds)
    found = ds[about.column].astype(float)
    return found.where(found.notnull() | ~failed(ds), about.guess)


def final(ds: xr.Dataset) -> xr.DataArray:
    """The objective after the last stage (axes..., seed), failed lanes at the guess.

    A network on a device that diverges can only guess. Leaving such lanes out would flatter the
    settings that break most of them, so they stay.

    Raises:
      UserError: a lane has no final value although its status is 0.
    """
    about = objective(ds)
    found = _last(ds, scores(ds)).where(~failed(ds), about.guess)
    missing = int(found.isnull().sum())
    if missing:
        raise UserError(
            f"{missing} of {found.size} lanes have no final {about.label} though their status is "
            "0: run the sweep to its end, or select the finished lanes"
        )
    return found


def baseline_curve(ds: xr.Dataset) -> xr.DataArray | None:
    """The objective of the reference (seed, stage), or None if there is no reference."""
    name = _baseline_of(ds, objective(ds).column)
    return None if name is None else ds[name].astype(float)


def baseline(ds: xr.Dataset) -> xr.DataArray | None:
    """The final objective of the reference (seed,), or None if there is no reference."""
    curve = baseline_curve(ds)
    return None if curve is None else _last(ds, curve)


def baseline_name(ds: xr.Dataset) -> str:
    """What the reference is called."""
    said = ds.attrs.get("reference_name")
    return str(said or ("float baseline" if "n_classes" in ds.attrs else "reference"))


def robustness(ds: xr.Dataset) -> Robustness | None:
    """The column that tells the objective under other circumstances, if there is one.

    It says so by the attribute ``relative_to``, the plain point of its last dimension; of a
    dimension ``corruption`` that is ``clean``.
    """
    lanes = ds["status"].dims
    for name, column in ds.data_vars.items():
        plain = column.attrs.get("relative_to")
        if plain is None and column.dims[-1:] == ("corruption",):
            plain = "clean"
        if plain is not None and column.dims[:-1] == lanes:
            name, dim = str(name), str(column.dims[-1])
            label = objective(ds).label
            return Robustness(name, _baseline_of(ds, name), dim, str(plain), label)
    return None


def shares_random_numbers(ds: xr.Dataset) -> bool:
    """Whether lanes of one seed have random numbers in common, so that they are not independent."""
    if "key_data" not in ds.coords:  # results that say none: what was asked for
        asked = tomllib.loads(ds.attrs.get("spec", "")).get("common_random_numbers")
        return bool(asked)
    words = ds["key_data"].transpose("seed", ...).values.reshape(ds.sizes["seed"], -1)
    return any(len(np.unique(row)) < row.size for row in words)


def _last(ds: xr.Dataset, values: xr.DataArray) -> xr.DataArray:
    return values.isel({stage(ds).dim: -1}, drop=True)


def _baseline_of(ds: xr.Dataset, column: str) -> str | None:
    for name, found in ds.data_vars.items():
        if found.attrs.get("reference_of") == column:
            return str(name)
    name = f"baseline_{column.removeprefix('test_')}"
    return name if name in ds else None


def zipped(ds: xr.Dataset, axis: str) -> list[str]:
    """The parameters that vary together along an axis, as its specification orders them.

    They are its non-index coordinates, which a store gives back in any order.
    """
    found = [str(n) for n, c in ds.coords.items() if c.dims == (axis,) and n not in _NOT_ZIPPED]
    found = [name for name in found if name != axis]
    written: list[str] = []
    with contextlib.suppress(tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError):
        written = list(tomllib.loads(ds.attrs["spec"])["axes"][axis])
    return sorted(found, key=lambda name: written.index(name) if name in written else len(written))


_NOT_ZIPPED = ("lane_key", "key_data")  # of lanes, over one axis where the seed was selected


def is_numeric(ds: xr.Dataset, axis: str) -> bool:
    """Whether an axis is one number varied, not names nor a zipped group of parameters."""
    return np.issubdtype(ds[axis].dtype, np.number) and not zipped(ds, axis)


def is_geometric(values: np.ndarray) -> bool:
    """Whether sorted values (a leading 0 aside) are evener in ratio than in difference."""
    positive = values[values > 0]
    if len(positive) < 3 or values[0] < 0:
        return False
    gaps, ratios = np.diff(positive), np.diff(np.log(positive))
    return bool(ratios.std() / ratios.mean() < gaps.std() / gaps.mean())


def heading(ds: xr.Dataset, axis: str) -> str:
    """Names an axis; a numbered zipped group with its parameters: ``material (levels, on_off)``."""
    names = _values_of(ds, axis)
    return axis if names == [axis] else f"{axis} ({', '.join(names)})"


def axis_label(ds: xr.Dataset, axis: str) -> str:
    """What an axis is, with its unit, as far as its coordinate says so."""
    about = ds[axis].attrs if axis in ds.coords else {}
    said = about.get("long_name")
    return _with_unit(str(said or _spaced(heading(ds, axis))), str(about.get("units") or "1"))


def labels(ds: xr.Dataset, axis: str) -> list[str]:
    """Writes an axis' values; of a numbered zipped group, its parameters' values: ``32, 10``."""
    rows = zip(*(ds[name].values.tolist() for name in _values_of(ds, axis)), strict=True)
    return [", ".join(text(value) for value in row) for row in rows]


def text(value: object) -> str:
    """Writes one coordinate value."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def spread(by_seed: xr.DataArray) -> xr.DataArray:
    """The sample standard deviation over seeds; of one seed, 0."""
    return by_seed.std("seed", ddof=min(1, by_seed.sizes["seed"] - 1))


def mean_and_spread(by_seed: xr.DataArray) -> tuple[float, float]:
    """The mean over seeds, and the standard deviation if there are two or more, else NaN."""
    sd = float(by_seed.std(ddof=1)) if by_seed.size > 1 else math.nan
    return float(by_seed.mean()), sd


def strings(found: Any) -> list[str]:
    """An attribute of sentences, which a store may give back as one string or as an array."""
    return [] if found is None else [str(x) for x in np.ravel(found)]


def _values_of(ds: xr.Dataset, axis: str) -> list[str]:
    numbered = np.issubdtype(ds[axis].dtype, np.number)
    return (zipped(ds, axis) if numbered else []) or [axis]


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _with_unit(label: str, units: str) -> str:
    return label if units == "1" else f"{label} ({units})"


def _suffix(units: str) -> str:
    return "" if units == "1" else f" {units}"
