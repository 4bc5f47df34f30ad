"""Devices whose trains have no closed form: their pulses one by one, noise carried along."""

import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax.devices.base import Device
from memjax.devices.bounds import clip_to_bounds
from memjax.pytree import params


@params
class SteppedDevice(Device):
    """A model that knows the mean of one pulse; as many rounds as the longest train has pulses.

    Pulse k moves the mean, ``m -> clip(m + f(m))``, and carries the variance that those before it
    made, ``v -> (1 + f'(m))^2 v + s(m)^2`` with ``s = sigma_c2c |f|``: exact to first order in
    ``sigma_c2c^2``. Most updates fire one pulse or none, and cost one round.
    """

    integer_pulses_only: ClassVar[bool] = True

    def pulse(self, array: Any, g: Array, up: Array) -> Array:
        """The signed mean change of one pulse.

        Args:
          array: what ``fabricate`` returned.
          g: normalised conductances.
          up: whether the pulse is one of potentiation, of the same shape.
        """
        raise NotImplementedError(f"{type(self).__name__} must define pulse")

    def pulse_sd(self, array: Any, g: Array, up: Array, step: Array) -> Array:
        """The c2c standard deviation of one pulse of mean ``step``.

        Args:
          array: what ``fabricate`` returned.
          g: normalised conductances.
          up: whether the pulse is one of potentiation.
          step: its mean.
        """
        del array, g, up
        return jnp.abs(step) * self.sigma_c2c

    def response(self, array: Any, g: Array, n: Array) -> tuple[Array, Array]:
        """The composition of ``|n|`` pulses, each of which the devices may remember."""
        count, up = jnp.abs(n), n > 0
        nothing = jnp.zeros_like(g + n)

        def fire(carry: tuple[Array, Array, Array, Any]) -> tuple[Array, Array, Array, Any]:
            k, mean, variance, array = carry
            now = jnp.where(k > 0, clip_to_bounds(array, g + mean), g + nothing)
            step, slope = jax.jvp(lambda g: self.pulse(array, g, up), (now,), (jnp.ones_like(now),))
            fires = k < count
            more = (1.0 + slope) ** 2 * variance + self.pulse_sd(array, now, up, step) ** 2
            mean = jnp.where(fires, now - g + step, mean)
            array = self.update_memory(array, now, jnp.where(fires, jnp.sign(n), 0.0))
            return k + 1.0, mean, jnp.where(fires, more, variance), array

        start = (jnp.zeros((), nothing.dtype), nothing, nothing, array)
        _, mean, variance, _ = jax.lax.while_loop(lambda c: c[0] < jnp.max(count), fire, start)
        return mean, jnp.sqrt(variance)

    def single_response(self, array: Any, g: Array, n: Array) -> tuple[Array, Array]:
        """The same of one pulse or none, without a loop."""
        fires, up = n != 0, n > 0
        step = self.pulse(array, g, up)
        sd = self.pulse_sd(array, g, up, step)
        return jnp.where(fires, step, 0.0), jnp.where(fires, sd, 0.0)


@functools.cache
def of_single_pulses(model: type[Device]) -> type[Device]:
    """The model for trains of one pulse at most, by its ``single_response`` if it has one.

    Example:
      >>> from memjax.devices import ConstantStep
      >>> of_single_pulses(ConstantStep) is ConstantStep
      True
    """
    definer = next((parent for parent in model.__mro__ if "response" in vars(parent)), Device)
    single = vars(definer).get("single_response")  # of a class's own response, not of another's
    return model if single is None else type(model.__name__, (model,), {"response": single})
