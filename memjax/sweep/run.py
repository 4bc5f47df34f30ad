"""A sweep from end to end: data, lanes, labelled results, pictures."""

from pathlib import Path

import jax
import numpy as np
import xarray as xr

from memjax.data import Dataset
from memjax.data import load as load_data
from memjax.errors import DataError, UserError
from memjax.sweep import lanes, store
from memjax.sweep.corruption import corruption_names
from memjax.sweep.engine import Outcome, Progress, train_all, use_all_cores
from memjax.sweep.notes import notes
from memjax.sweep.spec import Spec
from memjax.updates.diagnostics import BINS

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


def run(
    spec: Spec,
    out: str | Path | None = None,
    *,
    dataset: Dataset | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Trains every device variant of a sweep.

    Args:
      spec: the sweep.
      out: a directory for ``results.zarr``, ``spec.toml`` and the plots; without one nothing is
        written. A directory that already holds the results of this very specification returns them.
      dataset: data in place of what the specification names.
      progress: ``progress(lanes done, lanes in all)``.

    Returns:
      A dimension an axis, then ``seed`` and ``epoch``: ``test_accuracy``, ``train_loss``,
      ``status`` (0: trained; 1: went non-finite), ``baseline_accuracy`` (seed, epoch) of the
      floating-point network trained alike; with ``[evaluate]`` also ``corrupted_accuracy`` and its
      baseline; with its ``diagnostics`` what the pulses did (docs/diagnostics.md).

    Raises:
      UserError: a directory or a data set that cannot be used, or memory that does not suffice.

    Example:
      >>> from memjax.sweep import Spec, run
      >>> spec = Spec.from_dict({"seeds": 1, "axes": {"levels": [8, 64]}, "train": {"epochs": 1}})
      >>> run(spec).test_accuracy.dims
      ('levels', 'seed', 'epoch')
    """
    use_all_cores()
    dataset = (_load(spec) if dataset is None else dataset).flat()
    digest = dataset.digest()
    if out is not None and (finished := store.claim(Path(out), spec, digest)) is not None:
        return finished
    batch = spec.sections["train"]["batch_size"]
    if batch > len(dataset.x_train):
        raise DataError(
            f"{dataset.name}: {len(dataset.x_train)} training samples are less than one batch of "
            f"{batch}; lower train.batch_size"
        )
    try:
        outcome, baseline, facts = train_all(spec, dataset, progress)
    except jax.errors.JaxRuntimeError as error:
        if not any(sign in str(error) for sign in ("RESOURCE_EXHAUSTED", "Out of memory")):
            raise
        remedy = "lower engine.width, train.batch_size or model.hidden"
        raise UserError(f"{spec.name}: the lanes do not fit into memory; {remedy}") from None
    facts |= {"data_digest": digest, "notes": notes(spec)}
    results = label(spec, dataset, outcome, baseline).assign_attrs(facts)
    if out is not None:
        from memjax.sweep.plots import draw  # matplotlib, for those who want pictures

        store.save(Path(out), results)
        draw(results, Path(out))
    return results


def label(spec: Spec, dataset: Dataset, outcome: Outcome, baseline: Outcome) -> xr.Dataset:
    """Outcomes as an ``xarray.Dataset`` with a dimension an axis."""
    shape = lanes.shape(spec)
    dims = (*(axis.name for axis in spec.axes), "seed")
    corruptions = corruption_names(spec)
    coords: dict = {axis.name: _coordinate(axis.labels()) for axis in spec.axes}
    for axis in spec.axes:
        if axis.zipped and axis.names is None:
            coords |= {p: (axis.name, _coordinate(v)) for p, v in axis.columns.items()}
    coords |= {"seed": np.arange(spec.seeds)}
    coords |= {"epoch": np.arange(1, spec.sections["train"]["epochs"] + 1)}

    def cube(column: np.ndarray, *last: str) -> tuple[tuple[str, ...], np.ndarray]:
        return (*dims, *last), column.reshape(*shape, *column.shape[1:])

    variables: dict = {
        "test_accuracy": cube(outcome.test_accuracy, "epoch"),
        "train_loss": cube(outcome.train_loss, "epoch"),
        "status": cube((~outcome.finite).astype(np.int8)),
        "baseline_accuracy": (("seed", "epoch"), baseline.test_accuracy),
    }
    if corruptions:
        coords["corruption"] = corruptions
        variables["corrupted_accuracy"] = cube(outcome.corrupted_accuracy, "corruption")
        variables["baseline_corrupted_accuracy"] = (
            ("seed", "corruption"),
            baseline.corrupted_accuracy,
        )
    if outcome.diagnosis is not None:
        coords["layer"] = np.arange(1, len(spec.sections["model"]["hidden"]) + 2)
        coords["conductance"] = ("conductance", (np.arange(BINS) + 0.5) / BINS, _AXIS)
        columns = outcome.diagnosis._asdict()
        columns["conductance_before"] = outcome.conductance_before
        columns["conductance_after"] = columns.pop("conductance")
        for name, (last, units, meaning) in DIAGNOSTICS.items():
            facts = {"units": units, "long_name": meaning}
            variables[name] = (*cube(columns[name], *last), facts)
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


def _coordinate(values: list) -> np.ndarray:
    """Whole numbers as integers, so that labels read as people write them."""
    array = np.asarray(values)
    if array.dtype.kind == "f" and np.all(array == np.round(array)) and np.all(abs(array) < 2**53):
        return array.astype(np.int64)
    return array


def _load(spec: Spec) -> Dataset:
    table = spec.sections["data"]
    dataset = load_data(table["name"], data_dir=table["dir"] or None)
    dataset = dataset.take(table["train_size"], table["test_size"])
    if table["crop"] is not None:
        dataset = dataset.crop(table["crop"])
    return dataset if table["binarize"] is None else dataset.binarize(table["binarize"])
