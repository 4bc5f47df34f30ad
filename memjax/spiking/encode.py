"""Images as hidden spikes: simulated once, kept on disk, mapped into memory ever after."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import jax
import numpy as np
from filelock import FileLock
from jaxtyping import Array, Bool, Float

from memjax.errors import UserError, mend
from memjax.spiking.hidden_layer import hidden_layer
from memjax.spiking.hidden_spikes import HiddenSpikes, Part, offsets_of, packed_rows, unpacked
from memjax.spiking.kept_spikes import read_spikes, spikes_key, write_spikes
from memjax.spiking.kernels import check_kernels
from memjax.spiking.lif import LIF
from memjax.spiking.normad import TAU, inverse_norms

_AT_ONCE = 32
_ROUNDING = 128
_MOST_NEURONS = 2**16 - 1

Tell = Callable[[int, int], None]


def encode(
    images: np.ndarray,
    trains: Bool[np.ndarray, "steps values"],
    kernels: Float[np.ndarray, "kernels height width"],
    dt: float | int,
    neuron: LIF | None = None,
    *,
    tau: float | int = TAU,
    directory: Path | str | None = None,
    tell: Tell = lambda done, of: None,
) -> HiddenSpikes:
    """The hidden layer's spikes of images, and what NormAD divides by.

    Args:
      images: grey images in [0, 1], ``[images, height, width]``; pixels are rounded to bytes.
      trains: of the 256 values of a pixel (``lif_trains``, say).
      kernels: of 3 x 3.
      dt: the step, in ms.
      neuron: of the hidden layer.
      tau: of NormAD's membrane, in ms.
      directory: where spikes are kept and looked for, in a folder that a digest of all these
        arguments names; None: in memory alone.
      tell: told of the images that are done.

    Raises:
      UserError: images or kernels of another shape, or kept spikes that are damaged or of another
        version.

    Example:
      >>> import numpy as np
      >>> from memjax.spiking import edge_kernels, encode, lif_trains
      >>> bar = np.zeros((1, 28, 28), np.float32)
      >>> bar[:, :, 14] = 1.0
      >>> found = encode(bar, lif_trains(0.5), edge_kernels(), 0.5)
      >>> len(found), found.neurons, found.most
      (1, 8112, 182)
    """
    neuron = LIF() if neuron is None else neuron
    check_kernels(kernels)
    pixels = as_bytes(images)
    parts = partial(_parts, pixels, trains, kernels, dt, neuron, tau, tell)
    shape = (len(trains), len(kernels) * (pixels.shape[1] - 2) * (pixels.shape[2] - 2))
    if shape[1] > _MOST_NEURONS:
        raise UserError(
            f"{len(kernels)} kernels on images of {pixels.shape[1]} x {pixels.shape[2]} are "
            f"{shape[1]} neurons; {_MOST_NEURONS} at most: take smaller images"
        )
    key = spikes_key(pixels, trains, kernels, dt, neuron, tau=tau)
    if directory is None:
        return _in_memory(list(parts()), *shape, key)
    place = Path(directory) / key
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(place.with_suffix(".lock")):
            if not place.exists():
                write_spikes(place, parts(), key, steps=shape[0], neurons=shape[1])
        return read_spikes(place, key)
    except OSError as error:
        raise UserError(f"{place}: {error.strerror}; {mend(error)}") from None


def as_bytes(images: np.ndarray) -> np.ndarray:
    """Grey images in [0, 1] as bytes.

    Args:
      images: ``[images, height, width]``.

    Raises:
      UserError: they are none.
    """
    if images.ndim != 3 or min(images.shape[1:]) < 3:
        shape = " x ".join(map(str, images.shape[1:]))
        raise UserError(
            f"images are {shape}; 3 x 3 kernels need grey images, [images, height, width], of 3 x 3"
            " pixels or more"
        )
    if images.dtype == np.uint8:
        return images
    if not (np.min(images) >= 0.0 and np.max(images) <= 1.0):
        raise UserError("images have pixels outside [0, 1]; scale them")
    return np.round(images * 255.0).astype(np.uint8)


def _parts(
    pixels: np.ndarray,
    trains: np.ndarray,
    kernels: np.ndarray,
    dt: float | int,
    neuron: LIF,
    tau: float | int,
    tell: Tell,
) -> Iterator[Part]:
    """The spikes of some images after others."""
    for start in range(0, len(pixels), _AT_ONCE):
        some = pixels[start : start + _AT_ONCE]
        same = np.zeros((_AT_ONCE, *some.shape[1:]), np.uint8)
        same[: len(some)] = some
        bits = np.asarray(hidden_layer(same, trains, kernels, dt, neuron))[:, : len(some)]
        rows, kept, counts = packed_rows(bits)
        yield Part(rows, kept, counts, _norms(kept, counts, len(trains), dt, tau))
        tell(start + len(some), len(pixels))


def _norms(
    bits: np.ndarray, counts: np.ndarray, steps: int, dt: float | int, tau: float | int
) -> np.ndarray:
    """``1 / ||d^||`` of images, of neurons that fire: those of the others are 0."""
    most = -(-max(1, int(counts.max())) // _ROUNDING) * _ROUNDING
    padded = np.zeros((len(counts), most, bits.shape[1]), np.uint8)
    ends = np.cumsum(counts)
    for image, (end, count) in enumerate(zip(ends, counts, strict=True)):
        padded[image, :count] = bits[end - count : end]
    return np.asarray(_norms_of(padded, steps, dt, tau))[: len(counts)]


@partial(jax.jit, static_argnums=(1, 2, 3))
def _norms_of(bits: Array, steps: int, dt: float | int, tau: float | int) -> Array:
    return jax.lax.map(lambda b: inverse_norms(unpacked(b, steps).T, dt, tau=tau), bits)


def _in_memory(parts: list[Part], steps: int, neurons: int, key: str) -> HiddenSpikes:
    rows, bits, counts, norms = (np.concatenate(part) for part in zip(*parts, strict=True))
    most = max(1, int(counts.max()))
    rows = np.concatenate([rows, np.full(most, neurons, np.uint16)])
    bits = np.concatenate([bits, np.zeros((most, bits.shape[1]), np.uint8)])
    return HiddenSpikes(rows, bits, offsets_of(counts), norms, neurons, steps, most, key)
