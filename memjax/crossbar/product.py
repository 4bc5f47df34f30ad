"""One product: inputs through the converters, the cells and back, tile by tile."""

import functools
import operator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from memjax import random
from memjax.crossbar import access, adc, analog, ir_drop, management, tiling
from memjax.crossbar.array import Array
from memjax.crossbar.current_voltage import drives, orders
from memjax.crossbar.dac import convert_inputs, input_slices, is_beyond
from memjax.crossbar.mapping import decoding
from memjax.crossbar.quantise import power_of_two
from memjax.crossbar.slices import slice_bits
from memjax.crossbar.state import CrossbarState
from memjax.errors import UserError

# Axes of currents: samples, slices, sides, tiles along the outputs, columns.


class Band(NamedTuple):
    """Tiles that share their inputs; of all of them, with an axis of bands before the others.

    Attributes:
      x: inputs: samples by rows.
      g: conductances: slices, sides, tiles, rows, columns.
      limit: weight limits: tiles, 1, columns.
      columns: standard normal numbers of the columns for life.
      input_range: a calibrated scale.
      is_row: which rows are not padding.
      number: of the band.
    """

    x: jax.Array
    g: jax.Array
    limit: jax.Array
    columns: jax.Array | None
    input_range: jax.Array | None
    is_row: jax.Array
    number: jax.Array


def multiply(crossbar: CrossbarState, x: jax.Array, stream: random.Stream | None) -> jax.Array:
    """Products of a batch of inputs: bands of tiles one after another, added digitally.

    Args:
      crossbar: the matrix.
      x: samples by inputs.
      stream: random stream of this product, where the array has noise.

    Returns:
      Samples by outputs.

    Raises:
      UserError: inputs of another size, or noise without a stream.
    """
    if x.ndim != 2 or x.shape[1] != crossbar.shape[1]:
        raise UserError(
            f"multiply: inputs of shape {x.shape} for a matrix of {crossbar.shape}; give samples "
            f"by {crossbar.shape[1]}"
        )
    if stream is None and crossbar.array.is_random:
        raise UserError("multiply: the array has noise, or rounds stochastically: give a stream")

    def add(total: jax.Array, band: Band) -> tuple[jax.Array, None]:
        return total + _read_band(crossbar, band, stream), None

    bands = _bands(crossbar, x)
    shape = (x.shape[0], len(crossbar.tiles.columns), max(crossbar.tiles.columns))
    if len(crossbar.tiles.rows) == 1:
        total = _read_band(crossbar, jax.tree.map(lambda of: of[0], bands), stream)
    else:
        total, _ = jax.lax.scan(add, jnp.zeros(shape, jnp.float32), bands)
    y = tiling.join(total, crossbar.tiles.columns)
    y = y if crossbar.gain is None else y * crossbar.gain[None]
    return y if crossbar.bias is None else y + crossbar.bias[None]


def currents(crossbar: CrossbarState, x: jax.Array, stream: random.Stream | None) -> jax.Array:
    """What the ADCs convert, noise included; at a bound of 1, and bounds are not managed.

    Args:
      crossbar: the matrix.
      x: samples by inputs.
      stream: random stream of this product.

    Returns:
      Bands, input slices (1 where their sum is converted), samples, slices, sides, tiles, columns.
    """

    def see(band: Band) -> jax.Array:
        x, _ = _scaled(crossbar, band)
        own = _fold(stream, band.number)
        seen, _, _ = _analog(crossbar, band, x[:, None], own)
        bound = jnp.ones((), jnp.float32)
        return jax.vmap(lambda current: _distort(crossbar, band, current, bound, own))(seen)

    return jax.lax.map(see, _bands(crossbar, x))


class Clipped(NamedTuple):
    """Shares of what converters see.

    Attributes:
      inputs: beyond the range of the DACs.
      outputs: beyond that of the ADCs.
      range_used: the largest current that is converted, over the end of its range; NaN without one.
    """

    inputs: jax.Array
    outputs: jax.Array
    range_used: jax.Array


