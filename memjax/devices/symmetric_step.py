"""CrossSim's symmetric nonlinear device: a logistic curve, the same up and down."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.devices.population import Spread
from memjax.devices.translated import TranslatedDevice
from memjax.pytree import Leaf, param, params


@params
class SymmetricStep(TranslatedDevice):
    """Steps largest at mid-range, and equally small towards either bound.

    With ``x = (g - g_min) / (g_max - g_min)``, ``A = (e^alpha + 1) / (e^alpha - 1)`` and ``B = -1 /
    (e^alpha - 1)``, ``logit((x - B) / A)`` grows by ``2 alpha / levels`` a pulse up and falls by as
    much a pulse down: a pulse undoes the one before it. ``levels`` is the number of pulses from
    bound to bound.

    Example:
      >>> from memjax.devices import SymmetricStep, pulse_response
      >>> [round(float(g), 3) for g in pulse_response(SymmetricStep(levels=4, alpha=3), 4, 0)]
      [0.0, 0.149, 0.5, 0.851, 1.0]

    Source: Agarwal et al., IJCNN (2016); CrossSim 2.0 manual, symmetric nonlinearity.
    """

    alpha: Leaf = param(default=1.0, doc="non-linearity: 0 is a straight line", at_least=0)

    levels_are_pulses: ClassVar[bool] = True

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Spread:
        """The spread, its steps in units of ``phi``."""
        return self.spread(stream, shape).times(2.0 * self._alpha / self.levels)

    def shift(self, array: Spread, up: Array) -> Array:
        """``2 alpha / levels``, with the pulse's sign."""
        return jnp.where(up, array.up, -array.down)

    def scale(self, array: Spread, g: Array, up: Array) -> Array:
        """The logit; what noise has led beyond the bounds counts as at them."""
        del up
        extent = array.g_max - array.g_min
        x = jnp.clip((g - array.g_min) / jnp.where(extent > 0, extent, 1.0), 0.0, 1.0)
        grown = jnp.expm1(self._alpha)
        # y = (x - B) / A and 1 - y = (1 - x - B) / A
        return jnp.log1p(x * grown) - jnp.log1p((1.0 - x) * grown)

    def unscale(self, array: Spread, phi: Array, up: Array) -> tuple[Array, Array]:
        """The logistic curve and its slope."""
        del up
        extent = array.g_max - array.g_min
        width = 1.0 + 2.0 / jnp.expm1(self._alpha)  # A
        x = 0.5 + 0.5 * width * jnp.tanh(0.5 * phi)
        slope = extent * width * jax.nn.sigmoid(phi) * jax.nn.sigmoid(-phi)
        return array.g_min + extent * x, slope

    def translate(self, array: Spread, phi: Array, n: Array) -> Array:
        """The same scale either way."""
        moved = phi + n * jnp.where(n > 0, array.up, array.down)
        return jnp.clip(moved, *(self.hold(array, bound) for bound in (array.g_min, array.g_max)))

    @property
    def _alpha(self) -> Array:
        return jnp.maximum(jnp.asarray(self.alpha, jnp.float32), 1e-2)
