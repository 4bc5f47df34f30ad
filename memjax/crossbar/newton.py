"""Cells whose current is not in proportion to their voltage, behind wires."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax.crossbar.nodal import Cells, SharedOhms, cell_currents

_MOST_STEPS = 50
"""Far beyond what a monotonic law takes (3 to 6); one that takes more is NaN."""

_State = tuple[Array, Array, Array]
"""Voltages, the largest change of the last step, steps."""


def nonlinear_voltages(current: Callable[[Cells], Cells], ohms: SharedOhms, source: Cells) -> Cells:
    """``d`` of ``d + K I(d) = b``, by Newton's method: each step is a tile of linear cells.

    Derivatives are those of the solution: a last step is taken from it, and they flow through what
    that step corrects.

    Args:
      current: amperes of each cell for volts across it, none decreasing; else NaN.
      ohms: ``K``.
      source: ``b``, the voltage that each cell would have without wires.
    """
    enough = jnp.max(jnp.abs(source)) * jnp.sqrt(jnp.finfo(source.dtype).eps)

    def correction(d: Cells) -> Cells:
        amperes, slope = jax.jvp(current, (d,), (jnp.ones_like(d),))
        error = source - d - ohms.drops(amperes)
        return error - ohms.drops(cell_currents(jax.lax.stop_gradient(slope), ohms, error))

    def is_left(state: _State) -> Array:
        _, last, count = state
        return (last > enough) & (count < _MOST_STEPS)

    def step(state: _State) -> _State:
        d, _, count = state
        change = correction(d)
        return d + change, jnp.max(jnp.abs(change)), count + 1

    start = (source, jnp.full_like(enough, jnp.inf), jnp.zeros((), jnp.int32))
    d, last, _ = jax.lax.stop_gradient(jax.lax.while_loop(is_left, step, start))
    d = jnp.where(last <= enough, d, jnp.nan)
    return d + correction(d)
