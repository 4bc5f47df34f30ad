"""What an unfinished sweep has so far: lanes on disk, task by task, each whole or absent.

``DIR/unfinished`` holds the specification; ``lanes.zarr``, a row a lane, of which every task owns
Zarr chunks of its own; and ``journal.jsonl``, where a task gets its line once its rows are written.
A process that is killed between the two leaves rows that nobody believes in; a file that lost its
end in a power cut no longer has the digest in its line. Either way the task is run again.
"""

import contextlib
import hashlib
import json
import os
import shutil
import time
import tomllib
from pathlib import Path
from typing import Any

import jax
import numpy as np
import zarr

from memjax.errors import UserError
from memjax.sweep.spec.spec import Spec

FORMAT = 1
"""Version of the layout; a store of another one is refused."""

DIRECTORY = "unfinished"
SPEC = "spec.toml"
_LINES, _LANES, _BASELINE = "journal.jsonl", "lanes.zarr", "baseline.zarr"
_PLAN = ("format", "data", "width", "size", "tasks", "lanes", "known", "which")

BASELINE = "baseline"
"""The task that trains the floating-point network."""

Task = int | str
Columns = dict[str, np.ndarray]
"""What lanes report, by name; the first dimension of every array is the lane."""


def versions(facts: dict[Any, Any] | None = None) -> str:
    """What lanes depend on besides the specification and the data, to rounding at least.

    Args:
      facts: the attributes of results, of which it is told; without them, of what runs now.
    """
    from memjax import __version__

    facts = {"memjax": __version__, "jax": jax.__version__} if facts is None else facts
    return f"memjax {facts.get('memjax')}, jax {facts.get('jax')}"


class Journal:
    """The tasks that are done, of one sweep, in memory.

    Attributes:
      plan: facts that fix the tasks.
      done: the tasks that are.
      errors: of tasks that could not be run, what went wrong.
      versions: by which tasks were trained.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        """Begins with nothing done.

        Args:
          plan: facts that fix the tasks: ``size``, the lanes of a task, and others.
        """
        self.plan = plan
        self.done: set[Task] = set()
        self.versions: set[str] = set()
        self.errors: dict[Task, str] = {}
        self._columns: dict[Task, Columns] = {}

    def record(self, task: Task, columns: Columns, seconds: float) -> None:
        """A task is done."""
        del seconds
        self._columns[task] = columns
        self.versions.add(versions())
        self.done.add(task)

    def record_error(self, task: Task, lanes: int, error: str) -> None:
        """A task of so many lanes could not be run."""
        del lanes
        self.errors[task] = error

    def read(self, task: Task) -> Columns:
        """What the lanes of a task that is done have reported."""
        return self._columns[task]

    def close(self) -> None:
        """Nothing more is recorded."""

    def remove(self) -> None:
        """The sweep has its results: nothing is unfinished any more."""


class DiskJournal(Journal):
    """The same in a directory, where it survives the process."""

    def __init__(self, directory: Path, spec: Spec, data: str, plan: dict[str, Any]):
        """Begins in a directory, or goes on with what it holds; call it within ``lock.alone``.

        Args:
          directory: of the results.
          spec: the sweep.
          data: the digest of the data set.
          plan: facts that fix the tasks; a journal that is there keeps its own.

        Raises:
          UserError: it is of another specification, version or data, or cannot be written.
        """
        super().__init__(plan)
        self.where = directory / DIRECTORY
        self._lines: Any = None
        try:
            self.where.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"{directory}: cannot be written: {error.strerror or error}; give another --out"
            ) from None
        self._open(directory, spec.to_toml(), {"format": FORMAT, "data": data, **plan})

    def _open(self, directory: Path, spec: str, header: dict[str, Any]) -> None:
        lines = read_lines(directory)
        if lines and asked(_text(self.where / SPEC)) != asked(spec):
            raise UserError(
                f"{directory}: holds an unfinished sweep of another specification; give another "
                f"--out, finish it, or remove {self.where}"
            )
        if not lines:
            _clear(self.where)
            with _told(self):
                self._whole(SPEC, spec)
                self._append(header)
            lines = [header]
        self.plan = lines[0]
        if self.plan["data"] != header["data"]:
            raise UserError(
                f"{directory}: holds an unfinished sweep on other data; give another --out, or "
                f"remove {self.where}"
            )
        lines = [line for line in lines[1:] if "task" in line]
        if (self.plan["known"], self.plan["which"]) != (header["known"], header["which"]):
            raise UserError(
                f"{directory}: the results that its unfinished sweep extends have changed; put "
                f"them back, or remove {self.where}"
            )
        for line in lines:
            if "error" not in line and _digest(self._rows(line)) == line["digest"]:
                self.done.add(line["task"])
        for store in (_LANES, _BASELINE):  # what a torn metadata file makes unreadable begins anew
            if not any(self._place(task)[0] == store for task in self.done):
                shutil.rmtree(self.where / store, ignore_errors=True)
        with _told(self):
            self._append({"begun": time.time()})
        self._places = {line["task"]: line for line in lines if line["task"] in self.done}
        self.versions = {line["versions"] for line in self._places.values() if "versions" in line}

    def record(self, task: Task, columns: Columns, seconds: float) -> None:
        """Writes a task's rows, then its line."""
        lanes = len(next(iter(columns.values())))
        line = {"task": task, "lanes": lanes, "seconds": round(seconds, 3), "at": time.time()}
        line |= {"versions": versions()}
        with _told(self):
            self._write(task, columns)
            self._append(line | {"columns": sorted(columns), "digest": _digest(columns)})
        self._places[task] = line | {"columns": sorted(columns)}
        self.versions.add(versions())
        self.done.add(task)

    def record_error(self, task: Task, lanes: int, error: str) -> None:
        """Writes its line; a later run tries the task again."""
        super().record_error(task, lanes, error)
        with _told(self):
            self._append({"task": task, "lanes": lanes, "error": error})

    def read(self, task: Task) -> Columns:
        """A task's rows."""
        return self._rows(self._places[task])

    def close(self) -> None:
        """Nothing more is recorded."""
        with contextlib.suppress(OSError):  # of a full disk, which was told
            if self._lines is not None:
                self._lines.close()

    def remove(self) -> None:
        """The sweep has its results: nothing is unfinished any more."""
        shutil.rmtree(self.where, ignore_errors=True)
        self.close()

    def _whole(self, name: str, text: str) -> None:
        """A file, on the disk when this returns."""
        with (self.where / name).open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

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

    def _place(self, task: Task) -> tuple[str, int]:
        """The Zarr store that holds a task, and its first row there."""
        return (_BASELINE, 0) if task == BASELINE else (_LANES, int(task) * self.plan["size"])

    def _write(self, task: Task, columns: Columns) -> None:
        name, start = self._place(task)
        group = zarr.open_group(self.where / name, mode="a")
        lanes = len(next(iter(columns.values())))
        size = lanes if task == BASELINE else self.plan["size"]
        total = lanes if task == BASELINE else size * self.plan["tasks"]
        for column, values in columns.items():
            if column not in group:
                group.create_array(
                    column,
                    shape=(total, *values.shape[1:]),
                    chunks=(size, *values.shape[1:]),
                    dtype=values.dtype,
                )
            group[column][start : start + lanes] = values  # type: ignore[index]

    def _rows(self, line: dict[str, Any]) -> Columns:
        """A line's rows, or none where they cannot be read."""
        name, start = self._place(line["task"])
        try:
            group = zarr.open_group(self.where / name, mode="r")
            rows = slice(start, start + line["lanes"])
            return {column: np.asarray(group[column][rows]) for column in line["columns"]}  # type: ignore[index]
        except Exception:  # whatever Zarr makes of broken files
            return {}


