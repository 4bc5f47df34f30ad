"""Wires of a tile: what of its voltages reaches the cells, and the matrix that it then is."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from memjax.crossbar.newton import nonlinear_voltages
from memjax.crossbar.nodal import Cells, SharedOhms, cell_currents
from memjax.errors import UserError
from memjax.pytree import Leaf, align, check, param, params, static

_CELLS_AT_ONCE = 2**17
"""Voltages that are solved side by side: what a processor's cache holds."""

Law = Callable[[Array, Array], Array]
"""Amperes of cells, for their conductances in siemens and the volts across them."""

AnyArray = Array | np.ndarray


@params
class Wires:
    """Resistances of the lines of a tile, a segment of wire from each cell to the next.

    Cells are ``[rows, columns]``. Bit lines end below the last row, in virtual ground; their last
    segment counts. What feeds the cells is the ``topology``:

    * ``standard``: word lines, each driven before the first column, whose segment counts.
    * ``separate_source``: supply lines beside the bit lines, fed before the first row. Inputs only
      gate: a row at 0 V is cut off, others connect their cells to a supply of that voltage.
    * ``interleaved``: two cells a weight on one bit line, so that their currents cancel where they
      arise; those of positive weights are on word lines at ``+V``, the others on ones at ``-V``.
      Conductances are ``[2, rows, columns]``, the positive first.
    * ``interleaved_separate_source``: both.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar import Wires, effective
      >>> G = jnp.full((128, 128), 50e-6)
      >>> left = effective(G, Wires(r_row=1.0, r_column=1.0)).sum() / G.sum()
      >>> f"{1 - float(left):.0%} of the current is lost"
      '35% of the current is lost'

    Source: badcrossbar (Joksas & Mehonic, SoftwareX 12:100617, 2020) has the standard topology,
    CrossSim 3.2 all four.
    """

    r_row: Leaf = param(
        default=1.0, doc="a segment of a word line (or of a supply line)", unit="ohm", at_least=0
    )
    r_column: Leaf = param(default=1.0, doc="a segment of a bit line", unit="ohm", at_least=0)
    r_source: Leaf = param(
        default=0.0, doc="between a driver and its word (or supply) line", unit="ohm", at_least=0
    )
    r_terminal: Leaf = param(
        default=0.0, doc="between a bit line and ground", unit="ohm", at_least=0
    )
    topology: str = static(
        default="standard",
        doc="what feeds the cells",
        choices=("standard", "separate_source", "interleaved", "interleaved_separate_source"),
    )

    def __post_init__(self) -> None:
        check(self)
        align(self)

    @property
    def is_interleaved(self) -> bool:
        """Whether cells of both signs share a bit line."""
        return self.topology.startswith("interleaved")

    @property
    def is_gated(self) -> bool:
        """Whether a row at 0 V is cut off: then no matrix is the tile."""
        return self.topology.endswith("separate_source")

    def shared_ohms(self, rows: int, columns: int, dtype: Any = jnp.float32) -> SharedOhms:
        """Resistances that the cells of a tile have in common."""
        row, column, source, terminal = (
            jnp.asarray(r, dtype)
            for r in (self.r_row, self.r_column, self.r_source, self.r_terminal)
        )
        bit = terminal + column * jnp.flip(_segments(rows, dtype))
        feed = source + row * _segments(rows if self.is_gated else columns, dtype)
        return SharedOhms(None, feed, bit) if self.is_gated else SharedOhms(feed, None, bit)


def _segments(cells: int, dtype: Any) -> Array:
    """Segments from a line's end that two of its cells have in common: ``min(i, j) + 1``."""
    number = jnp.arange(1, cells + 1, dtype=dtype)
    return jnp.minimum(number[:, None], number[None, :])


