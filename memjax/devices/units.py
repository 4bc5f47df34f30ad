"""Units at the edge of the package: siemens, and the model's own weights."""

from typing import Any

from memjax.devices.levels import Levels
from memjax.errors import UserError
from memjax.pytree import Leaf, param, params

PREFIXES = {"S": 1.0, "mS": 1e-3, "uS": 1e-6, "µS": 1e-6, "μS": 1e-6, "nS": 1e-9, "pS": 1e-12}
"""Units of conductance, in siemens."""


@params
class Units(Levels):
    """What a normalised conductance is in siemens and in the model's own weights."""

    gmax: Leaf | None = param(default=None, doc="Gmax", unit="S", more_than=0)
    weight_span: Leaf = param(
        default=2.0,
        doc="the model's own weights from Gmin to Gmax, for pulse responses",
        unit="weight units",
        more_than=0,
    )

    def siemens(self, g: Any) -> Any:
        """The conductance ``Gmax (1 / on_off + g (1 - 1 / on_off))`` in siemens.

        Args:
          g: normalised conductances.

        Raises:
          UserError: the device's ``gmax`` is not known.
        """
        if self.gmax is None:
            raise UserError(f"{type(self).__name__}: gmax is not known; set it, in siemens")
        return self.gmax * (1.0 / self.on_off + g * (1.0 - 1.0 / self.on_off))

    def weights(self, g: Any) -> Any:
        """The model's own weights, ``weight_span (g - g_ref)``.

        Args:
          g: normalised conductances.
        """
        return self.weight_span * (g - self.g_ref)


def in_unit(siemens: float) -> tuple[str, float]:
    """The unit in which a conductance reads well, and its size in siemens.

    Args:
      siemens: the conductance.

    Example:
      >>> from memjax.devices.units import in_unit
      >>> in_unit(2.5e-6)
      ('µS', 1e-06)
    """
    unit = next((u for u in ("S", "mS", "µS", "nS") if siemens >= PREFIXES[u]), "pS")
    return unit, PREFIXES[unit]
