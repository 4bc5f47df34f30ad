"""Optax transforms that change weights by pulses."""

from memjax.updates.pulsed_update import PulsedUpdateState, pulsed_update, readout
from memjax.updates.recipes import coincidence_sgd, memristive_sgd

__all__ = ["PulsedUpdateState", "coincidence_sgd", "memristive_sgd", "pulsed_update", "readout"]
