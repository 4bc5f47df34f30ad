"""Streams of a device: one a probability, or pairs that are correlated as an encoder makes them."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from memjax import random
from memjax.bitstreams import emitter, encoders
from memjax.bitstreams.bitstream import WORD, Bitstream, n_words, within
from memjax.bitstreams.drive import Drive
from memjax.bitstreams.emitter import Reading
from memjax.bitstreams.switching_device import SwitchingDevice
from memjax.pytree import Leaf, check_number

_MOST_BITS = 2**31 - 64


def generate(
    device: SwitchingDevice,
    p: Leaf,
    n: int,
    key: Key[Array, ""],
    drive: Drive | None = None,
) -> Bitstream:
    """Streams of devices that are each to be 1 with a probability.

    Where bits are independent each word is drawn at once; a device that remembers
    (``device.remembers``) goes through its cycles one by one.

    Args:
      device: their parameters.
      p: probabilities, a device each, in [0, 1].
      n: bits of each stream (static).
      key: all randomness comes from it.
      drive: the pulses; nominal amplitudes of 1 ms if not given.

    Example:
      >>> import jax
      >>> from memjax.bitstreams import SwitchingDevice, generate
      >>> x = generate(SwitchingDevice(), 0.3, 4096, jax.random.key(0))
      >>> x.words.shape, f"{x.value:.3f}"
      ((128,), '0.292')

    Raises:
      UserError: a probability or a length that is none.
    """
    p = _checked(p, n, "generate: p")
    return _generate(device, p, n, random.stream(key), Drive() if drive is None else drive)


def encode(
    device: SwitchingDevice,
    x: Leaf,
    y: Leaf,
    n: int,
    key: Key[Array, ""],
    encoder: str = "two_devices",
    drive: Drive | None = None,
    later: int = 1,
) -> tuple[Bitstream, Bitstream]:
    """Pairs of streams.

    Args:
      device: parameters of the devices.
      x, y: probabilities, of shapes that broadcast.
      n: bits of each stream (static).
      key: all randomness comes from it.
      encoder: of ``ENCODERS``: ``"two_devices"``, ``"one_device"`` (in turn), ``"delayed"``,
        ``"shared"`` or ``"inverted"`` (static).
      drive: as of ``generate``.
      later: bits by which y is, if the encoder delays: 1 to 31 (static).

    Example:
      >>> import jax
      >>> from memjax.bitstreams import SwitchingDevice, encode, scc
      >>> key = jax.random.key(0)
      >>> pairs = {
      ...     name: encode(SwitchingDevice(), 0.4, 0.6, 4096, key, name)
      ...     for name in ("two_devices", "shared", "inverted")
      ... }
      >>> {name: f"{scc(*pair):.2f}" for name, pair in pairs.items()}
      {'two_devices': '0.02', 'shared': '1.00', 'inverted': '-1.00'}

    Raises:
      UserError: a probability, a length or an encoder that is none.
    """
    x, y = _checked(x, n, "encode: x"), _checked(y, n, "encode: y")
    check_number("encode: later", later, whole=True, at_least=1, less_than=WORD)
    encoders.get(encoder)
    x, y = jnp.broadcast_arrays(x, y)
    drive = Drive() if drive is None else drive
    return _encode(device, x, y, n, random.stream(key), encoder, drive, later)


def _checked(p: Leaf, n: int, what: str) -> Array:
    check_number(what, p, at_least=0, at_most=1)
    check_number(f"{what.partition(':')[0]}: n", n, whole=True, at_least=1, at_most=_MOST_BITS)
    return jnp.asarray(p, jnp.float32)


@functools.partial(jax.jit, static_argnames=("n",))
def _generate(
    device: SwitchingDevice, p: Array, n: int, stream: random.Stream, drive: Drive
) -> Bitstream:
    reading = Reading()
    made = emitter.emitter(device, stream, (p,), (p,), p.shape, drive)
    if not device.remembers:
        (words,) = emitter.whole(made, stream, n_words(n), reading)
        return Bitstream(within(words, n), n)

    def word(memory: emitter.Memory, number: Array) -> tuple[emitter.Memory, Array]:
        memory, (found,) = emitter.bits(device, made, memory, stream, number, 0, WORD, reading)
        return memory, found

    memory = emitter.before(device, made, stream, reading)
    _, words = jax.lax.scan(word, memory, jnp.arange(n_words(n)))
    return Bitstream(within(jnp.moveaxis(words, 0, -1), n), n)


@functools.partial(jax.jit, static_argnames=("n", "encoder", "later"))
def _encode(
    device: SwitchingDevice,
    x: Array,
    y: Array,
    n: int,
    stream: random.Stream,
    encoder: str,
    drive: Drive,
    later: int,
) -> tuple[Bitstream, Bitstream]:
    how = encoders.get(encoder)
    reading = how.reading(later)
    made = encoders.emitters(how, device, stream, x, y, x.shape, drive)
    if not device.remembers:
        words = encoders.whole(how, made, stream, n_words(n), reading)
    else:
        memories = encoders.before(device, made, stream, reading)
        _, stacked = jax.lax.scan(
            lambda memories, number: encoders.word(
                how, device, made, memories, stream, number, 0, WORD, reading
            ),
            memories,
            jnp.arange(n_words(n)),
        )
        words = jnp.moveaxis(stacked[0], 0, -1), jnp.moveaxis(stacked[1], 0, -1)
    of_x, of_y = (Bitstream(within(each, n), n) for each in words)
    return of_x, of_y
