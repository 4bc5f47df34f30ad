"""A result directory: one specification, its labelled results, whole or not at all."""

import contextlib
import math
import os
import shutil
import tempfile
import warnings
from errno import ENOENT, ENOTDIR
from pathlib import Path

import xarray as xr

from memjax.errors import UserError, mend
from memjax.outputs import on_disk
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store import checksums, reuse
from memjax.sweep.store.facts import impossible, lacking
from memjax.sweep.store.journal import Keys
from memjax.sweep.store.lock import is_running

RESULTS, SPEC = "results.zarr", "spec.toml"


class Unchecked(UserWarning):
    """Results without checksums: nobody can tell whether they are what was written."""


class Broken(UserError):
    """Results are not what was written."""


def claim(directory: Path, spec: Spec, frame: reuse.Frame, keys: Keys) -> xr.Dataset | None:
    """Makes sure that a directory can take this sweep's results, before any lane is run.

    Args:
      directory: the result directory, which need not exist.
      spec: the sweep.
      frame: of its lanes.
      keys: of its lanes.

    Returns:
      The results that it holds, if any: of this sweep, or of one with fewer lanes or stages.

    Raises:
      UserError: it holds another sweep's results or specification, or cannot be written.
    """
    _recover(directory)
    results = _read(directory / RESULTS) if has_results(directory) else None
    what = ""
    if results is not None:
        what = reuse.difference(results, frame, keys)
    elif (directory / SPEC).exists() and not _holds(directory / SPEC, spec.to_toml()):
        what = f"the {SPEC} of another specification"
    if what:
        raise UserError(f"{directory}: holds {what}; give another --out, or remove the directory")
    trial = directory / f".trial.{os.getpid()}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        trial.write_text(spec.to_toml(), encoding="utf-8")
        trial.unlink()
    except OSError as error:
        raise UserError(f"{_unwritable(directory, error)}; give another --out") from None
    return results


def has_results(directory: Path) -> bool:
    """Whether a sweep has finished in this directory."""
    return _place(directory).exists()


def written(directory: Path) -> float:
    """When a directory's results were written, in seconds of the file system's clock; or never."""
    if not has_results(directory):
        return math.inf
    return max(path.stat().st_mtime for path in _place(directory).iterdir())


def save(directory: Path, results: xr.Dataset) -> None:
    """Writes results and specification under other names, then renames: whole or absent.

    They are on the disk when this returns: whatever else holds their lanes may go.

    Raises:
      UserError: they cannot be written there; the message says where they went instead, if
        anywhere.
    """
    partial, spec = _partial(directory, RESULTS), _partial(directory, SPEC)
    earlier = _earlier(directory)
    _remove(partial)
    try:
        write(results, partial)
        spec.write_text(results.attrs["spec"], encoding="utf-8")
        on_disk(*partial.rglob("*"), partial, spec)
        if (directory / RESULTS).exists():
            (directory / RESULTS).rename(earlier)
        partial.rename(directory / RESULTS)
        spec.replace(directory / SPEC)
        on_disk(directory)
        _remove(earlier)
    except OSError as error:
        _remove(partial, spec)  # their room may be what the rescue needs
        raise UserError(
            f"{_unwritable(directory, error)}; {_rescue(results, mend(error))}"
        ) from None
    finally:
        _remove(partial, spec)


def write(results: xr.Dataset, path: Path) -> None:
    """One Zarr store, with the checksums of its files."""
    with warnings.catch_warnings():
        # Zarr v3 has settled neither variable-length strings nor consolidated metadata.
        warnings.filterwarnings("ignore", message=".*does not have a Zarr V3 specification.*")
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part.*")
        codecs = checksums.encoding(results)
        results.to_zarr(path, mode="w", encoding=codecs, write_empty_chunks=True)
    checksums.write(path)


