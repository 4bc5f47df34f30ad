"""From a wanted weight change to signed pulse counts."""

from memjax.pulses.base import Counts, OuterProduct, Scheme
from memjax.pulses.clipping import ClippedPulses, clipping
from memjax.pulses.coincidence import Coincidence
from memjax.pulses.delivered import Delivered
from memjax.pulses.elementwise import Bernoulli, Binomial, Deterministic, Truncated
from memjax.pulses.schemes import SCHEMES
from memjax.pulses.trains import Trains, coincidences, trains

__all__ = [
    "SCHEMES",
    "Bernoulli",
    "Binomial",
    "ClippedPulses",
    "Coincidence",
    "Counts",
    "Delivered",
    "Deterministic",
    "OuterProduct",
    "Scheme",
    "Trains",
    "Truncated",
    "clipping",
    "coincidences",
    "trains",
]
