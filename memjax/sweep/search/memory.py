"""Lanes that a search asks for: each is trained once, whoever has trained it."""

import contextlib
import hashlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from memjax.errors import UserError
from memjax.sweep.analysis.objective import Objective
from memjax.sweep.engine.progress import Tally
from memjax.sweep.engine.trainer import Trainer
from memjax.sweep.run import Job
from memjax.sweep.spec import grid
from memjax.sweep.store import directory as store
from memjax.sweep.store.columns import TRAINED, Columns
from memjax.sweep.store.journal import (
    SEARCHED,
    UNFINISHED,
    DiskJournal,
    Entry,
    Journal,
    versions,
)
from memjax.sweep.store.reuse import reusable

Evaluate = Callable[[np.ndarray], np.ndarray]
"""``evaluate(lane numbers) -> the final objective of each``; NaN where a lane failed."""


def objective_of(todo: Job) -> Objective:
    """What a sweep is about, with the label and the units of its column."""
    experiment = todo.spec.first()
    told = experiment.objective(todo.data)
    column = experiment.columns(todo.data)[told.column]
    label = column.long_name or told.column.replace("_", " ")
    return Objective(*told, label=label, units=column.units).unbounded_if_infinite()


@contextlib.contextmanager
def trained_once(
    todo: Job, batch: float, tally: Tally, directory: Path | None
) -> Iterator[tuple[Evaluate, int]]:
    """What runs lanes on this process's devices, if nobody has yet, and how many at once.

    Args:
      todo: the sweep.
      batch: lanes that are asked for at once, about.
      tally: told of lanes.
      directory: where lanes are kept, and may be known from; without one, in memory.
    """
    spec = todo.spec
    trainer = Trainer(spec, todo.data, todo.program)
    if spec.sections["engine"]["width"] is None:  # a chunk is not to be more than a batch
        share = max(1.0, batch / len(jax.local_devices()))
        trainer.width = min(trainer.width, 2 ** round(math.log2(share)))
    groups, keys = grid.static_groups(spec), todo.keys["lanes"]
    objective = spec.first().objective(todo.data)
    journal, known = _remembered(todo, directory, trainer.width)

    def final(columns: Columns) -> np.ndarray:
        last = columns[objective.column][:, -1]
        trained = (columns["status"] == TRAINED) & np.isfinite(last)
        return np.where(trained, last, objective.guess)  # others can only guess

    found = {
        key: value
        for entry in known
        for key, value in zip(entry.keys.tolist(), final(entry.columns).tolist(), strict=True)
    }

    def evaluate(numbers: np.ndarray) -> np.ndarray:
        new = numbers[[key not in found for key in keys[numbers].tolist()]]
        tally.add(float(len(numbers) - len(new)))
        for group in groups:
            here = new[np.isin(new, group)]
            if len(here):
                columns = trainer.lanes(here, tally.add)
                journal.record("lanes", keys[here], columns, 0.0)
                found.update(zip(keys[here].tolist(), final(columns).tolist(), strict=True))
        return np.array([found[key] for key in keys[numbers].tolist()])

    with contextlib.closing(journal):
        yield evaluate, trainer.width * len(jax.local_devices())


def _remembered(todo: Job, directory: Path | None, width: int) -> tuple[Journal, list[Entry]]:
    """Where lanes are kept, and those that searches and sweeps have trained in this directory."""
    header = todo.header | {"width": width}
    if directory is None:
        return Journal(header), []
    known: list[Entry] = []
    if store.has_results(directory):
        with contextlib.suppress(UserError):  # broken results have nothing to tell
            results = store.load(directory)
            known = reusable(results, todo.frame) if versions(results.attrs) == versions() else []
    if (directory / UNFINISHED).exists():
        known += _entries(directory / UNFINISHED, header)
    journal = DiskJournal(directory / SEARCHED / _name(todo), header)
    return journal, [entry for entry in (*known, *journal.entries()) if entry.kind == "lanes"]


def _name(todo: Job) -> str:
    """Of the lanes of a frame, of so many stages, by these versions."""
    told = repr((todo.frame.digest, todo.header["stages"], versions()))
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def _entries(where: Path, header: dict[str, Any]) -> list[Entry]:
    """What an unfinished sweep of the same frame has."""
    try:
        journal = DiskJournal(where, header)
    except UserError:
        return []
    found = list(journal.entries()) if journal.versions <= {versions()} else []
    journal.close()
    return found
