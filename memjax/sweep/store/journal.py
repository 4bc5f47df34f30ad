"""Lanes that were run and are in no results yet: on disk, task by task, each whole or absent.

A directory holds ``journal.jsonl`` and a file for each task, its columns. A task gets its line once
its file is written, with the keys of its lanes (``memjax.sweep.spec.identity``) and a digest of
its columns. A process that is killed between the two leaves a file that nobody believes in; one
that lost its end in a power cut no longer has the digest in its line. Either way the lanes are run
again.
"""

import contextlib
import json
import math
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import jax
import numpy as np
from jaxtyping import UInt64

from memjax.errors import UserError, mend
from memjax.outputs import on_disk
from memjax.sweep.store.columns import Columns, digest, load, save

FORMAT = 2
"""Version of the layout; a journal of another one is refused."""

UNFINISHED, SEARCHED = "unfinished", ".search"
"""The directories of the lanes of a sweep, and of those of searches."""

_LINES = "journal.jsonl"

Keys = UInt64[np.ndarray, " lanes"]
Kind = Literal["lanes", "baseline"]


class Entry(NamedTuple):
    """Lanes that were run together."""

    kind: Kind
    keys: Keys
    columns: Columns


def versions(facts: dict[Any, Any] | None = None) -> str:
    """What lanes depend on besides the specification and the data, to rounding at least.

    Args:
      facts: the attributes of results, of which it is told; without them, of what runs now.
    """
    from memjax import __version__

    facts = {"memjax": __version__, "jax": jax.__version__} if facts is None else facts
    return f"memjax {facts.get('memjax')}, jax {facts.get('jax')}"


class Journal:
    """Lanes of one frame, in memory.

    Example:
      >>> journal = Journal({"data": "", "frame": "", "stages": [1], "width": 2, "spec": ""})
      >>> journal.record("lanes", np.array([7], np.uint64), {"status": np.zeros(1)}, seconds=0.1)
      >>> journal.keys("lanes").tolist()
      [7]

    Attributes:
      header: what they have in common: ``data``, ``frame``, ``stages``, ``width``, ``spec``.
      errors: of lanes that could not be run, by their keys, what went wrong.
      versions: by which lanes were run.
    """

    def __init__(self, header: dict[str, Any]) -> None:
        """Begins with no lanes."""
        self.header = header
        self.versions: set[str] = set()
        self.errors: dict[int, str] = {}
        self._entries: list[Entry] = []

    def begin(self, lanes: int, known: int) -> None:
        """A process goes to work on so many lanes, of which others are known from results."""

    def record(self, kind: Kind, keys: Keys, columns: Columns, seconds: float) -> None:
        """Lanes were run."""
        del seconds
        self._entries.append(Entry(kind, keys, columns))
        self.versions.add(versions())
        for key in keys.tolist():
            self.errors.pop(key, None)

    def record_error(self, kind: Kind, keys: Keys, error: str) -> None:
        """Lanes could not be run."""
        del kind
        self.errors |= dict.fromkeys(keys.tolist(), error)

    def entries(self) -> Iterator[Entry]:
        """All lanes that were run."""
        yield from self._entries

    def keys(self, kind: Kind) -> Keys:
        """The keys of all lanes of a kind."""
        found = [entry.keys for entry in self.entries() if entry.kind == kind]
        return np.concatenate(found) if found else np.zeros(0, np.uint64)

    def close(self) -> None:
        """Nothing more is recorded."""

    def remove(self) -> None:
        """The lanes are in results: nothing is unfinished any more."""


