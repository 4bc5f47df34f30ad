"""Learning algorithms: Optax transforms that change weights by pulses."""

from memjax.updates.agad import AGAD
from memjax.updates.algorithms import ALGORITHMS
from memjax.updates.base import Algorithm
from memjax.updates.chopped_tiki_taka import ChoppedTikiTaka
from memjax.updates.manhattan import Manhattan, sign_pulses
from memjax.updates.mixed_precision import MixedPrecision, whole_pulses
from memjax.updates.pulsed_sgd import PulsedSGD
from memjax.updates.pulsed_update import PulsedUpdateState, pulsed_update, readout
from memjax.updates.recipes import (
    agad,
    chopped_tiki_taka,
    coincidence_sgd,
    in_situ,
    manhattan,
    memristive_sgd,
    mixed_precision,
    rprop,
    tiki_taka,
    tiki_taka_v2,
)
from memjax.updates.rprop import RProp, pulse_width
from memjax.updates.tiki_taka import TikiTaka
from memjax.updates.tiki_taka_v2 import TikiTakaV2
from memjax.updates.transfer import Transfer, TransferState

__all__ = [
    "AGAD",
    "ALGORITHMS",
    "Algorithm",
    "ChoppedTikiTaka",
    "Manhattan",
    "MixedPrecision",
    "PulsedSGD",
    "PulsedUpdateState",
    "RProp",
    "TikiTaka",
    "TikiTakaV2",
    "Transfer",
    "TransferState",
    "agad",
    "chopped_tiki_taka",
    "coincidence_sgd",
    "in_situ",
    "manhattan",
    "memristive_sgd",
    "mixed_precision",
    "pulse_width",
    "pulsed_update",
    "readout",
    "rprop",
    "sign_pulses",
    "tiki_taka",
    "tiki_taka_v2",
    "whole_pulses",
]
