"""Whether what is to be written can be, asked before the work and not after it."""

import os
from pathlib import Path

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
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        why = "it cannot be written"
    if why is not None:
        raise UserError(f"{option} {path}: {why}; give another path")
