"""From a wanted weight change to signed pulse counts."""

from memjax.pulses.coincidence import Coincidence
from memjax.pulses.elementwise import (
    SCHEMES,
    Bernoulli,
    Binomial,
    Delivered,
    Deterministic,
    Scheme,
    Truncated,
)
from memjax.pulses.trains import Trains, coincidences, trains

__all__ = [
    "SCHEMES",
    "Bernoulli",
    "Binomial",
    "Coincidence",
    "Delivered",
    "Deterministic",
    "Scheme",
    "Trains",
    "Truncated",
    "coincidences",
    "trains",
]
