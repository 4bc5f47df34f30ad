"""Lanes by name: a labelled cube from columns of lanes, and back."""

from typing import Any

import jax
import numpy as np
import xarray as xr

from memjax.errors import UserError
from memjax.experiments import Column, Coordinate, Experiment
from memjax.sweep.spec import grid, identity
from memjax.sweep.spec.axes import RESERVED
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store.columns import Columns
from memjax.sweep.store.journal import Keys, Kind

BASELINE = "baseline_"
"""What the name of a variable of the reference begins with."""


def label(
    spec: Spec, data: Any, columns: Columns, baseline: Columns, keys: dict[Kind, Keys]
) -> xr.Dataset:
    """Columns of all lanes, in the order of their numbers, as a cube with a dimension an axis.

    Args:
      spec: the sweep.
      data: what its lanes have shared.
      columns: of the lanes.
      baseline: of the reference, a row a seed; empty where there is none.
      keys: of the lanes and of the reference's.
    """
    experiment = spec.built()
    stages, objective = experiment.stages(), experiment.objective(data)
    shape = grid.shape(spec)
    dims = (*(axis.name for axis in spec.axes), "seed")
    told = experiment.columns(data)
    variables: dict[str, Any] = {
        name: ((*dims, *told[name].dims), cube.reshape(*shape, *cube.shape[1:]), _attrs(told[name]))
        for name in told
        if (cube := columns.get(name)) is not None
    }
    variables["status"] = (dims, columns["status"].reshape(shape), _STATUS)
    for name, cube in baseline.items():
        if name != "status":
            facts = _attrs(told[name]) | {"reference_of": name}
            variables[baseline_name(name)] = (("seed", *told[name].dims), cube, facts)
    coords = axis_coords(spec)
    along = {stages.dim: Coordinate(stages.values, stages.units, stages.long_name)}
    used = {dim for column in told.values() for dim in column.dims}
    for name, where in (along | experiment.coords(data)).items():
        if name in used or name == stages.dim:
            coords[name] = (name, _coordinate(list(where.values)), _attrs(where))
    words = identity.lane_key_data(spec, np.arange(grid.count(spec)))
    coords["lane_key"] = (dims, keys["lanes"].reshape(shape), _KEY)
    coords["key_data"] = (dims, words.view(np.uint64).reshape(shape), _WORDS)
    if baseline:
        run = baseline["status"] == _RUN
        coords["baseline_key"] = ("seed", np.where(run, keys["baseline"], np.uint64(0)), _KEY)
    from memjax import __version__

    attrs = {
        "name": spec.name,
        "experiment": spec.experiment,
        "objective": objective.column,
        "better": objective.better,
        "guess": objective.guess,
        "stage": stages.dim,
        **experiment.facts(data),
        "memjax": __version__,
        "jax": jax.__version__,
        "spec": spec.to_toml(),
    }
    if objective.bounds is not None:
        attrs["bounds"] = list(objective.bounds)
    return xr.Dataset(variables, coords, attrs)


_RUN = 0
_LONGEST = 200  # bytes of the name of an array, a directory in the store
_STATUS = {"long_name": "0: trained; 1: went non-finite; 2: could not be run"}
_KEY = {"long_name": "identity of a lane"}
_WORDS = {"long_name": "root random words of a lane"}


def baseline_name(column: str) -> str:
    """The variable of the reference's own column.

    Example:
      >>> baseline_name("test_accuracy")
      'baseline_accuracy'
    """
    return BASELINE + column.removeprefix("test_")


def check_names(spec: Spec, experiment: Experiment, data: Any) -> None:
    """Checks what names columns, their dimensions and axes have.

    Args:
      spec: the sweep.
      experiment: of one of its lanes.
      data: what lanes share.

    Raises:
      UserError: a name that something else in the results has, or that no directory can have.
    """
    columns = experiment.columns(data)
    own = {*columns, *(dim for column in columns.values() for dim in column.dims)}
    named = [baseline_name(name) for name in columns]
    taken = {experiment.stages().dim, *experiment.coords(data), *own, *named}
    for name in sorted(own):
        _check_directory(type(experiment).__name__, name, "a column or dimension")
    for name in sorted(own & {*RESERVED}):
        raise UserError(
            f"{type(experiment).__name__}: every result has something named {name}; call the "
            "column or dimension otherwise"
        )
    if len(set(named)) < len(named):
        raise UserError(
            f"{type(experiment).__name__}: two columns that differ in a leading test_ would have "
            "one baseline; call one of them otherwise"
        )
    for axis in spec.axes:
        for name in dict.fromkeys((axis.name, *axis.columns, *axis.along())):
            _check_directory(spec.name, name, "an axis")
            if name in taken:
                raise UserError(
                    f"{spec.name}: every result has something named {name}; give the axis another "
                    "name"
                )


def _check_directory(where: str, name: str, what: str) -> None:
    if len(name.encode()) > _LONGEST or "/" in name:
        raise UserError(
            f"{where}: {name[:40]!r}...: {what} names a directory of the results; give it a name "
            f"of at most {_LONGEST} letters and no /"
        )


def unlabel(results: xr.Dataset) -> tuple[Columns, Columns]:
    """The columns of lanes and of the reference that a cube was made of, as far as it has them."""
    dims = results.status.dims
    columns = {
        str(name): cube.values.reshape(-1, *cube.shape[len(dims) :])
        for name, cube in results.data_vars.items()
        if cube.dims[: len(dims)] == dims and "reference_of" not in cube.attrs
    }
    baseline = {
        cube.attrs["reference_of"]: cube.values
        for cube in results.data_vars.values()
        if "reference_of" in cube.attrs
    }
    if baseline and "baseline_key" in results.coords:
        baseline["status"] = np.where(results.baseline_key.values != 0, _RUN, 2).astype(np.int8)
    return columns, baseline


def axis_coords(spec: Spec) -> dict[str, Any]:
    """The points of every axis, and the parameters of a zipped group along it."""
    coords: dict[str, Any] = {}
    for axis in spec.axes:
        facts = {} if axis.zipped else _described(spec, axis.name)
        coords[axis.name] = (axis.name, _coordinate(axis.labels()), facts)
        for name, values in axis.along().items():
            facts = {} if name == "device" else _described(spec, name)
            coords[name] = (axis.name, _coordinate(values), facts)
    coords["seed"] = ("seed", np.arange(spec.seeds), {"long_name": "seed"})
    return coords


def _described(spec: Spec, name: str) -> dict[str, str]:
    doc, unit = spec.schema.describe(*spec.parameter(name))
    return {"long_name": doc, "units": unit or "1"} if doc else {}


def _attrs(of: Column | Coordinate) -> dict[str, str]:
    return {"units": of.units, "long_name": of.long_name} if of.long_name else {"units": of.units}


def _coordinate(values: list) -> np.ndarray:
    """Whole numbers as integers, so that labels read as people write them."""
    array = np.asarray(values)
    if array.dtype.kind == "f" and np.all(array == np.round(array)) and np.all(abs(array) < 2**53):
        return array.astype(np.int64)
    return array
