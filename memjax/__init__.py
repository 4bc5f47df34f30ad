"""memjax: neural networks trained in situ on memristive devices, thousands of variants at once."""

from memjax import cells, devices, nn, pulses, random
from memjax.errors import DataError, SpecError, UserError
from memjax.updates import (
    PulsedUpdateState,
    coincidence_sgd,
    memristive_sgd,
    pulsed_update,
    readout,
)

__version__ = "0.1.0"

__all__ = [
    "DataError",
    "PulsedUpdateState",
    "SpecError",
    "UserError",
    "cells",
    "coincidence_sgd",
    "data",
    "devices",
    "memristive_sgd",
    "nn",
    "pulsed_update",
    "pulses",
    "random",
    "readout",
    "sweep",
]


def __getattr__(name: str):
    if name in ("data", "sweep"):  # xarray, Zarr and plotting are for those who sweep
        import importlib

        return importlib.import_module(f"memjax.{name}")
    raise AttributeError(f"module 'memjax' has no attribute {name!r}")
