"""One model for each way of computing a train: what costs much to compile is tested on these."""

import contextlib
import dataclasses
import functools
from unittest import mock

import jax

from memjax.devices import MODELS, population
from memjax.devices.base import Device

FAMILIES = (
    "ConstantStep",  # a sum
    "SoftBounds",  # a contraction
    "PowerStep",  # pulse by pulse
    "SymmetricStep",  # a translation
    "PhaseChange",  # with a memory, and in siemens
    "JumpTable",  # from a table
)
"""Each model of ``MODELS`` computes as one of these does; what is its own has its own tests."""
assert set(FAMILIES) <= MODELS.keys()

FAST = {"xla_backend_optimization_level": 0}
"""What compiles fast: for what runs a few times, on little data."""

_SPREAD = jax.jit(population.spread, static_argnums=2, compiler_options=FAST)


def spread(device, stream, shape):
    """The spread that all models share, compiled for all of them."""
    shared = {f.name: getattr(device, f.name) for f in dataclasses.fields(Device)}
    return _SPREAD(Device(**shared), stream, shape)


@contextlib.contextmanager
def spread_compiled_once():
    """Fabrication op by op but for the spread."""
    with mock.patch.object(population, "spread", spread):
        yield


def fabricate(device, stream, shape):
    """What ``device.fabricate`` returns: the spread, and the model's own part, each compiled."""
    return _own(device, spread(device, stream, shape), stream, shape)


@functools.partial(jax.jit, static_argnums=3, compiler_options=FAST)
def _own(device, drawn, stream, shape):
    with mock.patch.object(population, "spread", lambda *args: drawn):
        return device.fabricate(stream, shape)
