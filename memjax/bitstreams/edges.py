"""Edges of images by the Roberts cross, a gate or two a pixel."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from memjax import random
from memjax.bitstreams.bernoulli import bernoulli
from memjax.bitstreams.bitstream import Bitstream, within
from memjax.bitstreams.drive import Drive
from memjax.bitstreams.gates import add
from memjax.bitstreams.generate import encode, generate
from memjax.bitstreams.switching_device import SwitchingDevice
from memjax.pytree import Leaf


def roberts_cross(
    images: Float[Array, "... height width"],
) -> Float[Array, "... less_height less_width"]:
    """``(|a - d| + |b - c|) / 2`` of the pixels ``a b`` above ``c d``.

    Args:
      images: in [0, 1].
    """
    a, b, c, d = _corners(images)
    return 0.5 * (jnp.abs(a - d) + jnp.abs(b - c))


def roberts_cross_of_streams(
    images: Float[Array, "... height width"],
    n: int,
    key: Key[Array, ""],
    device: SwitchingDevice | None = None,
    encoder: str = "shared",
    flips: Leaf = 0.0,
    drive: Drive | None = None,
) -> Float[Array, "... less_height less_width"]:
    """The same by streams: XOR of shared streams is ``|x - y|``, a multiplexer halves the sum.

    Args:
      images: in [0, 1].
      n: bits of a stream.
      key: all randomness comes from it.
      device: parameters of the devices.
      encoder: of the two pixels of a difference; only ``"shared"`` gives ``|x - y|``.
      flips: probability that a bit of a pixel's stream is read wrong.
      drive: how pulses carry probabilities.
    """
    device = SwitchingDevice() if device is None else device
    keys = jax.random.split(key, 4)
    a, b, c, d = _corners(images)
    pairs = encode(device, jnp.stack([a, b]), jnp.stack([d, c]), n, keys[0], encoder, drive)
    x, y = (flipped(s, flips, own) for s, own in zip(pairs, keys[1:3], strict=True))
    difference = x ^ y
    first, second = (Bitstream(difference.words[k], n) for k in range(2))
    half = generate(device, jnp.full(a.shape, 0.5), n, keys[3], drive)
    return add(first, second, half).value


def flipped(x: Bitstream, probability: Leaf, key: Key[Array, ""]) -> Bitstream:
    """Streams some of whose bits are wrong.

    Args:
      x: the streams.
      probability: that a bit is.
      key: says which are.
    """
    wrong = bernoulli(random.stream(key), jnp.asarray(probability, jnp.float32), x.words.shape)
    return Bitstream(within(x.words ^ wrong, x.length), x.length)


def _corners(images: Array) -> tuple[Array, Array, Array, Array]:
    top, bottom = images[..., :-1, :], images[..., 1:, :]
    return top[..., :-1], top[..., 1:], bottom[..., :-1], bottom[..., 1:]
