"""Devices of the literature by name, each with its published numbers and its paper.

Those of a resistive processing unit are given as their authors give them, by the step ``dw_min`` at
w = 0 and the weights' range; those of NeuroSim's table by pulses and labels.
"""

from typing import Any, NamedTuple

from memjax.devices.base import Device
from memjax.devices.constant_step import ConstantStep
from memjax.devices.exponential_step import ExponentialStep
from memjax.devices.linear_step import LinearStep
from memjax.devices.saturating_exponential import SaturatingExponential
from memjax.devices.soft_bounds_reference import SoftBoundsReference
from memjax.pytree import Leaf


class Preset(NamedTuple):
    """A published device.

    Attributes:
      device: its parameters.
      what: the material and what is special, in a few words.
      source: the paper.
    """

    device: Device
    what: str
    source: str


def _rpu(
    model: type[Device], dw_min: Leaf, w_min: Leaf = -1.0, w_max: Leaf = 1.0, **more: Any
) -> Device:
    """A device by its step at w = 0 and its range of weights."""
    span = w_max - w_min
    # Their on/off ratios are not published; 2 keeps G above 0 wherever their bounds may lie.
    return model(
        levels=span / dw_min + 1.0, g_ref=-w_min / span, weight_span=span, on_off=2.0, **more
    )


def _neurosim(
    pulses: Leaf,
    nl_up: Leaf,
    nl_down: Leaf,
    r_on: Leaf,
    on_off: Leaf,
    sigma_c2c: Leaf,
    up: tuple[Leaf, Leaf],
    down: tuple[Leaf, Leaf],
    pulses_down: Leaf | None = None,
) -> Device:
    """A row of MLP+NeuroSim's table; its c2c is a fraction of the range per square root of n.

    ``up`` and ``down`` are its pulses, in volts and seconds.
    """
    return SaturatingExponential(
        levels=pulses,
        levels_down=pulses if pulses_down is None else pulses_down,
        nl_up=nl_up,
        nl_down=nl_down,
        gmax=1.0 / r_on,
        on_off=on_off,
        sigma_c2c=sigma_c2c,
        c2c="pulse",
        voltage_up=up[0],
        width_up=up[1],
        voltage_down=down[0],
        width_down=down[1],
    )


_GOKMEN = "Gokmen & Vlasov, Front. Neurosci. 10:333 (2016)"
_GONG = "Gong et al., IEDM (2022)"
_ECRAM = "Tang et al., IEDM (2018)"
_NEUROSIM = "Chen, Peng & Yu, IEEE TCAD 37:3067 (2018)"

