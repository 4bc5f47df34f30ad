"""A sweep from end to end: data, lanes, labelled results, pictures."""

import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from memjax.data import Dataset
from memjax.data import load as load_data
from memjax.errors import DataError, UserError
from memjax.experiments.notes_of_sweep import notes
from memjax.sweep.engine.checkpoint import Keeper
from memjax.sweep.engine.cluster import Cluster
from memjax.sweep.engine.local import Here
from memjax.sweep.engine.progress import Progress, Tally
from memjax.sweep.engine.quiet import quiet
from memjax.sweep.engine.trainer import chunks_of_a_task, use_all_cores
from memjax.sweep.spec import grid as lanes
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store import directory as store
from memjax.sweep.store import reuse as extension
from memjax.sweep.store.journal import (
    BASELINE,
    Columns,
    DiskJournal,
    Journal,
    Task,
    discard,
    versions,
)
from memjax.sweep.store.label import label
from memjax.sweep.store.lock import alone

_OLDER = "some lanes were trained by "


def run(
    spec: Spec,
    out: str | Path | None = None,
    *,
    dataset: Dataset | None = None,
    client: Any = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Trains every device variant of a sweep.

    Args:
      spec: the sweep.
      out: a directory for ``results.zarr``, ``spec.toml`` and the plots; without one nothing is
        written. Lanes are kept there task by task, and a run that was interrupted goes on where it
        was. A directory that holds the results of this very specification returns them; of one
        with fewer points, seeds or epochs, only what is new is trained.
      dataset: data in place of what the specification names.
      client: a ``distributed.Client``, whose cluster trains the lanes in place of this process.
      progress: ``progress(lanes done, lanes in all)``.

    Returns:
      A dimension an axis, then ``seed`` and ``epoch``: ``test_accuracy``, ``train_loss``,
      ``status`` (0: trained; 1: went non-finite; 2: could not be run), ``baseline_accuracy`` (seed,
      epoch) of the floating-point network trained alike; with ``[evaluate]`` also
      ``corrupted_accuracy`` and its baseline; with its ``diagnostics`` what the pulses did
      (docs/diagnostics.md).

    Raises:
      UserError: a directory or a data set that cannot be used, or memory that does not suffice.

    Example:
      >>> from memjax.sweep import Spec, run
      >>> spec = Spec.from_dict({"seeds": 1, "axes": {"levels": [8, 64]}, "train": {"epochs": 1}})
      >>> run(spec).test_accuracy.dims
      ('levels', 'seed', 'epoch')
    """
    use_all_cores()
    is_named = dataset is None
    dataset = (load_named(spec) if dataset is None else dataset).flat()
    batch = spec.sections["train"]["batch_size"]
    if batch > len(dataset.x_train):
        raise DataError(
            f"{dataset.name}: {len(dataset.x_train)} training samples are less than one batch of "
            f"{batch}; lower train.batch_size"
        )
    how: dict[str, Any] = {"client": client, "is_named": is_named, "progress": progress}
    if out is None:
        return _run(spec, None, dataset, **how)
    with alone(Path(out)):
        return _run(spec, Path(out), dataset, **how)


def _run(
    spec: Spec,
    directory: Path | None,
    dataset: Dataset,
    *,
    client: Any,
    is_named: bool,
    progress: Progress | None,
) -> xr.Dataset:
    """What ``run`` returns, of data that suffice, in a directory of its own."""
    digest = dataset.digest()
    held = None if directory is None else store.claim(directory, spec, digest)
    known = extension.known(held, spec)
    if directory is not None and held is not None and known.is_all:
        discard(directory)
        return held
    started = time.perf_counter()
    workers: Here | Cluster
    if client is None:
        workers = Here(spec, dataset, Keeper(directory, spec, digest))
    else:
        workers = Cluster(spec, dataset, client, is_named=is_named)
    if held is not None:  # the lanes that are new are trained as those were
        workers.width = int(held.attrs.get("width") or workers.width)
    chunk = workers.width * workers.devices
    size = chunk * chunks_of_a_task(spec, dataset, chunk, workers.count)
    tasks = _tasks(spec, size, known)
    plan = {"width": workers.width, "size": size, "tasks": len(tasks)}
    plan |= {"lanes": lanes.count(spec), "known": len(known.lanes), "which": known.which}
    journal = Journal(plan) if directory is None else DiskJournal(directory, spec, digest, plan)
    try:
        if journal.plan["size"] != size:  # begun on another number of devices
            tasks = _tasks(spec, journal.plan["size"], known)
        workers.width = journal.plan["width"]
        earlier = sum(len(tasks[task]) for task in journal.done)
        earlier += len(known.lanes) + len(known.seeds)
        tally = Tally(progress, lanes.count(spec) + spec.seeds, float(earlier))
        trained = sum(len(n) for t, n in tasks.items() if t not in {BASELINE, *journal.done})
        with quiet("absl"):  # Orbax's threads, where a checkpoint has no room
            for task, outcome, seconds in workers.outcomes(tasks, set(journal.done), tally):
                if isinstance(outcome, Exception):
                    journal.record_error(task, len(tasks[task]), _one_line(outcome))
                else:
                    journal.record(task, outcome, seconds)
        columns, baseline = _gather(spec, tasks, journal, known)
        seconds = time.perf_counter() - started
        results = label(spec, dataset, columns, baseline).assign_attrs(
            seconds=round(seconds, 2),
            lanes_per_second=round(trained / seconds, 3),
            width=workers.width,
            devices=f"{len(jax.local_devices())} x {jax.local_devices()[0].device_kind}",
            data_digest=digest,
            notes=[*notes(spec), *_older(held, known, journal)],
            errors=sorted(set(journal.errors.values())),
        )
        if directory is not None:
            from memjax.sweep.show.plots import draw  # matplotlib, for those who want pictures

            store.save(directory, results)
            journal.remove()
            draw(results, directory)
        return results
    finally:
        journal.close()


def _tasks(spec: Spec, size: int, known: extension.Known) -> dict[Task, np.ndarray]:
    """What is to be trained: lanes by their numbers, and the baseline's seeds."""
    tasks: dict[Task, np.ndarray] = dict(enumerate(lanes.tasks(spec, size, known.lanes)))
    seeds = np.setdiff1d(np.arange(spec.seeds), known.seeds)
    return tasks | ({BASELINE: seeds} if len(seeds) else {})


def _gather(
    spec: Spec, tasks: dict[Task, np.ndarray], journal: Journal, known: extension.Known
) -> tuple[Columns, Columns]:
    """All lanes' columns, and the baseline's: those known, those trained, and those that failed."""
    if BASELINE not in journal.done and not len(known.seeds):
        raise UserError(f"{spec.name}: no baseline could be trained: {journal.errors[BASELINE]}")
    columns: Columns = {}
    baseline: Columns = {}
    extension.fill(columns, known.columns, known.lanes, lanes.count(spec))
    extension.fill(baseline, known.baseline, known.seeds, spec.seeds)
    for task, numbers in tasks.items():
        if task not in journal.done:
            continue
        to, total = (baseline, spec.seeds) if task == BASELINE else (columns, lanes.count(spec))
        extension.fill(to, journal.read(task), numbers, total)
    if not columns:
        error = next(iter(journal.errors.values()))
        raise UserError(f"{spec.name}: no lane could be run: {error}")
    return columns, baseline


def _older(held: xr.Dataset | None, known: extension.Known, journal: Journal) -> list[str]:
    """Tells of lanes that other versions have trained."""
    told = set(journal.versions)
    if held is not None and len(known.lanes):
        told |= {note for note in held.attrs.get("notes", []) if note.startswith(_OLDER)}
        told.add(versions(held.attrs))
    told -= {versions()}
    return sorted(note if note.startswith(_OLDER) else _OLDER + note for note in told)


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]


def load_named(spec: Spec) -> Dataset:
    """The data set that a specification names, cropped as it says."""
    table = spec.sections["data"]
    dataset = load_data(table["name"], data_dir=table["dir"] or None)
    dataset = dataset.take(table["train_size"], table["test_size"])
    if table["crop"] is not None:
        dataset = dataset.crop(table["crop"])
    return dataset if table["binarize"] is None else dataset.binarize(table["binarize"])
