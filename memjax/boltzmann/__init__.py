"""Boltzmann machines, trained by differences of two averages that each weight sees by itself."""

from memjax.boltzmann.drbm import DRBM
from memjax.boltzmann.machine import Machine, Parameters
from memjax.boltzmann.phases import Phase, Phases
from memjax.boltzmann.pictures import receptive_fields, reconstructions
from memjax.boltzmann.rbm import RBM
from memjax.boltzmann.stack import DBN
from memjax.boltzmann.trains import counts
from memjax.boltzmann.units import UNITS, Logistic, Switch

__all__ = [
    "DBN",
    "DRBM",
    "RBM",
    "UNITS",
    "Logistic",
    "Machine",
    "Parameters",
    "Phase",
    "Phases",
    "Switch",
    "counts",
    "receptive_fields",
    "reconstructions",
]
