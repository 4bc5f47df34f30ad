"""Pulsed SGD: the wanted change itself, in pulses."""

from typing import Any

import optax
from jaxtyping import Array, Key

from memjax.cells import Cell
from memjax.devices import Device
from memjax.pulses import Scheme
from memjax.pytree import params
from memjax.updates.base import Algorithm
from memjax.updates.digital_scale import WeightRange
from memjax.updates.in_situ import in_situ
from memjax.updates.memristive import Memristive
from memjax.updates.pulsed_update import draw_and_fire


@params
class PulsedSGD(Algorithm):
    """Every update's wanted change is programmed at once: ``n`` pulses, ``E[n] = wanted / step``.

    One array a weight: the weight.

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016).
    """

    def build(self, device: Device, **options: Any) -> optax.GradientTransformationExtraArgs:
        """``draw_pulses`` and ``fire_pulses``."""
        return draw_and_fire(device, **options)


def memristive_sgd(
    learning_rate: optax.ScalarOrSchedule,
    device: Device,
    *,
    key: Key[Array, ""],
    cell: Cell | None = None,
    pulses: Scheme | None = None,
    memristive: Memristive = None,
    weight_range: WeightRange = None,
    watch: bool = True,
    momentum: float | None = None,
    exact_noise: bool = False,
    diagnostics: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Stochastic gradient descent in which every weight change is made by programming pulses.

    ``chain(sgd(learning_rate, momentum), pulsed_update(device, ...))``. In the limit of many
    levels, no noise and no spread it is ``optax.sgd``. Arguments as of ``in_situ``.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.ConstantStep(levels=32, sigma_c2c=0.5)
      >>> tx = memjax.memristive_sgd(0.1, device, key=jax.random.key(0))
    """
    return in_situ(
        PulsedSGD(),
        learning_rate,
        device,
        key=key,
        cell=cell,
        pulses=pulses,
        memristive=memristive,
        weight_range=weight_range,
        watch=watch,
        momentum=momentum,
        exact_noise=exact_noise,
        diagnostics=diagnostics,
    )
