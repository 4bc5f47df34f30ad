"""The device of Ernoult, Grollier & Querlioz: a step that falls exponentially with conductance."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.devices.fit_hints import FitHints
from memjax.devices.population import Spread
from memjax.devices.translated import TranslatedDevice
from memjax.pytree import Leaf, param, params


@params
class Ernoult(TranslatedDevice):
    """Voltage pulses of width dt, the conductance in closed form for any width.

    With ``x = (g - g_min) / (g_max - g_min)`` a pulse of potentiation adds
    ``(1/beta) ln(1 + tau (e^beta - 1) e^(-beta x))``, one of depression takes the same of ``1 -
    x``; ``tau = dt / dt_max`` is the pulse width over the one that leads from bound to bound, here
    ``1 / levels``. So ``e^(beta x)`` grows by ``tau (e^beta - 1)`` a pulse, and n pulses are one of
    n times the width. In the paper's letters sigma_intra is ``diffusion``, of every device at every
    update (``c2c = "write"``: of those pulsed), sigma_inter is ``d2d = "lognormal"``.

    Example:
      >>> from memjax.devices import Ernoult, pulse_response
      >>> [round(float(g), 4) for g in pulse_response(Ernoult(levels=3, beta=3), 3, 0)]
      [0.0, 0.6654, 0.873, 1.0]

    Source: Ernoult, Grollier & Querlioz, Sci. Rep. 9:1851 (2019), eqs. 2 and 3.
    """

    beta: Leaf = param(default=3.0, doc="non-linearity", more_than=0, at_most=20)

    levels_are_pulses: ClassVar[bool] = True

    @classmethod
    def fit_hints(cls) -> FitHints:
        """From a curve that is all but straight."""
        return FitHints(starts=lambda steps: {"beta": 0.5})

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Spread:
        """The spread, its steps in units of ``phi``."""
        return self.spread(stream, shape).times(jnp.expm1(self._beta) / self.levels)

    def shift(self, array: Spread, up: Array) -> Array:
        """``tau (e^beta - 1)``, either way: depression has the mirrored scale."""
        return jnp.where(up, array.up, array.down)

    def scale(self, array: Spread, g: Array, up: Array) -> Array:
        """``e^(beta x) - 1``, of ``1 - x`` for depression."""
        extent = array.g_max - array.g_min
        x = jnp.where(up, g - array.g_min, array.g_max - g) / jnp.where(extent > 0, extent, 1.0)
        return jnp.expm1(self._beta * jnp.clip(x, 0.0, 1.0))

    def unscale(self, array: Spread, phi: Array, up: Array) -> tuple[Array, Array]:
        """The logarithm and its slope."""
        extent = array.g_max - array.g_min
        move = extent * jnp.log1p(phi) / self._beta
        slope = extent / (self._beta * (1.0 + phi))
        return jnp.where(up, array.g_min + move, array.g_max - move), slope

    def translate(self, array: Spread, phi: Array, n: Array) -> Array:
        """``(1 + phi)(1 + psi) = e^beta`` ties the two scales: one division, which comes last."""
        rise = jnp.maximum(n, 0.0) * array.up
        fall = jnp.maximum(-n, 0.0) * array.down * jnp.exp(-self._beta) * (1.0 + phi)
        high = self.hold(array, array.g_max)
        return jnp.clip(phi + rise - fall, 0.0, high) / (1.0 + fall)

    def difference(self, arrays: tuple[Spread, Spread], phis: tuple[Array, Array]) -> Array:
        """One logarithm, of the quotient, where all devices have the same bounds."""
        if any(jnp.ndim(array.g_min) or jnp.ndim(array.g_max) for array in arrays):
            return super().difference(arrays, phis)
        plus, minus = phis
        extent = arrays[0].g_max - arrays[0].g_min
        return jnp.log1p((plus - minus) / (1.0 + minus)) * (extent / self._beta)

    @property
    def _beta(self) -> Array:
        return jnp.maximum(jnp.asarray(self.beta, jnp.float32), 1e-3)
