"""Stochastic bitstreams: random bits of memristors, their correlation, and arithmetic on them."""

from memjax.bitstreams.bitstream import Bitstream
from memjax.bitstreams.correlation import autocorrelation, mean_scc, pearson, scc
from memjax.bitstreams.counts import counts
from memjax.bitstreams.divider import divide, fuse
from memjax.bitstreams.drive import Drive, calibrate
from memjax.bitstreams.edges import flipped, roberts_cross, roberts_cross_of_streams
from memjax.bitstreams.encoders import ENCODERS, Encoder
from memjax.bitstreams.gates import (
    GATES,
    Gate,
    add,
    expected,
    joint,
    multiply,
    multiply_bipolar,
    subtract,
)
from memjax.bitstreams.generate import encode, generate
from memjax.bitstreams.spread import Pulses, effective_probability
from memjax.bitstreams.switching_device import Switches, SwitchingDevice
from memjax.bitstreams.switching_fit import SwitchingFit, fit_switching
from memjax.bitstreams.switching_table import SwitchingCounts, read_counts

__all__ = [
    "ENCODERS",
    "GATES",
    "Bitstream",
    "Drive",
    "Encoder",
    "Gate",
    "Pulses",
    "Switches",
    "SwitchingCounts",
    "SwitchingDevice",
    "SwitchingFit",
    "add",
    "autocorrelation",
    "calibrate",
    "counts",
    "divide",
    "effective_probability",
    "encode",
    "expected",
    "fit_switching",
    "flipped",
    "fuse",
    "generate",
    "joint",
    "mean_scc",
    "multiply",
    "multiply_bipolar",
    "pearson",
    "read_counts",
    "roberts_cross",
    "roberts_cross_of_streams",
    "scc",
    "subtract",
]
