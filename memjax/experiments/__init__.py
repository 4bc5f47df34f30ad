"""Training one device variant, as pure functions."""

from memjax.experiments.diagnosis import Diagnosis, diagnose
from memjax.experiments.lane import (
    LaneState,
    Program,
    Samples,
    Variant,
    accuracy,
    init_lane,
    train_epoch,
)
from memjax.experiments.perceptron import ACTIVATIONS, apply_network, cross_entropy, init_network

__all__ = [
    "ACTIVATIONS",
    "Diagnosis",
    "LaneState",
    "Program",
    "Samples",
    "Variant",
    "accuracy",
    "apply_network",
    "cross_entropy",
    "diagnose",
    "init_lane",
    "init_network",
    "train_epoch",
]
