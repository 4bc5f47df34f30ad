"""Stochastic bitstreams: random bits of memristors, their correlation, and arithmetic on them."""

from memjax.bitstreams.bitstream import Bitstream
from memjax.bitstreams.correlation import autocorrelation, mean_scc, pearson, scc
from memjax.bitstreams.counts import counts
from memjax.bitstreams.divider import divide
from memjax.bitstreams.drive import Drive, calibrate
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

__all__ = [
    "ENCODERS",
    "GATES",
    "Bitstream",
    "Drive",
    "Encoder",
    "Gate",
    "Pulses",
    "Switches",
    "SwitchingDevice",
    "add",
    "autocorrelation",
    "calibrate",
    "counts",
    "divide",
    "effective_probability",
    "encode",
    "expected",
    "generate",
    "joint",
    "mean_scc",
    "multiply",
    "multiply_bipolar",
    "pearson",
    "scc",
    "subtract",
]
