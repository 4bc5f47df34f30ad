"""Energy, latency and area of an inference, as columns of a sweep."""

import jax.numpy as jnp

from memjax.crossbar import Cost
from memjax.experiments.base import Column, Report

COSTS = {
    "energy_nJ": Column((), "nJ", "energy of an inference"),
    "latency_us": Column((), "us", "time of an inference, layer after layer"),
    "area_mm2": Column((), "mm2", "area of arrays and circuits"),
    "layer_energy_nJ": Column(("layer", "part"), "nJ", "energy of an inference"),
    "layer_latency_us": Column(("layer",), "us", "time of an inference"),
    "layer_area_mm2": Column(("layer",), "mm2", "area of arrays and circuits"),
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
