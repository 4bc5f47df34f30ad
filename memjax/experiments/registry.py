"""Every experiment by its name."""

from memjax.experiments.base import Experiment
from memjax.experiments.classifier import Classifier

EXPERIMENTS: dict[str, type[Experiment]] = {"classifier": Classifier}
"""Experiments by their name in a sweep's ``experiment``."""
