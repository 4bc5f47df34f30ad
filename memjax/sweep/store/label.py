"""Lanes by name: a labelled cube from columns of lanes, and back."""

import jax
import numpy as np
import xarray as xr

from memjax.data import Dataset
from memjax.experiments.corruption import corruption_names
from memjax.sweep.spec import grid as lanes
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store.journal import Columns
from memjax.updates.diagnostics import BINS

TRAINED, NOT_FINITE, NOT_RUN = range(3)
"""What the ``status`` of a lane means: it was trained, it went non-finite, it could not be run."""

_LAYER, _BIN = ("layer",), ("layer", "conductance")
_AXIS = {"units": "fraction of the range", "long_name": "(G - Gmin) / (Gmax - Gmin)"}

DIAGNOSTICS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "updates": ((), "updates", "updates of the weights"),
    "saturated": (_LAYER, "fraction", "devices within half a step of a bound"),
    "pulses": (_LAYER, "pulses", "pulses a weight"),
    "wanted_pulses": (_LAYER, "pulses", "pulses a weight that gradient descent wanted"),
    "pulses_per_update": (_LAYER, "pulses", "pulses a weight and update"),
    "update_snr": (_LAYER, "power ratio", "signal over noise of programming"),
    "conductance_before": (_BIN, "devices", "devices before training"),
    "conductance_after": (_BIN, "devices", "devices after training"),
    "fast_saturated": (_LAYER, "fraction", "devices of the fast array near a bound"),
    "fast_pulses": (_LAYER, "pulses", "pulses a weight of the fast array"),
    "energy_J": ((), "J", "energy of programming"),
    "programming_time_s": ((), "s", "time of programming"),
}
"""What diagnostics add to a result: dimensions after ``seed``, unit and meaning of each name."""


_BASELINES = {
    "baseline_accuracy": "test_accuracy",
    "baseline_corrupted_accuracy": "corrupted_accuracy",
}


def label(spec: Spec, dataset: Dataset, columns: Columns, baseline: Columns) -> xr.Dataset:
    """Columns of all lanes, in the order of their numbers, as a cube with a dimension an axis.

    Args:
      spec: the sweep.
      dataset: what it was trained on.
      columns: of the lanes.
      baseline: of the floating-point network, a row a seed.
    """
    shape = lanes.shape(spec)
    dims = (*(axis.name for axis in spec.axes), "seed")
    coords: dict = {axis.name: _coordinate(axis.labels()) for axis in spec.axes}
    for axis in spec.axes:
        if axis.zipped and axis.names is None:
            coords |= {p: (axis.name, _coordinate(v)) for p, v in axis.columns.items()}
    coords |= {"seed": np.arange(spec.seeds)}
    coords |= {"epoch": np.arange(1, spec.sections["train"]["epochs"] + 1)}
    last: dict[str, tuple[str, ...]] = {
        "test_accuracy": ("epoch",),
        "train_loss": ("epoch",),
        "status": (),
        "corrupted_accuracy": ("corruption",),
    }
    facts: dict[str, dict[str, str]] = {}
    if "corrupted_accuracy" in columns:
        coords["corruption"] = corruption_names(spec)
    if "saturated" in columns:
        coords["layer"] = np.arange(1, len(spec.sections["model"]["hidden"]) + 2)
        coords["conductance"] = ("conductance", (np.arange(BINS) + 0.5) / BINS, _AXIS)
        for name, (own, units, meaning) in DIAGNOSTICS.items():
            last[name], facts[name] = own, {"units": units, "long_name": meaning}
    variables: dict = {
        name: ((*dims, *last[name]), cube.reshape(*shape, *cube.shape[1:]), facts.get(name, {}))
        for name in last
        if (cube := columns.get(name)) is not None
    }
    for name, column in _BASELINES.items():
        if column in baseline:
            variables[name] = (("seed", *last[column]), baseline[column])
    from memjax import __version__

    attrs = {
        "name": spec.name,
        "n_classes": dataset.n_classes,
        "dataset": dataset.name,
        "memjax": __version__,
        "jax": jax.__version__,
        "spec": spec.to_toml(),
    }
    return xr.Dataset(variables, coords, attrs)


def unlabel(results: xr.Dataset) -> tuple[Columns, Columns]:
    """The columns of lanes and of the baseline that a cube was made of, as far as it has them."""
    dims = results.status.dims
    columns = {
        str(name): cube.values.reshape(-1, *cube.shape[len(dims) :])
        for name, cube in results.data_vars.items()
        if cube.dims[: len(dims)] == dims and name not in _BASELINES
    }
    baseline = {c: results[name].values for name, c in _BASELINES.items() if name in results}
    return columns, baseline


def _coordinate(values: list) -> np.ndarray:
    """Whole numbers as integers, so that labels read as people write them."""
    array = np.asarray(values)
    if array.dtype.kind == "f" and np.all(array == np.round(array)) and np.all(abs(array) < 2**53):
        return array.astype(np.int64)
    return array
