"""States of lanes between two epochs, so that long lanes go on where they were.

Saved by Orbax under a name of their own and renamed: whole or absent. The number of epochs *done*
is in the state itself, so that no epoch of a stochastic device is pulsed twice.
"""

import contextlib
import hashlib
import shutil
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from memjax.experiments import LaneState
from memjax.sweep.spec import grid as lanes
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store.journal import Columns
from memjax.sweep.store.reuse import frame

STATES = "states"


class NoCheckpoint:
    """Keeps nothing: a chunk that is interrupted begins again."""

    def restore(self, state: LaneState, columns: Columns) -> tuple[LaneState, Columns, int]:
        """What was kept of a chunk, or its beginning; and the epochs done."""
        return state, columns, 0

    def save(self, state: LaneState, columns: Columns, done: int, epochs: int) -> None:
        """Called after every epoch."""


class Keeper:
    """Where the lanes of a sweep keep their states: a directory for each chunk.

    It is named by a digest of all that fixes its lanes but the number of epochs: a state of other
    lanes, data or settings is never found.
    """

    def __init__(self, directory: Path | None, spec: Spec, data: str):
        """Writes nothing yet.

        Args:
          directory: of the results; without one nothing is kept.
          spec: the sweep; its ``engine.keep_states`` says whether the last epoch's states stay,
            its ``engine.checkpoint_minutes`` when others are saved.
          data: the digest of the data set.
        """
        self.where = None if directory is None else directory / STATES
        self.minutes = spec.sections["engine"]["checkpoint_minutes"]
        self.keep = spec.sections["engine"]["keep_states"]
        self.spec, self.frame = spec, repr((frame(spec, spec), data))

    def of(self, numbers: np.ndarray, width: int) -> NoCheckpoint:
        """Where a chunk of these lanes keeps its state."""
        if self.where is None:
            return NoCheckpoint()
        return Checkpoint(self._path(numbers, width), self.minutes, self.keep)

    def forget(self, chunks: list[np.ndarray], width: int) -> None:
        """Chunks are done: their states have served, unless they are to stay."""
        if self.where is None or self.keep or not self.where.exists():
            return
        for numbers in chunks:
            path = self._path(numbers, width)
            for left in (path, _partial(path)):
                shutil.rmtree(left, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.where.rmdir()

    def _path(self, numbers: np.ndarray, width: int) -> Path:
        assert self.where is not None
        values = sorted(lanes.parameter_values(self.spec, numbers).items())
        told = repr((self.frame, values, (numbers % self.spec.seeds).tolist(), width))
        return self.where / hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


class Checkpoint(NoCheckpoint):
    """Keeps the state of one chunk in a directory."""

    def __init__(self, path: Path, minutes: float, keep: bool):
        """Writes nothing yet; see ``Keeper``."""
        self.path, self.minutes, self.keep = path, minutes, keep
        self.saved = time.monotonic()

    def restore(self, state: LaneState, columns: Columns) -> tuple[LaneState, Columns, int]:
        """The chunk as it was saved; from its beginning if that is of other lanes or broken."""
        if not self.path.exists():
            return state, columns, 0
        from orbax.checkpoint import v1 as ocp

        try:
            found = ocp.load(self.path / "state", jax.tree.map(_abstract, state))
            with np.load(self.path / "columns.npz", allow_pickle=False) as kept:
                before = {name: kept[name] for name in columns}
        except Exception:  # whatever Orbax makes of broken files
            return state, columns, 0
        if not np.array_equal(found.words, state.words):
            return state, columns, 0
        for name, column in columns.items():
            column[..., : before[name].shape[-1]] = before[name]  # of fewer epochs or as many
        return found, columns, int(found.epoch[0])

    def save(self, state: LaneState, columns: Columns, done: int, epochs: int) -> None:
        """Saves when it is time, and after the last epoch if that is to be kept, and if it can."""
        due = time.monotonic() - self.saved >= 60 * self.minutes
        if not (self.keep if done == epochs else due):
            return
        from orbax.checkpoint import v1 as ocp

        partial = _partial(self.path)
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir(parents=True)
            ocp.save(partial / "state", state)
            np.savez(partial / "columns.npz", **columns)  # type: ignore[arg-type]  # of its stub
            shutil.rmtree(self.path, ignore_errors=True)
            partial.rename(self.path)
        except Exception:  # whatever Orbax makes of a full disk: the lanes themselves go on
            shutil.rmtree(partial, ignore_errors=True)
        self.saved = time.monotonic()


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


def _abstract(leaf: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding)
