"""What a device is: parameters, a fabricated population, and its answer to a train of pulses."""

import warnings
from typing import Any

from jaxtyping import Array

from memjax import random
from memjax.devices import drive, effects, verified_write
from memjax.devices.bounds import clip_to_bounds
from memjax.devices.c2c import Noise
from memjax.devices.response_model import ResponseModel
from memjax.pytree import align, check, params
from memjax.renamed import Renamed, take_over


@params
class Device(ResponseModel):
    """A response model under pulses: what every device has, and what cells call.

    Conductance is normalised, ``g = (G - Gmin) / (Gmax - Gmin)``, nominally in [0, 1]; the step is
    ``1 / (levels - 1)`` at ``g_ref``, where the weight is 0. Every parameter may be swept. A
    spread or noise that is ``None`` is absent and costs nothing; 0 and ``None`` mean the same
    physics. Only ``gmax`` knows of siemens, and only the edge of the package of ``gmax`` and
    ``weight_span``.

    The parameters are those of ``Levels``, ``CycleToCycle`` (``memjax.devices.c2c``),
    ``SpreadParameters`` (``population``), ``Effects`` (``effects``), ``Units`` (``units``) and
    ``Programming`` (``pulse``); what a model defines is in ``ResponseModel``.

    Source of the d2d conventions: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016).
    """

    def init(self, stream: random.Stream, g: Array) -> tuple[Any, Array]:
        """Fabricates devices and programs them to ``g`` (``memjax.devices.drive.init``).

        Args:
          stream: random stream of this array.
          g: wanted normalised conductances.
        """
        return drive.init(self, stream, g)

    def advance(self, array: Any, g: Array, n: Array, noise: Noise) -> tuple[Any, Array]:
        """One update of ``n`` pulses (``memjax.devices.drive.advance``).

        Args:
          array: what ``init`` returned, or the last ``advance``.
          g: normalised conductances, as they are seen.
          n: signed pulse counts of the same shape, up positive.
          noise: draws standard normal numbers, independent for each purpose.
        """
        return drive.advance(self, array, g, n, noise)

    def reset(self, array: Any, g: Array, where: Array) -> tuple[Any, Array]:
        """RESETs some devices to their lower bound (``memjax.devices.drive.reset``).

        Args:
          array: what ``init`` returned, or the last ``advance``.
          g: normalised conductances.
          where: which devices to reset.
        """
        return drive.reset(self, array, g, where)

    def pulses_to_raise(self, array: Any, g: Array, distance: Array) -> Array:
        """Whole pulses that raise the mean conductance by ``distance``, as nearly as they can.

        Args:
          array: what ``init`` returned, or the last ``advance``.
          g: normalised conductances.
          distance: how far up, at least 0.
        """
        return self._pulses_to_raise(effects.model_array(array), g, distance)

    def _pulses_to_raise(self, array: Any, g: Array, distance: Array) -> Array:
        """The same, of what ``fabricate`` returned: by trial, as a write with verification does.

        A model whose law can be inverted says so itself.
        """
        return verified_write.pulses_to_raise(self, array, g, distance)

    def __post_init__(self) -> None:
        check(self)
        align(self)

    def step(self, array: Any, g: Array, n: Array, noise: Array) -> Array:
        """Deprecated: conductances after ``n`` pulses; use ``advance`` and ``clip_to_bounds``."""
        said = f"{type(self).__name__}.step is deprecated: use advance, as trainings do"
        warnings.warn(said, DeprecationWarning, stacklevel=2)
        return clip_to_bounds(array, g + self.change(array, g, n, noise))

    remember = Renamed("update_memory")
    forget = Renamed("reset_memory")
    remembers = Renamed("has_memory")
    ages = Renamed("changes_with_time")
    pulses_up = Renamed("pulses_to_raise")
    count_up = Renamed("_pulses_to_raise")
    pulses_to_bound = Renamed("levels_are_pulses")
    whole_pulses = Renamed("integer_pulses_only")
    vanishes = Renamed("step_vanishes_at_bounds")

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        take_over(cls)
