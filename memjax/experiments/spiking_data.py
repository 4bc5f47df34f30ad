"""Hidden spikes of a data set, as the lanes of a spiking sweep share them."""

import dataclasses
import functools
import hashlib
import sys
import time
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Int32

from memjax.compilation import directory
from memjax.data import Dataset
from memjax.errors import DataError
from memjax.spiking import CODES, LIF, HiddenSpikes, edge_kernels, encode
from memjax.spiking.encode import Tell


@functools.partial(jax.tree_util.register_dataclass, data_fields=["hidden", "y"], meta_fields=[])
@dataclasses.dataclass(frozen=True)
class SpikingSamples:
    """Hidden spikes by time step, and labels.

    Attributes:
      hidden: of every time step that lanes may have, in their order.
      y: labels.
    """

    hidden: tuple[HiddenSpikes, ...]
    y: Int32[Array | np.ndarray, " samples"]


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["train", "test"],
    meta_fields=["name", "n_classes"],
)
@dataclasses.dataclass(frozen=True)
class SpikingData:
    """A data set as spikes.

    Attributes:
      train, test: the two parts.
      name: of the data set.
      n_classes: number of classes.
    """

    train: SpikingSamples
    test: SpikingSamples
    name: str
    n_classes: int

    def digest(self) -> str:
        """A fingerprint of all spikes and labels."""
        found = hashlib.blake2b(digest_size=8)
        for part in (self.train, self.test):
            found.update("".join(hidden.key for hidden in part.hidden).encode())
            found.update(np.ascontiguousarray(part.y).data)
        return found.hexdigest()


_SECONDS = 10.0


def _teller() -> Tell:
    """Tells on stderr, now and then, how far a long simulation is."""
    told = time.monotonic()

    def tell(done: int, of: int) -> None:
        nonlocal told
        if time.monotonic() - told > _SECONDS:
            told = time.monotonic()
            print(f"hidden spikes: {done:,} of {of:,} images", file=sys.stderr, flush=True)

    return tell


def spiking_data(
    dataset: Dataset, dts: tuple[float, ...], *, code: str, duration: float, scheme: str
) -> SpikingData:
    """A data set as spikes, simulated or found where they are kept.

    Spikes are kept in ``MEMJAX_CACHE_DIR/spikes``, or the user's cache directory; with
    ``MEMJAX_CACHE_DIR=""`` in memory alone.

    Args:
      dataset: grey images, not flat.
      dts: time steps, in ms.
      code: of the pixels, one of ``memjax.spiking.CODES``.
      duration: of an image, in ms.
      scheme: of integration.

    Raises:
      DataError: images that are not grey, or too small for the kernels.
    """
    for name, x in (("training", dataset.x_train), ("test", dataset.x_test)):
        if x.ndim != 3 or min(x.shape[1:]) < 3:
            shape = " x ".join(map(str, x.shape[1:]))
            raise DataError(
                f"data set {dataset.name!r}: {name} images are {shape}; kernels of 3 x 3 need grey "
                "images of 3 x 3 pixels or more"
            )
    kept = directory()
    place = None if kept is None else kept.parent / "spikes"

    def samples(x: np.ndarray, y: np.ndarray) -> SpikingSamples:
        def at(dt: float) -> HiddenSpikes:
            trains: Any = CODES[code](dt, duration, scheme)
            neuron = LIF(scheme=scheme)
            return encode(x, trains, edge_kernels(), dt, neuron, directory=place, tell=_teller())

        return SpikingSamples(tuple(map(at, dts)), y)

    train = samples(dataset.x_train, dataset.y_train)
    test = samples(dataset.x_test, dataset.y_test)
    return SpikingData(train, test, dataset.name, dataset.n_classes)
