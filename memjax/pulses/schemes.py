"""Every pulse scheme by its name."""

from memjax.pulses.base import OuterProduct, Scheme
from memjax.pulses.coincidence import Coincidence
from memjax.pulses.elementwise import Bernoulli, Binomial, Deterministic, Truncated

SCHEMES: dict[str, type[Scheme] | type[OuterProduct]] = {
    "coincidence": Coincidence,
    "bernoulli": Bernoulli,
    "binomial": Binomial,
    "deterministic": Deterministic,
    "truncated": Truncated,
}
"""Schemes by their name in a sweep's ``[pulses] scheme``; one more is known to sweeps at once.

An instance of ``Scheme`` draws pulses weight by weight, one of ``OuterProduct`` sample by sample.
"""
