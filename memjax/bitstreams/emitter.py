"""One device, and the streams that are read from it."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax import random
from memjax.bitstreams.bernoulli import bernoulli
from memjax.bitstreams.bitstream import WORD, delay
from memjax.bitstreams.drive import Drive, pulses_as_known
from memjax.bitstreams.memory import Memory, cycle, forgotten
from memjax.bitstreams.spread import Pulses, deviate, effective_probability
from memjax.bitstreams.switching_device import Switches, SwitchingDevice, log_dose, switched

_FABRICATE, _START, _BITS = range(3)


class Emitter(NamedTuple):
    """An array of devices under their pulses.

    Attributes:
      switches: the devices.
      pulses: of each stream that is read from them.
      chances: the mean over cycles of the probability of each, should no RESET fail.
    """

    switches: Switches
    pulses: tuple[Pulses, ...]
    chances: tuple[Float[Array, "..."], ...]


class Reading(NamedTuple):
    """How several streams are read from a device (static).

    Attributes:
      in_turn: whether they take turns, rather than see the same switching.
      later: bits by which the last one is, below 32.
    """

    in_turn: bool = False
    later: int = 0


def emitter(
    device: SwitchingDevice,
    stream: random.Stream,
    wanted: tuple[Array, ...],
    on: tuple[Array, ...],
    shape: tuple[int, ...],
    drive: Drive,
) -> Emitter:
    """Fabricates devices and finds their pulses.

    Args:
      device: their parameters.
      stream: random stream of these devices.
      wanted: the probability of each stream.
      on: how often they are SET before a bit of each, if the streams are as wanted.
      shape: of the devices (static).
      drive: how pulses carry probabilities.
    """
    switches = device.fabricate(random.fold_in(stream, _FABRICATE), shape)
    given = tuple(
        pulses_as_known(device, p, drive, switches, before)
        for p, before in zip(wanted, on, strict=True)
    )
    chances = (effective_probability(device, switches, each) for each in given)
    return Emitter(switches, given, tuple(jnp.broadcast_to(p, shape) for p in chances))


def whole(made: Emitter, stream: random.Stream, n_words: int, reading: Reading) -> list[Array]:
    """All words of the streams of devices that remember nothing, ``[..., words]``.

    Args:
      made: the devices.
      stream: random stream of these devices.
      n_words: of a stream (static).
      reading: how they are read.
    """
    more = n_words + bool(reading.later)
    words = [
        bernoulli(own, chance[..., None], (*chance.shape, more))
        for own, chance in zip(_streams(made, stream, reading), made.chances, strict=True)
    ]
    if not reading.later:
        return words
    *others, last = words
    late = delay(last[..., 1:], last[..., :-1], reading.later)
    return [*(each[..., 1:] for each in others), late]


def word(made: Emitter, stream: random.Stream, number: Array, reading: Reading) -> list[Array]:
    """One word of each stream, of devices that remember nothing.

    Args:
      made, stream, reading: as of ``whole``.
      number: of the word, from 0.
    """

    def drawn(own: random.Stream, chance: Array, number: Array) -> Array:
        return bernoulli(random.fold_in(own, number), chance, chance.shape)

    streams = _streams(made, stream, reading)
    words = [drawn(*each, number + 1) for each in zip(streams, made.chances, strict=True)]
    if reading.later:
        gone = drawn(streams[-1], made.chances[-1], number)
        words[-1] = delay(words[-1], gone, reading.later)
    return words


def before(
    device: SwitchingDevice, made: Emitter, stream: random.Stream, reading: Reading
) -> Memory:
    """Devices before their first bit; if a stream is read later, 32 bits have gone by.

    Args:
      device: their parameters, by which they remember.
      made, stream, reading: as of ``whole``.
    """
    memory = forgotten(random.fold_in(stream, _START), made.chances[0].shape)
    if reading.later:
        memory, _ = bits(device, made, memory, stream, jnp.int32(0), 0, WORD, reading)
    return memory


def bits(
    device: SwitchingDevice,
    made: Emitter,
    memory: Memory,
    stream: random.Stream,
    number: Array,
    low: int | Array,
    high: int | Array,
    reading: Reading,
) -> tuple[Memory, list[Array]]:
    """Some bits of a word of each stream, of devices that remember: one after the other.

    Args:
      device: their parameters.
      made, stream, reading: as of ``whole``.
      memory: what they carry.
      number: of the word.
      low, high: the bits are ``[low, high)`` of it; the others are 0.
    """
    every = tuple(range(len(made.chances)))
    turns = [(k,) for k in every] if reading.in_turn else [every]
    own = random.fold_in(random.fold_in(stream, _BITS), number)

    def chances(of: tuple[int, ...], now: Memory) -> list[Array]:
        if not device.lasts:
            return [made.chances[k] for k in of]
        deviated = deviate(device, made.switches, now.of_v0, now.of_tau0)
        return [switched(log_dose(deviated, *made.pulses[k])) for k in of]

    def bit(place: Array, carried: tuple[Memory, list[Array]]) -> tuple[Memory, list[Array]]:
        now, words = carried
        of_bit, found = random.fold_in(own, place), []
        for turn, of in enumerate(turns):
            of_turn = random.fold_in(of_bit, turn)
            now, some = cycle(device, now, of_turn, functools.partial(chances, of))
            found += [each.astype(jnp.uint32) for each in some]
        if reading.later:
            late = (now.recent >> jnp.uint32(reading.later - 1)) & jnp.uint32(1)
            now = now._replace(recent=(now.recent << jnp.uint32(1)) | found[-1])
            found[-1] = late
        shift = place.astype(jnp.uint32)
        return now, [w | (b << shift) for w, b in zip(words, found, strict=True)]

    nothing = [jnp.zeros(made.chances[0].shape, jnp.uint32) for _ in every]
    ends = jnp.asarray(low, jnp.int32), jnp.asarray(high, jnp.int32)
    return jax.lax.fori_loop(*ends, bit, (memory, nothing))


def _streams(made: Emitter, stream: random.Stream, reading: Reading) -> list[random.Stream]:
    """The random stream of each bit stream: one for all that see the same switching."""
    drawn = random.fold_in(stream, _BITS)
    return [
        random.fold_in(drawn, number if reading.in_turn else 0)
        for number in range(len(made.chances))
    ]
