"""States of lanes between two stages, so that long lanes go on where they were.

Saved by Orbax under a name of their own and renamed: whole or absent. A state and the number of
stages *done* are one file, so that no epoch of a stochastic device is pulsed twice.
"""

import contextlib
import hashlib
import shutil
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from memjax.sweep.spec.spec import Spec
from memjax.sweep.store.columns import Columns, load, save

STATES = "states"
_DONE = "stages/done"  # no column has a slash in its name


class NoCheckpoint:
    """Keeps nothing: a chunk that is interrupted begins again."""

    def restore(self, state: Any) -> tuple[Any, Columns, int]:
        """What was kept of a chunk: its state, its columns, the stages done; or its beginning."""
        return state, {}, 0

    def save(self, state: Any, columns: Columns, done: int, stages: int) -> None:
        """Called after every stage."""


class Keeper:
    """Where the lanes of a sweep keep their states: a directory for each chunk.

    It is named by the keys of its lanes and by their frame: a state of other lanes, data or
    settings is never found.
    """

    def __init__(self, directory: Path | None, spec: Spec, frame: str, keys: np.ndarray):
        """Writes nothing yet.

        Args:
          directory: of the results; without one nothing is kept.
          spec: the sweep; its ``engine.keep_states`` says whether the last stage's states stay,
            its ``engine.checkpoint_minutes`` when others are saved.
          frame: the digest of what lanes depend on besides their own configuration.
          keys: of all lanes, by their numbers.
        """
        self.where = None if directory is None else directory / STATES
        self.minutes = spec.sections["engine"]["checkpoint_minutes"]
        self.keep = spec.sections["engine"]["keep_states"]
        self.frame, self.keys = frame, keys

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

    def clear(self) -> None:
        """All lanes are done: so have all states, unless they are to stay."""
        if self.where is not None and not self.keep:
            shutil.rmtree(self.where, ignore_errors=True)

    def _path(self, numbers: np.ndarray, width: int) -> Path:
        assert self.where is not None
        found = hashlib.blake2b(f"{self.frame};{width};".encode(), digest_size=8)
        found.update(self.keys[numbers].tobytes())
        return self.where / found.hexdigest()


class Checkpoint(NoCheckpoint):
    """Keeps the state of one chunk in a directory."""

    def __init__(self, path: Path, minutes: float, keep: bool):
        """Writes nothing yet; see ``Keeper``."""
        self.path, self.minutes, self.keep = path, minutes, keep
        self.saved = time.monotonic()

    def restore(self, state: Any) -> tuple[Any, Columns, int]:
        """The chunk as it was saved; from its beginning if that is of another shape or broken."""
        if not self.path.exists():
            return state, {}, 0
        from orbax.checkpoint import v1 as ocp

        try:
            found = ocp.load(self.path / "state", {"state": jax.tree.map(_abstract, state)})
            columns = load(self.path / "columns.npz")
            done = int(columns.pop(_DONE))
        except Exception:  # whatever Orbax makes of broken files
            return state, {}, 0
        return found["state"], columns, done

    def save(self, state: Any, columns: Columns, done: int, stages: int) -> None:
        """Saves when it is time, and after the last stage if that is to be kept, and if it can."""
        due = time.monotonic() - self.saved >= 60 * self.minutes
        if not (self.keep if done == stages else due):
            return
        from orbax.checkpoint import v1 as ocp

        partial = _partial(self.path)
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir(parents=True)
            ocp.save(partial / "state", {"state": state})
            save(partial / "columns.npz", columns | {_DONE: np.array(done)})
            shutil.rmtree(self.path, ignore_errors=True)
            partial.rename(self.path)
        except Exception:  # whatever Orbax makes of a full disk: the lanes themselves go on
            shutil.rmtree(partial, ignore_errors=True)
        self.saved = time.monotonic()


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


def _abstract(leaf: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding)
