"""One weight as several digits: bit slices, or pairs of different significance."""

from typing import Any

import jax
import jax.numpy as jnp

from memjax.crossbar.quantise import power_of_two, round_through
from memjax.pytree import Leaf, param, params, static, table


@params
class Slicing:
    """How many arrays share a weight."""

    slices: int = static(
        default=1, doc="bit slices of a weight, an array each, least significant first", at_least=1
    )
    weight_bits: Leaf | None = param(
        default=None,
        doc="bits of a weight, its sign included, over all slices; of the granular range of an ADC",
        unit="bits",
        at_least=2,
    )
    significance: Any = table(
        default=None,
        doc="significance of each of several pairs that share a weight; the least is filled first",
        rank=1,
    )


def slice_bits(bits: Leaf, slices: int, *, signed: bool) -> jax.Array:
    """Bits a slice: ``B / S``, and where S does not divide B, ``ceil((B - 1) / S)`` of a pair.

    Args:
      bits: B, of a weight.
      slices: S.
      signed: whether a pair has the sign; else it is ``ceil(B / S)``.
    """
    b = jnp.asarray(bits, jnp.float32)
    fits = jnp.ceil(b / slices) * slices == b
    return jnp.where(fits, b / slices, jnp.ceil((b - 1.0 if signed else b) / slices))


def significances(slicing: Slicing, *, signed: bool) -> jax.Array:
    """What a digit of 1 adds to a weight, a number a slice.

    Bit slices: ``2^(b s) (2^b - 1) / (2^(B-1) - 1)`` with b bits a slice; pairs: ``f_k / sum f``.

    Args:
      slicing: the slices.
      signed: whether digits have a sign, or weights an offset.
    """
    if slicing.significance is not None:
        f = jnp.asarray(slicing.significance, jnp.float32)
        return f / jnp.sum(f)
    if slicing.slices == 1:
        return jnp.ones(1, jnp.float32)
    b, top = _slices(slicing, signed)
    number = jnp.arange(slicing.slices, dtype=jnp.float32)
    return power_of_two(b * number) * (power_of_two(b) - 1.0) / (top - 1.0)


def digits(slicing: Slicing, w: jax.Array, *, signed: bool) -> jax.Array:
    """The digits of weights, so that their sum times ``significances`` is the weight.

    Bit slices: ``k = rint(w (2^(B-1) - 1))`` in base ``2^b``, each digit over ``2^b - 1``; of |k|
    and with its sign, or of ``k + 2^(B-1)``. Pairs: ``clip((|w| F - sum_(j<k) f_j) / f_k, 0, 1)``
    with the sign of w and F the sum of all f: the first are full before the next begin.

    Args:
      slicing: the slices.
      w: weights in [-1, 1].
      signed: whether digits have a sign; else they are in [0, 1] (bit slices only).

    Returns:
      The shape of w behind an axis of slices.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar.slices import Slicing, digits
      >>> slicing = Slicing(slices=2, weight_bits=4)
      >>> digits(slicing, jnp.array([1.0, -3 / 7]), signed=True).tolist()  # 7 = 13, 3 = 03 base 4
      [[1.0, -1.0], [0.3333333432674408, 0.0]]

    Source: aihwkit documentation, NPairConductanceConverter; CrossSim manual, bit-sliced core.
    """
    if slicing.significance is not None:
        f = jnp.asarray(slicing.significance, jnp.float32).reshape(-1, *(1,) * w.ndim)
        before = jnp.cumsum(f, axis=0) - f
        filled = jnp.clip((jnp.abs(w)[None] * jnp.sum(f) - before) / f, 0.0, 1.0)
        return jnp.where(w[None] < 0, -filled, filled)
    if slicing.slices == 1:
        return w[None]
    b, top = _slices(slicing, signed)
    base = power_of_two(b)
    k = round_through(w * (top - 1.0))
    left = jax.lax.stop_gradient(jnp.abs(k) if signed else k + top)
    found = []
    for number in range(slicing.slices):
        above = jnp.floor(left / base)
        last = number == slicing.slices - 1
        found.append(left if last else left - above * base)  # the last one has what is left
        left = above
    raw = jnp.stack(found) * (jnp.sign(k)[None] if signed else 1.0)
    # Each digit has its share of dw: their sum is the weight's, straight through.
    place = jnp.arange(slicing.slices, dtype=jnp.float32).reshape(-1, *(1,) * w.ndim)
    share = slicing.slices * power_of_two(b * place)
    return (raw + (k - jax.lax.stop_gradient(k))[None] / share) / (base - 1.0)


def _slices(slicing: Slicing, signed: bool) -> tuple[jax.Array, jax.Array]:
    """Bits a slice, and ``2^(B-1)``."""
    bits = slicing.weight_bits
    assert bits is not None  # an Array with slices has them
    return slice_bits(bits, slicing.slices, signed=signed), power_of_two(
        jnp.asarray(bits, jnp.float32) - 1.0
    )
