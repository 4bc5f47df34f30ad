"""A sweep from end to end: data, lanes, labelled results."""

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import xarray as xr

from memjax.compilation import keep_compilations
from memjax.errors import UserError
from memjax.experiments import Experiment, Flax, own_code
from memjax.experiments.verified import check_reports
from memjax.sweep.engine.checkpoint import Keeper
from memjax.sweep.engine.cluster import Cluster
from memjax.sweep.engine.local import LocalWorkers, Task
from memjax.sweep.engine.progress import Progress, Tally
from memjax.sweep.engine.runner import use_all_cores
from memjax.sweep.engine.silence import silence_loggers
from memjax.sweep.engine.trainer import chunks_of_a_task
from memjax.sweep.spec import grid, identity
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store import directory as store
from memjax.sweep.store.columns import NOT_RUN, Columns, fill
from memjax.sweep.store.journal import (
    UNFINISHED,
    DiskJournal,
    Entry,
    Journal,
    Keys,
    Kind,
    discard,
    versions,
)
from memjax.sweep.store.label import check_names, label
from memjax.sweep.store.lock import exclusive
from memjax.sweep.store.reuse import Frame, reusable
from memjax.words import count, one_line

_OLDER = "some lanes were trained by "
_ROUNDS = 3  # of running what was lost on the disk meanwhile


class Job(NamedTuple):
    """A sweep whose data are there and that can be run.

    Attributes:
      spec: the sweep.
      data: what its lanes share.
      frame: what they depend on besides their own configuration.
      keys: of all lanes and of the reference's, by their numbers.
      program: digest of the user's own code, as the first lane runs it.
      is_named: whether whoever knows the specification can load the data.
    """

    spec: Spec
    data: Any
    frame: Frame
    keys: dict[Kind, Keys]
    program: str
    is_named: bool

    @property
    def header(self) -> dict[str, Any]:
        """What a journal of its lanes says first."""
        frame = self.frame
        return {
            "data": frame.data,
            "frame": frame.digest,
            "stages": [float(value) for value in frame.stages.values],
            "spec": self.spec.to_toml(),
        }


def job(spec: Spec, dataset: Any = None) -> Job:
    """A sweep with its data, all checked before any work.

    Args:
      spec: the sweep.
      dataset: data in place of what the specification names.

    Raises:
      UserError: data that do not suffice, or an experiment that cannot be run.
    """
    use_all_cores()
    keep_compilations()
    first = spec.built()
    reference, source = first.reference(), identity.source_digest(first)
    with own_code.errors_told(type(first).__name__, is_users=bool(source)):
        data = first.load(dataset)
        stages, shapes, programs = first.stages(), [], []
        for values in grid.combinations(spec):
            one = spec.lane({name: column[0] for name, column in values.items()})
            one.check_data(data)
            if source:
                shapes.append((one.stages(), check_reports(one, data)))
            programs.append(identity.program_digest(one, data))
        _check_alike(spec, shapes)
        if source and reference is not None:
            check_reports(reference, data)
        check_names(spec, first, data)
        if source:  # whatever they raise, before any work
            notes(spec, data)
            json.dumps(first.facts(data))
        digest = first.digest(data)
        keys: dict[Kind, Keys] = {"lanes": _lane_keys(spec, programs)}
        keys["baseline"] = np.zeros(0, np.uint64)
        if reference is not None:
            program = identity.program_digest(reference, data)
            keys["baseline"] = identity.baseline_keys(spec, program)
    frame = Frame(identity.frame_digest(spec, digest, source), digest, source, stages)
    return Job(spec, data, frame, keys, programs[0], dataset is None)


def _lane_keys(spec: Spec, programs: list[str]) -> Keys:
    """The keys of all lanes, by the programs of their static groups."""
    keys = np.zeros(grid.count(spec), np.uint64)
    for group, program in zip(grid.static_groups(spec), programs, strict=True):
        keys[group] = identity.lane_keys(spec, group, program)
    return keys


def _check_alike(spec: Spec, shapes: list[Any]) -> None:
    """Lanes of one sweep have the same stages, and reports of the same shapes."""
    if any(one != shapes[0] for one in shapes):
        raise UserError(
            f"{spec.name}: stages, or shapes of reports, differ between points of an axis; declare "
            "what changes them with swept=False, and run a sweep a value"
        )


