"""Layers whose backward pass delivers pulse counts, and how weights are read."""

from typing import Any

from memjax.nn.pulsed_dense import pulsed_dense, read_noise
from memjax.nn.read import read
from memjax.nn.reads import Reads

__all__ = ["PulsedDense", "PulsedLinear", "Reads", "Setting", "pulsed_dense", "read", "read_noise"]


def __getattr__(name: str) -> Any:
    # Flax takes most of a second to import, and sweeps do without it.
    if name in ("PulsedLinear", "Setting"):
        from memjax.nn import pulsed_linear

        return getattr(pulsed_linear, name)
    if name == "PulsedDense":
        from memjax.nn.linen import PulsedDense

        return PulsedDense
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
