"""The files of a Zarr store as they were written, so that none of them changes or goes in silence.

Zarr takes a chunk that is missing for one of fill values, and a flipped bit for a number. Every
chunk therefore ends in a checksum, by Zarr's own codec ``crc32c``, which whatever reads Zarr
checks; and a file beside the arrays lists all files, metadata too, with a digest each.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import xarray as xr
from zarr.codecs import Crc32cCodec, ZstdCodec

LIST = ".checksums.json"
"""The file that lists the others, in the store."""


class Damaged(ValueError):
    """A store is not what was written; says which array and file."""


def encoding(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    """How every array is written: compressed, with a checksum a chunk, coordinates too."""
    codecs = (ZstdCodec(level=0), Crc32cCodec())
    return {str(name): {"compressors": codecs} for name in dataset.variables}


def write(store: Path) -> None:
    """Lists the files of a store that is whole."""
    (store / LIST).write_text(json.dumps(_digests(store), indent=0), encoding="utf-8")


def check(store: Path) -> bool:
    """Whether a store has a list of its files, which are all there is, as they were.

    Files whose names begin with a dot, which a file system or a browser of files leaves, do not
    count: no array has one.

    Args:
      store: the directory of arrays.

    Raises:
      Damaged: a file is another, is missing, or was added.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as place:
      ...     store = Path(place)
      ...     _ = (store / "zarr.json").write_text("{}")
      ...     write(store)
      ...     intact = check(store)
      ...     _ = (store / "zarr.json").write_text("[]")
      ...     check(store)
      Traceback (most recent call last):
      memjax.sweep.store.checksums.Damaged: zarr.json has changed since it was written
    """
    try:
        listed = json.loads((store / LIST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (ValueError, RecursionError):
        raise Damaged(f"{LIST} cannot be read") from None
    if not isinstance(listed, dict) or not listed:
        raise Damaged(f"{LIST} lists no files")
    found = _digests(store)
    for name, digest in listed.items():
        if name not in found:
            raise Damaged(f"{_file_of_array(name)} is missing")
        if found[name] != digest:
            raise Damaged(f"{_file_of_array(name)} has changed since it was written")
    for name in sorted(found.keys() - listed.keys()):
        raise Damaged(f"{_file_of_array(name)} was added after it was written")
    return True


def _digests(store: Path) -> dict[str, str]:
    """Of every file but the list and others that are hidden."""
    found = {}
    for path in sorted(store.rglob("*")):
        name = path.relative_to(store).as_posix()
        if path.is_file() and not path.name.startswith("."):
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, _hash).hexdigest()
    return found


def _hash() -> Any:
    return hashlib.blake2b(digest_size=8)


def _file_of_array(name: str) -> str:
    array, _, file = name.partition("/")
    return f"{file} of the array {array}" if file else name
