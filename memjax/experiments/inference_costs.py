"""What an inference and the writing of its arrays cost, as columns of a sweep."""

import jax.numpy as jnp
from jaxtyping import Array

from memjax.crossbar import Cost, Programmed
from memjax.experiments.base import Column, Report

COSTS = {
    "energy_nJ": Column((), "nJ", "energy of an inference"),
    "latency_us": Column((), "us", "time of an inference, layer after layer"),
    "area_mm2": Column((), "mm2", "area of arrays and circuits"),
    "layer_energy_nJ": Column(("layer", "part"), "nJ", "energy of an inference"),
    "layer_latency_us": Column(("layer",), "us", "time of an inference"),
    "layer_area_mm2": Column(("layer",), "mm2", "area of arrays and circuits"),
}
WRITING = {
    "write_tries": Column((), "trains", "trains of pulses a device"),
    "write_pulses": Column((), "pulses", "pulses of all devices"),
    "write_energy_J": Column((), "J", "energy of all pulses"),
    "unwritten": Column((), "1", "devices that never read within the tolerance"),
}
PARTS = ("cells", "dac", "adc", "digital")


def layer_costs(costs: list[Cost]) -> Report:
    """What layers cost, in the units of columns, and their sums.

    Args:
      costs: of an inference, a layer each.
    """
    parts = jnp.stack([jnp.stack([getattr(cost, part) for part in PARTS]) for cost in costs])
    layers = {
        "energy_nJ": 1e9 * parts,
        "latency_us": 1e6 * jnp.stack([cost.latency for cost in costs]),
        "area_mm2": 1e6 * jnp.stack([cost.area for cost in costs]),
    }
    found = {name: jnp.sum(value) for name, value in layers.items()}
    return found | {f"layer_{name}": value for name, value in layers.items()}


def writing_of(held: list[Programmed]) -> Report:
    """What it took to write arrays, in the units of columns.

    Args:
      held: of crossbars that were written with verification.
    """
    of = [(one.crossbar.g.size, one.writing) for one in held if one.writing is not None]
    devices = jnp.array([size for size, _ in of], jnp.float32)

    def total(name: str) -> Array:
        return jnp.sum(jnp.stack([jnp.sum(getattr(each, name)) for _, each in of]))

    def mean(name: str) -> Array:
        means = jnp.stack([jnp.mean(getattr(each, name)) for _, each in of])
        return jnp.sum(devices * means) / jnp.sum(devices)

    return {
        "write_tries": mean("tries"),
        "write_pulses": total("pulses"),
        "write_energy_J": total("energy"),
        "unwritten": mean("unwritten"),
    }
