"""Learning algorithms: Optax transforms that change weights by pulses."""

from memjax.updates.agad import AGAD, agad
from memjax.updates.algorithms import ALGORITHMS
from memjax.updates.base import Algorithm
from memjax.updates.chopped_tiki_taka import ChoppedTikiTaka, chopped_tiki_taka
from memjax.updates.coincidence_sgd import coincidence_sgd
from memjax.updates.draw_pulses import DrawPulsesState, delivered_counts, draw_pulses
from memjax.updates.fire_pulses import PulsedUpdateState, fire_pulses
from memjax.updates.in_situ import in_situ
from memjax.updates.manhattan import Manhattan, manhattan, sign_pulses
from memjax.updates.mixed_precision import MixedPrecision, mixed_precision, whole_pulses
from memjax.updates.on_devices import DevicesWarning, OnDevicesState, on_devices
from memjax.updates.pulsed_sgd import PulsedSGD, memristive_sgd
from memjax.updates.pulsed_update import pulsed_update
from memjax.updates.readout import conductances, read, readout
from memjax.updates.rprop import RProp, pulse_width, rprop
from memjax.updates.tiki_taka import TikiTaka, tiki_taka
from memjax.updates.tiki_taka_v2 import TikiTakaV2, tiki_taka_v2
from memjax.updates.transfer import Transfer, TransferState

__all__ = [
    "AGAD",
    "ALGORITHMS",
    "Algorithm",
    "ChoppedTikiTaka",
    "DevicesWarning",
    "DrawPulsesState",
    "Manhattan",
    "MixedPrecision",
    "OnDevicesState",
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
    "conductances",
    "delivered_counts",
    "draw_pulses",
    "fire_pulses",
    "in_situ",
    "manhattan",
    "memristive_sgd",
    "mixed_precision",
    "on_devices",
    "pulse_width",
    "pulsed_update",
    "read",
    "readout",
    "rprop",
    "sign_pulses",
    "tiki_taka",
    "tiki_taka_v2",
    "whole_pulses",
]
