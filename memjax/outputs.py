"""Files that are written: asked for before the work, whole or not at all, on the disk."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from memjax.errors import UserError


def check_output(option: str, given: Path | str | None, suffix: str = "", what: str = "") -> None:
    """A path has the suffix that says what it is, and can be written.

    Args:
      option: that gives it.
      given: the path; ``None`` if there is none, ``-`` for stdout.
      suffix: that it must have.
      what: has that suffix.

    Raises:
      UserError: it has another, or cannot be written.

    Example:
      >>> check_output("--plot", "fit.pdf", ".png", "pictures are PNG files")
      Traceback (most recent call last):
      memjax.errors.UserError: --plot fit.pdf: pictures are PNG files; give a name that ends in .png
    """
    if given is None or given == "-":
        return
    path = Path(given)
    if suffix and path.suffix.lower() != suffix:
        raise UserError(f"{option} {path}: {what}; give a name that ends in {suffix}")
    why = None
    if not path.parent.is_dir():
        why = f"there is no directory {path.parent}"
    elif path.is_dir() or not path.name:
        why = "a directory is there"
    elif not all(os.access(place, os.W_OK) for place in _written(path) if place.exists()):
        why = "it cannot be written"
    if why is not None:
        raise UserError(f"{option} {path}: {why}; give another path")


@contextlib.contextmanager
def whole(path: Path | str) -> Iterator[Path]:
    """Where to write a file that is to appear whole or not at all, in place of an older one.

    What is no file, as ``/dev/null``, and what a link leads to, stay what they are.

    Args:
      path: the file.

    Yields:
      Another name beside it, which becomes the file's at the end, and is gone after an error.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as place:
      ...     with whole(Path(place) / "a.txt") as partial:
      ...         _ = partial.write_text("one")
      ...     os.listdir(place)
      ['a.txt']
    """
    path = Path(os.path.realpath(path))
    if not _is_replaced(path):
        yield path
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _is_replaced(path: Path) -> bool:
    return path.is_file() or not path.exists()


def _written(path: Path) -> list[Path]:
    """What must be writable so that ``whole`` is."""
    return [path, path.parent] if _is_replaced(path) else [path]


def save_picture(figure: Any, path: Path | str) -> None:
    """Writes a PNG file, whole or not at all.

    Args:
      figure: of matplotlib.
      path: the file.
    """
    with whole(path) as partial:
        figure.savefig(partial, format="png", dpi=150)


def on_disk(*paths: Path) -> None:
    """Returns once files, and the names in directories, would survive a power cut.

    Args:
      paths: of files and of directories.
    """
    if os.name != "posix":  # Windows opens no directories
        return
    for path in paths:
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
