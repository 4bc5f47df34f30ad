"""What a fit to measured ramps should know of a response model."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple


class MeasuredSteps(NamedTuple):
    """The mean steps of measured ramps.

    Attributes:
      up, down: mean size of a step of potentiation and of one of depression, in fractions of the
        window.
      extent: the window, ``Gmax - Gmin``, in siemens.
    """

    up: float
    down: float
    extent: float


def _no_starts(steps: MeasuredSteps) -> dict[str, float]:
    del steps
    return {}


class FitHints(NamedTuple):
    """What ``Device.fit_hints`` says; everything has a default that suits most models.

    Attributes:
      in_auto: whether the model is tried where none is named.
      starts: where the search begins, by parameter, given the mean steps; else at the parameter's
        default.
      ranges: where it searches, by parameter; else within the parameter's declared bounds.
      given: parameters that are not estimated, but held at their start.
      instead: what to do in place of a fit, of a model that has no likelihood.
      caveat: what a reader of the fit should know.
      resets: whether its pulses down are RESETs, which ramps up say nothing of.
    """

    in_auto: bool = True
    starts: Callable[[MeasuredSteps], dict[str, float]] = _no_starts
    ranges: Mapping[str, tuple[float, float]] = MappingProxyType({})
    given: tuple[str, ...] = ()
    instead: str | None = None
    caveat: str | None = None
    resets: bool = False
