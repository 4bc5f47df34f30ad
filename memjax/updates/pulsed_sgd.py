"""Pulsed SGD: the wanted change itself, in pulses."""

from typing import Any

import optax

from memjax.devices import Device
from memjax.pytree import params
from memjax.updates.base import Algorithm
from memjax.updates.pulsed_update import pulsed_update


@params
class PulsedSGD(Algorithm):
    """Every update's wanted change is programmed at once: ``n`` pulses, ``E[n] = wanted / step``.

    One array a weight: the weight.

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016).
    """

    def build(self, device: Device, **options: Any) -> optax.GradientTransformationExtraArgs:
        """``pulsed_update``."""
        return pulsed_update(device, **options)
