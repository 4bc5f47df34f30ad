"""Linear step: the step falls along a straight line, which need not reach 0 at the bound."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.devices.contraction import Contraction, ContractionDevice, contraction
from memjax.pytree import Leaf, param, params

_STRAIGHT = 1e-6  # below it the step is constant to 1e-6 of itself, and float32 still has a slope


@params
class LinearStep(ContractionDevice):
    """Steps that shrink linearly with the weight.

    With ``x = (g - g_ref) / (g_max - g_ref)`` the distance from the reference in units of that to
    the device's own bound, a pulse up adds ``dg0 up (1 - gamma_up x)``; one down takes the mirror
    image with ``gamma_down``. ``gamma = 0`` is the constant step, ``gamma = 1`` soft bounds.
    Multiplicative with ``c2c = "step"``, additive with ``c2c = "additive"``.

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
        default=None, doc="device-to-device sd of both slopes", unit="relative", at_least=0
    )

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Contraction:
        """Rates towards the place where the line reaches 0."""
        spread = self.spread(stream, shape)
        free = spread.g_max > spread.g_min

        def towards(purpose: int, step: Array, gamma: Any, reach: Array) -> tuple[Array, Array]:
            slope = jnp.asarray(gamma, jnp.float32)
            if self.sigma_gamma is not None:
                xi = random.normal(random.fold_in(stream, purpose), shape, exact=True)
                slope = slope * (1.0 + self.sigma_gamma * xi)
            slope = jnp.maximum(jnp.abs(slope), _STRAIGHT) / reach
            return -jnp.log1p(-jnp.minimum(step * self.nominal_step * slope, 0.999)), 1.0 / slope

        reach_up = jnp.where(free, spread.g_max - self.g_ref, 1.0)
        reach_down = jnp.where(free, self.g_ref - spread.g_min, 1.0)
        rate_up, top = towards(7, spread.up, self.gamma_up, reach_up)
        rate_down, bottom = towards(8, spread.down, self.gamma_down, reach_down)
        return contraction((rate_up, rate_down), self.g_ref + top, self.g_ref - bottom, spread)
