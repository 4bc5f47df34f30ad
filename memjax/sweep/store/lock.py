"""One process at a time works on a sweep's results."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from memjax.errors import UserError

_LOCK = ".lock"
_SECONDS = 1  # `memjax status` may hold it for a moment


@contextlib.contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Keeps other processes out of a result directory, which is made if it is not there.

    The lock is the system's and goes with the process, however that ends; a file system without
    locks gets a marker file, which ``filelock`` warns of and takes away from a process that died.

    Raises:
      UserError: another process is in it, or it cannot be written.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as place:
      ...     with exclusive(Path(place)):
      ...         at_work = is_running(Path(place))
      ...     at_work, is_running(Path(place))
      (True, False)
    """
    lock = FileLock(directory / _LOCK)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_SECONDS)
    except Timeout:
        raise UserError(
            f"{directory}: another process is at work there; wait for it, or give another --out"
        ) from None
    except OSError as error:
        raise UserError(
            f"{directory}: cannot be written: {error.strerror or error}; give another --out"
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_running(directory: Path) -> bool:
    """Whether a process is in it; where the lock cannot be looked at, none is known."""
    if not (directory / _LOCK).exists():
        return False
    lock = FileLock(directory / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False
