"""memjax: neural networks trained in situ on memristive devices, thousands of variants at once."""

from memjax import cells, devices, nn, pulses, random, updates
from memjax.errors import DataError, SpecError, UserError
from memjax.updates import (
    PulsedUpdateState,
    agad,
    chopped_tiki_taka,
    coincidence_sgd,
    in_situ,
    manhattan,
    memristive_sgd,
    mixed_precision,
    pulsed_update,
    readout,
    rprop,
    tiki_taka,
    tiki_taka_v2,
)

__version__ = "0.1.0"

__all__ = [
    "DataError",
    "PulsedUpdateState",
    "SpecError",
    "UserError",
    "agad",
    "cells",
    "chopped_tiki_taka",
    "coincidence_sgd",
    "data",
    "devices",
    "in_situ",
    "manhattan",
    "memristive_sgd",
    "mixed_precision",
    "nn",
    "pulsed_update",
    "pulses",
    "random",
    "readout",
    "rprop",
    "sweep",
    "tiki_taka",
    "tiki_taka_v2",
    "updates",
]


def __getattr__(name: str):
    if name in ("data", "sweep"):  # xarray, Zarr and plotting are for those who sweep
        import importlib

        return importlib.import_module(f"memjax.{name}")
    raise AttributeError(f"module 'memjax' has no attribute {name!r}")
