"""How far what is programmed lies from its target, once, for each device of an array.

Conductances are fractions g of Gmax: Gmin is ``1 / on_off``, Gmax is 1. Models of a technology that
are stated in microsiemens need ``gmax``, which is in siemens as everywhere.
"""

from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from memjax import random
from memjax.errors import UserError
from memjax.pytree import Leaf, check, param, params, static

MICRO = 1e-6


class Extrapolation(UserWarning):
    """A published model is used beyond the conductances that it was stated for."""


class Writing(NamedTuple):
    """What it took to write an array, over all its cells.

    Attributes:
      tries: trains of pulses, a cell in the mean.
      pulses: of all cells.
      energy: of all pulses, in joules; NaN where it is not known.
      unwritten: share of the cells that did not read within the tolerance at last.
    """

    tries: Float[Array, ""]
    pulses: Float[Array, ""]
    energy: Float[Array, ""]
    unwritten: Float[Array, ""]


@params
class Programming:
    """An error of a standard deviation that depends on the target: ``g + sd(g) xi``, at least 0.

    A model defines ``sd``. Devices are not held within [Gmin, Gmax] unless ``clips`` says so: an
    error may well lead beyond.
    """

    law: str = static(
        default="normal",
        doc="of errors: normal; fast_normal, close to it within 3 sd and cheap enough to be drawn "
        "for each mini-batch (memjax.random.normal); or uniform of width sd",
        choices=("normal", "fast_normal", "uniform"),
    )
    clips: bool = static(default=False, doc="whether devices stay within [Gmin, Gmax]")

    stated: ClassVar[tuple[float, float] | None] = None
    """Between which conductances, in µS, it was published."""

    def beyond(self, gmax: Leaf, on_off: Leaf | None) -> str | None:
        """A sentence, where an array has conductances that it was not stated for.

        Args:
          gmax: siemens.
          on_off: ``Gmax / Gmin``; ``None``: Gmin is 0.
        """
        if self.stated is None or any(isinstance(x, jax.core.Tracer) for x in (gmax, on_off)):
            return None
        high = float(np.max(np.asarray(gmax))) / MICRO
        least = float(np.min(np.asarray(gmax))) / MICRO
        low = 0.0 if on_off is None else least / float(np.max(np.asarray(on_off)))
        if low >= self.stated[0] * 0.999 and high <= self.stated[1] * 1.001:
            return None
        return (
            f"{type(self).__name__} is stated for {self.stated[0]:g} to {self.stated[1]:g} µS, the "
            f"array has {low:.3g} to {high:.3g} (gmax, on_off): an extrapolation"
        )

    def sd(self, g: Array, gmax: Leaf) -> Array:
        """The standard deviation of what is programmed.

        Args:
          g: targets, fractions of Gmax.
          gmax: siemens.

        Returns:
          Fractions of Gmax, of the shape of ``g``.
        """
        raise NotImplementedError(f"{type(self).__name__} must define sd")

    def program(self, stream: random.Stream, g: Array, *, gmin: Leaf, gmax: Leaf) -> Array:
        """The conductances that come of targets.

        Args:
          stream: random stream of the array.
          g: targets, fractions of Gmax.
          gmin: the lower bound, a fraction of Gmax.
          gmax: siemens.
        """
        if self.law == "uniform":
            xi = random.uniform(stream, g.shape) - 0.5
        else:
            xi = random.normal(stream, g.shape, exact=self.law == "normal")
        found = jnp.maximum(g + self.sd(g, gmax) * xi, 0.0)
        return jnp.clip(found, gmin, 1.0) if self.clips else found

    def program_cells(
        self, stream: random.Stream, g: Array, is_cell: np.ndarray, *, gmin: Leaf, gmax: Leaf
    ) -> tuple[Array, Writing | None]:
        """``program``, and what it took, if that is known.

        Args:
          stream, g, gmin, gmax: as of ``program``.
          is_cell: which devices are there; the rest is padding.
        """
        del is_cell
        return self.program(stream, g, gmin=gmin, gmax=gmax), None


@params
class Exact(Programming):
    """Targets are met."""

    def sd(self, g: Array, gmax: Leaf) -> Array:
        """0."""
        del gmax
        return jnp.zeros_like(g)

    def program(self, stream: random.Stream, g: Array, *, gmin: Leaf, gmax: Leaf) -> Array:
        """The targets."""
        del stream, gmin, gmax
        return g


@params
class Independent(Programming):
    """``sd = sigma``, whatever the conductance.

    Of a pair the weight's sd is ``sigma sqrt(2) / (1 - 1 / on_off)`` of the largest weight, while
    no device is at 0.
    """

    sigma: Leaf = param(default=0.0, doc="sd of what is programmed", unit="of Gmax", at_least=0)

    def sd(self, g: Array, gmax: Leaf) -> Array:
        """``sigma``."""
        del gmax
        return jnp.full_like(g, 1.0) * self.sigma


@params
class Proportional(Programming):
    """``sd = sigma g``."""

    sigma: Leaf = param(
        default=0.0, doc="sd of what is programmed, of its target", unit="relative", at_least=0
    )

    def sd(self, g: Array, gmax: Leaf) -> Array:
        """``sigma g``."""
        del gmax
        return jnp.asarray(self.sigma * g)