def effective(conductance: AnyArray, wires: Wires) -> Float[Array, "rows columns"]:
    """The matrix that a tile of linear cells is: ``I = V @ effective(G, wires)``, exactly.

    Column j is what the rows draw when bit line j alone is driven, by reciprocity: as many solves
    as there are columns, or rows if they are fewer, once a programming. Thereafter a batch costs
    what it does without wires. A 128 x 128 tile takes 0.09 CPU seconds where wires of 1 ohm take a
    third of the current of cells of 1-100 uS, 0.21 where 5 ohm take 85 % of that of 1-250 uS;
    SciPy's sparse LU of the nodes takes 0.31 (``tests/benchmarks/wires.py``). ``vmap`` takes it
    over tiles and over resistances.

    Rows of open cells before the first, and columns of them after the last, change nothing: lines
    end there. So pad a tile there; elsewhere its wires are longer.

    Args:
      conductance: of the cells, siemens, at least 0: ``[rows, columns]``, or
        ``[2, rows, columns]`` where ``wires`` are interleaved.
      wires: of a topology without gates.

    Returns:
      ``G_eff``, siemens; of an interleaved tile with the signs of its weights.

    Raises:
      UserError: another shape, a negative conductance, or a topology that gates its rows.

    Example:
      >>> import jax.numpy as jnp
      >>> G = 1e-3 * jnp.ones((2, 2))
      >>> print(jnp.round(1e6 * effective(G, Wires(r_row=10.0, r_column=10.0))))
      [[952. 943.]
       [962. 952.]]
    """
    cells = _cells("effective", conductance, wires)
    if wires.is_gated:
        raise UserError(
            f"effective: a tile of topology {wires.topology!r} is no matrix, since rows at 0 V are "
            "cut off; use currents"
        )
    _, rows, columns = cells.shape
    ohms = wires.shared_ohms(rows, columns, cells.dtype)

    def drawn(driven: Array) -> Array:
        """Currents of the word lines for voltages on the bit lines."""
        source = jnp.broadcast_to(driven[None, None], cells.shape)
        return jnp.sum(cell_currents(cells, ohms, source) * _signs(cells), (0, 2))

    def read(driven: Array) -> Array:
        """Currents of the bit lines for voltages on the word lines."""
        return jnp.sum(cell_currents(cells, ohms, _sources(cells, driven)), (0, 1))

    if columns <= rows:
        return _each(drawn, jnp.eye(columns, dtype=cells.dtype), cells.size).T
    return _each(read, jnp.eye(rows, dtype=cells.dtype), cells.size)


def currents(
    conductance: AnyArray,
    voltage: Float[AnyArray, "*batch rows"],
    wires: Wires,
    law: Law | None = None,
) -> Float[Array, "*batch columns"]:
    """Currents of the bit lines into virtual ground, by one solve an input.

    `effective` is cheaper for more inputs than a tile has rows or columns; an input takes 0.6 to
    1.7 CPU milliseconds at 128 x 128, as little as the two substitutions of a sparse LU. This takes
    every topology, conductances of an input's own (by ``vmap``), and cells that are not linear.

    Args:
      conductance: of the cells, siemens, as `effective` takes it.
      voltage: of the rows, volts.
      wires: of any topology.
      law: ``law(G, v)``, the current of each cell, which never falls where its voltage rises;
        ``G v`` if there is none.

    Returns:
      Amperes.

    Raises:
      UserError: shapes that do not fit, or a negative conductance.

    Example:
      >>> import jax.numpy as jnp
      >>> G = 1e-3 * jnp.ones((2, 2))
      >>> wires = Wires(r_row=10.0, r_column=10.0)
      >>> print(jnp.round(1e6 * currents(G, jnp.array([0.1, 0.2]), wires)))
      [288. 285.]
      >>> print(jnp.round(1e9 * currents(G, jnp.array([0.1, 0.2]), wires, lambda g, v: g * v**3)))
      [8967. 8957.]
    """
    cells = _cells("currents", conductance, wires)

    def read(v: Array) -> Array:
        _, current = _solved(cells, v, wires, law)
        return jnp.sum(current, (0, 1))

    return _each_input("currents", read, cells, voltage)


def cell_voltages(
    conductance: AnyArray,
    voltage: Float[AnyArray, "*batch rows"],
    wires: Wires,
    law: Law | None = None,
) -> Float[Array, "*batch rows columns"] | Float[Array, "*batch 2 rows columns"]:
    """Voltages across the cells: what the wires leave of the rows' voltages, an IR-drop map.

    Args:
      conductance: of the cells, siemens, as `effective` takes it.
      voltage: of the rows, volts.
      wires: of any topology.
      law: of the cells, as `currents` takes it.

    Returns:
      Volts, the row's less what the wires take; an axis of the signs before the rows where
      ``wires`` are interleaved. Open cells have the voltage between their lines.

    Raises:
      UserError: shapes that do not fit, or a negative conductance.

    Example:
      >>> import jax.numpy as jnp
      >>> G = 1e-3 * jnp.ones((2, 2))
      >>> wires = Wires(r_row=10.0, r_column=10.0)
      >>> print(jnp.round(1e3 * cell_voltages(G, jnp.array([0.1, 0.1]), wires)))
      [[95. 94.]
       [96. 95.]]
    """
    cells = _cells("cell_voltages", conductance, wires)

    def solved(v: Array) -> Array:
        d, _ = _solved(cells, v, wires, law)
        return d if wires.is_interleaved else d[0]

    return _each_input("cell_voltages", solved, cells, voltage)


