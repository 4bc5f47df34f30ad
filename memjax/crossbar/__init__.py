"""Arrays: matrices held as conductances, analog products with them, and any model on them."""

from memjax.crossbar.analog_model import AnalogModel
from memjax.crossbar.array import Array
from memjax.crossbar.array_dense import array_dense
from memjax.crossbar.batch_norm import adapt
from memjax.crossbar.calibrate import calibrate, tune
from memjax.crossbar.convert import convert
from memjax.crossbar.cost import CIRCUITS, Circuits, Cost, NoCircuits, model_cost, product_cost
from memjax.crossbar.crossbar import Crossbar, IdleOption
from memjax.crossbar.drift import DRIFTS, Drift, Endurance, PCMDrift, PowerLaw, Retention
from memjax.crossbar.faults import Faults
from memjax.crossbar.held import hold
from memjax.crossbar.horizon import program_for
from memjax.crossbar.in_situ import InSituArray
from memjax.crossbar.ir_drop import aihwkit_ir_drop
from memjax.crossbar.losses import Description, describe
from memjax.crossbar.pictures import drift_fan, drop_map, product_scatter, programming_spread
from memjax.crossbar.product import multiply
from memjax.crossbar.programmed import Cells, Programmed
from memjax.crossbar.programmed_weights import programmed_weights
from memjax.crossbar.programming import (
    PCM,
    PROGRAMMING,
    SONOS,
    Exact,
    Extrapolation,
    Independent,
    Inverse,
    Milo,
    Programming,
    Proportional,
    Table,
    Wan,
)
from memjax.crossbar.weight_clipping import clip_weights
from memjax.crossbar.weight_noise import WeightNoise
from memjax.crossbar.wires import Wires, cell_voltages, currents, effective, power
from memjax.crossbar.write_verify import WriteVerify, Written

__all__ = [
    "CIRCUITS",
    "DRIFTS",
    "PCM",
    "PROGRAMMING",
    "SONOS",
    "AnalogModel",
    "Array",
    "Cells",
    "Circuits",
    "Cost",
    "Crossbar",
    "Description",
    "Drift",
    "Endurance",
    "Exact",
    "Extrapolation",
    "Faults",
    "IdleOption",
    "InSituArray",
    "Independent",
    "Inverse",
    "Milo",
    "NoCircuits",
    "PCMDrift",
    "PowerLaw",
    "Programmed",
    "Programming",
    "Proportional",
    "Retention",
    "Table",
    "Wan",
    "WeightNoise",
    "Wires",
    "WriteVerify",
    "Written",
    "adapt",
    "aihwkit_ir_drop",
    "array_dense",
    "calibrate",
    "cell_voltages",
    "clip_weights",
    "convert",
    "currents",
    "describe",
    "drift_fan",
    "drop_map",
    "effective",
    "hold",
    "model_cost",
    "multiply",
    "power",
    "product_cost",
    "product_scatter",
    "program_for",
    "programmed_weights",
    "programming_spread",
    "tune",
]
