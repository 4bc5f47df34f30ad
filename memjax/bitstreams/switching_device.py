"""A memristor that switches at random: how likely a pulse is to SET it."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax import random
from memjax.pytree import Leaf, align, check, param, params


class Switches(NamedTuple):
    """What fabrication made of each device; scalars where devices do not differ.

    Attributes:
      v0: voltage scale, V.
      log_tau0: logarithm of the switching time at 0 V in seconds.
    """

    v0: Float[Array, "..."]
    log_tau0: Float[Array, "..."]


@params
class SwitchingDevice:
    """A device that a pulse of ``V`` and ``t`` switches with ``P = 1 - exp(-t / tau(V))``.

    ``tau(V) = tau0 exp(-V / V0)``: switching is a Poisson process whose rate grows exponentially
    with the voltage. A bit takes a RESET, a pulse and a READ. Any parameter may be swept, and one
    that is ``None`` is absent and costs nothing.

    The spread of ``V0`` is relative, ``V0 (1 + sigma xi)``, that of ``tau0`` in its logarithm,
    ``ln tau0 + sigma xi``; each from device to device (d2d), from cycle to cycle (c2c), or both.
    Cycles are independent, or with ``rho`` ``xi' = rho xi + sqrt(1 - rho^2) eta``. With
    ``reset_failure`` a device that is SET stays so where a RESET fails, and reads 1.

    Example:
      >>> from memjax.bitstreams import SwitchingDevice
      >>> device = SwitchingDevice()
      >>> f"{device.probability(3.0, 1e-3):.4f}", f"{device.voltage(0.5, 1e-3):.4f}"
      ('0.5906', '2.9607')

    Source: Jo, Kim & Lu, Nano Lett. 9:496 (2009), of whom the default numbers are (recalled, not
    looked up); Gaba et al., Nanoscale 5:5872 (2013).
    """

    tau0: Leaf = param(default=2.85e5, doc="switching time at 0 V", unit="s", more_than=0)
    v0: Leaf = param(
        default=0.155, doc="voltage that speeds switching up by e", unit="V", more_than=0
    )
    sigma_v0_d2d: Leaf | None = param(
        default=None, doc="device-to-device sd of V0", unit="relative", at_least=0, at_most=0.3
    )
    sigma_tau0_d2d: Leaf | None = param(
        default=None, doc="device-to-device sd of ln tau0", at_least=0, at_most=20
    )
    sigma_v0_c2c: Leaf | None = param(
        default=None, doc="cycle-to-cycle sd of V0", unit="relative", at_least=0, at_most=0.3
    )
    sigma_tau0_c2c: Leaf | None = param(
        default=None, doc="cycle-to-cycle sd of ln tau0", at_least=0, at_most=20
    )
    rho: Leaf | None = param(
        default=None,
        doc="correlation of cycle-to-cycle deviations from one cycle to the next",
        at_least=0,
        less_than=1,
    )
    reset_failure: Leaf | None = param(
        default=None, doc="probability that a RESET fails", at_least=0, less_than=1
    )

    def __post_init__(self) -> None:
        check(self)
        align(self)

    @property
    def varies(self) -> bool:
        """Whether it has a cycle-to-cycle spread."""
        return self.sigma_v0_c2c is not None or self.sigma_tau0_c2c is not None

    @property
    def lasts(self) -> bool:
        """Whether a deviation lasts for more than a cycle."""
        return self.rho is not None and self.varies

    @property
    def remembers(self) -> bool:
        """Whether a bit depends on those before it."""
        return self.lasts or self.reset_failure is not None

    @property
    def nominal(self) -> Switches:
        """A device without device-to-device spread."""
        return Switches(
            jnp.asarray(self.v0, jnp.float32), jnp.log(jnp.asarray(self.tau0, jnp.float32))
        )

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Switches:
        """Draws an array of devices.

        Args:
          stream: random stream of this array.
          shape: its shape (static).
        """

        def normal(purpose: int) -> Array:
            return random.normal(random.fold_in(stream, purpose), shape, exact=True)

        v0, log_tau0 = self.nominal
        if self.sigma_v0_d2d is not None:
            v0 = v0 * scale(self.sigma_v0_d2d, normal(0))
        if self.sigma_tau0_d2d is not None:
            log_tau0 = log_tau0 + self.sigma_tau0_d2d * normal(1)
        return Switches(v0, log_tau0)

    def tau(self, voltage: Leaf) -> Array:
        """The mean waiting time ``tau0 exp(-V / V0)``, s.

        Args:
          voltage: of the pulse, V.
        """
        v0, log_tau0 = self.nominal
        return jnp.exp(log_tau0 - voltage / v0)

    def probability(self, voltage: Leaf, width: Leaf) -> Array:
        """The probability that a pulse switches it, without any spread.

        Args:
          voltage: of the pulse, V.
          width: of the pulse, s.
        """
        return switched(log_dose(self.nominal, voltage, width))

    def voltage(self, probability: Leaf, width: Leaf) -> Array:
        """The pulse for a probability: ``V = V0 ln(tau0 (-ln(1 - P)) / t)``.

        Args:
          probability: wanted.
          width: of the pulse, s.
        """
        v0, log_tau0 = self.nominal
        return v0 * (log_tau0 + cloglog(probability) - jnp.log(jnp.asarray(width, jnp.float32)))

    def width(self, probability: Leaf, voltage: Leaf) -> Array:
        """The pulse for a probability: ``t = -tau(V) ln(1 - P)``.

        Args:
          probability: wanted.
          voltage: of the pulse, V.
        """
        v0, log_tau0 = self.nominal
        return jnp.exp(cloglog(probability) + log_tau0 - voltage / v0)

    def slope(self, probability: Leaf) -> Array:
        """How steep the curve is there: ``dP/dV = (1 - P)(-ln(1 - P)) / V0``, 1/V.

        Args:
          probability: on the curve.
        """
        p = jnp.asarray(probability, jnp.float32)
        return -(1.0 - p) * jnp.log1p(-p) / self.nominal.v0


def log_dose(switches: Switches, voltage: Leaf, width: Leaf) -> Array:
    """``ln(t / tau(V))``, of which ``switched`` is the probability.

    Args:
      switches: devices.
      voltage, width: of a pulse each, V and s.
    """
    return jnp.log(jnp.asarray(width, jnp.float32)) - switches.log_tau0 + voltage / switches.v0


def switched(log_dose: Array) -> Array:
    """``1 - exp(-exp(x))``, with a derivative where it is 1 to all digits."""
    return -jnp.expm1(-jnp.exp(jnp.minimum(log_dose, 5.0)))


def cloglog(probability: Leaf) -> Array:
    """The inverse of ``switched``: ``ln(-ln(1 - P))``."""
    return jnp.log(-jnp.log1p(-jnp.asarray(probability, jnp.float32)))


def scale(sigma: Leaf, normal: Array) -> Array:
    """``1 + sigma xi``, at least 0.05: a voltage scale stays positive."""
    return jnp.maximum(1.0 + sigma * normal, 0.05)
