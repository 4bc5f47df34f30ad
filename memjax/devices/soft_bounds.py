"""Soft bounds: the step shrinks in proportion to the distance from the bound."""

import jax.numpy as jnp

from memjax import random
from memjax.devices.contraction import Contraction, ContractionDevice, contraction
from memjax.pytree import params


@params
class SoftBounds(ContractionDevice):
    """Multiplicative steps that vanish at the bounds.

    A pulse up adds ``2 dg0 up (1 - g)``, one down takes ``2 dg0 down g``, so the step is ``dg0 =
    1 / (levels - 1)`` at mid-range; n pulses contract the distance to the bound by
    ``(1 - 2 dg0)^n``.
    A device's own bound ``b`` sets its slope: ``dg0 (b - g) / (b - 1/2)``.

    Example:
      >>> from memjax.devices import SoftBounds, pulse_response
      >>> pulse_response(SoftBounds(levels=5), 2, 1, start=0.5).tolist()
      [0.5, 0.75, 0.875, 0.4375]

    Source: Fusi & Abbott, Nat. Neurosci. 10:485 (2007); Frascaroli et al., Sci. Rep. 8:7178 (2018).
    """

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Contraction:
        """Rates from the own step and the own bounds, at most a full step to the bound."""
        spread = self.spread(stream, shape)
        free = spread.g_max > spread.g_min  # a stuck device has no slope; its bounds hold it
        reach_up = jnp.where(free, spread.g_max - self.g_ref, 1.0 - self.g_ref)
        reach_down = jnp.where(free, self.g_ref - spread.g_min, self.g_ref)

        def rate(step, reach):
            return -jnp.log1p(-jnp.minimum(step * self.nominal_step / reach, 0.999))

        rates = rate(spread.up, reach_up), rate(spread.down, reach_down)
        return contraction(rates, spread.g_max, spread.g_min, spread)
