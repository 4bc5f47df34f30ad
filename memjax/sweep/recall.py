"""Lanes that a search has trained, kept line by line, so that none is trained twice."""

import contextlib
import hashlib
import json
import os
from pathlib import Path

import numpy as np

from memjax.errors import UserError
from memjax.sweep import extension, store
from memjax.sweep.journal import asked
from memjax.sweep.spec import Spec


class Recall:
    """Final accuracies by the numbers of their lanes: of searches and of a sweep in a directory.

    Every specification and data set has a file of its own; a line of it that a kill has torn is
    trained again.
    """

    def __init__(self, directory: Path | None, spec: Spec, data: str, guess: float):
        """Reads what is there.

        Args:
          directory: of results; without one nothing is kept.
          spec: the sweep.
          data: the digest of its data set.
          guess: the accuracy of a lane that could not be trained.
        """
        self.known: dict[int, float] = {}
        self.path: Path | None = None
        if directory is None:
            return
        if store.has_results(directory):
            self.known = _of_a_sweep(directory, spec, data, guess)
        told = repr((asked(spec.to_toml()), data)).encode()
        name = hashlib.blake2b(told, digest_size=8).hexdigest()
        self.path = directory / f".search.{name}.jsonl"
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
                with contextlib.suppress(ValueError):
                    self.known |= {int(lane): float(said) for lane, said in json.loads(line)}

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


def _of_a_sweep(directory: Path, spec: Spec, data: str, guess: float) -> dict[int, float]:
    results = store.load(directory)
    if results.attrs.get("data_digest") != data:
        return {}
    known = extension.known(results, spec)
    if not len(known.lanes):
        return {}
    final = known.columns["test_accuracy"][:, -1]
    final = np.where(np.isfinite(final), final, guess)
    return dict(zip(known.lanes.tolist(), final.tolist(), strict=True))
