"""What each layer of an analog model loses, and by what: why the accuracy is what it is."""

import dataclasses
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Key

from memjax import random
from memjax.crossbar.access import behind
from memjax.crossbar.analog_model import AnalogModel
from memjax.crossbar.array import Array
from memjax.crossbar.crossbar import Crossbar, IdleOption
from memjax.crossbar.product import clipped
from memjax.crossbar.programmed import Programmed, wired
from memjax.crossbar.side_by_side import axes_of, side_by_side
from memjax.random import Stream

if TYPE_CHECKING:
    import pandas as pd


class Losses(NamedTuple):
    """Of one matrix, of matrices side by side, or a number a layer: their means.

    Attributes:
      snr: signal-to-noise ratio of its products, dB: the mean square of what is wanted over that of
        the error, with the inputs that the layer gets in the analog model.
      snr_cells: that of its conductances alone, with ideal converters and no noise of products.
      snr_converters: that of converters and of noise alone, with conductances as wanted: what is
        wanted is then what their levels and limits allow.
      cells_error: ``|W' - W| / |W|`` (Frobenius) of the matrix that its conductances make.
      inputs_clipped: share of the inputs beyond the range of the DACs.
      outputs_clipped: share of the currents beyond that of the ADCs.
      range_used: the largest current over the end of the ADCs' range.
      drop_mean: mean share of a cell's current that is lost in wires.
      drop_worst: that of the worst column.
    """

    snr: Any
    snr_cells: Any
    snr_converters: Any
    cells_error: Any
    inputs_clipped: Any
    outputs_clipped: Any
    range_used: Any
    drop_mean: Any
    drop_worst: Any


@dataclasses.dataclass(frozen=True)
class Description:
    """A table, a row a layer, and what it says in words.

    Attributes:
      table: with those columns of ``Losses`` that there are, and before them the ``outputs`` and
        ``inputs`` of the matrices, how many ``matrices`` lie side by side, their ``tiles`` and the
        share of the ``cells_used``.
      notes: sentences, the worst first.

    Layers that were written with verification have the columns of ``Writing`` too.
    """

    table: "pd.DataFrame"
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([self.table.T.to_string(float_format="{:.3g}".format), "", *self.notes])

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{note}</li>" for note in self.notes)
        return self.table.T.to_html(float_format="{:.3g}".format) + f"<ul>{notes}</ul>"


def describe(
    analog: AnalogModel, *args: Any, key: Key[jax.Array, ""] | None = None, **options: Any
) -> Description:
    """What each layer of an analog model loses, and by what.

    Every layer is looked at with the inputs that it gets in the analog model, whose earlier layers
    have lost something already; so a layer's row tells what that layer does.

    Args:
      analog: the model, at a time if it has one.
      args: what the model is called with: some hundred typical inputs.
      key: a typed key, where products are noisy.
      options: what else the model is called with.

    Raises:
      UserError: noise without a key.

    Example:
      >>> import jax
      >>> from flax import nnx
      >>> from memjax.crossbar import Array, convert, describe
      >>> model = nnx.Linear(30, 20, rngs=nnx.Rngs(0))
      >>> x = jax.random.normal(jax.random.key(0), (50, 30))
      >>> array = Array(adc_bits=4, tile_rows=16)
      >>> print(describe(convert(model, array, key=jax.random.key(1), inputs=x), x).notes[0])
      kernel: 10 dB: lost in converters (10 dB by themselves), not in cells (more than 100 dB)
    """
    stream = analog.stream_of_call(key)
    analog = analog if analog.crossbars else analog.program(*args, **options)
    rows = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdleOption)  # told in words
        for name, (matrix, x) in analog.multiplicands(*args, stream=stream, **options).items():
            held = (analog.crossbars or {})[name]
            losses = _losses(analog, held, matrix, x, stream)
            rows[name] = _shape(analog.array_of(name), held) | losses._asdict() | _writing(held)
    import pandas as pd  # it takes half a second, and nothing else here needs it

    table = pd.DataFrame.from_dict(rows, orient="index")
    there = [name for name in _PERHAPS if name in table]
    table = table.drop(columns=[name for name in there if table[name].isna().all()])
    return Description(table, tuple(_notes(analog, table)))


class Products(NamedTuple):
    """A layer's products, ``[..., n, columns]``, and their signal-to-noise ratio in dB."""

    wanted: Any
    y: Any
    snr: float


