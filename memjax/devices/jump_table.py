"""Jump table: the whole measured distribution of the step, at each conductance."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax.scipy.special import ndtr
from jaxtyping import Array

from memjax import random
from memjax.devices.fit_hints import FitHints
from memjax.devices.piecewise_step import interpolate, locate, place
from memjax.devices.population import Spread
from memjax.devices.stepped import SteppedDevice
from memjax.pytree import Leaf, param, params, table

_STRAIGHT = ((-0.5, 0.5, 1.5, 2.5), (-0.5, 0.5, 1.5, 2.5))


@params
class JumpTable(SteppedDevice):
    """``dG = Q(G, u)``: the quantile function of measured steps, one for SET and one for RESET.

    Rows are equally spaced conductances from bound to bound, columns equally spaced probabilities
    from 0 to 1, entries signed changes over the nominal step; both are interpolated linearly. One
    pulse draws ``u = Phi(xi)`` and so has the measured distribution, skew and tails included;
    several at once have the mean and the variance of as many, and are normal. ``sigma_c2c`` scales
    the deviations from the row's mean (1: as measured).

    Example:
      >>> from memjax.devices import JumpTable, pulse_response
      >>> device = JumpTable(
      ...     levels=11, up_quantiles=[[1, 3], [0, 2]], down_quantiles=[[-1, 0], [-2, 0]])
      >>> [round(float(g), 4) for g in pulse_response(device, 2, 0)]
      [0.0, 0.2, 0.38]

    Source: Burr et al., IEEE TED 62:3498 (2015).
    """

    sigma_c2c: Leaf = param(
        default=1.0, doc="cycle-to-cycle deviations", unit="measured ones", at_least=0
    )
    up_quantiles: Any = table(_STRAIGHT, "quantiles of SET's change, a row a G", unit="mean steps")
    down_quantiles: Any = table(
        tuple(tuple(-q for q in reversed(row)) for row in _STRAIGHT),
        "quantiles of RESET's change, a row a G",
        unit="mean steps",
    )

    @classmethod
    def fit_hints(cls) -> FitHints:
        """It has no likelihood."""
        remedy = "make it by memjax.fitting.jump_table and write it by memjax.devices.save"
        return FitHints(in_auto=False, instead=remedy)

    @property
    def mean_step(self) -> Any:
        """The mean changes up and down at ``g_ref``, averaged."""
        x = jnp.asarray(self.g_ref, jnp.float32)
        up, down = (_mean(jnp.asarray(t), x) for t in (self.up_quantiles, self.down_quantiles))
        return self.nominal_step * 0.5 * (up - down)

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Spread:
        """The spread with its steps in conductance units."""
        return self.spread(stream, shape).times(self.nominal_step)

    def pulse(self, array: Spread, g: Array, up: Array) -> Array:
        """The mean of the distribution at g."""
        return self._own(array, up) * self._either(array, g, up, _mean)

    def pulse_sd(self, array: Spread, g: Array, up: Array, step: Array) -> Array:
        """The standard deviation of the distribution at g."""
        del step
        variance = self._either(array, g, up, _variance)
        return self._own(array, up) * jnp.sqrt(jnp.maximum(variance, 0.0)) * self.sigma_c2c

    def change(self, array: Spread, g: Array, n: Array, noise: Array) -> Array:
        """One pulse by its quantile; several, or by another convention, by mean and variance."""
        several = super().change(array, g, n, noise)
        if self.c2c != "step":
            return several
        alone = jnp.abs(n) == 1
        if self.sigma_g is not None:
            alone = alone & (self.sigma_g == 0)
        up, u = n > 0, ndtr(noise)
        mean = self._either(array, g, up, _mean)
        drawn = self._either(array, g, up, lambda rows, x: _quantile(rows, x, u))
        one = self._own(array, up) * (mean + self.sigma_c2c * (drawn - mean))
        return jnp.where(alone, one, several)

    def _own(self, array: Spread, up: Array) -> Array:
        return jnp.where(up, array.up, array.down)

    def _either(self, array: Spread, g: Array, up: Array, of: Callable[..., Array]) -> Array:
        """Something of the distribution at g, of SET's table or of RESET's."""
        x = place(array, g)
        set_, reset = (of(jnp.asarray(t), x) for t in (self.up_quantiles, self.down_quantiles))
        return jnp.where(up, set_, reset)


def _mean(rows: Array, x: Array) -> Array:
    """``E[Q(u)]`` at x, of quantile functions that are linear between their entries."""
    return interpolate(jnp.mean(0.5 * (rows[:, 1:] + rows[:, :-1]), axis=1), x)


def _variance(rows: Array, x: Array) -> Array:
    """``Var[Q(u)]`` at x, between the rows i and i + 1 of which Q is a mixture."""

    def product(p: Array, q: Array) -> Array:  # E[P(u) Q(u)], a row
        a, b, c, d = p[:, :-1], p[:, 1:], q[:, :-1], q[:, 1:]
        return jnp.mean((2.0 * (a * c + b * d) + a * d + b * c) / 6.0, axis=1)

    left, share = locate(rows.shape[0], x)
    own, crossed = product(rows, rows), product(rows[:-1], rows[1:])
    rest = 1.0 - share
    square = rest**2 * own[left] + 2.0 * rest * share * crossed[left] + share**2 * own[left + 1]
    return square - _mean(rows, x) ** 2


def _quantile(rows: Array, x: Array, u: Array) -> Array:
    """``Q(u)`` at x."""
    row, down = locate(rows.shape[0], x)
    column, along = locate(rows.shape[1], u)

    def between(row: Array) -> Array:
        return rows[row, column] + along * (rows[row, column + 1] - rows[row, column])

    return between(row) + down * (between(row + 1) - between(row))
