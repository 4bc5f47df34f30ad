"""Every experiment by its name."""

from memjax.experiments.base import Experiment
from memjax.experiments.bitstreams import Bitstreams
from memjax.experiments.boltzmann import Boltzmann
from memjax.experiments.classifier import Classifier
from memjax.experiments.flax import Flax
from memjax.experiments.inference import Inference
from memjax.experiments.spike_inference import SpikeInference
from memjax.experiments.spiking import Spiking

EXPERIMENTS: dict[str, type[Experiment]] = {
    "boltzmann": Boltzmann,
    "bitstreams": Bitstreams,
    "classifier": Classifier,
    "flax": Flax,
    "inference": Inference,
    "spike_inference": SpikeInference,
    "spiking": Spiking,
}
"""Experiments by their name in a sweep's ``experiment``."""
