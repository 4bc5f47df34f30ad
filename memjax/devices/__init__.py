"""Physics: one device and one train of pulses. Nothing here knows of networks."""

from memjax.devices.base import Device, Spread
from memjax.devices.constant_step import ConstantStep
from memjax.devices.pulse_response import pulse_response, without_noise
from memjax.devices.saturating_exponential import SaturatingExponential
from memjax.devices.soft_bounds import SoftBounds

MODELS: dict[str, type[Device]] = {
    model.__name__: model for model in (ConstantStep, SoftBounds, SaturatingExponential)
}
"""Every response model by name; the tests and the sweep engine read it."""

__all__ = [
    "MODELS",
    "ConstantStep",
    "Device",
    "SaturatingExponential",
    "SoftBounds",
    "Spread",
    "pulse_response",
    "without_noise",
]
