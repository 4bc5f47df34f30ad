"""What reads the columns: converters of the currents of a tile, and their ranges."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from memjax import random
from memjax.crossbar.quantise import clip_through, power_of_two, quantise
from memjax.pytree import Leaf, param, params, static


@params
class Adc:
    """The converters of the columns, in normalised currents: units of ``Gmax Vmax``."""

    adc: str = static(
        default="sign_magnitude",
        doc="sign_magnitude, 2^B - 1 levels, 0 among them; plain, 2^B levels",
        choices=("sign_magnitude", "plain"),
    )
    adc_bits: Leaf | None = param(default=None, doc="bits of the ADC", unit="bits", at_least=1)
    adc_rounding: str = static(
        default="nearest",
        doc="nearest, half to even; floor, the code below; or stochastic, right in the mean",
        choices=("nearest", "floor", "stochastic"),
    )
    adc_range: str = static(
        default="max",
        doc="max, what all inputs of the tile could make; fixed, adc_low to adc_high; granular, "
        "steps of the least current; calibrated, a quantile of the currents of some data; "
        "batch_max_pow2, MemTorch's, a power of two of each call's largest current",
        choices=("max", "fixed", "granular", "calibrated", "batch_max_pow2"),
    )
    adc_high: Leaf | None = param(default=None, doc="upper end of a fixed range", unit="Gmax Vmax")
    adc_low: Leaf | None = param(
        default=None, doc="lower end of a fixed range; None: -adc_high", unit="Gmax Vmax"
    )
    adc_share: Leaf | None = param(
        default=None, doc="share of the range max that is converted; None: all", more_than=0
    )
    adc_quantile: Leaf = param(
        default=0.9995,
        doc="share of the currents that a calibrated range holds",
        more_than=0,
        at_most=1,
    )
    adc_overflow: Leaf = param(
        default=0.0,
        doc="share of the currents above the one that sets the range of batch_max_pow2",
        at_least=0,
        less_than=1,
    )
    adc_per_cycle: bool = static(
        default=False, doc="whether each input slice is converted, and not only their sum"
    )
    subtract: str = static(
        default="analog",
        doc="of pairs: analog, I+ - I- is converted; digital, each side by itself",
        choices=("analog", "digital"),
    )


Range = tuple[Any, Any]
"""Ends of a converter's range: numbers, or arrays of the rank of the currents."""


def convert(
    adc: Adc, current: jax.Array, ends: Range | None, stream: random.Stream | None
) -> tuple[jax.Array, jax.Array]:
    """Currents as an ADC gives them.

    Args:
      adc: the parameters.
      current: normalised currents.
      ends: the range; ``None``: none, where nothing is quantised.
      stream: for stochastic rounding.

    Returns:
      The converted currents, and for each whether it overflows.
    """
    if ends is None:
        return current, jnp.zeros(current.shape, bool)
    uniform = None
    if adc.adc_rounding == "stochastic" and adc.adc_bits is not None:
        assert stream is not None
        uniform = random.uniform(stream, current.shape)
    elif adc.adc_rounding == "floor":
        uniform = jnp.zeros((), current.dtype)
    is_sign = adc.adc == "sign_magnitude"
    return quantise(current, *ends, adc.adc_bits, zero_is_code=is_sign, uniform=uniform)


def widest(inputs: jax.Array, *, is_signed: bool) -> Range:
    """The range ``max``: ``+-m`` for m inputs of a tile, ``0..m`` where no current is negative.

    Args:
      inputs: m, of the rank of the currents.
      is_signed: whether currents may be negative.
    """
    return (-inputs if is_signed else jnp.zeros_like(inputs)), inputs