def read_lines(directory: Path) -> list[dict[str, Any]]:
    """A journal's lines: first the plan, then a line a task, of which the last one counts.

    A line ``begun`` tells when a process went to work.

    Raises:
      UserError: it is of another version of this layout.
    """
    path, found = directory / DIRECTORY / _LINES, []
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    for text in whole.splitlines():
        with contextlib.suppress(ValueError):  # torn by a kill, and gone on after
            found.append(json.loads(text))
    if not whole:  # killed before the first line was whole
        return []
    found = [line for line in found if isinstance(line, dict)]
    if found and found[0].get("format", FORMAT) != FORMAT:
        raise UserError(
            f"{path}: is of format {found[0]['format']}, this memjax reads {FORMAT}; finish the "
            f"sweep with the memjax that began it, or remove {path.parent}"
        )
    if not found or any(key not in found[0] for key in _PLAN):
        raise UserError(f"{path}: is no journal of a sweep; remove {path.parent}")
    return found[:1] + list({line.get("task", "begun"): line for line in found[1:]}.values())


def discard(directory: Path) -> None:
    """Removes what a process that was killed after its results were written has left."""
    shutil.rmtree(directory / DIRECTORY, ignore_errors=True)


def _digest(columns: Columns) -> str:
    found = hashlib.blake2b(digest_size=8)
    for name in sorted(columns):
        found.update(name.encode() + np.ascontiguousarray(columns[name]).tobytes())
    return found.hexdigest()


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def asked(text: str | None) -> dict[str, Any]:
    """What a specification asks for, but for its name and how lanes are run."""
    with contextlib.suppress(tomllib.TOMLDecodeError):
        found = tomllib.loads(text or "")
        engine = found.pop("engine", {})
        found.pop("name", None)
        return found | {"width": engine.get("width")}
    return {}


def _clear(where: Path) -> None:
    """What a process that was killed before its first line has left."""
    for store in (_LANES, _BASELINE):
        shutil.rmtree(where / store, ignore_errors=True)
    (where / _LINES).unlink(missing_ok=True)


@contextlib.contextmanager
def _told(journal: DiskJournal) -> Any:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{journal.where.parent}: cannot be written: {error.strerror or error}; what was done "
            "is kept: free some space and run the same command to go on"
        ) from None