def load(directory: Path | str) -> xr.Dataset:
    """The results in a directory, every file of them checked.

    Those of versions that wrote no checksums are read unchecked, which ``Unchecked`` warns of.
    Results that a sweep replaces meanwhile are read again.

    Args:
      directory: of a sweep's results.

    Raises:
      UserError: there are none, or they are not what was written.

    Example:
      >>> y = xr.DataArray([[0.9]], dims=("seed", "epoch"))
      >>> columns = {"test_accuracy": y, "status": (y[:, 0] < 0).astype(int)}
      >>> with tempfile.TemporaryDirectory() as place:
      ...     save(Path(place), xr.Dataset(columns, attrs={"n_classes": 10, "spec": ""}))
      ...     float(load(place).test_accuracy[0, -1])
      0.9
    """
    path = _place(Path(directory))
    if not path.exists():
        raise UserError(
            f"{Path(directory) / RESULTS}: no results there; run `memjax sweep SPEC.toml --out "
            f"{directory}`"
        )
    one, found = _inode(path), None
    try:
        found = _read(path)
    except Broken as error:
        if _inode(path) == one and is_running(Path(directory)):
            what = str(error).partition(";")[0]
            raise Broken(
                f"{what}, and a process is at work there; wait for it, then try again"
            ) from None
        if _inode(path) == one:
            raise
    return load(directory) if found is None or _inode(path) != one else found


def _read(path: Path) -> xr.Dataset:
    """One store, checked."""
    try:
        is_checked = checksums.check(path)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=f"Object at {checksums.LIST} is not")
            results = xr.open_zarr(path, consolidated=False).load()
        what = lacking(results) or (impossible(results) if not is_checked else "")
    except Exception as error:  # whatever Zarr makes of broken files
        if _is_of_memory(error):
            raise UserError(
                f"{path}: there is too little memory to read it; free some and run the same "
                "command again"
            ) from None
        if isinstance(error, OSError) and error.errno not in (None, ENOENT, ENOTDIR):
            why = f"cannot be read: {error.strerror}; {mend(error)}"
            raise UserError(f"{path}: {why}") from None
        what = str(error).partition("\n")[0] or type(error).__name__
    if what:
        raise Broken(
            f"{path}: broken results ({what}); take them from a copy, or remove the directory and "
            "run again"
        )
    if not is_checked:
        told = f"{path}: has no checksums, as earlier versions wrote none: it is read unchecked"
        warnings.warn(told, Unchecked, stacklevel=3)
    return results


def _is_of_memory(error: Exception) -> bool:
    """Whether a process has come to the end of its memory, or of the room for a thread's stack."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in said or "start new thread" in said


def _earlier(directory: Path) -> Path:
    """Where results wait until those that replace them have their name."""
    return directory / f".{RESULTS}.earlier"


def _place(directory: Path) -> Path:
    """Where results are: for a moment, or since a kill in it, those that are to be replaced."""
    path, earlier = directory / RESULTS, _earlier(directory)
    return earlier if not path.exists() and earlier.exists() else path


def _inode(path: Path) -> int:
    """The number of a directory, which one that takes its place has not; 0 of none."""
    with contextlib.suppress(OSError):
        return path.stat().st_ino
    return 0


def _recover(directory: Path) -> None:
    """Ends what a process that was killed while it replaced results has begun."""
    earlier = _earlier(directory)
    if (directory / RESULTS).exists():
        _remove(earlier)
    elif earlier.exists():
        earlier.rename(directory / RESULTS)


def _partial(directory: Path, name: str) -> Path:
    return directory / f".{name}.partial"


def _remove(*paths: Path) -> None:
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):
            path.unlink()


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


def _unwritable(directory: Path, error: OSError) -> str:
    return f"{directory}: cannot be written: {error.strerror or error}"


def _rescue(results: xr.Dataset, remedy: str) -> str:
    """Saves results that their own directory does not take, until somebody has seen to that."""
    path = None
    try:
        path = Path(tempfile.mkdtemp(prefix="memjax-")) / RESULTS
        write(results, path)
    except OSError:
        if path is not None:
            shutil.rmtree(path.parent, ignore_errors=True)
        return f"they could not be saved elsewhere either: {remedy} and run again"
    return f"the results are kept in {path}: {remedy} and move them there"