def clipped(crossbar: CrossbarState, x: jax.Array, stream: random.Stream | None) -> Clipped:
    """What converters clip in products with a batch of inputs, where bounds are not managed.

    Args:
      crossbar: the matrix.
      x: samples by inputs.
      stream: random stream of this product.
    """
    is_output = crossbar.is_output[None]

    def see(band: Band) -> tuple[jax.Array, ...]:
        x, _ = _scaled(crossbar, band)
        own = _fold(stream, band.number)
        seen, _, _ = _analog(crossbar, band, x[:, None], own)
        overflows = jax.vmap(lambda current: _digitise(crossbar, band, current, own)[1])(seen)
        ends = _adc_range(crossbar, band)
        high = jnp.nan if ends is None else jnp.asarray(ends[1], x.dtype)
        used = jnp.max(jnp.where(is_output, jnp.abs(seen) / high, 0.0))
        of_inputs = jnp.mean(is_beyond(crossbar.array, x), axis=0)
        of_outputs = jnp.mean(overflows, where=jnp.broadcast_to(is_output, overflows.shape))
        return jnp.sum(of_inputs, where=band.is_row), of_outputs, used

    inputs, outputs, used = jax.lax.map(see, _bands(crossbar, x))
    return Clipped(jnp.sum(inputs) / crossbar.shape[1], jnp.mean(outputs), jnp.max(used))


def driven(crossbar: CrossbarState, x: jax.Array, stream: random.Stream | None) -> jax.Array:
    """What rows are driven with, in input scales, noise aside.

    Args:
      crossbar: the matrix.
      x: samples by inputs.
      stream: random stream of this product.

    Returns:
      Bands, reads (an input slice each), samples, rows.
    """
    array = crossbar.array

    def see(band: Band) -> jax.Array:
        x, _ = _scaled(crossbar, band)
        own = _fold(_fold(stream, band.number), 0)
        digital = jnp.where(band.is_row[None], convert_inputs(array, x, own), 0.0)
        if array.slice_bits is None:
            return digital[None]
        return input_slices(array, digital, crossbar.cycles)[0]

    return jax.lax.map(see, _bands(crossbar, x))


def _bands(crossbar: CrossbarState, x: jax.Array) -> Band:
    """All bands, in front."""
    rows = crossbar.tiles.rows

    def each(of: jax.Array) -> jax.Array:
        return jnp.broadcast_to(of, (len(rows), *of.shape[1:]))

    array, columns, scale = crossbar.array, crossbar.columns, crossbar.input_range
    return Band(
        x=jnp.moveaxis(tiling.split(x, rows), 1, 0),
        g=jnp.moveaxis(access.behind(array, crossbar.g, array.gmax), 2, 0),
        limit=each(crossbar.limit),
        columns=None if columns is None else jnp.moveaxis(columns, 3, 0),
        input_range=None if scale is None else each(scale.reshape(-1)),
        is_row=jnp.asarray(tiling.mask(rows)),
        number=jnp.arange(len(rows)),
    )


def _read_band(crossbar: CrossbarState, band: Band, stream: random.Stream | None) -> jax.Array:
    """Products of the tiles of one band: samples, tiles, columns."""
    array = crossbar.array
    x, scale = _scaled(crossbar, band)
    operands, own = (crossbar, band._replace(x=x)), _fold(stream, band.number)
    if array.bound_management == "iterative":
        y = management.redo(_product, operands, own, _most_reduction(array))
    else:
        y, _ = _product(operands, jnp.ones((), jnp.float32), own)
    return y * scale[:, None]  # inputs of zeros have the scale 0: their tiles are not read


def _scaled(crossbar: CrossbarState, band: Band) -> tuple[jax.Array, jax.Array]:
    """Inputs over their scale, and the scale: samples (or 1) by 1."""
    array = crossbar.array
    if array.input_scale == "abs_max":
        scale = management.largest(array, band.x)
    elif array.input_scale == "fixed":
        scale = jnp.asarray(array.x_max, jnp.float32).reshape(1, 1)
    elif band.input_range is None:
        raise UserError(
            f"Array: input_scale = {array.input_scale!r} has no data; crossbar = "
            "memjax.crossbar.calibrate(crossbar, x) first"
        )
    else:
        scale = band.input_range.reshape(1, 1)
    # By the reciprocal, as others do: where a DAC is between two codes its rounding decides.
    return band.x * (1.0 / jnp.where(scale > 0.0, scale, 1.0)), scale


def _most_reduction(array: Array) -> jax.Array:
    """The most that inputs may be divided by before they are halved once more."""
    most = jnp.asarray(array.bound_factor, jnp.float32)
    if array.dac_bits is None:
        return most
    bound = 1.0 if array.input_bound is None else array.input_bound
    step = 2.0 * jnp.asarray(bound, jnp.float32) / (power_of_two(array.dac_bits) - 2.0)
    return jnp.minimum(most, jnp.asarray(array.bound_resolution, jnp.float32) / step)