class DiskJournal(Journal):
    """The same in a directory, where it survives the process."""

    def __init__(self, where: Path, header: dict[str, Any], lanes: Keys | None = None):
        """Begins in a directory, or goes on with what it holds; call it within ``lock.exclusive``.

        Args:
          where: the directory, in that of the results.
          header: as of ``Journal``; a journal that is there keeps its own ``width``.
          lanes: keys of all that results will hold, where others would be lost.

        Raises:
          UserError: it is of another frame, version or data, has other lanes, or cannot be written.
        """
        super().__init__(header)
        self.where = where
        self._lines: Any = None
        self._written: list[dict[str, Any]] = []
        try:
            self.where.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"{where.parent}: cannot be written: {error.strerror or error}; give another --out"
            ) from None
        self._open({"format": FORMAT, **header}, lanes)

    def _open(self, header: dict[str, Any], lanes: Keys | None) -> None:
        lines = read_lines(self.where)
        if not lines:
            _clear(self.where)
            with self._os_errors():
                self._append(header)
            lines = [header]
        self.header = lines[0]
        self._written = [line for line in lines[1:] if is_intact(self.where, line)]
        if what := difference([self.header, *self._written], header, lanes):
            raise UserError(
                f"{self.where.parent}: holds an unfinished sweep {what}; give another --out, "
                f"finish it, or remove {self.where}"
            )
        self.versions = {line["versions"] for line in self._written}

    def begin(self, lanes: int, known: int) -> None:
        """Writes its line."""
        with self._os_errors():
            self._append({"begun": time.time(), "lanes": lanes, "known": known})

    def record(self, kind: Kind, keys: Keys, columns: Columns, seconds: float) -> None:
        """Writes a file of the lanes' columns, then its line."""
        fingerprint = digest(columns)
        line = {
            "kind": kind,
            "keys": keys.tolist(),
            "file": f"{keys[0]:016x}-{fingerprint}.npz",
            "digest": fingerprint,
            "seconds": round(seconds, 3),
            "at": time.time(),
            "versions": versions(),
        }
        with self._os_errors():
            save(self.where / line["file"], columns)
            on_disk(self.where / line["file"])
            self._append(line)
        self._written.append(line)
        self.versions.add(line["versions"])
        for key in keys.tolist():
            self.errors.pop(key, None)

    def record_error(self, kind: Kind, keys: Keys, error: str) -> None:
        """Writes its line; a later run tries the lanes again."""
        super().record_error(kind, keys, error)
        with self._os_errors():
            self._append({"kind": kind, "keys": keys.tolist(), "error": error})

    def entries(self) -> Iterator[Entry]:
        """All lanes whose files still are what was written."""
        for line in self._written:
            columns = _read(self.where, line)
            if columns is not None:
                yield Entry(line["kind"], np.array(line["keys"], np.uint64), columns)

    def close(self) -> None:
        """Nothing more is recorded."""
        with contextlib.suppress(OSError):  # of a full disk, which was told
            if self._lines is not None:
                self._lines.close()

    def remove(self) -> None:
        """The lanes are in results: nothing is unfinished any more."""
        shutil.rmtree(self.where, ignore_errors=True)
        self.close()

    def _append(self, line: dict[str, Any]) -> None:
        """One line at the end, on the disk when this returns."""
        if self._lines is None:
            path = self.where / _LINES
            torn = path.exists() and not path.read_bytes().endswith(b"\n")
            self._lines = path.open("a", encoding="utf-8")
            if torn:
                self._lines.write("\n")
        self._lines.write(json.dumps(line) + "\n")
        self._lines.flush()
        os.fsync(self._lines.fileno())

    @contextlib.contextmanager
    def _os_errors(self) -> Iterator[None]:
        """A disk that cannot be written is a user's matter."""
        try:
            yield
        except OSError as error:
            kept = f"what was done is kept: {mend(error)} and run the same command to go on"
            if isinstance(error, FileNotFoundError):
                kept = "what was done was removed meanwhile: run the same command again"
            raise UserError(
                f"{self.where.parent}: cannot be written: {error.strerror or error}; {kept}"
            ) from None


