"""Devices by their physics: a state, a voltage, a current. One law a file."""

from memjax.devices.physical.base import PhysicalModel
from memjax.devices.physical.data_driven import DataDriven
from memjax.devices.physical.data_driven_2018 import DataDriven2018
from memjax.devices.physical.hysteresis import IVCurve, iv_curve, plot_iv
from memjax.devices.physical.ion_drift import LinearIonDrift
from memjax.devices.physical.pulses import PulseSteps, as_device, pulse_steps
from memjax.devices.physical.stanford_pku import StanfordPKU
from memjax.devices.physical.vteam import VTEAM
from memjax.devices.physical.windows import WINDOWS, WindowedModel

PHYSICAL: dict[str, type[PhysicalModel]] = {
    model.__name__: model
    for model in (LinearIonDrift, VTEAM, StanfordPKU, DataDriven, DataDriven2018)
}
"""Every physical model by name; the tests read it."""

__all__ = [
    "PHYSICAL",
    "VTEAM",
    "WINDOWS",
    "DataDriven",
    "DataDriven2018",
    "IVCurve",
    "LinearIonDrift",
    "PhysicalModel",
    "PulseSteps",
    "StanfordPKU",
    "WindowedModel",
    "as_device",
    "iv_curve",
    "plot_iv",
    "pulse_steps",
]
