"""Levels and range: how far a pulse goes, and between what."""

from typing import Any, ClassVar

from memjax.pytree import Leaf, param, params, static


@params
class Levels:
    """The range of a device's conductance, and the step that divides it."""

    levels: Leaf = param(default=32.0, doc="number of conductance levels L", at_least=2)
    on_off: Leaf = param(default=10.0, doc="on/off ratio Gmax / Gmin", more_than=1)
    g_ref: Leaf = param(
        default=0.5,
        doc="normalised conductance of the reference, at which the weight is 0",
        at_least=0,
        at_most=1,
    )
    up_down: Leaf = param(
        default=0.0,
        doc="up/down imbalance: that fraction of a step off depression (> 0) or potentiation (< 0)",
        at_least=-1,
        at_most=1,
    )
    polarity: str = static(
        default="both",
        doc="pulses that move it: both, or up alone, of a device that only a RESET depresses",
        choices=("both", "up"),
    )

    levels_are_pulses: ClassVar[bool] = False
    """Whether ``levels`` counts the pulses from bound to bound, instead of conductances."""

    @property
    def nominal_step(self) -> Any:
        """The mean step in normalised conductance: ``1 / (L - 1)``, or ``1 / L`` of L pulses."""
        return 1.0 / self.levels if self.levels_are_pulses else 1.0 / (self.levels - 1.0)

    @property
    def g_offset(self) -> Any:
        """``Gmin / (Gmax - Gmin) = 1 / (on_off - 1)``: what a read sees below ``g = 0``."""
        return 1.0 / (self.on_off - 1.0)
