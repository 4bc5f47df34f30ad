"""Linear step: the step falls along a straight line, which need not reach 0 at the bound."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.devices.contraction import Contraction, ContractionDevice, by_fractions
from memjax.devices.fit_hints import FitHints
from memjax.pytree import Leaf, param, params

_STRAIGHT = 1e-6  # below it the step is constant to 1e-6 of itself, and float32 still has a slope


@params
class LinearStep(ContractionDevice):
    """Steps that shrink linearly with the weight.

    With ``x = (g - g_ref) / (1 - g_ref)`` the distance from the reference in units of that to the
    nominal bound, a pulse up adds ``dg0 up (1 - gamma_up x)``; one down takes ``dg0 down (1 +
    gamma_down (g - g_ref) / g_ref)``. ``gamma = 0`` is the constant step, ``gamma = 1`` soft bounds
    whose slope is the same for all devices. Multiplicative with ``c2c = "step"``, additive with
    ``c2c = "additive"``.

    Example:
      >>> from memjax.devices import LinearStep, pulse_response
      >>> device = LinearStep(levels=5, gamma_up=0.5, gamma_down=0.5)
      >>> [round(float(g), 6) for g in pulse_response(device, 2, 1, start=0.5)]
      [0.5, 0.75, 0.9375, 0.578125]

    Source: Gong et al., IEDM 24.4 (2018); Li et al., VLSI (2018).
    """

    gamma_up: Leaf = param(default=0.1, doc="slope of potentiation's step", at_least=0)
    gamma_down: Leaf = param(default=0.1, doc="slope of depression's step", at_least=0)
    sigma_gamma: Leaf | None = param(
        default=None, doc="device-to-device sd of both slopes", unit="units of gamma", at_least=0
    )

    @classmethod
    def fit_hints(cls) -> FitHints:
        """Not unasked: its curves are those of ``SaturatingExponential`` in other parameters."""
        return FitHints(in_auto=False)

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Contraction:
        """Rates towards the place where the line reaches 0."""
        spread = self.spread(stream, shape)

        def line(purpose: int, step: Array, gamma: Any, reach: Any) -> tuple[Array, Array]:
            own = jnp.asarray(gamma, jnp.float32)
            if self.sigma_gamma is not None:
                xi = random.normal(random.fold_in(stream, purpose), shape, exact=True)
                own = own + self.sigma_gamma * xi
            slope = jnp.maximum(jnp.abs(own), _STRAIGHT) / jnp.maximum(reach, 1e-6)
            return step * self.nominal_step * slope, 1.0 / slope

        up, above = line(7, spread.up, self.gamma_up, 1.0 - self.g_ref)
        down, below = line(8, spread.down, self.gamma_down, self.g_ref)
        zero = jnp.asarray(self.g_ref, jnp.float32)
        return by_fractions((up, down), zero + above, zero - below, zero, spread)
