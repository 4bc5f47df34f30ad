"""Spiking networks: neurons, traces, and learning rules that want weight changes of devices."""

from memjax.spiking.codes import latency_spikes, rate_spikes
from memjax.spiking.compete import Response, answer, compete
from memjax.spiking.desired import check_attainable, desired, desired_train
from memjax.spiking.encode import encode
from memjax.spiking.hidden_layer import byte_tables, copies_fire, hidden_layer
from memjax.spiking.hidden_spikes import HiddenSpikes, Image, unpacked
from memjax.spiking.kernels import edge_kernels, slide
from memjax.spiking.lif import LIF, LIFState
from memjax.spiking.normad import backwards, inverse_norms, normad, normad_adjoint
from memjax.spiking.normad_update import Trial, normad_update
from memjax.spiking.pictures import activity
from memjax.spiking.pixel_trains import CODES, latency_trains, lif_trains, rate_trains
from memjax.spiking.row_update import first_rows, is_row_by_row, put_first, update_rows
from memjax.spiking.traces import Synapse, responses, traces

__all__ = [
    "CODES",
    "LIF",
    "HiddenSpikes",
    "Image",
    "LIFState",
    "Response",
    "Synapse",
    "Trial",
    "activity",
    "answer",
    "backwards",
    "byte_tables",
    "check_attainable",
    "compete",
    "copies_fire",
    "desired",
    "desired_train",
    "edge_kernels",
    "encode",
    "first_rows",
    "hidden_layer",
    "inverse_norms",
    "is_row_by_row",
    "latency_spikes",
    "latency_trains",
    "lif_trains",
    "normad",
    "normad_adjoint",
    "normad_update",
    "put_first",
    "rate_spikes",
    "rate_trains",
    "responses",
    "slide",
    "traces",
    "unpacked",
    "update_rows",
]
