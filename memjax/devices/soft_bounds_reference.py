"""Soft bounds against a reference of each device's own."""

import jax.numpy as jnp

from memjax import random
from memjax.devices.contraction import Contraction, by_fractions
from memjax.devices.fit_hints import FitHints
from memjax.devices.soft_bounds import SoftBounds
from memjax.pytree import Leaf, param, params, static


@params
class SoftBoundsReference(SoftBounds):
    """Soft bounds of which a reference device is subtracted.

    The device itself answers as ``SoftBounds`` at ``g + r``; what is seen is ``g``, so that its
    bounds are moved by ``-r``. ``r = reference + sigma_reference xi``, and where
    ``at_symmetry_point = "yes"`` also the own symmetry point, ``(up - down) / (up / a + down / b)``
    with ``a`` and ``b`` the own distances of the bounds from ``g_ref``: there a pulse up and one
    down are equal, and the weight is 0. With ``c2c = "additive"`` the noise is that of a step at
    ``g + r = g_ref``.

    Example:
      >>> from memjax.devices import SoftBoundsReference, pulse_response
      >>> device = SoftBoundsReference(levels=5, reference=0.25)
      >>> pulse_response(device, 1, 0, start=0.25).tolist()
      [0.25, 0.5]

    Source: Gong et al., IEDM (2022); Rasch et al., Nat. Commun. 15:7133 (2024).
    """

    reference: Leaf = param(default=0.0, doc="reference beyond g_ref", unit="fraction of the range")
    sigma_reference: Leaf | None = param(
        default=None,
        doc="device-to-device sd of the reference",
        unit="fraction of the range",
        at_least=0,
    )
    at_symmetry_point: str = static(
        default="no", doc="whether the own symmetry point is subtracted", choices=("no", "yes")
    )

    @classmethod
    def fitted(cls) -> tuple[str, ...]:
        """Steps alone: a reference only moves the bounds, and a fit finds those themselves."""
        return ("levels", "up_down")

    @classmethod
    def fit_hints(cls) -> FitHints:
        """Not unasked: its curves are those of ``SoftBounds``."""
        return FitHints(in_auto=False)

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Contraction:
        """Soft bounds, moved by the own reference."""
        spread = self.spread(stream, shape)
        up, down = self.fractions(spread)
        shift = jnp.asarray(self.reference, jnp.float32)
        if self.sigma_reference is not None:
            xi = random.normal(random.fold_in(stream, 7), shape, exact=True)
            shift = shift + self.sigma_reference * xi
        if self.at_symmetry_point == "yes":
            total = up + down
            ahead = (spread.up - spread.down) * self.nominal_step
            shift = shift + ahead / jnp.where(total > 0, total, 1.0)
        stuck = spread.g_min == spread.g_max
        shift = jnp.where(stuck, 0.0, shift)
        moved = spread._replace(g_min=spread.g_min - shift, g_max=spread.g_max - shift)
        return by_fractions((up, down), moved.g_max, moved.g_min, self.g_ref - shift, moved)
