"""Steps of a law without a closed form: how long the way takes, and how far the time leads."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from memjax.pytree import Leaf

# The smallest cell: 2^-20 of the way, 16 units in float32's last place.
_OCTAVES = 20
# Lobatto's nodes and weights on [0, 1], less the ends, which weigh 1/12 each.
_NODES = (0.5 - 0.05**0.5, 0.5 + 0.05**0.5)


def flow(
    rate: Callable[[Array], Array],
    state: Array,
    bounds: tuple[Leaf, Leaf],
    dt: Array,
    substeps: int,
) -> Array:
    """The state after ``dt`` of ``d state / dt = rate(state)``.

    At a constant voltage one state moves one way only. So the way to its bound is cut into cells,
    the time that each takes, ``integral of d state / rate``, is had by Lobatto's rule of four
    points, and a cell that the time left suffices for is crossed; a midpoint step ends within a
    last cell. Cells double from 2^-20 of the way up to ``1 / substeps`` of it, and halve at its
    end: what leaves an unstable bound, creeps to a stable one, runs away in its own heat or stops
    at a threshold is resolved for every ``dt``, where steps equal in time would be unstable.

    Args:
      rate: d state / dt, of the sign that it has at the start, or 0, as far as the bound.
      state: of any shape.
      bounds: the least and the greatest state.
      dt: time, of the state's shape.
      substeps: cells that the middle of the way is cut into (static).

    Returns:
      The state, of the shape of ``rate(state)``.
    """
    growing = 2.0 ** np.arange(-_OCTAVES, 0)
    growing = growing[growing < 1.0 / substeps]
    cells = np.concatenate([growing, np.full(substeps, 1.0 / substeps), growing[::-1]])

    start = rate(state)
    state, dt = (jnp.broadcast_to(value, start.shape) for value in (state, dt))
    target = jnp.where(start > 0, bounds[1], bounds[0])

    def pace(at: Array) -> Array:
        return 1.0 / jnp.maximum(jnp.abs(rate(at)), 1e-30)

    def cross(carry: tuple[Array, Array, Array], cell: Array):
        here, left, pace_here = carry
        to_go = target - here
        # At most half of what is left: a bound where the rate vanishes is never reached.
        way = jnp.sign(to_go) * jnp.minimum(cell * jnp.abs(target - state), 0.5 * jnp.abs(to_go))
        pace_ahead = pace(here + way)
        within = sum(pace(here + node * way) for node in _NODES)
        takes = jnp.abs(way) * (pace_here + 5.0 * within + pace_ahead) / 12.0
        fits = takes <= left
        here, pace_here = jnp.where(fits, here + way, here), jnp.where(fits, pace_ahead, pace_here)
        return (here, jnp.where(fits, left - takes, left), pace_here), None

    first = (state, dt, pace(state))
    (here, left, _), _ = jax.lax.scan(cross, first, jnp.asarray(cells, jnp.float32))

    def move(velocity: Array, time: Array) -> Array:
        return jnp.clip(
            here + velocity * time, jnp.minimum(here, target), jnp.maximum(here, target)
        )

    return move(rate(move(rate(here), 0.5 * left)), left)
