"""Ranges of converters from data, and what makes an array's outputs those of the matrix."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, Key

from memjax import random
from memjax.crossbar.crossbar import Crossbar
from memjax.crossbar.product import currents
from memjax.crossbar.quantise import power_of_two
from memjax.crossbar.tiling import split
from memjax.errors import UserError


def calibrate(crossbar: Crossbar, x: Any, key: Key[jax.Array, ""] | None = None) -> Crossbar:
    """The crossbar with ranges from data: of inputs, and of the currents that its ADCs see.

    With ``input_scale = "calibrated"`` the scale is the ``input_quantile`` of |x|, with
    ``"average_abs_max"`` the mean of the largest |x| of each sample in a tile; and with
    ``adc_range = "calibrated"`` the range of a slice is plus and minus the ``adc_quantile`` of |I|
    over all its tiles and outputs, or from 0 where no current is negative. Ranges of slices are
    powers of two apart, so that shift-and-add is exact: each is the next such one above its own.

    Args:
      crossbar: a matrix on an array with a calibrated range.
      x: inputs, some hundred of those that are to come; leading dimensions are a batch.
      key: where the array has noise.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax.crossbar import Array, Crossbar, calibrate
      >>> array = Array(adc_bits=6, adc_range="calibrated", input_scale="calibrated")
      >>> crossbar = Crossbar(jnp.eye(3), array)
      >>> crossbar = calibrate(crossbar, jnp.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
      >>> float(crossbar.input_range), crossbar.adc_range.tolist()
      (2.0, [[-1.0, 1.0]])

    Source: Rasch et al., Nat. Commun. 14:5282 (2023).
    """
    array = crossbar.array
    is_scale = array.input_scale in ("average_abs_max", "calibrated")
    is_range = array.adc_range == "calibrated"
    if not is_scale and not is_range:
        raise UserError(
            "calibrate: the array has no calibrated range; give input_scale = 'calibrated', or "
            "adc_range = 'calibrated'"
        )
    x = jnp.asarray(x, jnp.float32)
    if x.size == 0 or x.shape[-1] != crossbar.shape[1]:
        raise UserError(
            f"calibrate: inputs of shape {x.shape} for a matrix of {crossbar.shape}; give some, "
            f"whose last dimension is {crossbar.shape[1]}"
        )
    check_inputs("calibrate", x)
    x = x.reshape(-1, x.shape[-1])
    if is_scale:
        crossbar = crossbar.replace(input_range=_input_scale(crossbar, x))
    if not is_range:
        return crossbar
    if array.is_random and key is None:
        raise UserError("calibrate: the array has noise: give a key, calibrate(crossbar, x, key)")
    stream = None if key is None else random.stream(key)
    return crossbar.replace(adc_range=_adc_range(crossbar, x, stream))


def check_inputs(who: str, x: Any) -> None:
    """Refuses inputs that no range is found from, as far as they are known.

    Args:
      who: is called with them.
      x: inputs, a tree of arrays.

    Raises:
      UserError: some are not finite, or all are 0.
    """
    known = [each for each in jax.tree.leaves(x) if not isinstance(each, jax.core.Tracer)]
    floats = [np.asarray(each) for each in known if jnp.issubdtype(each.dtype, jnp.floating)]
    for each in floats:
        if not np.all(np.isfinite(each)):
            raise UserError(f"{who}: inputs are not all finite; ranges are found from them")
    if floats and len(floats) == len(jax.tree.leaves(x)) and not any(map(np.any, floats)):
        raise UserError(f"{who}: inputs are all 0; give typical ones, ranges are found from them")


@jax.jit
def _adc_range(
    crossbar: Crossbar, x: jax.Array, stream: random.Stream | None
) -> Float32[jax.Array, "slices 2"]:
    """Ends of a range a slice."""
    array = crossbar.array
    seen = currents(crossbar, x, stream)
    known = jnp.where(crossbar.is_output[None, None], jnp.abs(seen), jnp.nan)
    by_slice = jnp.moveaxis(known, 3, 0).reshape(known.shape[3], -1)
    high = jnp.nanquantile(by_slice, jnp.asarray(array.adc_quantile, jnp.float32), axis=1)
    most = jnp.where(jnp.max(high) > 0.0, jnp.max(high), 1.0)
    high = jnp.where(high > 0.0, high, most)
    high = most * power_of_two(-jnp.floor(jnp.log2(most / high) + 1e-6))
    low = -high if array.has_signed_currents else jnp.zeros_like(high)
    return jnp.stack([low, high], axis=1)


@jax.jit
def _input_scale(crossbar: Crossbar, x: jax.Array) -> jax.Array:
    """One scale, or one a tile."""
    if crossbar.array.input_scale == "calibrated":
        scale = jnp.quantile(jnp.abs(x), jnp.asarray(crossbar.array.input_quantile, jnp.float32))
    else:
        scale = jnp.mean(jnp.max(split(jnp.abs(x), crossbar.tiles.rows), axis=-1), axis=0)
    return jnp.where(scale > 0.0, scale, 1.0)


def tune(
    crossbar: Crossbar,
    W: Any,
    key: Key[jax.Array, ""],
    *,
    per: str = "layer",
    samples: int = 1000,
) -> Crossbar:
    """The crossbar with a digital gain and bias: least squares of its outputs against ``W x``.

    ``W x ~ gain y + bias`` over inputs that are uniform in [-1, 1] (in [0, 1] of an unsigned DAC)
    times ``x_max``: what is lost in wires, stuck devices and an offset's unused level is made up
    for in the mean. They multiply, and add to, those that there are.

    Args:
      crossbar: the matrix as it is held.
      W: the matrix as it should be.
      key: a typed key, of the inputs and of the array's noise.
      per: ``layer``, one gain and bias; or ``column``, one an output.
      samples: number of inputs.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax.crossbar import Array, Crossbar, tune
      >>> crossbar = Crossbar(W := jnp.eye(3), Array())
      >>> tune(crossbar.replace(g=0.8 * crossbar.g), W, jax.random.key(0)).gain.round(3).tolist()
      [1.25, 1.25, 1.25]

    Source: Lammie et al., Neurocomputing 485:124 (2022), MemTorch's tune.
    """
    if per not in ("layer", "column"):
        raise UserError(f"tune: per = {per!r} must be layer or column")
    if samples < 2:
        raise UserError(f"tune: samples = {samples} must be at least 2")
    W = jnp.asarray(W, jnp.float32)
    if W.shape != crossbar.shape:
        raise UserError(f"tune: W has shape {W.shape}, the crossbar {crossbar.shape}")
    of_inputs, of_noise = jax.random.split(key)
    x = random.uniform(random.stream(of_inputs), (samples, W.shape[1]))
    x = x if crossbar.array.dac == "unsigned" else 2.0 * x - 1.0
    x = x * jnp.asarray(crossbar.array.x_max, jnp.float32)
    wanted = jnp.matmul(x, W.T, precision=jax.lax.Precision.HIGHEST)
    y = crossbar(x, of_noise if crossbar.array.is_random else None)
    gain, bias = _least_squares(y, wanted, (0, 1) if per == "layer" else (0,))
    if crossbar.bias is not None:
        bias = bias + gain * crossbar.bias
    if crossbar.gain is not None:
        gain = gain * crossbar.gain
    return crossbar.replace(gain=gain, bias=bias)


@partial(jax.jit, static_argnames="axis")
def _least_squares(
    y: jax.Array, wanted: jax.Array, axis: tuple[int, ...]
) -> tuple[jax.Array, jax.Array]:
    """Gain and bias of each output."""
    y_mean = jnp.mean(y, axis=axis, keepdims=True)
    wanted_mean = jnp.mean(wanted, axis=axis, keepdims=True)
    variance = jnp.mean((y - y_mean) ** 2, axis=axis, keepdims=True)
    covariance = jnp.mean((y - y_mean) * (wanted - wanted_mean), axis=axis, keepdims=True)
    gain = jnp.where(variance > 0.0, covariance / jnp.where(variance > 0.0, variance, 1.0), 1.0)
    bias = wanted_mean - gain * y_mean
    gain, bias = (jnp.broadcast_to(of, (1, y.shape[1]))[0] for of in (gain, bias))
    return gain, bias
