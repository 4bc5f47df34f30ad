"""Physics: one device and one train of pulses. Nothing here knows of networks."""

import importlib
import warnings
from typing import Any

from memjax.devices.asymmetric_step import AsymmetricStep
from memjax.devices.base import Device
from memjax.devices.catalogue import get, load, save
from memjax.devices.constant_step import ConstantStep
from memjax.devices.ernoult import Ernoult
from memjax.devices.exponential_step import ExponentialStep
from memjax.devices.jump_table import JumpTable
from memjax.devices.linear_step import LinearStep
from memjax.devices.models import MODELS
from memjax.devices.onset_step import OnsetStep
from memjax.devices.phase_change import PhaseChange
from memjax.devices.piecewise_step import PiecewiseStep
from memjax.devices.population import Spread
from memjax.devices.power_step import PowerStep
from memjax.devices.presets import PRESETS
from memjax.devices.pulse_response import pulse_response, without_noise
from memjax.devices.saturating_exponential import SaturatingExponential
from memjax.devices.soft_bounds import SoftBounds
from memjax.devices.soft_bounds_reference import SoftBoundsReference
from memjax.devices.stacking import stack
from memjax.devices.symmetric_step import SymmetricStep


def __getattr__(name: str) -> Any:
    """``fit`` under its old name."""
    if name != "fit":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn("memjax.devices.fit is memjax.fit now", DeprecationWarning, stacklevel=2)
    return importlib.import_module("memjax.fitting").fit


__all__ = [
    "MODELS",
    "PRESETS",
    "AsymmetricStep",
    "ConstantStep",
    "Device",
    "Ernoult",
    "ExponentialStep",
    "JumpTable",
    "LinearStep",
    "OnsetStep",
    "PhaseChange",
    "PiecewiseStep",
    "PowerStep",
    "SaturatingExponential",
    "SoftBounds",
    "SoftBoundsReference",
    "Spread",
    "SymmetricStep",
    "get",
    "load",
    "pulse_response",
    "save",
    "stack",
    "without_noise",
]
