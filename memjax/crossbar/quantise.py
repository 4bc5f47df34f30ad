"""Grids of converters and cells: rounding that gradients pass straight through."""

from typing import Any

import jax
import jax.numpy as jnp

from memjax.pytree import Leaf


def power_of_two(exponent: Leaf) -> jax.Array:
    """``2^e``: exact where e is whole, which ``exp2`` on a CPU is not; differentiable.

    Args:
      exponent: e, such as a number of bits; traced where it is swept.

    Example:
      >>> from memjax.crossbar.quantise import power_of_two
      >>> float(power_of_two(13))
      8192.0
    """
    e = jnp.asarray(exponent, jnp.float32)
    whole = jnp.floor(e)
    near = jnp.exp2(e)
    exact = jnp.ldexp(jnp.exp2(e - whole), whole.astype(jnp.int32))
    return near + jax.lax.stop_gradient(exact - near)


def round_through(v: jax.Array, uniform: jax.Array | None = None) -> jax.Array:
    """The nearest whole number, half to even; its derivative is taken as 1 (straight-through).

    Args:
      v: any numbers.
      uniform: numbers in [0, 1) that make it stochastic, ``floor(v + u)``: right in the mean.

    Source: Bengio et al., arXiv:1308.3432 (2013), for the gradient.
    """
    whole = jnp.round(v) if uniform is None else jnp.floor(v + uniform)
    return v + jax.lax.stop_gradient(whole - v)


def clip_through(x: jax.Array, low: Any, high: Any) -> jax.Array:
    """``min(max(x, low), high)``; at a bound itself the derivative is that of the inside, 1.

    Beyond a bound the derivative with respect to x is 0, and with respect to that bound 1.

    Args:
      x: any numbers.
      low, high: bounds that broadcast to x, of its rank or none.
    """
    low, high = jnp.asarray(low, x.dtype), jnp.asarray(high, x.dtype)
    return jnp.where(x > high, high, jnp.where(x < low, low, x))


def to_levels(share: jax.Array, levels: Leaf) -> jax.Array:
    """The nearest of ``levels`` equally spaced numbers from 0 to 1.

    Args:
      share: numbers in [0, 1].
      levels: how many, at least 2; traced where it is swept.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar.quantise import to_levels
      >>> to_levels(jnp.array([0.1, 0.3, 0.9]), 5).tolist()
      [0.0, 0.25, 1.0]
    """
    steps = jnp.asarray(levels, jnp.float32) - 1.0
    return round_through(share * steps) / steps


def quantise(
    x: jax.Array,
    low: Any,
    high: Any,
    bits: Leaf | None,
    *,
    zero_is_code: bool,
    uniform: jax.Array | None = None,
) -> tuple[jax.Array, jax.Array]:
    """A converter of B bits over [low, high], and where it overflows.

    Plain: ``2^B`` levels, ``low + rint((x - low) q) / q`` with ``q = (2^B - 1) / (high - low)``.
    With zero as a code (sign-magnitude): ``2^B - 1`` levels, multiples of ``2 high / (2^B - 2)``.
    Both are clipped to [low, high].

    Args:
      x: what is converted.
      low, high: the range, of the rank of x or none; with zero as a code ``low = -high``.
      bits: B; ``None``: x is clipped alone.
      zero_is_code: whether the grid is anchored at 0 (static).
      uniform: numbers in [0, 1) of the shape of x, for stochastic rounding; or one, u: the code
        ``floor(v + u)``, so 0 is the one below and 1/2 the nearest, half up.

    Returns:
      The levels, and for each whether it would lie outside the range.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar.quantise import quantise
      >>> x = jnp.array([-0.2, 0.4, 2.0])
      >>> quantise(x, -1.0, 1.0, 2, zero_is_code=True)[0].tolist()
      [0.0, 0.0, 1.0]
      >>> quantise(x, -1.0, 1.0, 1, zero_is_code=False)[0].tolist()
      [-1.0, 1.0, 1.0]
    """
    low, high = jnp.asarray(low, x.dtype), jnp.asarray(high, x.dtype)
    if bits is None:
        return clip_through(x, low, high), (x > high) | (x < low)
    if zero_is_code:
        half = 0.5 * power_of_two(bits) - 1.0
        middle, per_unit = jnp.zeros_like(high), half / high
        code = round_through(x * per_unit, uniform)
    else:
        # About the middle, where sums of levels of both signs lose no digits.
        half = 0.5 * (power_of_two(bits) - 1.0)
        middle, per_unit = 0.5 * (low + high), 2.0 * half / (high - low)
        code = round_through((x - middle) * per_unit + half, uniform) - half
    overflows = jnp.abs(code) > half + 1e-3  # bits need not be whole
    return middle + clip_through(code, -half, half) / per_unit, overflows
