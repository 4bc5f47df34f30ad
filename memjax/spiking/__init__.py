"""Spiking networks: neurons, traces, and learning rules that want weight changes of devices."""

from memjax.spiking.compete import Response, answer, compete
from memjax.spiking.desired import check_attainable, desired, desired_train
from memjax.spiking.lif import LIF, LIFState
from memjax.spiking.normad import backwards, inverse_norms, normad, normad_adjoint
from memjax.spiking.traces import Synapse, responses, traces

__all__ = [
    "LIF",
    "LIFState",
    "Response",
    "Synapse",
    "answer",
    "backwards",
    "check_attainable",
    "compete",
    "desired",
    "desired_train",
    "inverse_norms",
    "normad",
    "normad_adjoint",
    "responses",
    "traces",
]
