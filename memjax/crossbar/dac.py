"""What drives the rows: digital inputs as voltages, at once or in slices of bits."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from memjax import random
from memjax.crossbar.quantise import clip_through, power_of_two, quantise
from memjax.pytree import Leaf, param, params, static


@params
class Dac:
    """The converters of the rows; inputs are in units of the input scale."""

    dac: str = static(
        default="sign_magnitude",
        doc="sign_magnitude, 2^B - 1 levels in [-1, 1], 0 among them; plain, 2^B levels in "
        "[-1, 1]; unsigned, 2^B levels in [0, 1]",
        choices=("sign_magnitude", "plain", "unsigned"),
    )
    dac_bits: Leaf | None = param(default=None, doc="bits of the DAC", unit="bits", at_least=1)
    dac_rounding: str = static(
        default="nearest",
        doc="nearest, half to even; half_up, as a threshold; or stochastic, right in the mean",
        choices=("nearest", "half_up", "stochastic"),
    )
    input_bound: Leaf | None = param(
        default=None,
        doc="largest voltage of a row; None: 1 with dac_bits, else none",
        unit="input scales",
        more_than=0,
    )
    input_noise: Leaf | None = param(
        default=None, doc="sd of a row's voltage, after the DAC", unit="input scales", at_least=0
    )
    slice_bits: Leaf | None = param(
        default=None,
        doc="bits of an input slice, one after another, least significant first; None: at once",
        unit="bits",
        at_least=1,
    )
    cycles: int = static(
        default=8,
        doc="room for so many input slices where bits are traced, as in a sweep",
        at_least=1,
    )


def convert_inputs(dac: Dac, x: jax.Array, stream: random.Stream | None) -> jax.Array:
    """What the rows are driven with, before noise.

    Args:
      dac: the parameters.
      x: inputs in units of the input scale.
      stream: for stochastic rounding.
    """
    if dac.dac_bits is None and dac.input_bound is None:
        return x
    low, bound = _range(dac, x)
    if dac.dac_bits is None:
        return clip_through(x, low, bound)
    uniform = None
    if dac.dac_rounding == "stochastic":
        assert stream is not None
        uniform = random.uniform(stream, x.shape)
    elif dac.dac_rounding == "half_up":
        uniform = jnp.full((), 0.5, x.dtype)
    is_sign = dac.dac == "sign_magnitude"
    return quantise(x, low, bound, dac.dac_bits, zero_is_code=is_sign, uniform=uniform)[0]


def is_beyond(dac: Dac, x: jax.Array) -> jax.Array:
    """Which inputs are clipped.

    Args:
      dac: the parameters.
      x: inputs in units of the input scale.
    """
    if dac.dac_bits is None and dac.input_bound is None:
        return jnp.zeros(x.shape, bool)
    low, high = _range(dac, x)
    rounding = 1e-6 * high  # of the input scale
    return (x > high + rounding) | (x < low - rounding)


def _range(dac: Dac, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The least and the largest voltage of a row."""
    high = jnp.asarray(1.0 if dac.input_bound is None else dac.input_bound, x.dtype)
    return (jnp.zeros_like(high) if dac.dac == "unsigned" else -high), high


def input_slices(dac: Dac, x: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
    """Inputs bit by bit: ``rint(|x| (2^M - 1))`` in base ``2^s``, least significant first.

    M are the bits of the magnitude (one less where inputs have a sign) and s those of a slice; each
    digit is driven as itself over ``2^s - 1``, with the sign of x. Products with the slices, times
    their significances ``2^(s k) (2^s - 1) / (2^M - 1)``, add up to the product with x.

    Args:
      dac: the parameters, with bits.
      x: inputs on the DAC's grid, in [-1, 1].
      count: number of slices, ``ceil(M / s)`` at least; NaN where it is less.

    Returns:
      Slices (behind a new first axis) and their significances; those beyond M bits have none.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar.dac import Dac, input_slices
      >>> dac = Dac(dac_bits=4, slice_bits=1)
      >>> slices, significances = input_slices(dac, jnp.array([5 / 7, -1.0]), 3)
      >>> slices.tolist()
      [[1.0, -1.0], [0.0, -1.0], [1.0, -1.0]]
      >>> [round(float(s), 4) for s in significances]
      [0.1429, 0.2857, 0.5714]

    Source: CrossSim manual, input bit slicing.
    """
    assert dac.dac_bits is not None and dac.slice_bits is not None
    magnitude = jnp.asarray(dac.dac_bits, jnp.float32) - float(dac.dac == "sign_magnitude")
    size = jnp.asarray(dac.slice_bits, jnp.float32)
    top, base = power_of_two(magnitude) - 1.0, power_of_two(size)
    left = jax.lax.stop_gradient(jnp.round(jnp.abs(x) * top))
    found = []
    for _ in range(count):
        above = jnp.floor(left / base)
        found.append(left - above * base)
        left = above
    number = jnp.arange(count, dtype=jnp.float32)
    used = size * number < magnitude
    significance = jnp.where(used, power_of_two(size * number) * (base - 1.0) / top, 0.0)
    significance = jnp.where(size * count >= magnitude, significance, jnp.nan)
    slices = jnp.stack(found) / (base - 1.0) * jnp.sign(x)[None]
    # Each slice has its share of dx: their sum, weighted, is that of x, straight through.
    each = jnp.sum(used.astype(jnp.float32)) * jnp.where(used, significance, 1.0)
    share = jnp.where(used, 1.0 / each, 0.0)
    change = (x - jax.lax.stop_gradient(x))[None]
    return slices + change * share.reshape(-1, *(1,) * x.ndim), significance


def number_of_slices(dac: Dac) -> int:
    """How many products an input takes: ``ceil(M / s)``, or the room there is for traced bits.

    Args:
      dac: the parameters.
    """
    bits, size = dac.dac_bits, dac.slice_bits
    if size is None:
        return 1
    if any(isinstance(n, jax.core.Tracer) for n in (bits, size)):
        return dac.cycles
    magnitude = np.max(np.asarray(bits)) - float(dac.dac == "sign_magnitude")
    return math.ceil(magnitude / np.min(np.asarray(size)))
