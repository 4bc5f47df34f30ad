"""Soft bounds: the step shrinks in proportion to the distance from the bound."""

import math
from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.devices.contraction import Contraction, ContractionDevice, by_fractions
from memjax.devices.population import Spread
from memjax.errors import UserError
from memjax.pytree import params


@params
class SoftBounds(ContractionDevice):
    """Multiplicative steps that vanish at the bounds.

    A pulse up adds ``dg0 up (b - g) / (b - g_ref)`` with ``b`` the device's own upper bound, one
    down takes the mirror image, so the step is ``dg0 = 1 / (levels - 1)`` at ``g_ref``; n pulses
    contract the distance to the bound by ``(1 - dg0 up / (b - g_ref))^n``.

    Example:
      >>> from memjax.devices import SoftBounds, pulse_response
      >>> pulse_response(SoftBounds(levels=5), 2, 1, start=0.5).tolist()
      [0.5, 0.75, 0.875, 0.4375]

    Source: Fusi & Abbott, Nat. Neurosci. 10:485 (2007); Frascaroli et al., Sci. Rep. 8:7178 (2018).
    """

    step_vanishes_at_bounds: ClassVar[bool] = True

    @classmethod
    def by_pulses(
        cls,
        pulses: float | int,
        rate: float,
        *,
        low: float | int = -1.0,
        high: float | int = 1.0,
        **more: Any,
    ) -> "SoftBounds":
        """Soft bounds by the pulses that lead from the lowest weight to a highest one.

        ``w(p) = low + B (1 - e^(-rate p))`` with ``B = (high - low) / (1 - e^(-rate pulses))``: the
        bounds are ``low`` and ``low + B``, and a pulse goes ``1 - e^-rate`` of the way to either.

        Args:
          pulses: pulses from ``low`` to ``high``.
          rate: contraction a pulse.
          low, high: in the model's own weights, about 0.
          **more: other parameters.

        Raises:
          UserError: a rate or a number of pulses that is not positive, or 0 is not within.

        Example:
          >>> from memjax.devices import SoftBounds, pulse_response
          >>> device = SoftBounds.by_pulses(100, 0.01)
          >>> round(float(device.weights(pulse_response(device, 100, 0)[100])), 4)
          1.0

        Source: aihwkit documentation, SoftBoundsPmax.
        """
        if not (pulses > 0 and rate > 0 and low < 0 < high):
            raise UserError(
                f"SoftBounds.by_pulses: pulses = {pulses} and rate = {rate} must be more than 0, "
                f"and low = {low} < 0 < high = {high}"
            )
        span = (high - low) / -math.expm1(-rate * pulses)
        below, above = -low / span, 1.0 + low / span  # the distances of w = 0 from the bounds
        step = -math.expm1(-rate) * max(below, above)
        up_down = 1.0 - below / above if below < above else above / below - 1.0
        return cls(levels=1.0 / step + 1.0, g_ref=below, up_down=up_down, weight_span=span, **more)

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Contraction:
        """Fractions of the own way to the own bounds."""
        spread = self.spread(stream, shape)
        return by_fractions(self.fractions(spread), spread.g_max, spread.g_min, self.g_ref, spread)

    def fractions(self, spread: Spread) -> tuple[Array, Array]:
        """A pulse up and one down at ``g_ref``, over the own distances to the bounds."""
        to_top, to_bottom = spread.g_max - self.g_ref, self.g_ref - spread.g_min
        up, down = spread.up * self.nominal_step, spread.down * self.nominal_step
        # A stuck device may lie on the other side; its bounds hold it whatever the fraction.
        return up / jnp.maximum(to_top, 1e-4), down / jnp.maximum(to_bottom, 1e-4)