def read_lines(where: Path) -> list[dict[str, Any]]:
    """A journal's lines: the header, then one each for a beginning, lanes, and an error.

    Raises:
      UserError: it is of another version of this layout.
    """
    path, found = where / _LINES, []
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}; {mend(error)}") from None
    for text in whole.splitlines():
        with contextlib.suppress(ValueError, RecursionError):  # torn by a kill, and gone on after
            found.append(json.loads(text))
    if not whole:  # killed before the first line was whole
        return []
    found = [line for line in found if isinstance(line, dict)]
    if found and found[0].get("format", FORMAT) != FORMAT:
        raise UserError(
            f"{path}: is of format {found[0]['format']}, this memjax reads {FORMAT}; finish the "
            f"sweep with the memjax that began it, or remove {path.parent}"
        )
    if not found or not _is_header(found[0]):
        raise UserError(f"{path}: is no journal of a sweep; remove {path.parent}")
    return found[:1] + [line for line in found[1:] if _is_whole(line)]


def _is_header(line: dict[str, Any]) -> bool:
    texts = all(isinstance(line.get(key), str) for key in ("data", "frame", "spec"))
    return texts and isinstance(line.get("stages"), list) and _is_count(line.get("width"), 1)


def _is_whole(line: dict[str, Any]) -> bool:
    """Whether a line says all that whoever reads it asks for."""
    if "keys" not in line:
        counts = _is_count(line.get("lanes"), 1) and _is_count(line.get("known"), 0)
        return counts and _is_time(line.get("begun"))
    keys = line["keys"]
    if not (isinstance(keys, list) and keys and all(_is_count(key, 0) for key in keys)):
        return False
    texts = ("error",) if "error" in line else ("file", "digest", "versions")
    told = all(isinstance(line.get(name), str) for name in texts)
    return (
        told
        and line.get("kind") in get_args(Kind)
        and ("error" in line or _is_time(line.get("at")))
    )


def _is_count(value: Any, least: int) -> bool:
    return type(value) is int and least <= value < 2**64


def _is_time(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def is_intact(where: Path, line: dict[str, Any]) -> bool:
    """Whether a line is of lanes that were run, whose file is what was written."""
    return "file" in line and _read(where, line) is not None


def _read(where: Path, line: dict[str, Any]) -> Columns | None:
    """A line's columns, or None where they are not what was written."""
    try:
        columns = load(where / line["file"])
    except Exception:  # whatever NumPy makes of broken files
        return None
    return columns if digest(columns) == line["digest"] else None


def difference(
    lines: list[dict[str, Any]], header: dict[str, Any], lanes: Keys | None = None
) -> str:
    """Why what a journal holds is not of a sweep, in words: empty where it is.

    Args:
      lines: of the journal, its header first.
      header: of the sweep.
      lanes: keys of the sweep's, where a journal may hold no others.
    """
    if lines[0]["data"] != header["data"]:
        return "on other data"
    is_same = all(lines[0][key] == header[key] for key in ("frame", "stages"))
    if is_same and lanes is not None:
        rows = [line for line in lines[1:] if "file" in line and line["kind"] == "lanes"]
        done = np.array([key for line in rows for key in line["keys"]], np.uint64)
        is_same = bool(np.isin(done, lanes).all())
    return "" if is_same else "of another specification"


def discard(directory: Path, header: dict[str, Any], lanes: Keys) -> None:
    """Removes what a process that was killed after its results were written has left.

    Args:
      directory: of the results.
      header: of their sweep.
      lanes: keys of theirs; a journal of others, or of more stages, is of a sweep that goes on.
    """
    lines = read_lines(directory / UNFINISHED)
    if not lines or not difference(lines, header, lanes):
        shutil.rmtree(directory / UNFINISHED, ignore_errors=True)


def _clear(where: Path) -> None:
    """What a process that was killed before its first line has left."""
    for path in (*where.glob("*.npz"), where / _LINES):
        path.unlink(missing_ok=True)
