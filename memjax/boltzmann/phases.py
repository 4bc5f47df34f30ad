"""What a gradient is made of: states that data cause, states that the machine dreams."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32

from memjax.fusion import materialize


class Phase(NamedTuple):
    """States of all units, ``[units, states]``: a column a state, so that products are fast.

    Attributes:
      visible: of each group of visible units; 0 or 1.
      hidden: of the hidden units; 0 or 1, or probabilities.
    """

    visible: tuple[Float[Array, "_ states"], ...]
    hidden: Float[Array, "hidden states"]


class Phases(NamedTuple):
    """Equally many states of both kinds.

    Attributes:
      data: visible units at data.
      model: visible units at what the machine makes of them, or of its own chains.
    """

    data: Phase
    model: Phase

    def difference(self) -> Float32[Array, ""]:
        """The share of the first group's visible units that are otherwise in the one and other."""
        return _mean(jnp.abs(self.data.visible[0] - self.model.visible[0]))


def kernel_gradients(phases: Phases, *, is_binary: bool) -> tuple[Array, ...]:
    """``-<v h>_data + <v h>_model`` of each group of visible units, ``[units, hidden]``.

    Args:
      phases: the states.
      is_binary: whether all are 0 or 1: then products of 16-bit numbers are exact, and several
        times as fast where a processor has them (static).
    """
    data, model = phases
    states = data.hidden.shape[1]
    number = jnp.bfloat16 if is_binary else jnp.float32
    hidden = jnp.concatenate([-data.hidden.astype(number), model.hidden.astype(number)], axis=1)

    def product(of_data: Array, of_model: Array) -> Array:
        visible = jnp.concatenate([of_data.astype(number), of_model.astype(number)], axis=1)
        total = jax.lax.dot_general(
            visible, hidden, (((1,), (1,)), ((), ())), preferred_element_type=jnp.float32
        )
        return total / states

    return tuple(map(product, data.visible, model.visible))


def bias_gradient(of_data: Array, of_model: Array) -> Float32[Array, " units"]:
    """``-<s>_data + <s>_model`` of some units.

    Args:
      of_data, of_model: their states, ``[units, states]``.
    """
    return materialize(_mean(of_model, axis=1) - _mean(of_data, axis=1))


def _mean(states: Array, axis: int | None = None) -> Array:
    return jnp.mean(states, axis=axis, dtype=jnp.float32)
