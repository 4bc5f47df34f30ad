"""An experiment, or a function of the user's own, by its name in a specification.

``"my_study.py:Study"`` is the name ``Study`` in the file ``my_study.py``. Such a file is imported,
so it can do whatever a program can: only those who train lanes ask for it.
"""

import functools
import hashlib
import importlib.util
import sys
import sysconfig
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from memjax.errors import UserError, suggest
from memjax.experiments.base import Experiment
from memjax.experiments.registry import EXPERIMENTS

_NOT_THE_USERS = (
    *(sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")),
    str(Path(__file__).parents[1]),
    "<",
)


def experiment(name: str, folder: Path) -> type[Experiment]:
    """The class of an experiment.

    Args:
      name: of ``EXPERIMENTS``, or ``"file.py:name"``.
      folder: what the file's path is relative to.

    Raises:
      UserError: there is none of that name, or it is no experiment.
    """
    if name in EXPERIMENTS:
        return EXPERIMENTS[name]
    if not is_function(name):
        known = suggest(name, EXPERIMENTS)
        raise UserError(f"{name!r} is not known; {known}, or write 'my_study.py:Study'")
    found = function(resolved(name, folder))
    if not (isinstance(found, type) and issubclass(found, Experiment)):
        raise UserError(f"{name}: is no memjax.experiments.Experiment; derive it from that")
    return found


def name_of(kind: type[Experiment]) -> str:
    """What a specification calls an experiment's class."""
    for name, known in EXPERIMENTS.items():
        if known is kind:
            return name
    return kind.__name__


def is_function(name: Any) -> bool:
    """Whether this names something in a Python file: ``"file.py:name"``."""
    return isinstance(name, str) and name.partition(":")[0].endswith(".py") and ":" in name


def resolved(name: Any, folder: Path) -> Any:
    """The same with the path of its file from here, where that lies in a folder.

    Args:
      name: ``"file.py:name"``, or a list of such; anything else stays as it is.
      folder: where the specification lies.
    """
    if isinstance(name, list):
        return [resolved(one, folder) for one in name]
    if not is_function(name):
        return name
    return str(folder / name) if (folder / name.rpartition(":")[0]).exists() else name


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
    return Path(name.rpartition(":")[0]).read_text(encoding="utf-8", errors="replace")


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
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read: {error.strerror}; give the path of a file"
        ) from None
    return _imported(path, hashlib.blake2b(text, digest_size=8).hexdigest())


@functools.cache
def _imported(path: Path, digest: str) -> ModuleType:
    name = f"_memjax_{path.stem}_{digest}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path}: is no Python file; name one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        del sys.modules[name]
        raise UserError(f"{path}:{error.lineno}: {error.msg}; mend the file") from None
    except Exception as error:  # whatever the user's own code raises
        del sys.modules[name]
        raise UserError(f"{where(error)}; mend the file") from None
    return module
