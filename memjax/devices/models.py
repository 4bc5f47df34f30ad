"""The registry of response models: one line each."""

from memjax.devices.asymmetric_step import AsymmetricStep
from memjax.devices.base import Device
from memjax.devices.constant_step import ConstantStep
from memjax.devices.ernoult import Ernoult
from memjax.devices.exponential_step import ExponentialStep
from memjax.devices.jump_table import JumpTable
from memjax.devices.linear_step import LinearStep
from memjax.devices.onset_step import OnsetStep
from memjax.devices.phase_change import PhaseChange
from memjax.devices.piecewise_step import PiecewiseStep
from memjax.devices.power_step import PowerStep
from memjax.devices.saturating_exponential import SaturatingExponential
from memjax.devices.soft_bounds import SoftBounds
from memjax.devices.soft_bounds_reference import SoftBoundsReference
from memjax.devices.symmetric_step import SymmetricStep

MODELS: dict[str, type[Device]] = {
    model.__name__: model
    for model in (
        ConstantStep,
        LinearStep,
        SoftBounds,
        SoftBoundsReference,
        ExponentialStep,
        PowerStep,
        PiecewiseStep,
        SaturatingExponential,
        SymmetricStep,
        AsymmetricStep,
        Ernoult,
        PhaseChange,
        OnsetStep,
        JumpTable,
    )
}
"""Every response model by name; the tests and the sweep engine read it."""
