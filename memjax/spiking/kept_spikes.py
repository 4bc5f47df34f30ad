"""Hidden spikes on disk: whole or not there, mapped into memory, compared with their digests."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from memjax.errors import UserError
from memjax.spiking.hidden_spikes import HiddenSpikes, Part, offsets_of
from memjax.spiking.lif import LIF

VERSION = 1
"""Of what is kept; another one is not read."""

_FILES = {"rows": "<u2", "bits": "u1", "offsets": "<i4", "inverse_norms": "<f4"}


def spikes_key(
    pixels: np.ndarray,
    trains: np.ndarray,
    kernels: np.ndarray,
    dt: float | int,
    neuron: LIF,
    *,
    tau: float | int,
) -> str:
    """A digest of all that hidden spikes depend on, this file's version among it.

    Args:
      pixels: images of bytes.
      trains, kernels, dt, neuron, tau: as of ``encode``.
    """
    found = hashlib.blake2b(digest_size=16)
    numbers = [float(np.asarray(x)) for x in jax.tree.leaves(neuron)]
    found.update(repr((VERSION, float(dt), float(tau), neuron.scheme, numbers)).encode())
    for array in (pixels, trains, kernels):
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def read_spikes(place: Path, key: str) -> HiddenSpikes:
    """Spikes that were kept, mapped into memory; every file is compared with its digest.

    Args:
      place: their folder.
      key: what they are to be of, ``spikes_key``.

    Raises:
      UserError: they are of other data or of another version, or damaged.
    """
    again = "remove it, and it is made again"
    try:
        about = json.loads((place / "about.json").read_text())
        version, own = about["version"], about["key"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{place}: about.json is missing or damaged; {again}") from None
    if version != VERSION:
        raise UserError(
            f"{place}: kept by version {version} of hidden spikes, not {VERSION}; {again}"
        )
    if own != key:
        raise UserError(
            f"{place}: is of other images, kernels, trains or steps than are asked for; {again}"
        )
    arrays: dict[str, Any] = {}
    for name, dtype in _FILES.items():
        path, shape = place / name, tuple(about["shapes"][name])
        if not path.is_file() or _digest(path) != about["digests"][name]:
            raise UserError(f"{path}: is missing or damaged; remove {place}, and it is made again")
        arrays[name] = np.memmap(path, dtype, "r", shape=shape)
    return HiddenSpikes(**(arrays | about["sizes"] | {"key": key}))


def write_spikes(place: Path, parts: Iterable[Part], key: str, *, steps: int, neurons: int) -> None:
    """Keeps spikes in a folder, whole or not at all.

    Args:
      place: the folder.
      parts: of some images after others.
      key: what they are of, ``spikes_key``.
      steps: of an image.
      neurons: of the layer.
    """
    partial_place = place.with_suffix(f".{os.getpid()}.tmp")
    partial_place.mkdir()
    try:
        all_counts, norms, width = [], [], 0
        with (
            (partial_place / "rows").open("wb") as rows,
            (partial_place / "bits").open("wb") as bits,
        ):
            for some, kept, counts, inverse in parts:
                rows.write(np.ascontiguousarray(some, _FILES["rows"]).data)
                bits.write(np.ascontiguousarray(kept).data)
                all_counts.append(counts)
                norms.append(inverse)
                width = kept.shape[1]
            offsets = offsets_of(np.concatenate(all_counts))
            most = max(1, int(np.diff(offsets).max()))
            rows.write(np.full(most, neurons, _FILES["rows"]).data)
            bits.write(np.zeros((most, width), np.uint8).data)
        (partial_place / "offsets").write_bytes(offsets.astype(_FILES["offsets"]).tobytes())
        inverse = np.concatenate(norms).astype(_FILES["inverse_norms"])
        (partial_place / "inverse_norms").write_bytes(inverse.tobytes())
        entries = int(offsets[-1]) + most
        shapes = {
            "rows": [entries],
            "bits": [entries, width],
            "offsets": list(offsets.shape),
            "inverse_norms": list(inverse.shape),
        }
        about = {
            "version": VERSION,
            "key": key,
            "sizes": {"neurons": neurons, "steps": steps, "most": most},
            "shapes": shapes,
            "digests": {name: _digest(partial_place / name) for name in _FILES},
        }
        (partial_place / "about.json").write_text(json.dumps(about, indent=1))
        os.replace(partial_place, place)
    finally:
        shutil.rmtree(partial_place, ignore_errors=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
