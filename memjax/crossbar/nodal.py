"""Kirchhoff's laws of a tile: the currents of cells behind wires.

The nodes of the wires are eliminated by hand: what remains is one unknown a cell, its current, and
``I = G (b - K I)``, where ``b`` is what a cell would see without wires, and ``K`` holds the ohms
that two cells have in common. With ``I = sqrt(G) y`` it is ``(1 + sqrt(G) K sqrt(G)) y = sqrt(G)
b``: symmetric, no eigenvalue below 1, and few above. Plain conjugate gradients take 7 iterations at
128 x 128 (1 ohm, 1-100 uS) where those on the nodes, scaled, take 486; preconditioners, by lines or
by the mean conductance, save none worth their cost. They cannot diverge as the damped iteration on
voltages does.
Wires without resistance and open cells are no special cases.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

_MOST_ITERATIONS = 10_000
"""Far beyond what any tile takes; one that would is NaN."""

Cells = Float[Array, "polarities rows columns"]
"""A number a cell; cells of both polarities share their bit lines."""


_State = tuple[Array, Array, Array, Array, Array]
"""Solution, residual, direction, the residual's square, iterations."""


class SharedOhms(NamedTuple):
    """Resistance that the currents of two cells have in common, ohm; ``None``: no such wire.

    Attributes:
      word: of two cells of a row and polarity, ``[columns, columns]``.
      supply: of two cells of a column and polarity, ``[rows, rows]``.
      bit: of two cells of a column, ``[rows, rows]``.
    """

    word: Float[Array, "columns columns"] | None
    supply: Float[Array, "rows rows"] | None
    bit: Float[Array, "rows rows"]

    def drops(self, current: Cells) -> Cells:
        """Volts that the currents of all cells, amperes, take from each: ``K I``."""
        drop = _product(self.bit, jnp.sum(current, 0, keepdims=True))
        if self.word is not None:
            drop = drop + _product(current, self.word)
        if self.supply is not None:
            drop = drop + _product(self.supply, current)
        return jnp.broadcast_to(drop, current.shape)


def _product(a: Array, b: Array) -> Array:
    """Volts are small differences of large ones: no fewer bits on an accelerator."""
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)


@jax.custom_jvp
def cell_currents(conductance: Cells, ohms: SharedOhms, source: Cells) -> Cells:
    """``I`` of ``I = G (b - K I)``, to the precision of its type; ``b - K I`` are the voltages.

    Derivatives are those of the solution, by one more solve each; no iteration is unrolled.

    Args:
      conductance: ``G``, siemens; at least 0, else NaN.
      ohms: ``K``.
      source: ``b``, the voltage that each cell would have without wires.
    """
    root = jnp.sqrt(conductance)

    def symmetric(y: Cells) -> Cells:
        return y + root * ohms.drops(root * y)

    y = jax.lax.custom_linear_solve(symmetric, root * source, _conjugate_gradients, symmetric=True)
    return root * y


@cell_currents.defjvp
def _change(primals: tuple, tangents: tuple) -> tuple[Cells, Cells]:
    """What changes a cell is a source of current, and what changes a wire one of voltage."""
    (conductance, ohms, source), (of_conductance, of_ohms, of_source) = primals, tangents
    current = cell_currents(conductance, ohms, source)
    extra = of_conductance * (source - ohms.drops(current))
    by_sources = of_source - of_ohms.drops(current) - ohms.drops(extra)
    return current, extra + cell_currents(conductance, ohms, by_sources)


def _conjugate_gradients(matrix: Callable[[Cells], Cells], b: Cells) -> Cells:
    """``x`` of ``matrix(x) = b``; with no eigenvalue below 1, no error above the residual."""
    enough = jnp.vdot(b, b) * jnp.finfo(b.dtype).eps ** 2

    def is_left(state: _State) -> Array:
        *_, square, count = state
        return (square > enough) & (count < _MOST_ITERATIONS)

    def step(state: _State) -> _State:
        x, residual, direction, square, count = state
        image = matrix(direction)
        far = square / jnp.vdot(direction, image)
        residual = residual - far * image
        left = jnp.vdot(residual, residual)
        return x + far * direction, residual, residual + left / square * direction, left, count + 1

    start = (jnp.zeros_like(b), b, b, jnp.vdot(b, b), jnp.zeros((), jnp.int32))
    x, _, _, square, _ = jax.lax.while_loop(is_left, step, start)
    return jnp.where(square <= enough, x, jnp.nan)
