"""Lanes that a search has trained, kept line by line, so that none is trained twice."""

import contextlib
import hashlib
import json
import os
import tomllib
from pathlib import Path

import numpy as np

from memjax.errors import UserError
from memjax.sweep.spec import grid as lane_table
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store import directory as store
from memjax.sweep.store import reuse as extension
from memjax.sweep.store.journal import asked, versions


class Recall:
    """Final accuracies by the numbers of their lanes: of searches and of a sweep in a directory.

    Every specification, data set and version has a file of its own; a line of it that a kill has
    torn is trained again.
    """

    def __init__(self, directory: Path | None, spec: Spec, data: str, guess: float):
        """Reads what is there.

        Args:
          directory: of results; without one nothing is kept.
          spec: the sweep.
          data: the digest of its data set.
          guess: the accuracy of a lane that could not be trained.

        Raises:
          UserError: what is there cannot be read.
        """
        self.known: dict[int, float] = {}
        self.path: Path | None = None
        if directory is None:
            return
        if store.has_results(directory):
            self.known = _of_a_sweep(directory, spec, data, guess)
        told = repr((asked(spec.to_toml()), data, versions())).encode()
        name = hashlib.blake2b(told, digest_size=8).hexdigest()
        self.path = directory / f".search.{name}.jsonl"
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        except OSError as error:
            raise UserError(f"{self.path}: cannot be read: {error.strerror}; remove it") from None
        for line in text.splitlines():
            self.known |= _pairs(line, lane_table.count(spec))

    def keep(self, lanes: np.ndarray, accuracies: np.ndarray) -> None:
        """Lanes were trained; they are on the disk when this returns.

        Raises:
          UserError: there is no room.
        """
        pairs = list(zip(lanes.tolist(), accuracies.tolist(), strict=True))
        self.known |= pairs
        if self.path is None:
            return
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"\n{json.dumps(pairs)}\n")  # after whatever a kill has torn
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UserError(
                f"{self.path}: cannot be written: {error.strerror or error}; make room there"
            ) from None


def _pairs(line: str, lanes: int) -> dict[int, float]:
    """A line's lanes and accuracies; none where it is no such line."""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        found = {int(lane): float(accuracy) for lane, accuracy in json.loads(line)}
        if all(0 <= lane < lanes and 0 <= said <= 1 for lane, said in found.items()):
            return found
    return {}


def _of_a_sweep(directory: Path, spec: Spec, data: str, guess: float) -> dict[int, float]:
    """What finished results say of these lanes; nothing if they are broken or of something else."""
    try:
        results = store.load(directory)
        known = extension.known(results, spec)
    except (UserError, KeyError, tomllib.TOMLDecodeError):
        return {}
    same = results.attrs.get("data_digest") == data and versions(results.attrs) == versions()
    if not (same and len(known.lanes)):
        return {}
    final = known.columns["test_accuracy"][:, -1]
    final = np.where(np.isfinite(final), final, guess)
    return dict(zip(known.lanes.tolist(), final.tolist(), strict=True))