def power(
    conductance: AnyArray,
    voltage: Float[AnyArray, "*batch rows"],
    wires: Wires,
    law: Law | None = None,
) -> Float[Array, "*batch"]:
    """Power that drivers deliver, and cells and wires dissipate: ``sum_i V_i I_i``.

    Args:
      conductance: of the cells, siemens, as `effective` takes it.
      voltage: of the rows, volts.
      wires: of any topology.
      law: of the cells, as `currents` takes it.

    Returns:
      Watts.

    Raises:
      UserError: shapes that do not fit, or a negative conductance.

    Example:
      >>> import jax.numpy as jnp
      >>> G = 1e-3 * jnp.ones((2, 2))
      >>> round(1e6 * float(power(G, jnp.array([0.1, 0.1]), Wires(r_row=0, r_column=0))), 3)
      40.0
    """
    cells = _cells("power", conductance, wires)

    def delivered(v: Array) -> Array:
        _, current = _solved(cells, v, wires, law)
        return jnp.sum(_sources(cells, v) * current)

    return _each_input("power", delivered, cells, voltage)


def _cells(caller: str, conductance: Any, wires: Wires) -> Cells:
    """Conductances ``[polarities, rows, columns]``, checked."""
    shape = np.shape(conductance)
    wanted = "[2, rows, columns]" if wires.is_interleaved else "[rows, columns]"
    fits = len(shape) == 3 and shape[0] == 2 if wires.is_interleaved else len(shape) == 2
    if not fits or 0 in shape:
        raise UserError(
            f"{caller}: conductances of shape {shape} are no {wanted} of topology "
            f"{wires.topology!r}; vmap over tiles"
        )
    if not isinstance(conductance, jax.core.Tracer) and np.min(conductance) < 0:
        raise UserError(
            f"{caller}: a conductance of {np.min(conductance):g} siemens must be at least 0; clip "
            "what noise has made negative"
        )
    given = getattr(conductance, "dtype", np.float32)
    is_double = jax.dtypes.canonicalize_dtype(given) == np.float64
    conductance = jnp.asarray(conductance, jnp.float64 if is_double else jnp.float32)
    return conductance if wires.is_interleaved else conductance[None]


def _signs(cells: Cells) -> Cells:
    """+1 for cells of the first polarity, -1 for those of the second."""
    sign = 1 - 2 * jnp.arange(cells.shape[0], dtype=cells.dtype)
    return jnp.broadcast_to(sign[:, None, None], cells.shape)


def _sources(cells: Cells, voltage: Array) -> Cells:
    """The rows' voltages, as the cells would see them without wires."""
    return _signs(cells) * jnp.broadcast_to(voltage[None, :, None], cells.shape)


def _solved(cells: Cells, voltage: Array, wires: Wires, law: Law | None) -> tuple[Cells, Cells]:
    """Volts across the cells and amperes through them."""
    _, rows, columns = cells.shape
    ohms = wires.shared_ohms(rows, columns, cells.dtype)
    source = _sources(cells, voltage)
    conducts = (source != 0).astype(cells.dtype) if wires.is_gated else jnp.ones_like(source)
    if law is None:
        amperes = cell_currents(conducts * cells, ohms, source)
        return source - ohms.drops(amperes), amperes

    def current(d: Cells) -> Cells:
        return conducts * law(cells, d)

    d = nonlinear_voltages(current, ohms, source)
    return d, current(d)


def _each_input(
    caller: str, function: Callable[[Array], Array], cells: Cells, voltage: Any
) -> Array:
    """A function of the rows' voltages, for a batch of any shape."""
    voltage = jnp.asarray(voltage, cells.dtype)
    rows = cells.shape[1]
    if voltage.shape[-1:] != (rows,):
        raise UserError(
            f"{caller}: voltages of shape {voltage.shape} for a tile of {rows} rows; their last "
            "axis must be the rows"
        )
    batch = voltage.shape[:-1]
    out = _each(function, voltage.reshape(-1, rows), cells.size)
    return out.reshape(*batch, *out.shape[1:])


def _each(function: Callable[[Array], Array], of: Array, cells: int) -> Array:
    """A function of each row, as many side by side as fit."""
    return jax.lax.map(function, of, batch_size=max(1, _CELLS_AT_ONCE // cells))
