"""Every learning algorithm by its name."""

from memjax.updates.agad import AGAD
from memjax.updates.base import Algorithm
from memjax.updates.chopped_tiki_taka import ChoppedTikiTaka
from memjax.updates.manhattan import Manhattan
from memjax.updates.mixed_precision import MixedPrecision
from memjax.updates.pulsed_sgd import PulsedSGD
from memjax.updates.rprop import RProp
from memjax.updates.tiki_taka import TikiTaka
from memjax.updates.tiki_taka_v2 import TikiTakaV2

ALGORITHMS: dict[str, type[Algorithm]] = {
    "sgd": PulsedSGD,
    "manhattan": Manhattan,
    "rprop": RProp,
    "mixed_precision": MixedPrecision,
    "tiki_taka": TikiTaka,
    "tiki_taka_v2": TikiTakaV2,
    "chopped_tiki_taka": ChoppedTikiTaka,
    "agad": AGAD,
}
"""Algorithms by their name in a sweep's ``[train] algorithm``."""
