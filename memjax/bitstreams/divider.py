"""CORDIV: division by a multiplexer that remembers."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, UInt32

from memjax.bitstreams.bitstream import WORD, Bitstream, within


def divide(x: Bitstream, y: Bitstream) -> Bitstream:
    """``x / y`` of streams of SCC 1, ``x <= y``: where y is 1 pass x, else repeat the last output.

    The output is 1 with ``P(x and y) / P(y)``: of independent streams that is only x. Until y's
    first 1 it is 0. A stream of n bits has the variance of ``n P(y) / (2 - P(y))``.

    Args:
      x, y: the dividend and the divisor.

    Example:
      >>> import jax
      >>> from memjax.bitstreams import SwitchingDevice, divide, encode
      >>> for encoder in ("shared", "two_devices"):
      ...     pair = encode(SwitchingDevice(), 0.2, 0.5, 2**16, jax.random.key(0), encoder)
      ...     print(f"{divide(*pair).value:.2f}")
      0.40
      0.20

    Source: Chen & Hayes, DAC 53 (2016).
    """
    passed = (x & y).words  # of one length, or refused

    def word(last: Array, pair: tuple[Array, Array]) -> tuple[Array, Array]:
        return divided(*pair, last)

    in_order = (jnp.moveaxis(passed, -1, 0), jnp.moveaxis(y.words, -1, 0))
    _, words = jax.lax.scan(word, jnp.zeros(passed.shape[:-1], jnp.uint32), in_order)
    return Bitstream(within(jnp.moveaxis(words, 0, -1), x.length), x.length)


def fuse(x: Bitstream, y: Bitstream) -> Bitstream:
    """The posterior of two independent observations, each a posterior at equal odds before.

    ``x y / (x y + (1 - x)(1 - y))``: where both streams agree pass them, else repeat the last
    output.

    Args:
      x, y: independent streams; a third observation is fused with what comes out in the mean.

    Example:
      >>> from memjax.bitstreams import SwitchingDevice, encode, fuse
      >>> pair = encode(SwitchingDevice(), 0.8, 0.7, 2**16, jax.random.key(0))
      >>> print(f"{fuse(*pair).value:.2f} {0.8 * 0.7 / (0.8 * 0.7 + 0.2 * 0.3):.2f}")
      0.90 0.90
    """
    return divide(x & y, ~(x ^ y))


def divided(
    x: UInt32[Array, "..."], y: UInt32[Array, "..."], last: UInt32[Array, "..."]
) -> tuple[Array, Array]:
    """The last output after a word, and the outputs: bits of y's ones spread upwards by doubling.

    Args:
      x, y: a word of each.
      last: the output before it, 0 or 1.
    """
    known, value = y, x & y
    for step in (1, 2, 4, 8, 16):
        shift = jnp.uint32(step)
        value = value | ((value << shift) & ~known)
        known = known | (known << shift)
    value = jnp.where(last == jnp.uint32(1), value | ~known, value)
    return value >> jnp.uint32(WORD - 1), value