def products(
    analog: AnalogModel, *args: Any, key: Key[jax.Array, ""] | None = None, **options: Any
) -> dict[str, Products]:
    """Each layer's products as they are and as they should be, with the inputs that it gets.

    Args:
      analog: the model.
      args: what it is called with.
      key: a typed key, where products are noisy.
      options: what else the model is called with.

    Raises:
      UserError: noise without a key.
    """
    stream = analog.stream_of_call(key)
    analog = analog if analog.crossbars else analog.program(*args, **options)

    def one(of: Any, own: Stream) -> tuple[Any, Any]:
        crossbar, matrix, x = of
        wanted = jnp.matmul(x, matrix, precision=jax.lax.Precision.HIGHEST)
        return wanted, crossbar(x, own if crossbar.array.is_random else None)

    found = {}
    for name, (matrix, x) in analog.multiplicands(*args, stream=stream, **options).items():
        held = (analog.crossbars or {})[name]
        wanted, y = side_by_side(one, (held.seen, matrix, x), stream, axes_of(held))
        found[name] = Products(wanted, y, float(_decibels(wanted, y)))
    return found


def _losses(analog: AnalogModel, held: Programmed, matrix: Any, x: Any, stream: Stream) -> Losses:
    """Of a layer: the means over its matrices."""

    @jax.jit
    def found(held: Programmed, matrix: Any, x: Any) -> Losses:
        def one(tree: Any, own: Stream) -> Losses:
            held, matrix, x = tree
            return _of_one(analog, held, matrix, x, own)

        return side_by_side(one, (held, matrix, x), stream, axes_of(held))

    return Losses(*(float(np.mean(each)) for each in found(held, matrix, x)))


def _of_one(analog: AnalogModel, held: Programmed, matrix: Any, x: Any, stream: Stream) -> Losses:
    """Of one matrix."""
    seen, array = held.seen, held.seen.array
    wanted = jnp.matmul(x, matrix, precision=jax.lax.Precision.HIGHEST)
    cells = seen.replace(array=dataclasses.replace(array, **_NO_CONVERTERS))
    linear = dataclasses.replace(array, iv="linear", r_access=None, ir_drop=None)
    intended = Crossbar(matrix.T, linear, key=random.as_key(random.fold_in(stream, 2)))
    meant = jnp.matmul(x, intended.weights().T, precision=jax.lax.Precision.HIGHEST)
    for_life = {name: getattr(seen, name) for name in ("columns", "adc_range", "input_range")}
    intended = intended.replace(**for_life)
    of_product = random.fold_in(stream, 0) if seen.array.is_random else None
    beyond = clipped(seen, x, of_product)
    drop = jnp.full((2,), jnp.nan)
    if analog.wires is not None:
        drop = _drop(
            held.crossbar.replace(g=behind(held.crossbar.array, held.crossbar.g, array.gmax)),
            wired(held.crossbar, analog.wires),
            is_interleaved=analog.wires.is_interleaved,
        )
    return Losses(
        snr=_decibels(wanted, seen(x, of_product)),
        snr_cells=_decibels(wanted, cells(x)),
        snr_converters=_decibels(meant, intended(x, of_product)),
        cells_error=jnp.linalg.norm(seen.weights().T - matrix) / jnp.linalg.norm(matrix),
        inputs_clipped=beyond.inputs,
        outputs_clipped=beyond.outputs,
        range_used=beyond.range_used,
        drop_mean=drop[0],
        drop_worst=drop[1],
    )


def _decibels(wanted: Any, y: Any) -> Any:
    return 10.0 * jnp.log10(jnp.mean(wanted**2) / jnp.mean((y - wanted) ** 2))


def _drop(before: Crossbar, after: Crossbar, *, is_interleaved: bool) -> Any:
    """What wires take of the currents of cells: in the mean, and in the worst column."""
    sides = [
        (each.g[:, 0] - each.g[:, 1])[:, None] if is_interleaved else each.g
        for each in (before, after)
    ]
    columns = [jnp.sum(jnp.abs(side), axis=-2) for side in sides]
    lost = 1.0 - columns[1] / columns[0]  # nan where there are no cells
    return jnp.stack([jnp.nanmean(lost), jnp.nanmax(lost)])


def _shape(array: Array, held: Programmed) -> dict[str, Any]:
    """Sizes of a layer on its array."""
    outputs, inputs = held.crossbar.shape
    down, across = (len(parts) for parts in held.crossbar.tiles)
    cells = (array.tile_rows or inputs) * (array.tile_columns or outputs) * down * across
    matrices = int(np.prod(held.nu.shape[: axes_of(held)]))
    return {
        "outputs": outputs,
        "inputs": inputs,
        "matrices": matrices,
        "tiles": matrices * down * across,
        "cells_used": outputs * inputs / cells,
    }


