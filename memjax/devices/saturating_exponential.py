"""NeuroSim's device: potentiation and depression curves that saturate exponentially."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.devices.contraction import Contraction, ContractionDevice, by_rates
from memjax.devices.fit_hints import FitHints, MeasuredSteps
from memjax.pytree import Leaf, param, params

_LABEL_PER_BULGE = 10.10152526


def curvature(nonlinearity: Leaf) -> Array:
    """The curve's constant A, in units of the full pulse range, of a NeuroSim label NL.

    ``NL = 10.10152526 max over x in [0, 1] of [(1 - e^(-x/A)) / (1 - e^(-1/A)) - x]``, the maximum
    at ``x* = -A ln(A (1 - e^(-1/A)))``; A carries NL's sign and grows without limit as NL goes
    to 0. Solved for ``1/A`` by bisection, so it may be traced.

    Args:
      nonlinearity: the label, any shape, |NL| up to 9.

    Returns:
      A, of the same shape; |NL| below 1e-3 gives a straight line (|A| = 2500).

    Example:
      >>> from memjax.devices.saturating_exponential import curvature
      >>> round(float(curvature(2.4)), 4)
      0.4992

    Source: Chen, Peng & Yu, IEEE TCAD 37:3067 (2018); MLP+NeuroSim V3 manual.
    """
    label = jnp.asarray(nonlinearity, jnp.result_type(float))
    inverse = _inverse(jnp.abs(label) / _LABEL_PER_BULGE)
    return jnp.where(label < 0, -1.0, 1.0) / inverse


def _bulge(inverse: Array) -> Array:
    """How far the curve of 1/A rises above its chord."""
    full = -jnp.expm1(-inverse)
    peak = -jnp.log(full / inverse) / inverse
    return -jnp.expm1(-inverse * peak) / full - peak


@jax.custom_jvp
def _inverse(bulge: Array) -> Array:
    """1/A of a bulge."""

    def halve(_: Array, bracket: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bracket
        middle = 0.5 * (low + high)
        below = _bulge(middle) < bulge
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    start = (jnp.full_like(bulge, 1e-2), jnp.full_like(bulge, 100.0))
    low, high = jax.lax.fori_loop(0, 40, halve, start)
    # Below a label of 0.01 the bulge is 1/(8A) to first order and float32 cannot bisect it.
    return jnp.where(bulge < 1.25e-3, jnp.maximum(8.0 * bulge, 4e-4), 0.5 * (low + high))


@_inverse.defjvp
def _inverse_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    """By the inverse function theorem; of a nearly straight curve, by its first order."""
    inverse = _inverse(*primals)
    _, slope = jax.jvp(_bulge, (jnp.maximum(inverse, 1e-2),), (jnp.ones_like(inverse),))
    return inverse, tangents[0] / jnp.where(inverse < 1e-2, 0.125, slope)


@params
class SaturatingExponential(ContractionDevice):
    """The exponential response of MLP+NeuroSim, by its non-linearity labels.

    From Gmin, ``g(P) = B (1 - e^(-P / (A L)))``, ``B = 1 / (1 - e^(-1/A))`` after P of L pulses; an
    n-pulse update is the contraction ``g -> B - (B - g) e^(-n / (A L))``. Depression is the same
    curve from Gmax with ``A = -curvature(nl_down)``: a negative label mirrors potentiation, a
    positive one retraces it. Here ``levels`` is the number of pulses L from one bound to the other,
    ``levels_down`` that of depression where it differs.

    Example:
      >>> from memjax.devices import SaturatingExponential, pulse_response
      >>> device = SaturatingExponential(levels=97, nl_up=2.4, nl_down=-4.88)
      >>> round(float(pulse_response(device, 1, 0)[1]), 4)
      0.0236

    Source: Chen, Peng & Yu, IEEE TCAD 37:3067 (2018).
    """

    nl_up: Leaf = param(
        default=1.0, doc="potentiation's non-linearity label", at_least=-9, at_most=9
    )
    nl_down: Leaf = param(
        default=-1.0, doc="depression's non-linearity label", at_least=-9, at_most=9
    )

    levels_down: Leaf | None = param(
        default=None, doc="number of depression's pulses, where it differs", at_least=2
    )
    sigma_nl: Leaf | None = param(
        default=None, doc="device-to-device sd of both labels", unit="labels", at_least=0
    )

    levels_are_pulses: ClassVar[bool] = True

    @classmethod
    def fitted(cls) -> tuple[str, ...]:
        """Pulses and labels, each of both directions."""
        return ("levels", "levels_down", "nl_up", "nl_down")

    @classmethod
    def fit_hints(cls) -> FitHints:
        """Pulses of either direction, from its own mean step."""

        def starts(steps: MeasuredSteps) -> dict[str, float]:
            return {"levels": max(1.0 / steps.up, 2.5), "levels_down": max(1.0 / steps.down, 2.5)}

        return FitHints(starts=starts)

    @property
    def mean_step(self) -> Any:
        """``1 / L`` of both directions, averaged."""
        if self.levels_down is None:
            return self.nominal_step
        return 0.5 * (1.0 / self.levels + 1.0 / self.levels_down)

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Contraction:
        """Rates and asymptotes of both curves within the device's own bounds."""
        spread = self.spread(stream, shape)
        extent = spread.g_max - spread.g_min
        nl_up, nl_down = self.nl_up, self.nl_down
        if self.sigma_nl is not None:
            own = [random.normal(random.fold_in(stream, k), shape, exact=True) for k in (7, 8)]
            nl_up = jnp.clip(nl_up + self.sigma_nl * own[0], -9.0, 9.0)
            nl_down = jnp.clip(nl_down + self.sigma_nl * own[1], -9.0, 9.0)
        a_up, a_down = curvature(nl_up), -curvature(nl_down)
        pulses_down = self.levels if self.levels_down is None else self.levels_down
        rates = spread.up / (a_up * self.levels), spread.down / (a_down * pulses_down)
        top = spread.g_min - extent / jnp.expm1(-1.0 / a_up)
        bottom = spread.g_max + extent / jnp.expm1(-1.0 / a_down)
        return by_rates(rates, top, bottom, self.g_ref, spread)
