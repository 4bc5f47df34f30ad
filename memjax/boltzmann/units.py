"""What makes a unit random: an ideal sigmoid, or the switching of a device."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32

from memjax import random
from memjax.pytree import Leaf, param, params

MATCHED_GAIN = 0.5 / math.log(2.0)
"""The gain at which a switch's probability has a sigmoid's slope at 1/2."""


@params
class Logistic:
    """``P(on) = sigmoid(x)``: an ideal stochastic unit.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.boltzmann import Logistic
      >>> [round(float(p), 3) for p in Logistic().probability(jnp.array([0.0, 2.0]))]
      [0.5, 0.881]
    """

    def probability(self, drive: Float32[Array, "..."]) -> Float32[Array, "..."]:
        """How likely a unit is on.

        Args:
          drive: its input x.
        """
        return jax.nn.sigmoid(drive)

    def fire(self, stream: random.Stream, drive: Float32[Array, "..."]) -> Bool[Array, "..."]:
        """Which units are on.

        Args:
          stream: random stream of these units and this sample.
          drive: their inputs x.
        """
        return random.uniform(stream, drive.shape) < self.probability(drive)


@params
class Switch(Logistic):
    """A device that a pulse SETs: ``P(on) = 1 - exp(-t / tau(V))``, ``tau = tau0 exp(-V / V0)``.

    The input is the voltage, ``V = V_half + gain x V0``, about the one at which half of the pulses
    switch: ``P = 1 - exp(-ln 2 exp(gain x))``. That is no sigmoid: it is steeper above 1/2 than
    below. ``jitter`` is a normal error of the voltage anew for each pulse. A threshold that differs
    from device to device is nothing but another bias, so it has no parameter.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.boltzmann import Switch
      >>> [round(float(p), 3) for p in Switch().probability(jnp.array([0.0, 2.0]))]
      [0.5, 0.947]

    Source: Gaba et al., Nanoscale 5:5872 (2013), the law; APL Mater. 7:091112 (2019), such a device
    as a unit of a Boltzmann machine.
    """

    gain: Leaf = param(
        default=MATCHED_GAIN, doc="voltage of one unit of drive", unit="V0", more_than=0
    )
    jitter: Leaf = param(default=0.0, doc="sd of a pulse's voltage", unit="V0", at_least=0)

    def probability(self, drive: Float32[Array, "..."]) -> Float32[Array, "..."]:
        """How likely the device switches, without jitter.

        Args:
          drive: its input x.
        """
        return -jnp.expm1(-jnp.float32(math.log(2.0)) * jnp.exp(self.gain * drive))

    def fire(self, stream: random.Stream, drive: Float32[Array, "..."]) -> Bool[Array, "..."]:
        """Which devices switch.

        Args:
          stream: random stream of these units and this sample.
          drive: their inputs x.
        """
        noise = random.normal(random.fold_in(stream, 0), drive.shape)
        seen = drive + self.jitter / self.gain * noise
        return random.uniform(random.fold_in(stream, 1), drive.shape) < self.probability(seen)


UNITS: dict[str, type[Logistic]] = {"logistic": Logistic, "switch": Switch}
"""Units by their name in a sweep's ``[units] kind``."""
