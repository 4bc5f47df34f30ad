"""Layers whose backward pass delivers pulse counts."""

from memjax.nn.pulsed_dense import pulsed_dense, read_noise

__all__ = ["PulsedLinear", "pulsed_dense", "read_noise"]


def __getattr__(name: str):
    if name == "PulsedLinear":  # Flax takes most of a second to import
        from memjax.nn.pulsed_linear import PulsedLinear

        return PulsedLinear
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
