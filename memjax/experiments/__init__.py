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
from memjax.experiments.images import Images, Labelled, Samples
from memjax.experiments.registry import EXPERIMENTS
from memjax.experiments.sections import Open, choice, part

__all__ = [
    "EXPERIMENTS",
    "Classifier",
    "Column",
    "Coordinate",
    "Data",
    "Experiment",
    "Images",
    "Labelled",
    "Objective",
    "Open",
    "Report",
    "Samples",
    "Stages",
    "State",
    "choice",
    "part",
]
