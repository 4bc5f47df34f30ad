"""Arrays: matrices held as conductances, analog products with them, and any model on them."""

from memjax.crossbar.array import Array
from memjax.crossbar.calibrate import calibrate, tune
from memjax.crossbar.convert import AnalogModel, convert
from memjax.crossbar.crossbar import Crossbar, IdleOption
from memjax.crossbar.drift import DRIFTS, Drift, PCMDrift, PowerLaw
from memjax.crossbar.faults import Faults
from memjax.crossbar.ir_drop import aihwkit_ir_drop
from memjax.crossbar.programmed import Cells, Programmed
from memjax.crossbar.programming import (
    PCM,
    PROGRAMMING,
    SONOS,
    Exact,
    Independent,
    Inverse,
    Milo,
    Programming,
    Proportional,
    Table,
    Wan,
)
from memjax.crossbar.wires import Wires, cell_voltages, currents, effective, power
from memjax.crossbar.write_verify import WriteVerify, Written

__all__ = [
    "DRIFTS",
    "PCM",
    "PROGRAMMING",
    "SONOS",
    "AnalogModel",
    "Array",
    "Cells",
    "Crossbar",
    "Drift",
    "Exact",
    "Faults",
    "IdleOption",
    "Independent",
    "Inverse",
    "Milo",
    "PCMDrift",
    "PowerLaw",
    "Programmed",
    "Programming",
    "Proportional",
    "Table",
    "Wan",
    "Wires",
    "WriteVerify",
    "Written",
    "aihwkit_ir_drop",
    "calibrate",
    "cell_voltages",
    "convert",
    "currents",
    "effective",
    "power",
    "tune",
]