@params
class Inverse(Programming):
    """``sd = sigma / g``, and 0 at 0."""

    sigma: Leaf = param(
        default=0.0, doc="sd of what is programmed at Gmax", unit="of Gmax", at_least=0
    )

    def sd(self, g: Array, gmax: Leaf) -> Array:
        """``sigma / g``."""
        del gmax
        return jnp.where(g > 0, self.sigma / jnp.where(g > 0, g, 1.0), 0.0)


@params
class PCM(Programming):
    """Phase-change memory: ``sd = (0.26348 + 1.9650 g - 1.1731 g^2) / 25``, at least 0.

    Source: Joshi et al., Nat. Commun. 11:2473 (2020), as IBM's aihwkit has it: 1 million devices of
    25 µS.
    """

    scale: Leaf = param(default=1.0, doc="of the standard deviation", at_least=0)

    def sd(self, g: Array, gmax: Leaf) -> Array:
        """The polynomial of the target."""
        del gmax
        return jnp.asarray(self.scale * _polynomial(g, (0.26348, 1.9650, -1.1731)) / 25.0)


@params
class Milo(Programming):
    """RRAM: ``sd = 4.782321 - 0.009107 G`` in µS, at least 0; stated for 50 to 225 µS.

    Source: Milo et al., IEEE IRPS (2021).
    """

    stated: ClassVar[tuple[float, float] | None] = (50.0, 225.0)

    def sd(self, g: Array, gmax: Leaf) -> Array:
        """The line, of the target in µS."""
        return _of_microsiemens(g, gmax, (4.782321, -0.009107))


@params
class Wan(Programming):
    """RRAM: ``sd = 1.053 + 0.2374 G - 0.01167 G^2 + 0.0001536 G^3`` in µS, up to 40 µS.

    Source: Wan et al., Nature 608:504 (2022).
    """

    stated: ClassVar[tuple[float, float] | None] = (0.0, 40.0)

    def sd(self, g: Array, gmax: Leaf) -> Array:
        """The polynomial of the target in µS."""
        return _of_microsiemens(g, gmax, (1.053, 0.2374, -1.167e-2, 1.536e-4))


@params
class SONOS(Programming):
    """Charge-trap memory: ``sd = A (1 - exp(-I / B))`` in nA, of currents I up to ``largest``.

    A and B are those of 0 to 5 days after programming, lines between.

    Source: Xiao et al., Front. Phys. / Agarwal et al., IEEE JXCDC (2019), as CrossSim has it.
    """

    largest: Leaf = param(default=1600.0, doc="current of a device at Gmax", unit="nA", more_than=0)
    days: Leaf = param(default=0.0, doc="since programming", unit="days", at_least=0, at_most=5)

    _A: ClassVar = (19.88665, 25.59102, 28.72753, 31.04318, 33.76214, 34.57909)
    _B: ClassVar = (176.3115, 186.85544, 193.56834, 198.90332, 204.77023, 207.34309)

    def sd(self, g: Array, gmax: Leaf) -> Array:
        """The exponential of the target's current."""
        del gmax
        day = jnp.arange(6.0)
        a, b = (jnp.interp(self.days, day, jnp.array(table)) for table in (self._A, self._B))
        return a * (1.0 - jnp.exp(-g * self.largest / b)) / self.largest


@params
class Table(Programming):
    """A table of one's own: ``sd`` between its points by straight lines, and constant beyond.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar import Table
      >>> table = Table(conductance=(1e-6, 9e-6), deviation=(1e-7, 5e-7))
      >>> [round(float(sd), 3) for sd in table.sd(jnp.array([0.1, 0.5, 1.0]), 1e-5)]
      [0.01, 0.03, 0.05]
    """

    conductance: tuple[float, ...] = static(default=(), doc="points of the table, S", swept=False)
    deviation: tuple[float, ...] = static(default=(), doc="sd at these, S", swept=False)

    def __post_init__(self) -> None:
        check(self)
        if len(self.conductance) != len(self.deviation) or not self.conductance:
            raise UserError(
                f"Table: {len(self.conductance)} conductances and {len(self.deviation)} "
                "deviations; give as many of both, at least one"
            )
        if sorted(set(self.conductance)) != list(self.conductance):
            raise UserError("Table: conductances must rise from each to the next; sort them")
        if min(self.deviation) < 0:
            raise UserError("Table: a deviation is below 0; standard deviations are not")

    def sd(self, g: Array, gmax: Leaf) -> Array:
        """The table, interpolated."""
        points, deviations = (jnp.array(t, jnp.float32) for t in (self.conductance, self.deviation))
        return jnp.interp(g * gmax, points, deviations) / gmax


def _polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    """A polynomial, lowest power first, at least 0."""
    total: Any = jnp.zeros_like(x)
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return jnp.maximum(total, 0.0)


def _of_microsiemens(g: Array, gmax: Leaf, coefficients: tuple[float, ...]) -> Array:
    scale = gmax / MICRO
    return _polynomial(g * scale, coefficients) / scale


PROGRAMMING: dict[str, type[Programming]] = {
    "exact": Exact,
    "independent": Independent,
    "proportional": Proportional,
    "inverse": Inverse,
    "pcm": PCM,
    "milo": Milo,
    "wan": Wan,
    "sonos": SONOS,
    "table": Table,
}
"""Models by their name in a specification."""
