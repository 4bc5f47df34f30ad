"""Streams of random bits, 32 to a word."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int32, UInt32

from memjax.errors import UserError

WORD = 32
"""Bits to a word."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Bitstream:
    """Streams of equal length; ``&``, ``|``, ``^`` and ``~`` are gates, 32 bits at once.

    Bit ``i`` is bit ``i % 32`` of word ``i // 32``; bits beyond the length are 0.

    Attributes:
      words: the bits of every stream.
      length: bits of a stream (static).

    Example:
      >>> from memjax.bitstreams import Bitstream
      >>> x, y = Bitstream.of("11110000"), Bitstream.of("11111100")
      >>> float((x & y).value), float((~y).value), str(x ^ y)
      (0.5, 0.25, '00001100')
    """

    words: UInt32[Array, "... words"]
    length: int = dataclasses.field(metadata={"static": True})

    @classmethod
    def of(cls, bits: "str | Array | np.ndarray") -> "Bitstream":
        """Packs bits.

        Args:
          bits: their last axis is time; or one stream as a string of 0 and 1.
        """
        if isinstance(bits, str):
            if set(bits) - {"0", "1"}:
                raise UserError(f"Bitstream: {bits[:40]!r} must be of 0 and 1")
            bits = np.array([bit == "1" for bit in bits], bool)
        bits = jnp.asarray(bits).astype(jnp.uint32)
        length = bits.shape[-1]
        padded = jnp.pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, -length % WORD)])
        padded = padded.reshape(*bits.shape[:-1], -1, WORD)
        return cls(jnp.sum(padded << _places(padded.ndim), axis=-1, dtype=jnp.uint32), length)

    @property
    def count(self) -> Int32[Array, "..."]:
        """Ones of each stream: what a counter reads."""
        return jnp.sum(jax.lax.population_count(self.words).astype(jnp.int32), axis=-1)

    @property
    def value(self) -> Float[Array, "..."]:
        """Unipolar coding: the share of ones, in [0, 1]."""
        return self.count.astype(jnp.float32) / self.length

    @property
    def bipolar(self) -> Float[Array, "..."]:
        """Bipolar coding: ``2 value - 1``, in [-1, 1]."""
        return 2.0 * self.value - 1.0

    def bits(self) -> Bool[Array, "... bits"]:
        """The bits one by one."""
        bits = (self.words[..., None] >> _places(self.words.ndim + 1)) & jnp.uint32(1)
        return bits.reshape(*self.words.shape[:-1], -1)[..., : self.length] == 1

    def delayed(self, bits: int) -> "Bitstream":
        """The same, later by some bits; zeros come first.

        Args:
          bits: 0 to 31.
        """
        before = jnp.pad(self.words, [(0, 0)] * (self.words.ndim - 1) + [(1, 0)])[..., :-1]
        return Bitstream(within(delay(self.words, before, bits), self.length), self.length)

    def __and__(self, other: "Bitstream") -> "Bitstream":
        return Bitstream(self.words & self._beside(other), self.length)

    def __or__(self, other: "Bitstream") -> "Bitstream":
        return Bitstream(self.words | self._beside(other), self.length)

    def __xor__(self, other: "Bitstream") -> "Bitstream":
        return Bitstream(self.words ^ self._beside(other), self.length)

    def __invert__(self) -> "Bitstream":
        return Bitstream(within(~self.words, self.length), self.length)

    def _beside(self, other: "Bitstream") -> Array:
        if other.length != self.length:
            raise UserError(
                f"Bitstream: streams of {self.length} and {other.length} bits do not meet in a "
                "gate; give both one length"
            )
        return other.words

    def __str__(self) -> str:
        rows = np.asarray(self.bits()).reshape(-1, self.length)
        return "\n".join("".join("01"[int(bit)] for bit in row) for row in rows)


def n_words(length: int) -> int:
    """Words that hold so many bits."""
    return -(-length // WORD)


def within(words: UInt32[Array, "... words"], length: int) -> UInt32[Array, "... words"]:
    """The words of streams without what is beyond their length."""
    first = jnp.arange(n_words(length), dtype=jnp.int32) * WORD
    return words & between(first, 0, length).reshape((1,) * (words.ndim - 1) + (-1,))


def between(first: Array, low: int | Array, high: int | Array) -> Array:
    """The bits of words that are of ``[low, high)``.

    Args:
      first: the number of each word's first bit.
      low, high: numbers of bits.
    """

    def below(bit: int | Array) -> Array:
        n = jnp.clip(bit - first, 0, WORD).astype(jnp.uint32)
        some = (jnp.uint32(1) << jnp.minimum(n, jnp.uint32(WORD - 1))) - jnp.uint32(1)
        return jnp.where(n == WORD, jnp.uint32(0xFFFFFFFF), some)

    return below(high) & ~below(low)


def delay(words: Array, before: Array, bits: int) -> Array:
    """Words of a stream that comes later.

    Args:
      words: of the stream.
      before: the word before each of them.
      bits: 0 to 31.
    """
    if bits == 0:
        return words
    return (words << jnp.uint32(bits)) | (before >> jnp.uint32(WORD - bits))


def _places(rank: int) -> Array:
    return jnp.arange(WORD, dtype=jnp.uint32).reshape((1,) * (rank - 1) + (WORD,))