@own_code.pinned()
def run(
    spec: Spec | dict[str, Any] | str | Path,
    out: str | Path | None = None,
    *,
    experiment: type[Experiment] | Experiment | None = None,
    model: Any = None,
    dataset: Any = None,
    client: Any = None,
    progress: Progress | None = None,
    command: str = "",
) -> xr.Dataset:
    """Runs every lane of a sweep: trains every device variant, say.

    Args:
      spec: the sweep, or its tables, or its TOML file.
      out: a directory for ``results.zarr`` and ``spec.toml``; without one nothing is written. Lanes
        are kept there task by task, and a run that was interrupted goes on where it was. A
        directory that holds the results of this very specification returns them; of one with
        fewer points, seeds or stages, only what is new is run.
      experiment: what a lane does, with tables or a file (as of ``Spec.from_dict``).
      model: a Flax model's class or function, likewise: ``experiment=Flax(call=model)``.
      dataset: data in place of what the specification names: whatever its experiment's ``load``
        takes, a ``memjax.data.Dataset`` for a classifier.
      client: a ``distributed.Client``, whose cluster runs the lanes in place of this process.
      progress: ``progress(lanes done, lanes in all)``.
      command: what a person has typed to run it, which results tell.

    Returns:
      A dimension an axis, then ``seed`` and the experiment's stages: its columns (``test_accuracy``
      and ``train_loss`` by ``epoch``, of a classifier); ``status`` (0: trained; 1: went non-finite;
      2: could not be run); what the experiment's reference reports, ``baseline_accuracy`` say; with
      ``[evaluate]`` also ``corrupted_accuracy`` and its baseline, and with its ``diagnostics`` what
      the pulses did (docs/diagnostics.md). Attributes say what the objective is.

    Raises:
      UserError: a directory or a data set that cannot be used, or memory that does not suffice.

    Example:
      >>> from memjax.sweep import Spec, run
      >>> spec = Spec.from_dict({"seeds": 1, "axes": {"levels": [8, 64]}, "train": {"epochs": 1}})
      >>> run(spec).test_accuracy.dims
      ('levels', 'seed', 'epoch')
    """
    if out == "":
        raise UserError("out is empty; give the path of a directory, . for this one")
    todo = job(_specification(spec, experiment, model), dataset)
    if out is None:
        return _run(todo, None, client, progress, command)
    with exclusive(Path(out)):
        return _run(todo, Path(out), client, progress, command)


def _specification(spec: Any, experiment: Any, model: Any) -> Spec:
    """The sweep of an experiment that the caller gives."""
    if model is not None and experiment is not None:
        raise UserError("run: model and experiment: give one of them")
    experiment = experiment if model is None else Flax(call=model)
    if isinstance(spec, Spec):
        if experiment is not None:
            raise UserError(
                "run: a Spec has its experiment; give its tables or file, or Spec.from_dict(..., "
                "experiment=...)"
            )
        return spec
    if isinstance(spec, dict):
        return Spec.from_dict(spec, experiment=experiment)
    return Spec.from_toml(spec, experiment=experiment)


def _run(
    todo: Job, directory: Path | None, client: Any, progress: Progress | None, command: str
) -> xr.Dataset:
    """What ``run`` returns, of a job in a directory of its own."""
    spec, data, frame, keys, program = todo.spec, todo.data, todo.frame, todo.keys, todo.program
    held = None if directory is None else store.claim(directory, spec, frame, keys["lanes"])
    known = reusable(held, frame)
    if directory is not None and held is not None and not _missing(keys, known):
        discard(directory, todo.header, keys["lanes"])
        if held.lane_key.size == len(keys["lanes"]):
            return held
    started = time.perf_counter()
    workers: LocalWorkers | Cluster
    keeper = Keeper(directory, spec, frame.digest, keys["lanes"])
    if client is None:
        workers = LocalWorkers(spec, data, program, keeper)
    else:
        workers = Cluster(spec, data, client, frame.data, program, is_named=todo.is_named)
    if held is not None:  # the lanes that are new are run as those were
        workers.width = int(held.attrs.get("width") or workers.width)
    header = todo.header | {"width": workers.width}
    journal = Journal(header)
    if directory is not None:
        journal = DiskJournal(directory / UNFINISHED, header, keys["lanes"])
    try:
        workers.width = journal.header["width"]
        chunk = workers.width * workers.devices
        size = chunk * chunks_of_a_task(spec, data, chunk, workers.count)
        journal.begin(grid.count(spec), sum(len(e.keys) for e in known if e.kind == "lanes"))
        total = len(keys["lanes"])
        trained = 0
        for _ in range(_ROUNDS):
            missing = _missing(keys, [*known, *journal.entries()], journal.errors)
            if not missing:
                break
            tasks = _tasks(spec, size, missing)
            left = len(missing.get("lanes", ()))
            trained += left
            tally = Tally(progress, total, float(total - left))
            with silence_loggers("absl"):  # Orbax's threads, where a checkpoint has no room
                for (kind, numbers), outcome, seconds in workers.run(tasks, tally):
                    if isinstance(outcome, Exception):
                        journal.record_error(kind, keys[kind][numbers], one_line(outcome))
                    else:
                        journal.record(kind, keys[kind][numbers], outcome, seconds)
        columns, baseline = _gather(spec, keys, [*known, *journal.entries()], journal)
        seconds = time.perf_counter() - started
        results = label(spec, data, columns, baseline, keys).assign_attrs(
            seconds=round(seconds, 2),
            lanes_per_second=round(trained / seconds, 3),
            width=workers.width,
            devices=f"{len(jax.local_devices())} x {jax.local_devices()[0].device_kind}",
            data_digest=frame.data,
            frame=frame.digest,
            source=frame.source,
            program=program,
            command=command,
            notes=[*notes(spec, data), *_older(held, known, journal)],
            errors=sorted(set(journal.errors.values())),
        )
        if directory is not None:
            store.save(directory, results)
            journal.remove()
            keeper.clear()
        return results
    finally:
        journal.close()


