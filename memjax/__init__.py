"""memjax: neural networks trained in situ on memristive devices, thousands of variants at once."""

import importlib

from memjax import cells, devices, nn, pulses, random, updates
from memjax.errors import DataError, SpecError, UserError
from memjax.updates import (
    DevicesWarning,
    OnDevicesState,
    PulsedUpdateState,
    agad,
    chopped_tiki_taka,
    coincidence_sgd,
    conductances,
    in_situ,
    manhattan,
    memristive_sgd,
    mixed_precision,
    pulsed_update,
    read,
    readout,
    rprop,
    tiki_taka,
    tiki_taka_v2,
)

__version__ = "0.1.0"

__all__ = [
    "DataError",
    "DevicesWarning",
    "OnDevicesState",
    "PulsedUpdateState",
    "SpecError",
    "UserError",
    "agad",
    "bitstreams",
    "boltzmann",
    "cells",
    "chopped_tiki_taka",
    "coincidence_sgd",
    "conductances",
    "crossbar",
    "data",
    "devices",
    "fit",
    "fitting",
    "in_situ",
    "manhattan",
    "memristive_sgd",
    "mixed_precision",
    "nn",
    "pulsed_update",
    "pulses",
    "random",
    "read",
    "readout",
    "rprop",
    "spiking",
    "sweep",
    "tiki_taka",
    "tiki_taka_v2",
    "updates",
]


_ROOMS = ("bitstreams", "boltzmann", "crossbar", "data", "fitting", "spiking", "sweep")
"""Imported when they are first asked for."""


def __getattr__(name: str):
    # SciPy, xarray, Zarr and plotting are for a few, and so are arrays, spikes and bitstreams.
    if name in _ROOMS:
        return importlib.import_module(f"memjax.{name}")
    if name == "fit":
        return importlib.import_module("memjax.fitting").fit
    raise AttributeError(f"module 'memjax' has no attribute {name!r}")
