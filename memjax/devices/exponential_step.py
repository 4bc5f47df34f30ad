"""Exponential step: the step falls off exponentially towards the bound."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.devices.fit_hints import FitHints
from memjax.devices.population import Spread
from memjax.devices.stepped import SteppedDevice
from memjax.pytree import Leaf, param, params


@params
class ExponentialStep(SteppedDevice):
    """The step of filamentary oxide devices.

    With ``z = 2 slope (g - g_ref) / (g_max - g_min) + offset``, bounds the device's own, a pulse up
    adds ``dg0 up max(1 - amplitude_up exp(gamma_up z), 0)``; one down takes ``dg0 down max(1 -
    amplitude_down exp(-gamma_down z), 0)``. The defaults are aihwkit's.

    Example:
      >>> from memjax.devices import ExponentialStep, pulse_response
      >>> round(float(pulse_response(ExponentialStep(levels=1201), 1, 0, start=0.5)[1]), 6)
      0.50082

    Source: Gong et al., IEDM 24.4 (2018); Rasch et al., AICAS (2021), arXiv:2104.02184.
    """

    amplitude_up: Leaf = param(default=0.00081, doc="potentiation's A")
    amplitude_down: Leaf = param(default=0.36833, doc="depression's A")
    gamma_up: Leaf = param(default=12.44625, doc="potentiation's exponent", at_least=0)
    gamma_down: Leaf = param(default=12.78785, doc="depression's exponent", at_least=0)
    slope: Leaf = param(default=0.244, doc="scale of z, a")
    offset: Leaf = param(default=0.2425, doc="offset of z, b")

    noise_offset: Leaf | None = param(
        default=None,
        doc="what is added to the step that the c2c noise is in proportion to",
        unit="fraction of the range",
        at_least=0,
    )
    noise_slope: Leaf | None = param(
        default=None, doc="the same, in proportion to the distance from g_ref", at_least=0
    )

    @classmethod
    def fitted(cls) -> tuple[str, ...]:
        """Steps, amplitudes and exponents; ``slope`` and ``offset`` would only rescale them."""
        return ("levels", "up_down", "amplitude_up", "amplitude_down", "gamma_up", "gamma_down")

    @classmethod
    def fit_hints(cls) -> FitHints:
        """Not unasked: ramps seldom tell its six parameters apart."""
        return FitHints(in_auto=False)

    @property
    def mean_step(self) -> Any:
        """The steps up and down at ``z = offset``, averaged."""
        up = 1.0 - self.amplitude_up * jnp.exp(self.gamma_up * self.offset)
        down = 1.0 - self.amplitude_down * jnp.exp(-self.gamma_down * self.offset)
        return self.nominal_step * 0.5 * (jnp.maximum(up, 0.0) + jnp.maximum(down, 0.0))

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Spread:
        """The spread with its steps in conductance units."""
        return self.spread(stream, shape).times(self.nominal_step)

    def pulse(self, array: Spread, g: Array, up: Array) -> Array:
        """The exponential law; a stuck device is held by its bounds."""
        extent = array.g_max - array.g_min
        free = jnp.where(extent > 0, extent, 1.0)
        z = 2.0 * self.slope * (g - self.g_ref) / free + self.offset
        amplitude = jnp.where(up, self.amplitude_up, self.amplitude_down)
        power = jnp.where(up, self.gamma_up * z, -self.gamma_down * z)
        size = jnp.maximum(1.0 - amplitude * jnp.exp(jnp.minimum(power, 60.0)), 0.0)
        return jnp.where(up, array.up, -array.down) * size

    def pulse_sd(self, array: Spread, g: Array, up: Array, step: Array) -> Array:
        """``sigma_c2c (|step| + noise_offset + noise_slope |g - g_ref|)``."""
        size = jnp.abs(step)
        if self.noise_offset is not None:
            size = size + self.noise_offset
        if self.noise_slope is not None:
            size = size + self.noise_slope * jnp.abs(g - self.g_ref)
        return size * self.sigma_c2c