def granular(
    bits: Leaf, least: jax.Array, dac_bits: Leaf, *, signed_inputs: bool, is_signed: bool
) -> Range:
    """A range whose steps are the least current: ``+-u (2^(B-1) - 1) c``, or ``0..u (2^B - 1) c``.

    Args:
      bits: B, of the ADC.
      least: u, the least current of a cell at full input: ``2^-weight_bits``, or
        ``1 / (2^b - 1)`` of slices of b bits.
      dac_bits: bits of an input, ``c = 2^M / (2^M - 1)`` with M those of its magnitude.
      signed_inputs: whether one of these bits is a sign.
      is_signed: whether currents may be negative.

    Source: CrossSim manual, granular ADC range.
    """
    steps = power_of_two(jnp.asarray(bits, jnp.float32) - (1.0 if is_signed else 0.0)) - 1.0
    m = power_of_two(jnp.asarray(dac_bits, jnp.float32) - (1.0 if signed_inputs else 0.0))
    high = least * steps * m / (m - 1.0)
    return (-high if is_signed else jnp.zeros_like(high)), high


def batch_max_pow2(
    current: jax.Array, is_output: jax.Array | np.ndarray, bits: Leaf, overflow: Leaf
) -> tuple[jax.Array, jax.Array]:
    """MemTorch's ADC: a range for each tile and call, from its own currents.

    ``step = 2^(1 - B + ceil(log2 v))``, v the ``round(overflow size)``-th largest |I| of a tile
    (from 0), and ``floor(I / step + 1/2)`` clipped to ``[-2^(B-1), 2^(B-1) - 1]``. What an input
    gives depends on the batch that it is in.

    Args:
      current: normalised currents: batch first, columns last, between them what is not pooled.
      is_output: which are not padding, of the rank of ``current``.
      bits: B, at least 2.
      overflow: the share that may lie above v.

    Returns:
      The converted currents, and for each whether it overflows.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar.adc import batch_max_pow2
      >>> current = jnp.array([[0.49, -0.145, 0.708]])
      >>> batch_max_pow2(current, jnp.ones((1, 3), bool), 4, 0.0)[0].tolist()
      [[0.5, -0.125, 0.75]]

    Source: Lammie et al., Neurocomputing 485:124 (2022).
    """
    size = jnp.sum(jnp.asarray(is_output), axis=-1)[0][..., None] * current.shape[0]
    pooled = jnp.moveaxis(jnp.where(is_output, jnp.abs(current), -1.0), 0, -1)
    flat = jax.lax.stop_gradient(pooled.reshape(*pooled.shape[:-2], -1))
    place = jnp.round(jnp.asarray(overflow, jnp.float32) * size.astype(jnp.float32))
    place = jnp.clip(place.astype(jnp.int32), 0, jnp.maximum(size - 1, 0))
    largest = jax.lax.cond(
        jnp.all(place == 0), lambda: jnp.max(flat, axis=-1, keepdims=True), lambda: nth(flat, place)
    )
    octave = jnp.ceil(jnp.log2(jnp.maximum(largest, 1e-30)))
    step = power_of_two(1.0 - jnp.asarray(bits, jnp.float32) + octave)[None]
    top = power_of_two(jnp.asarray(bits, jnp.float32) - 1.0)
    code = current / step
    code = code + jax.lax.stop_gradient(jnp.floor(code + 0.5) - code)
    return step * clip_through(code, -top, top - 1.0), (code > top - 1.0) | (code < -top)


def nth(values: jax.Array, place: jax.Array) -> jax.Array:
    """The ``place``-th largest along the last axis, from 0, without sorting.

    Floats of at least 0 are in the order of their bits, so that the bits are found one by one.

    Args:
      values: numbers; what is less than 0 is not counted.
      place: of a last axis of 1.
    """
    bits = jax.lax.bitcast_convert_type(values.astype(jnp.float32), jnp.int32)

    def try_bit(number: jax.Array, found: jax.Array) -> jax.Array:
        higher = found | (1 << (30 - number))
        count = jnp.sum(bits >= higher, axis=-1, keepdims=True)
        return jnp.where(count > place, higher, found)

    found = jax.lax.fori_loop(0, 31, try_bit, jnp.zeros_like(bits[..., :1]))
    return jax.lax.bitcast_convert_type(found, jnp.float32)
