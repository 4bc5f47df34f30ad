"""CrossSim's asymmetric nonlinear device: the saturating exponential by its exponent."""

from typing import ClassVar

import jax.numpy as jnp

from memjax import random
from memjax.devices.contraction import Contraction, ContractionDevice, by_rates
from memjax.devices.fit_hints import FitHints
from memjax.pytree import Leaf, param, params


@params
class AsymmetricStep(ContractionDevice):
    """Potentiation saturates towards Gmax, depression towards Gmin.

    With ``w0 = 1 / (1 - e^-alpha)`` and ``delta = 1 / levels``, in units of the device's extent, a
    pulse up adds ``(w0 + g_min - g)(1 - e^(-alpha delta))``, one down ``(g_max - w0 - g)(1 -
    e^(-alpha delta))``. ``levels`` is the number of pulses from bound to bound, ``alpha`` is 1/A of
    ``SaturatingExponential``.

    Example:
      >>> from memjax.devices import AsymmetricStep, pulse_response
      >>> [round(float(g), 4) for g in pulse_response(AsymmetricStep(levels=2, alpha_up=2), 2, 0)]
      [0.0, 0.7311, 1.0]

    Source: Agarwal et al., IJCNN (2016); CrossSim 2.0 manual, asymmetric nonlinearity.
    """

    alpha_up: Leaf = param(default=1.0, doc="potentiation's exponent over its range", at_least=0)
    alpha_down: Leaf = param(default=1.0, doc="depression's exponent over its range", at_least=0)

    levels_are_pulses: ClassVar[bool] = True

    @classmethod
    def fit_hints(cls) -> FitHints:
        """Not unasked: its curves are those of ``SaturatingExponential`` in other parameters."""
        return FitHints(in_auto=False)

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Contraction:
        """Rates and asymptotes within the device's own bounds."""
        spread = self.spread(stream, shape)
        extent = spread.g_max - spread.g_min
        up, down = (
            jnp.maximum(jnp.asarray(alpha, jnp.float32), 1e-3)
            for alpha in (self.alpha_up, self.alpha_down)
        )
        rates = spread.up * up / self.levels, spread.down * down / self.levels
        top = spread.g_min - extent / jnp.expm1(-up)
        bottom = spread.g_max + extent / jnp.expm1(-down)
        return by_rates(rates, top, bottom, self.g_ref, spread)
