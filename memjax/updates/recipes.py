"""Short recipes: whole optimisers for memristive hardware."""

import optax
from jaxtyping import Array, Key

from memjax.cells import Cell
from memjax.devices import Device
from memjax.pulses import Delivered, Scheme
from memjax.updates.pulsed_update import pulsed_update


def memristive_sgd(
    learning_rate: optax.ScalarOrSchedule,
    device: Device,
    *,
    key: Key[Array, ""],
    cell: Cell | None = None,
    pulses: Scheme | None = None,
    momentum: float | None = None,
    exact_noise: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Stochastic gradient descent in which every weight change is made by programming pulses.

    ``chain(sgd(learning_rate, momentum), pulsed_update(device, ...))``. In the limit of many
    levels, no noise and no spread it is ``optax.sgd``.

    Args:
      learning_rate: a number or an Optax schedule.
      device: the device of every weight.
      key: a typed key.
      cell: how devices make a weight (default: ``ReferenceCell()``).
      pulses: how a change becomes pulses (default: ``Bernoulli()``).
      momentum: decay of a digital momentum, if any.
      exact_noise: exact normal write noise instead of the fast one (static).

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.ConstantStep(levels=32, sigma_c2c=0.5)
      >>> tx = memjax.memristive_sgd(0.1, device, key=jax.random.key(0))
    """
    update = pulsed_update(device, key=key, cell=cell, pulses=pulses, exact_noise=exact_noise)
    return optax.chain(optax.sgd(learning_rate, momentum), update)


def coincidence_sgd(
    device: Device, *, key: Key[Array, ""], cell: Cell | None = None, exact_noise: bool = False
) -> optax.GradientTransformationExtraArgs:
    """Descends by the pulses that ``memjax.nn`` layers deliver in place of a gradient.

    ``chain(scale(-1), pulsed_update(device, pulses=Delivered(), ...))``: the layers hold the
    learning rate, since it sets the probabilities of their trains.

    Args:
      device: the device of every weight.
      key: a typed key.
      cell: how devices make a weight (default: ``ReferenceCell()``).
      exact_noise: exact normal write noise instead of the fast one (static).

    Example:
      >>> import jax, memjax
      >>> tx = memjax.coincidence_sgd(memjax.devices.ConstantStep(), key=jax.random.key(0))
    """
    update = pulsed_update(device, key=key, cell=cell, pulses=Delivered(), exact_noise=exact_noise)
    return optax.chain(optax.scale(-1.0), update)