def _writing(held: Programmed) -> dict[str, float]:
    """What a layer's pulses took."""
    if held.writing is None:
        return {}
    tries, pulses, energy, unwritten = held.writing
    means, sums = ({"tries": tries, "unwritten": unwritten}, {"pulses": pulses, "energy": energy})
    return {name: float(jnp.mean(of)) for name, of in means.items()} | {
        name: float(jnp.sum(of)) for name, of in sums.items()
    }


_PERHAPS = ("range_used", "drop_mean", "drop_worst", "energy")
"""Columns of converters, wires and pulses, which there may be none of."""
_NO_CONVERTERS: Any = dict.fromkeys(
    (
        *("dac_bits", "input_bound", "input_noise", "slice_bits", "w_noise", "r_series"),
        *("v_offset_sigma", "s_shape", "slope_calibration", "gain_sigma", "offset_sigma"),
        *("out_noise", "adc_bits", "adc_high", "adc_low"),
    )
) | {"adc_range": "max", "adc_per_cycle": False, "bound_management": "none"}
_FEW, _MANY = 0.01, 0.1
_EXACT = 100.0
_LOUD = 20.0
"""Decibels: below this a layer's noise is a tenth of its signal or more."""


def _notes(analog: AnalogModel, table: "pd.DataFrame") -> list[str]:
    """What a table says, the worst layer first."""
    by_snr = table.sort_values("snr")
    found = [
        _of_snr(name, layer)
        for number, (name, layer) in enumerate(by_snr.iterrows())
        if number == 0 or layer.snr < _LOUD
    ]
    for name, layer in by_snr.iterrows():
        found += [f"{name}: {what}" for what in _remedies(layer, analog.array_of(str(name)))]
    return found + analog.array.idle()


def _of_snr(name: Any, layer: Any) -> str:
    """Where a layer's signal goes."""
    if not np.isfinite(layer.snr) and layer.snr != np.inf:
        return f"{name}: no signal: its inputs or its weights are all 0, or not finite"
    cells, converters = (
        f"{snr:.0f} dB" if snr < _EXACT else f"more than {_EXACT:.0f} dB"
        for snr in (layer.snr_cells, layer.snr_converters)
    )
    if layer.snr_cells > layer.snr_converters + 6.0:
        why = f"lost in converters ({converters} by themselves), not in cells ({cells})"
    elif layer.snr_converters > layer.snr_cells + 6.0:
        why = f"lost in cells ({cells} by themselves), not in converters ({converters})"
    else:
        why = f"lost in cells ({cells} by themselves) and in converters ({converters}) alike"
    return f"{name}: {layer.snr:.0f} dB: {why}"


def _remedies(layer: Any, array: Array) -> list[str]:
    """What may be done about a layer."""
    found = []
    if layer.inputs_clipped > _FEW:
        remedy = "raise x_max, or take input_scale = 'abs_max'"
        if array.dac == "unsigned":
            remedy = f"negative ones are 0 to dac = 'unsigned': take 'sign_magnitude', or {remedy}"
        found.append(
            f"{layer.inputs_clipped:.0%} of the inputs are beyond the DACs' range: {remedy}"
        )
    if layer.outputs_clipped > _FEW and array.bound_management == "none":
        found.append(
            f"{layer.outputs_clipped:.0%} of the currents are beyond the ADCs' range: widen it "
            "(adc_high), or take adc_range = 'calibrated'"
        )
    if 0.0 < layer.get("range_used", 1.0) < 0.25:
        found.append(
            f"the largest current is {layer.range_used:.0%} of the ADCs' range, which wastes "
            f"{-np.log2(layer.range_used):.1f} bits: take adc_range = 'calibrated'"
        )
    if layer.get("drop_worst", 0.0) > _MANY:
        found.append(
            f"wires take {layer.drop_mean:.0%} of the currents, {layer.drop_worst:.0%} of "
            "the worst column: take smaller tiles (tile_rows, tile_columns) or a smaller gmax"
        )
    if layer.get("unwritten", 0.0) > _FEW:
        found.append(
            f"{layer.unwritten:.0%} of its cells never read right: raise most_tries or tolerance"
        )
    if _MANY < layer.cells_error < np.inf:
        found.append(f"its matrix is off by {layer.cells_error:.0%}, in the Frobenius norm")
    return found
