"""What a layer without trained weights fires, kept image by image: only neurons that fire."""

import dataclasses
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32, UInt8, UInt16

from memjax.errors import UserError

BYTE = 8
"""Steps in a byte."""


class Image(NamedTuple):
    """The spikes of one image, in arrays of one size for all images.

    Attributes:
      rows: numbers of the neurons that fire; behind them the number of neurons, which is none's.
      bits: their spikes, eight steps a byte; behind them none.
      active: how many fire.
    """

    rows: Int32[Array, " most"]
    bits: UInt8[Array, "most bytes"]
    active: Int32[Array, ""]


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["rows", "bits", "offsets", "inverse_norms"],
    meta_fields=["neurons", "steps", "most", "key"],
)
@dataclasses.dataclass(frozen=True)
class HiddenSpikes:
    """The spikes of images, one after another; arrays may lie in a file that is mapped.

    Attributes:
      rows: numbers of the neurons that fire, image after image; ``most`` more behind the last.
      bits: their spikes, eight steps a byte, the first step lowest.
      offsets: where each image begins, and where the last one ends.
      inverse_norms: ``1 / ||d^(t)||`` of each image, as of ``memjax.spiking.inverse_norms``.
      neurons: of the layer, those that are silent among them.
      steps: of an image.
      most: neurons that fire in an image, at most.
      key: a digest of what they are of (``memjax.spiking.encode``).
    """

    rows: UInt16[Array | np.ndarray, " entries"]
    bits: UInt8[Array | np.ndarray, "entries bytes"]
    offsets: Int32[Array | np.ndarray, " offsets"]
    inverse_norms: Float[Array | np.ndarray, "images steps"]
    neurons: int
    steps: int
    most: int
    key: str

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def image(self, number: Array | int) -> Image:
        """The neurons that fire in an image, and their spikes.

        Args:
          number: of the image.
        """
        offsets = jnp.asarray(self.offsets)
        number = jnp.asarray(number)
        start, end = offsets[number], offsets[number + 1]
        rows = jax.lax.dynamic_slice_in_dim(jnp.asarray(self.rows), start, self.most)
        bits = jax.lax.dynamic_slice_in_dim(jnp.asarray(self.bits), start, self.most)
        is_there = jnp.arange(self.most) < end - start
        rows = jnp.where(is_there, rows.astype(jnp.int32), self.neurons)
        bits = jnp.where(is_there[:, None], bits, jnp.zeros_like(bits))
        return Image(rows, bits, end - start)

    def dense(self, number: int) -> np.ndarray:
        """The spikes of an image as ``[steps, neurons]``, for pictures and tests.

        Args:
          number: of the image.
        """
        entries = slice(*np.asarray(self.offsets)[number : number + 2])
        spikes = np.zeros((self.steps, self.neurons), bool)
        bits = np.asarray(self.bits)[entries]
        unpacked = np.unpackbits(bits, axis=1, bitorder="little")[:, : self.steps]
        spikes[:, np.asarray(self.rows)[entries]] = unpacked.T
        return spikes


def unpacked(bits: UInt8[Array, "rows bytes"], steps: int) -> Float[Array, "rows steps"]:
    """Spikes of bytes, as 0 and 1.

    Args:
      bits: eight steps a byte, the first step lowest.
      steps: of them.
    """
    each = (bits[:, :, None] >> jnp.arange(BYTE, dtype=jnp.uint8)[None, None]) & jnp.uint8(1)
    return each.reshape(len(bits), -1)[:, :steps].astype(jnp.float32)


def packed_rows(
    bits: UInt8[np.ndarray, "bytes images neurons"],
) -> tuple[UInt16[np.ndarray, " entries"], UInt8[np.ndarray, "entries bytes"], np.ndarray]:
    """The neurons that fire, their spikes, and how many there are in each image.

    Args:
      bits: of all neurons, ``memjax.spiking.hidden_layer``'s.
    """
    found = [np.flatnonzero(bits[:, image].any(axis=0)) for image in range(bits.shape[1])]
    kept = [bits[:, image, rows].T for image, rows in enumerate(found)]
    counts = np.array([len(rows) for rows in found], np.int64)
    return np.concatenate(found).astype(np.uint16), np.concatenate(kept), counts


class Part(NamedTuple):
    """The spikes of some images, before they are those of all.

    Attributes:
      rows, bits, inverse_norms: as of ``HiddenSpikes``.
      counts: neurons that fire in each image.
    """

    rows: np.ndarray
    bits: np.ndarray
    counts: np.ndarray
    inverse_norms: np.ndarray


def offsets_of(counts: np.ndarray) -> np.ndarray:
    """Where images begin, and where the last one ends.

    Args:
      counts: neurons that fire in each.

    Raises:
      UserError: they are more than 32 bits can count.
    """
    offsets = np.concatenate([[0], np.cumsum(counts)])
    if offsets[-1] >= 2**31:
        raise UserError(
            f"{len(counts)} images have {offsets[-1]} firing neurons; 2^31 at most: take fewer"
        )
    return offsets.astype(np.int32)