def _product(
    operands: tuple[CrossbarState, Band], reduction: jax.Array, stream: random.Stream | None
) -> tuple[jax.Array, jax.Array]:
    """Decoded products of each tile, and which tiles overflow: samples, tiles, 1."""
    crossbar, band = operands
    seen, significance, digital = _analog(crossbar, band, band.x[:, None] / reduction, stream)
    own = _fold(stream, 3)

    def digitise(current: jax.Array, number: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _digitise(crossbar, band, current, _fold(own, number))

    converted, overflows = jax.vmap(digitise)(seen, jnp.arange(seen.shape[0]))
    weight = significance.reshape(-1, 1, 1, 1, 1, 1)
    overflows = overflows & (weight > 0.0) & crossbar.is_output[None]
    y = _decode(crossbar.array, jnp.sum(weight * converted, axis=0), digital)
    return y * band.limit[None, :, 0], jnp.any(overflows, axis=(0, 2, 3, 5))[..., None]


def _analog(
    crossbar: CrossbarState, band: Band, x: jax.Array, stream: random.Stream | None
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """From inputs over their scale to the columns.

    Args:
      crossbar: the matrix.
      band: its inputs are not read, but ``x``.
      x: samples, tiles (1 where they have the same), rows.
      stream: of the band.

    Returns:
      Currents that are to be converted, an input slice each, or their sum; the significance of
      each; and the inputs as the digital side knows them.
    """
    array = crossbar.array
    is_row = band.is_row[None, None]
    digital = jnp.where(is_row, convert_inputs(array, x, _fold(stream, 0)), 0.0)
    rows = digital
    if array.input_noise is not None:
        noise = random.normal(_needed(stream, 1), digital.shape)
        rows = digital + jnp.where(is_row, jnp.asarray(array.input_noise, x.dtype) * noise, 0.0)
    own = _fold(stream, 2)
    if not array.reads_slices:
        return _currents(array, band, rows, own)[None], jnp.ones(1, jnp.float32), digital
    slices, significance = input_slices(array, digital, crossbar.cycles)

    def each(cycle: jax.Array, number: jax.Array) -> jax.Array:
        return _currents(array, band, cycle + (rows - digital), _fold(own, number))

    seen = jax.vmap(each)(slices, jnp.arange(slices.shape[0]))
    if array.adc_per_cycle:
        return seen, significance, digital
    total = jnp.sum(significance.reshape(-1, 1, 1, 1, 1, 1) * seen, axis=0)
    return total[None], jnp.ones(1, jnp.float32), digital


def _currents(array: Array, band: Band, x: jax.Array, stream: random.Stream | None) -> jax.Array:
    """Currents of the columns, normalised: cells, wires, series resistance, read noise."""
    is_difference = array.is_pair and array.subtract == "analog"
    is_difference &= band.g.shape[1] == 2  # else the sides are subtracted already
    parts = tuple(zip(drives(array, x), orders(array, band.g, array.gmax), strict=True))
    seen = [(x, g[:, :1] - g[:, 1:] if is_difference else g) for x, g in parts]
    current = functools.reduce(operator.add, [_contract(*part) for part in seen])
    x, cells = seen[0]  # whatever is beside the cells goes by their current at low voltages
    if array.ir_drop is not None:
        current = current - _drop(array, band, x, cells)
    xi = None if band.columns is None else band.columns[2][None]
    x_sum = jnp.sum(x, axis=-1)[:, None, None, :, None]
    current = analog.series(array, current, x_sum, xi)
    if array.w_noise is None:
        return current
    if array.w_noise_kind == "pcm_read":
        cells = jnp.abs(band.g)
        cells = jnp.sum(cells, axis=1, keepdims=True) if is_difference else cells
        variance = _contract(x * x, cells)
    else:
        variance = jnp.sum(x * x, axis=-1)[:, None, None, :, None]
        variance = variance * (0.5 if array.is_pair and not is_difference else 1.0)
    sd = jnp.asarray(array.w_noise, jnp.float32) * _root(variance)
    return current + sd * random.normal(_needed(stream, 0), current.shape)


def _drop(array: Array, band: Band, x: jax.Array, cells: jax.Array) -> jax.Array:
    """What the bit lines of each tile lose of its currents."""
    assert array.ir_drop is not None
    scale, ratio = (jnp.asarray(of, x.dtype) for of in (array.ir_drop, array.ir_drop_ratio))
    rows = jnp.sum(band.is_row.astype(x.dtype))
    place = ir_drop.distance(jnp.arange(x.shape[-1], dtype=x.dtype), rows)
    share = ir_drop.lost(_contract(jnp.abs(x), jnp.abs(cells)), rows, ratio)
    return scale * share * _contract(x * place[None, None], cells)


def _contract(x: jax.Array, g: jax.Array) -> jax.Array:
    """``sum over rows of x g`` in each tile."""
    precision = jax.lax.Precision.HIGHEST  # a code of an ADC is finer than TF32
    if x.shape[1] == 1:
        return jnp.einsum("br,spjrc->bspjc", x[:, 0], g, precision=precision)
    return jnp.einsum("bjr,spjrc->bspjc", x, g, precision=precision)


def _root(variance: jax.Array) -> jax.Array:
    """The square root, with a derivative of 0 at 0."""
    is_there = variance > 0.0
    return jnp.where(is_there, jnp.sqrt(jnp.where(is_there, variance, 1.0)), 0.0)


def _digitise(
    crossbar: CrossbarState, band: Band, current: jax.Array, stream: random.Stream | None
) -> tuple[jax.Array, jax.Array]:
    """Converted currents, and which overflow."""
    array = crossbar.array
    ends = _adc_range(crossbar, band)
    bound = jnp.ones((), current.dtype) if ends is None else jnp.asarray(ends[1], current.dtype)
    current = _distort(crossbar, band, current, bound, stream)
    if array.adc_range == "batch_max_pow2" and array.adc_bits is not None:
        bits, overflow = array.adc_bits, array.adc_overflow
        return adc.batch_max_pow2(current, crossbar.is_output, bits, overflow)
    return adc.convert(array, current, ends, _fold(stream, 1))


def _distort(
    crossbar: CrossbarState,
    band: Band,
    current: jax.Array,
    bound: jax.Array,
    stream: random.Stream | None,
) -> jax.Array:
    """Saturation, spread of the columns and noise before the ADC."""
    array = crossbar.array
    current = analog.saturate(array, current, bound)
    for sigma, place in ((array.gain_sigma, 0), (array.offset_sigma, 1)):
        if sigma is not None:
            assert band.columns is not None  # a Crossbar with spread has them
            change = jnp.asarray(sigma, current.dtype) * band.columns[place][None]
            current = current + (change if place else current * change)
    if array.out_noise is None:
        return current
    sd = jnp.asarray(array.out_noise, current.dtype)
    return current + sd * random.normal(_needed(stream, 0), current.shape)


def _fold(stream: random.Stream | None, purpose: Any) -> random.Stream | None:
    """A stream by purpose; none without a key."""
    return None if stream is None else random.fold_in(stream, purpose)


def _needed(stream: random.Stream | None, purpose: int) -> random.Stream:
    assert stream is not None  # a Crossbar with noise asks for a key
    return random.fold_in(stream, purpose)


def _adc_range(crossbar: CrossbarState, band: Band) -> adc.Range | None:
    """Ends of the range: numbers, or arrays of the rank of the currents; none where it has none."""
    array = crossbar.array
    if array.adc_range == "fixed":
        assert array.adc_high is not None
        return (-array.adc_high if array.adc_low is None else array.adc_low), array.adc_high
    if array.adc_range == "calibrated":
        if crossbar.adc_range is None:
            raise UserError(
                "Array: adc_range = 'calibrated' has no data; crossbar = memjax.crossbar.calibrate("
                "crossbar, x) first"
            )
        low, high = crossbar.adc_range.T
        return low.reshape(1, -1, 1, 1, 1), high.reshape(1, -1, 1, 1, 1)
    if array.adc_bits is None or array.adc_range == "batch_max_pow2":
        return None
    is_signed = array.has_signed_currents
    if array.adc_range == "max":
        most = jnp.sum(band.is_row.astype(jnp.float32))
        most = most if array.adc_share is None else most * jnp.asarray(array.adc_share, most.dtype)
        return adc.widest(most, is_signed=is_signed)
    assert array.weight_bits is not None and array.dac_bits is not None  # an Array has them then
    least = power_of_two(-jnp.asarray(array.weight_bits, jnp.float32))
    if array.slices > 1:
        b = slice_bits(array.weight_bits, array.slices, signed=array.is_pair)
        least = 1.0 / (power_of_two(b) - 1.0)
    return adc.granular(
        array.adc_bits,
        least,
        array.dac_bits,
        signed_inputs=array.dac != "unsigned",
        is_signed=is_signed,
    )


def _decode(array: Array, converted: jax.Array, x: jax.Array) -> jax.Array:
    """Weights of [-1, 1] times inputs, of what the ADCs gave: samples, tiles, columns."""
    factor, zero = (part.reshape(1, -1, 1, 1) for part in decoding(array))
    read = converted[:, :, 0]
    if array.is_pair:
        read = read - converted[:, :, 1] if converted.shape[2] == 2 else read
    elif array.mapping == "unit_column":
        read = read[..., :-1] - read[..., -1:]
    else:
        read = read - zero * jnp.sum(x, axis=-1)[:, None, :, None]
    return jnp.sum(factor * read, axis=1)
