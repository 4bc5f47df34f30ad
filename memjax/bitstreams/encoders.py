"""How two numbers become two streams: by how many devices, and how correlated."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.bitstreams import emitter
from memjax.bitstreams.drive import Drive
from memjax.bitstreams.emitter import Emitter, Reading
from memjax.bitstreams.memory import Memory
from memjax.bitstreams.switching_device import SwitchingDevice
from memjax.errors import UserError, suggest


class Encoder(NamedTuple):
    """How streams x and y are read.

    Attributes:
      doc: what it is.
      correlation: their SCC, of devices that remember nothing.
      has_two: whether each has a device of its own.
      shares: whether both see the same switching of one device.
      inverts: whether y goes through a NOT.
      delays: whether y is read later.
    """

    doc: str
    correlation: int
    has_two: bool = False
    shares: bool = False
    inverts: bool = False
    delays: bool = False

    def reading(self, later: int) -> Reading:
        """How its devices are read.

        Args:
          later: bits by which y is, if the encoder delays.
        """
        return Reading(in_turn=not self.shares, later=later if self.delays else 0)


ENCODERS: dict[str, Encoder] = {
    "two_devices": Encoder("a device each", 0, has_two=True),
    "one_device": Encoder("one device, x and y in turn", 0),
    "delayed": Encoder("one device and switching, y later", 0, shares=True, delays=True),
    "shared": Encoder("one device and switching, two thresholds", 1, shares=True),
    "inverted": Encoder("the same, y through a NOT", -1, shares=True, inverts=True),
}
"""Encoders by name."""


def get(name: str) -> Encoder:
    """The encoder of a name.

    Raises:
      UserError: there is none.
    """
    if name not in ENCODERS:
        raise UserError(f"encoder = {name!r} is not known; {suggest(name, ENCODERS)}")
    return ENCODERS[name]


def emitters(
    encoder: Encoder,
    device: SwitchingDevice,
    stream: random.Stream,
    x: Array,
    y: Array,
    shape: tuple[int, ...],
    drive: Drive,
) -> tuple[Emitter, ...]:
    """The devices of an encoder, under pulses for x and y.

    Args:
      encoder: which.
      device: their parameters.
      stream: random stream of the pairs.
      x, y: probabilities.
      shape: of the pairs (static).
      drive: how pulses carry probabilities.
    """
    y = 1.0 - y if encoder.inverts else y
    if encoder.has_two:
        return tuple(
            emitter.emitter(device, random.fold_in(stream, k), (p,), (p,), shape, drive)
            for k, p in enumerate((x, y))
        )
    either = jnp.maximum(x, y)
    on = (either, either) if encoder.shares else (y, x)  # in turn, the other's bit was before
    return (emitter.emitter(device, random.fold_in(stream, 0), (x, y), on, shape, drive),)


def whole(
    encoder: Encoder,
    made: tuple[Emitter, ...],
    stream: random.Stream,
    n_words: int,
    reading: Reading,
) -> tuple[Array, Array]:
    """All words of x and y, of devices that remember nothing.

    Args:
      encoder, made, stream: as of ``emitters``.
      n_words: of a stream (static).
      reading: of the encoder.
    """
    return _pair(
        encoder,
        [
            emitter.whole(one, random.fold_in(stream, k), n_words, reading)
            for k, one in enumerate(made)
        ],
    )


def before(
    device: SwitchingDevice,
    made: tuple[Emitter, ...],
    stream: random.Stream,
    reading: Reading,
) -> tuple[Memory, ...]:
    """What devices carry to the first bit; nothing if they remember nothing.

    Args:
      device, made, stream: as of ``emitters``.
      reading: of the encoder.
    """
    if not device.remembers:
        return ()
    return tuple(
        emitter.before(device, one, random.fold_in(stream, k), reading)
        for k, one in enumerate(made)
    )


def word(
    encoder: Encoder,
    device: SwitchingDevice,
    made: tuple[Emitter, ...],
    memories: tuple[Memory, ...],
    stream: random.Stream,
    number: Array,
    low: int | Array,
    high: int | Array,
    reading: Reading,
) -> tuple[tuple[Memory, ...], tuple[Array, Array]]:
    """The next word of x and y, of which ``[low, high)`` counts.

    Args:
      encoder, device, made, stream: as of ``emitters``.
      memories: what the devices carry.
      number: of the word, from 0.
      low, high: its bits that are wanted, made once and in order where devices remember.
      reading: of the encoder.
    """
    streams = [random.fold_in(stream, k) for k in range(len(made))]
    if not memories:
        pairs = zip(made, streams, strict=True)
        return (), _pair(encoder, [emitter.word(*one, number, reading) for one in pairs])
    next_ones, words = [], []
    for one, memory, own in zip(made, memories, streams, strict=True):
        memory, some = emitter.bits(device, one, memory, own, number + 1, low, high, reading)
        next_ones.append(memory)
        words.append(some)
    return tuple(next_ones), _pair(encoder, words)


def _pair(encoder: Encoder, of_devices: list[list[Array]]) -> tuple[Array, Array]:
    x, y = (each for words in of_devices for each in words)
    return x, ~y if encoder.inverts else y
