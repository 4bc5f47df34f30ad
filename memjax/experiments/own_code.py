"""A function of the user's own, by its name: ``"my_study.py:Study"`` is ``Study`` in that file.

Such a file is imported, so it can do whatever a program can: only those who train lanes ask for it.
"""

import contextlib
import functools
import hashlib
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from memjax.errors import UserError, suggest

_NOT_THE_USERS = (
    *(sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")),
    str(Path(__file__).parents[1]),
    "<",
)
PREFIX = "_memjax_"
"""What the name of a module of the user's begins with."""

_pinned: list[dict[Path, bytes]] = []


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Within, every file is read once: whoever edits one meanwhile changes nothing in a sweep."""
    if _pinned:
        yield
        return
    _pinned.append({})
    try:
        yield
    finally:
        _pinned.clear()


@contextlib.contextmanager
def errors_told(owner: str, *, is_users: bool) -> Iterator[None]:
    """What the user's own code raises is told in one line, with its place; ours is ours.

    Args:
      owner: of the code.
      is_users: whether it is the user's.

    Raises:
      UserError: in place of any other exception of the user's.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if not is_users:
            raise
        raise UserError(f"{owner}: {where(error)}") from None


def is_function(name: Any) -> bool:
    """Whether this names something in a Python file: ``"file.py:name"``."""
    return isinstance(name, str) and name.partition(":")[0].endswith(".py") and ":" in name


def resolved(name: Any, folder: Path) -> Any:
    """The same with the path of its file from here; one that lies here only is left alone.

    Args:
      name: ``"file.py:name"``, or a list of such; anything else stays as it is.
      folder: where the specification lies.
    """
    if isinstance(name, list):
        return [resolved(one, folder) for one in name]
    if not is_function(name):
        return name
    file = name.rpartition(":")[0]
    lies_here_only = Path(file).exists() and not (folder / file).exists()
    return name if lies_here_only else str(folder / name)


def without_folder(value: Any) -> Any:
    """A value as it counts for what a lane is: of a function's file, its name only."""
    return Path(value).name if is_function(value) else value


def function(name: str) -> Any:
    """What a Python file defines under a name.

    Args:
      name: ``"file.py:name"``.

    Raises:
      UserError: no such file or name, or the file raises; names the line of the file.
    """
    file, _, attribute = name.rpartition(":")
    module = _module(Path(file).absolute())
    if not hasattr(module, attribute):
        known = [own for own in vars(module) if not own.startswith("_")]
        raise UserError(f"{file}: has no {attribute!r}; {suggest(attribute, known)}")
    return getattr(module, attribute)


def source(name: str) -> str:
    """The text of the file that a function's name names."""
    return _text(Path(name.rpartition(":")[0]).absolute()).decode(errors="replace")


def where(error: BaseException) -> str:
    """The user's own line that raised an error: ``my_cnn.py:12: TypeError: ...``, in one line.

    Args:
      error: what was raised; of its frames the innermost counts that is no library's, nor ours.
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(_NOT_THE_USERS)]
    at = (own or frames)[-1] if frames else None
    place = f"{at.filename}:{at.lineno}: " if at else ""
    return f"{place}{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _module(path: Path) -> ModuleType:
    """The module of a file as it stands now; files beside it can be imported in it."""
    return _imported(path, _text(path))


def _text(path: Path) -> bytes:
    if _pinned and path in _pinned[0]:
        return _pinned[0][path]
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read: {error.strerror}; give the path of a file"
        ) from None
    if _pinned:
        _pinned[0][path] = text
    return text


@functools.cache
def _imported(path: Path, text: bytes) -> ModuleType:
    """The module of a text: bytecode that Python keeps goes by a file's time, to the second."""
    name = f"{PREFIX}{path.stem}_{hashlib.blake2b(text, digest_size=8).hexdigest()}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        exec(compile(text, path, "exec"), module.__dict__)
    except SyntaxError as error:
        del sys.modules[name]
        raise UserError(f"{path}:{error.lineno}: {error.msg}; mend the file") from None
    except Exception as error:  # whatever the user's own code raises
        del sys.modules[name]
        raise UserError(f"{where(error)}; mend the file") from None
    return module
