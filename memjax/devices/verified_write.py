"""Write with verification: how many pulses lead from one conductance to another."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax.devices.response_model import ResponseModel


def pulses_to_raise(device: ResponseModel, array: Any, g: Array, distance: Array) -> Array:
    """Pulses that lead nearest to ``distance`` above ``g`` in the mean.

    Each round fires as many as the step at the place reached suggests; where they would lead too
    far, none, and the next round at most half as many; a last one may lead half a step too far. It
    gives up where the step has all but vanished.

    Args:
      device: the parameters.
      array: what ``fabricate`` returned.
      g: normalised conductances.
      distance: how far up, at least 0; where it is 0, no round is needed.
    """
    target = jnp.minimum(g + distance, array.g_max)
    least = 0.01 * device.nominal_step

    def reached(array: Any, g: Array, n: Array) -> Array:
        return jnp.minimum(g + device.response(array, g, n)[0], array.g_max)

    def ask(array: Any, g: Array, n: Array, most: Array) -> tuple[Any, ...]:
        step = reached(array, g, jnp.ones_like(g)) - g
        x = (target - g) / jnp.maximum(step, least)
        more = jnp.clip(jnp.where(x < 1.0, jnp.round(x), jnp.floor(x)), 0.0, most)
        return array, g, n, most, step, jnp.where(step > least, more, 0.0)

    def verify(carry: tuple[Any, ...]) -> tuple[Any, ...]:
        array, g, n, most, step, more = carry
        after = reached(array, g, more)
        fits = after - target <= jnp.where(more > 1.0, 0.02, 0.5) * step
        most = jnp.where(fits, most, jnp.floor(0.5 * more))
        more = jnp.where(fits, more, 0.0)
        return ask(device.update_memory(array, g, more), jnp.where(fits, after, g), n + more, most)

    most = jnp.where(distance > 0, jnp.round(1.0 / device.nominal_step), 0.0)
    start = ask(array, g, jnp.zeros_like(g), most)
    _, _, n, *_ = jax.lax.while_loop(lambda carry: jnp.any(carry[-1] > 0), verify, start)
    return n