def _missing(
    keys: dict[Kind, Keys], entries: list[Entry], errors: dict[int, str] | None = None
) -> dict[Kind, np.ndarray]:
    """The numbers of the lanes that no entry has, and that have not failed in this run."""
    found: dict[Kind, np.ndarray] = {}
    for kind, wanted in keys.items():
        there = [entry.keys for entry in entries if entry.kind == kind]
        there.append(np.array(list(errors or ()), np.uint64))
        if len(numbers := np.flatnonzero(~np.isin(wanted, np.concatenate(there)))):
            found[kind] = numbers
    return found


def _tasks(spec: Spec, size: int, missing: dict[Kind, np.ndarray]) -> list[Task]:
    """What is to be run: the lanes, and the reference's seeds."""
    tasks: list[Task] = []
    if "lanes" in missing:
        known = np.setdiff1d(np.arange(grid.count(spec)), missing["lanes"])
        tasks += [("lanes", numbers) for numbers in grid.tasks(spec, size, known)]
    if "baseline" in missing:
        tasks.append(("baseline", missing["baseline"]))
    return tasks


def _gather(
    spec: Spec, keys: dict[Kind, Keys], entries: list[Entry], journal: Journal
) -> tuple[Columns, Columns]:
    """All lanes' columns, and the reference's: those that are there, and those that failed."""
    found: dict[Kind, Columns] = {"lanes": {}, "baseline": {}}
    for entry in entries:
        wanted = keys[entry.kind]
        order = np.argsort(wanted)
        places = order[np.searchsorted(wanted, entry.keys, sorter=order).clip(max=len(wanted) - 1)]
        ours = wanted[places] == entry.keys
        part = {name: column[ours] for name, column in entry.columns.items()}
        fill(found[entry.kind], part, places[ours], len(wanted))
    what: dict[Kind, str] = {"lanes": "no lane", "baseline": "no baseline"}
    for kind, columns in found.items():
        if not columns and len(keys[kind]):
            error = next(iter(journal.errors.values()), "what was run is lost")
            raise UserError(f"{spec.name}: {what[kind]} could be run: {error}")
    failed = np.array(list(journal.errors), np.uint64)
    lost = [
        np.setdiff1d(keys[kind][columns["status"] == NOT_RUN], failed)
        for kind, columns in found.items()
        if columns
    ]
    if number := len(np.concatenate(lost)):
        raise UserError(
            f"{spec.name}: what was run of {count(number, 'lane')} is lost on the disk; run the "
            "same command again"
        )
    return found["lanes"], found["baseline"]


def notes(spec: Spec, data: Any = None) -> list[str]:
    """What a person should know before reading the results.

    Args:
      spec: the sweep.
      data: what its lanes share; without them, what follows from the specification alone.
    """
    axes = [
        {".".join(spec.parameter(name)): values for name, values in axis.columns.items()}
        for axis in spec.axes
    ]
    found = spec.built().notes(axes, data)
    if spec.seeds == 1 and spec.axes:
        found.append(
            "with one seed, chance is counted among the parameters' effects; take seeds = 3 or more"
        )
    return found


def _older(held: xr.Dataset | None, known: list[Entry], journal: Journal) -> list[str]:
    """Tells of lanes that other versions have run."""
    found = set(journal.versions)
    if held is not None and any(entry.kind == "lanes" for entry in known):
        found |= {note for note in held.attrs.get("notes", []) if note.startswith(_OLDER)}
        found.add(versions(held.attrs))
    found -= {versions()}
    return sorted(note if note.startswith(_OLDER) else _OLDER + note for note in found)
