"""A result directory: one specification, its labelled results, whole or not at all."""

import contextlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import xarray as xr

from memjax.errors import UserError
from memjax.sweep.spec import Spec

RESULTS = "results.zarr"
SPEC = "spec.toml"


def claim(directory: Path, spec: Spec) -> xr.Dataset | None:
    """Makes a directory this sweep's own before any lane is trained.

    Returns:
      The results that it already holds of the very same specification, if any.

    Raises:
      UserError: it holds another sweep's results, or cannot be written.
    """
    resolved = spec.to_toml()
    mine = directory / SPEC
    if mine.exists() or (directory / RESULTS).exists():
        if not mine.exists() or mine.read_text(encoding="utf-8") != resolved:
            raise UserError(
                f"{directory}: holds the results of another specification; give another --out, or "
                f"remove the directory"
            )
        if (directory / RESULTS).exists():
            return load(directory)
    with _writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        partial = directory / f".{SPEC}.partial"
        partial.write_text(resolved, encoding="utf-8")
        partial.replace(mine)
    return None


def save(directory: Path, results: xr.Dataset) -> None:
    """Writes the results under another name, then renames: whole or absent.

    Raises:
      UserError: they cannot be written there; the message says where they went instead, if anywhere.
    """
    partial = directory / f".{RESULTS}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with _writing(directory):
            write(results, partial)
            partial.replace(directory / RESULTS)
    except UserError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise UserError(f"{error}; {_rescue(results)}") from None


def write(results: xr.Dataset, path: Path) -> None:
    """One Zarr store."""
    with warnings.catch_warnings():
        # Zarr v3 has not settled the specification of variable-length strings.
        warnings.filterwarnings("ignore", message=".*does not have a Zarr V3 specification.*")
        results.to_zarr(path, mode="w", consolidated=False)


def load(directory: Path) -> xr.Dataset:
    """The results in a directory.

    Raises:
      UserError: there are none, or they cannot be read.
    """
    path = Path(directory) / RESULTS
    if not path.is_dir():
        raise UserError(f"{path}: no results there; run `memjax sweep SPEC.toml --out {directory}`")
    try:
        return xr.open_zarr(path, consolidated=False).load()
    except Exception as error:
        raise UserError(f"{path}: broken results ({error}); remove it and run again") from None


def _rescue(results: xr.Dataset) -> str:
    """Saves results that their own directory has no room for."""
    try:
        path = Path(tempfile.mkdtemp(prefix="memjax-")) / RESULTS
        write(results, path)
    except OSError:
        return "they could not be saved elsewhere either: free some space and run again"
    return f"the results are kept in {path}: free some space and move them"


@contextlib.contextmanager
def _writing(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{directory}: cannot be written: {error.strerror or error}") from None
