"""What a lane does: training a classifier, or whatever somebody trains or measures."""

from memjax.experiments.base import (
    Column,
    Coordinate,
    Data,
    Experiment,
    Objective,
    Report,
    Stages,
    State,
)
from memjax.experiments.classifier import Classifier
from memjax.experiments.classifier_sections import Evaluation, Training
from memjax.experiments.flax import Flax
from memjax.experiments.images import Images, Labelled, Samples
from memjax.experiments.perceptron import Perceptron
from memjax.experiments.registry import EXPERIMENTS
from memjax.experiments.sections import Open, choice, part

__all__ = [
    "EXPERIMENTS",
    "Classifier",
    "Column",
    "Coordinate",
    "Data",
    "Evaluation",
    "Experiment",
    "Flax",
    "Images",
    "Labelled",
    "Objective",
    "Open",
    "Perceptron",
    "Report",
    "Samples",
    "Stages",
    "State",
    "Training",
    "choice",
    "part",
]