PRESETS: dict[str, Preset] = {
    "RPUBaseline": Preset(
        _rpu(
            ConstantStep,
            0.001,
            -0.6,
            0.6,
            sigma_c2c=0.3,
            sigma_d2d=0.3,
            sigma_up_down=0.01,
            sigma_bounds=0.3,
        ),
        "baseline of a resistive processing unit",
        _GOKMEN,
    ),
    "GokmenVlasov": Preset(
        _rpu(
            ConstantStep,
            0.0016,
            sigma_c2c=0.3,
            sigma_d2d=0.3,
            sigma_up_down=0.01,
            sigma_bounds=0.3,
        ),
        "resistive processing unit, range +-1",
        _GOKMEN,
    ),
    "Idealized": Preset(
        _rpu(ConstantStep, 0.0002, sigma_c2c=0.3, sigma_d2d=0.3, sigma_bounds=0.3),
        "idealised device of 10,000 symmetric steps",
        "Rasch, Gokmen & Haensch, IEEE Design & Test 37:19 (2020)",
    ),
    "ReRamES": Preset(
        _rpu(
            ExponentialStep,
            0.00135,
            up_down=0.259359,
            sigma_up_down=0.05,
            sigma_c2c=5.0,
            sigma_d2d=0.2,
            sigma_bounds=0.3,
            sigma_write=75.0,
            amplitude_up=-1.18445,
            amplitude_down=-0.081404,
            gamma_up=5.0,
            gamma_down=5.0,
            slope=-0.5,
            offset=-0.5,
        ),
        "HfO2 ReRAM, exponential steps",
        "Gong et al., Nat. Commun. 9:2102 (2018)",
    ),
    "ReRamSB": Preset(
        _rpu(
            SoftBoundsReference,
            0.002,
            -0.75,
            1.25,
            sigma_c2c=3.75,
            c2c="additive",
            sigma_d2d=0.3,
            sigma_up_down=0.01,
            sigma_bounds=0.24,
            sigma_lower_bound=0.4,
            sigma_write=56.0,
        ),
        "HfO2 ReRAM, soft bounds",
        "Gong et al., Nat. Commun. 9:2102 (2018)",
    ),
    "ReRamArrayOM": Preset(
        _rpu(
            SoftBoundsReference,
            0.0949,
            sigma_c2c=0.4158,
            c2c="additive",
            sigma_d2d=0.7829,
            d2d="lognormal",
            sigma_up_down=0.01,
            sigma_bounds=0.3499,
            sigma_lower_bound=0.5695,
            sigma_write=1.4113,
            sigma_reference=0.05 / 2,
            at_symmetry_point="yes",
        ),
        "optimised ReRAM array of about 21 states",
        _GONG,
    ),
    "ReRamArrayHfO2": Preset(
        _rpu(
            SoftBoundsReference,
            0.4622,
            sigma_c2c=0.2174,
            c2c="additive",
            sigma_d2d=0.7125,
            d2d="lognormal",
            sigma_up_down=0.01,
            sigma_bounds=0.4295,
            sigma_lower_bound=0.5990,
            sigma_write=0.5841,
            sigma_reference=0.05 / 2,
            at_symmetry_point="yes",
        ),
        "HfO2 ReRAM array of about 4 states",
        _GONG,
    ),
    "Capacitor": Preset(
        _rpu(
            LinearStep,
            0.005,
            gamma_up=0.05,
            gamma_down=0.05,
            sigma_gamma=0.01,
            c2c="additive",
            sigma_c2c=0.3,
            sigma_d2d=0.1,
            sigma_up_down=0.06,
            sigma_bounds=0.07,
            lifetime=1e6,
            sigma_lifetime=0.3,
        ),
        "capacitor cell that leaks",
        "Li et al., VLSI Technology (2018)",
    ),
    "EcRam": Preset(
        _rpu(
            LinearStep,
            0.002,
            -0.8276,
            1.1724,
            gamma_up=0.1153,
            gamma_down=0.5085,
            sigma_gamma=0.05,
            sigma_c2c=0.3,
            sigma_d2d=0.1,
            sigma_up_down=0.01,
            sigma_bounds=0.05,
        ),
        "lithium electrochemical RAM",
        _ECRAM,
    ),
    "EcRamMO": Preset(
        _rpu(
            LinearStep,
            2.8214e-4,
            -0.8286,
            1.1714,
            gamma_up=0.4152,
            gamma_down=0.7342,
            sigma_gamma=0.05,
            sigma_c2c=2.0,
            sigma_d2d=0.1,
            sigma_up_down=0.01,
            sigma_bounds=0.05,
        ),
        "metal-oxide electrochemical RAM",
        "Kim et al., IEDM (2019)",
    ),
    "PCM": Preset(
        _rpu(
            ExponentialStep,
            0.01,
            0.0,
            2.0,
            sigma_c2c=0.6,
            noise_offset=0.042 / 2,
            noise_slope=0.108,
            sigma_d2d=0.2,
            sigma_up_down=0.05,
            sigma_bounds=0.1,
            sigma_lower_bound=0.0,
            amplitude_up=-27.235,
            amplitude_down=-2.235,
            gamma_up=2.5,
            gamma_down=2.5,
            slope=-1.0,
            offset=0.0,
        ),
        "phase-change memory that only grows from Gmin; for pairs",
        "Nandakumar et al., Front. Neurosci. 14:406 (2020)",
    ),
    "Ag:a-Si": Preset(
        _neurosim(
            97,
            2.4,
            -4.88,
            1 / 38.462e-9,
            38.462 / 3.0769,
            0.035,
            (3.2, 300e-6),
            (2.8, 300e-6),
            pulses_down=100,
        ),
        "silver in amorphous silicon",
        f"Jo et al., Nano Lett. 10:1297 (2010); {_NEUROSIM}",
    ),
    "TaOx/TiO2": Preset(
        _neurosim(102, 1.85, -1.79, 5e6, 2, 0.01, (3.0, 40e-3), (3.0, 10e-3)),
        "bilayer oxide ReRAM; c2c is below 1 %",
        f"Gao et al., Nanotechnology 26:455204 (2015); {_NEUROSIM}",
    ),
    "TaOx/HfOx": Preset(
        _neurosim(128, 0.04, -0.63, 100e3, 10, 0.037, (1.6, 50e-9), (1.6, 50e-9)),
        "analog oxide ReRAM",
        f"Wu et al., VLSI Technology (2018); {_NEUROSIM}",
    ),
    "PCMO-Park2013": Preset(
        _neurosim(50, 3.68, -6.76, 23e6, 6.84, 0.01, (2.0, 1e-3), (2.0, 1e-3)),
        "Pr0.7Ca0.3MnO3; c2c is below 1 %",
        f"Park et al., IEDM (2013); {_NEUROSIM}",
    ),
    "AlOx/HfO2": Preset(
        _neurosim(40, 1.94, -0.61, 16.9e3, 4.43, 0.05, (0.9, 100e-6), (1.0, 100e-6)),
        "bilayer oxide ReRAM",
        f"Woo et al., IEEE EDL 37:994 (2016); {_NEUROSIM}",
    ),
    "GST-PCM": Preset(
        _neurosim(
            100, 0.105, 2.4, 4.71e3, 19.8, 0.015, (0.7, 6e-6), (3.0, 125e-9), pulses_down=120
        ),
        "phase-change memory by pulses of growing amplitude",
        f"Kuzum et al., Nano Lett. 12:2179 (2012); {_NEUROSIM}",
    ),
    "EpiRAM": Preset(
        _neurosim(64, 0.5, -0.5, 81e3, 50.2, 0.02, (5.0, 5e-6), (3.0, 5e-6)),
        "epitaxial SiGe dislocations",
        f"Choi et al., Nat. Mater. 17:335 (2018); {_NEUROSIM}",
    ),
    "HZO-FeFET": Preset(
        _neurosim(32, 1.75, 1.46, 559e3, 45, 0.005, (3.65, 75e-9), (2.95, 75e-9)),
        "ferroelectric transistor; c2c is below 0.5 %",
        f"Jerry et al., IEDM (2017); {_NEUROSIM}",
    ),
    "PCMO-Babu2018": Preset(
        ConstantStep(levels=26, on_off=1.8),
        "Pr0.7Ca0.3MnO3, linear; its programming variability is not published: set sigma_c2c",
        "Babu, Lashkare, Ganguly & Rajendran, Neurocomputing 321:227 (2018)",
    ),
}
"""Every published device by name."""
