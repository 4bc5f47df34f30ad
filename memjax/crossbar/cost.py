"""What products cost: energy, time and area of arrays and of the circuits around them."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from memjax import random
from memjax.crossbar.access import behind
from memjax.crossbar.analog_model import AnalogModel
from memjax.crossbar.array import Array
from memjax.crossbar.current_voltage import drives, orders
from memjax.crossbar.product import driven
from memjax.crossbar.side_by_side import axes_of, side_by_side
from memjax.crossbar.state import CrossbarState
from memjax.crossbar.tiling import Tiles
from memjax.pytree import Leaf, param, params


@params
class NoCircuits:
    """Nothing is told of energy, time and area."""


@params
class Circuits(NoCircuits):
    """Figures of the circuits around arrays; by default those of ISAAC, in 32 nm.

    ISAAC's units have 8 arrays of 128 x 128 cells, read in 100 ns (1.2e9 conversions/s, a column
    each): 8 ADCs of 8 bits, 16 mW and 9,600 um^2; 1,024 DACs of a bit, 4 mW and 170 um^2; as many
    sample-and-holds, 10 uW and 40 um^2; 4 shift-and-adds, 0.2 mW and 240 um^2; cells, 200 um^2.
    ``v_row`` and ``row_capacitance`` (0.2 fF/um of wire) are not ISAAC's: take those of your
    technology. A converter's energy and area grow by a factor a bit; 2 is a constant energy a
    step, Walden's figure of merit.

    Source: Shafiee et al., ISCA 2016, table I, whose ADC is Kull et al., ISSCC 2013; the figure of
    merit, Murmann, ADC performance survey.
    """

    v_row: Leaf = param(
        default=0.2,
        doc="voltage of an input of one input scale; of cells that are not linear, array.v_read is",
        unit="V",
        more_than=0,
    )
    t_read: Leaf = param(
        default=100e-9, doc="time of a read, one for each input slice", unit="s", more_than=0
    )
    adc_energy: Leaf = param(
        default=16e-3 / 8 / 1.2e9, doc="a conversion of 8 bits", unit="J", at_least=0
    )
    adc_area: Leaf = param(default=1.2e-9, doc="an ADC of 8 bits", unit="m2", at_least=0)
    adc_growth: Leaf = param(
        default=2.0, doc="factor of an ADC's energy and area a bit", at_least=1
    )
    adc_rate: Leaf = param(default=1.2e9, doc="conversions of an ADC", unit="1/s", more_than=0)
    columns_per_adc: Leaf = param(default=128.0, doc="columns that share an ADC", at_least=1)
    dac_energy: Leaf = param(
        default=4e-3 / 1024 * 100e-9, doc="a row's DAC of 1 bit, a read", unit="J", at_least=0
    )
    dac_area: Leaf = param(
        default=170e-12 / 1024, doc="a row's DAC of 1 bit", unit="m2", at_least=0
    )
    dac_growth: Leaf = param(default=2.0, doc="factor of a DAC's energy and area a bit", at_least=1)
    row_capacitance: Leaf = param(default=8e-18, doc="of a word line, a cell", unit="F", at_least=0)
    hold_energy: Leaf = param(
        default=10e-6 / 1024 * 100e-9, doc="a column's sample-and-hold", unit="J", at_least=0
    )
    hold_area: Leaf = param(
        default=40e-12 / 1024, doc="a column's sample-and-hold", unit="m2", at_least=0
    )
    add_energy: Leaf = param(
        default=0.2e-3 / 8 / 1.2e9, doc="shift and add, a conversion", unit="J", at_least=0
    )
    add_area: Leaf = param(default=30e-12, doc="shift and add, an ADC", unit="m2", at_least=0)
    cell_area: Leaf = param(default=25e-12 / 128**2, doc="a cell", unit="m2", at_least=0)


CIRCUITS: dict[str, type[NoCircuits]] = {"none": NoCircuits, "isaac": Circuits}
"""Circuits by their name in a specification."""


class Cost(NamedTuple):
    """What the products of a layer cost.

    Attributes:
      cells: energy of the cells, J.
      dac: of the DACs and the word lines, J.
      adc: of the ADCs, J.
      digital: of sample-and-holds, shifts and sums, J.
      latency: of all of them, one after another, s.
      area: m^2.
    """

    cells: jax.Array
    dac: jax.Array
    adc: jax.Array
    digital: jax.Array
    latency: jax.Array
    area: jax.Array

    @property
    def energy(self) -> jax.Array:
        """J."""
        return self.cells + self.dac + self.adc + self.digital


class Drives(NamedTuple):
    """How arrays were driven.

    Attributes:
      products: how many times, all arrays together.
      squares: sum over products, reads and driven rows of ``v^2``, v voltages in input scales.
      powers: of ``v i`` for their times, with the currents i of all cells of the row.
    """

    products: jax.Array
    squares: jax.Array
    powers: jax.Array


def product_cost(
    crossbar: CrossbarState,
    x: Any,
    circuits: Circuits | None = None,
    stream: random.Stream | None = None,
) -> Cost:
    """What products of a batch of inputs cost, one after another.

    The cells take ``sum V I t`` over all reads, of the voltages that inputs make (or the times, by
    ``coding = "pulse_width"``), ``V^2 G`` where they are linear, behind their access transistors;
    without wires' losses. A word line takes ``C V^2`` a read. A tile's rows have a DAC each,
    which G+ and G- share; a slice of a weight is an array of its own. Tiles work side by side; one
    product is read while the one before is converted: ``n max(t_read, t_adc) + min(t_read, t_adc)``
    for n. A converter without bits costs nothing, nor do buffers, networks between tiles, control,
    activation functions, leakage, programming and bound management's repetitions.

    Args:
      crossbar: the matrix.
      x: inputs; leading dimensions are a batch.
      circuits: the figures; ISAAC's by default.
      stream: where the DAC rounds stochastically.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar import Array, Circuits, Crossbar, product_cost
      >>> crossbar = Crossbar(jnp.ones((128, 128)), Array(dac_bits=1, dac="unsigned", adc_bits=8))
      >>> one = product_cost(crossbar, jnp.ones(128), Circuits(v_row=0.1))
      >>> round(float(one.cells) * 1e12)  # 128 x 128 cells of 25 uS, 0.1 V and 100 ns
      410
      >>> round(float(one.adc) * 1e12), round(float(one.latency) * 1e9)
      (213, 207)
    """
    circuits = Circuits() if circuits is None else circuits
    x = jnp.asarray(x, jnp.float32)
    found = driving(crossbar, x.reshape(-1, x.shape[-1]), stream)
    return of_drives(crossbar.array, crossbar.tiles, found, circuits)


def driving(crossbar: CrossbarState, x: jax.Array, stream: random.Stream | None) -> Drives:
    """How a batch of inputs drives a crossbar.

    Args:
      crossbar: the matrix.
      x: samples by inputs.
      stream: where the DAC rounds stochastically.
    """
    array = crossbar.array
    inputs = driven(crossbar, x, stream)  # bands, reads, samples, rows
    volts = jnp.sign(inputs) if array.coding == "pulse_width" else inputs
    g = behind(array, crossbar.g, array.gmax)
    powers = sum(
        jnp.sum(volts * drive, axis=(1, 2)) * jnp.sum(order, axis=(0, 1, 3, 5))
        for drive, order in zip(drives(array, inputs), orders(array, g, array.gmax), strict=True)
    )
    products = jnp.asarray(x.shape[0], jnp.float32)
    return Drives(products, jnp.sum(volts**2), jnp.sum(powers))


def of_drives(
    array: Array,
    tiles: Tiles,
    found: Drives,
    circuits: Circuits,
    *,
    arrays: int = 1,
    at_once: int = 1,
) -> Cost:
    """What it costs to drive arrays of matrices of one shape.

    Args:
      array: how matrices are held.
      tiles: of each.
      found: how they were driven, all together.
      circuits: the figures.
      arrays: how many matrices there are (static).
      at_once: how many of them are multiplied by side by side (static).
    """
    c, f32 = circuits, jnp.float32
    columns = [n + (array.mapping == "unit_column") for n in tiles.columns]
    sides = 2 if array.is_pair else 1
    read = [n * (sides if array.subtract == "digital" else 1) for n in columns]  # of a tile
    planes = array.slices if array.significance is None else len(array.significance)
    stacks = planes * len(tiles.rows)  # of tiles side by side along the outputs
    reads = _reads(array)
    rounds = reads if array.adc_per_cycle else jnp.ones((), f32)
    adcs = [jnp.ceil(n / jnp.asarray(c.columns_per_adc, f32)) for n in read]
    of_adc = _converter(array.adc_bits, c.adc_growth, 8)
    of_dac = _converter(_driven_bits(array), c.dac_growth, 1)
    rows = planes * sum(tiles.rows) * len(tiles.columns)
    conversions = found.products * rounds * sum(read) * stacks
    t_adc = jnp.max(jnp.stack([jnp.ceil(n / k) for n, k in zip(read, adcs, strict=True)]))
    t_adc = jnp.where(of_adc > 0.0, t_adc / jnp.asarray(c.adc_rate, f32), 0.0)
    t_read = jnp.asarray(c.t_read, f32) * reads / rounds
    both = jnp.maximum(t_read, t_adc), jnp.minimum(t_read, t_adc)
    square = jnp.asarray(c.v_row if array.iv == "linear" else array.v_read, f32) ** 2
    cells_of_row = planes * sum(columns) * sides
    area = (
        c.cell_area * cells_of_row * sum(tiles.rows)
        + sum(adcs) * stacks * (c.adc_area * of_adc + c.add_area)
        + rows * c.dac_area * of_dac
        + sum(read) * stacks * c.hold_area
    )
    return Cost(
        cells=square * c.t_read * jnp.asarray(array.gmax, f32) * found.powers,
        dac=found.products * reads * rows * c.dac_energy * of_dac
        + c.row_capacitance * square * found.squares * cells_of_row,
        adc=conversions * c.adc_energy * of_adc,
        digital=conversions * (c.hold_energy + c.add_energy),
        latency=found.products / at_once * rounds * both[0] + both[1],
        area=jnp.asarray(arrays * area, f32),
    )


def model_cost(
    analog: AnalogModel,
    *args: Any,
    circuits: Circuits | None = None,
    key: jax.Array | None = None,
    **options: Any,
) -> dict[str, Cost]:
    """What one inference of a model costs, layer by layer: the mean over a batch of inputs.

    A layer's products by one matrix, a convolution's a pixel, are made one after another; how many
    there are is in the model's program; of what data choose, every branch where they are traced.
    Layers do not overlap: latencies may be added. With wires, cells are those that were programmed.

    Args:
      analog: the model, programmed.
      args: what it takes, the first one's first axis a batch.
      circuits: the figures; ISAAC's by default.
      key: as of a call of the model.
      options: likewise.

    Returns:
      By the names of ``analog.crossbars``.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from flax import nnx
      >>> from memjax.crossbar import Array, convert, model_cost
      >>> model, x = nnx.Conv(1, 4, (3, 3), rngs=nnx.Rngs(0)), jnp.ones((2, 8, 8, 1))
      >>> analog = convert(model, Array(dac_bits=8, adc_bits=8), key=jax.random.key(0), inputs=x)
      >>> cost = model_cost(analog, x)["kernel"]
      >>> round(float(cost.adc) * 1e12)  # 64 pixels, 4 columns
      427
    """
    circuits = Circuits() if circuits is None else circuits
    analog = analog if analog.crossbars else analog.program(*args, **options)
    stream = analog.stream_of_call(key)
    samples = jax.tree.leaves(args)[0].shape[0]
    found = {}
    for name, (_, x) in analog.multiplicands(*args, stream=stream, **options).items():
        held = (analog.crossbars or {})[name]
        crossbar, axes = held.seen if analog.wires is None else held.crossbar, axes_of(held)
        each = side_by_side(lambda of, own: driving(of[0], of[1], own), (crossbar, x), stream, axes)
        mean = jax.tree.map(lambda of_one: jnp.sum(of_one) / samples, each)
        lead = crossbar.g.shape[:axes]
        found[name] = of_drives(
            analog.array_of(name),
            crossbar.tiles,
            mean,
            circuits,
            arrays=math.prod(lead),
            at_once=lead[-1],
        )
    return found


def _reads(array: Array) -> jax.Array:
    """Reads of a product: ``ceil(M / s)``."""
    if array.slice_bits is None or array.dac_bits is None:
        return jnp.ones((), jnp.float32)
    magnitude = jnp.asarray(array.dac_bits, jnp.float32) - float(array.dac == "sign_magnitude")
    return jnp.ceil(magnitude / jnp.asarray(array.slice_bits, jnp.float32))


def _driven_bits(array: Array) -> Leaf | None:
    """Bits that a row is driven with at once."""
    return array.dac_bits if array.slice_bits is None else array.slice_bits


def _converter(bits: Leaf | None, growth: Leaf, stated: int) -> jax.Array:
    """What a converter takes of one of the stated bits; nothing, where there is none."""
    if bits is None:
        return jnp.zeros((), jnp.float32)
    return jnp.asarray(growth, jnp.float32) ** (jnp.asarray(bits, jnp.float32) - stated)
