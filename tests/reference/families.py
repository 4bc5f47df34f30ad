"""One model for each way of computing a train: what costs much to compile is tested on these."""

import contextlib
import dataclasses
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

_SPREAD = jax.jit(population.spread, static_argnums=2)


@contextlib.contextmanager
def spread_compiled_once():
    """Fabrication op by op but for the spread that all models share, compiled for all of them."""

    def spread(device, stream, shape):
        shared = {f.name: getattr(device, f.name) for f in dataclasses.fields(Device)}
        return _SPREAD(Device(**shared), stream, shape)

    with mock.patch.object(population, "spread", spread):
        yield
