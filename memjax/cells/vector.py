"""Vector cell: several devices make one weight, which averages their spread and noise."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.cells.base import Cell, CellState, Count
from memjax.cells.several import program, pulse_all, pulse_one
from memjax.devices import Device
from memjax.fusion import materialize
from memjax.pytree import params, static

RULES = ("all", "first", "in_turn", "at_random")
"""Which devices of a cell an update's pulses go to."""


@params
class VectorCell(Cell):
    """``w = (2 R / n) sum over n devices of (g - g_ref)``: the mean of n reference cells.

    An update's pulses go to all devices; or to one, n times smaller a step: always the first, each
    in turn (the count of updates modulo n), or one at random, drawn anew for each update. The whole
    array has one counter and one draw. n arrays a weight are state.

    Example:
      >>> from memjax.cells import VectorCell
      >>> from memjax.devices import ConstantStep
      >>> VectorCell(devices=4, rule="in_turn", weight_range=1.0).pulse_size(ConstantStep(levels=5))
      0.125

    Source: Boybat et al., Nat. Commun. 9:2514 (2018).
    """

    devices: int = static(default=2, doc="n: devices a weight", at_least=1, at_most=64)
    rule: str = static(default="in_turn", doc="which of them take the pulses", choices=RULES)

    def pulse_size(self, device: Device) -> Any:
        """``2 R mean_step``, or its n-th part where one device takes the pulses."""
        share = 1 if self.rule == "all" else self.devices
        return 2.0 * self.weight_range * device.mean_step / share

    def init(self, device: Device, stream: random.Stream, weight: Array) -> tuple[CellState, Array]:
        """Programs every device to the weight, within its bounds."""
        wanted = weight * (0.5 / self.weight_range) + device.g_ref
        state = program(device, stream, [wanted] * self.devices)
        return state, self.readout(device, state, weight)

    def pulse(
        self,
        device: Device,
        state: CellState,
        weight: Array,
        n: Array,
        stream: random.Stream,
        *,
        count: Count = 0,
        exact_noise: bool = False,
    ) -> tuple[CellState, Array]:
        """``n`` pulses, by the rule."""
        n = materialize(n)
        if self.rule == "all":
            state = pulse_all(device, state, [n] * self.devices, stream, exact_noise=exact_noise)
        else:
            chosen = self._turn(stream, count)
            state = pulse_one(device, state, chosen, n, stream, exact_noise=exact_noise)
        return state, self.readout(device, state, weight)

    def shares(self, n: Array) -> tuple[Array, ...]:
        """All of them, or the n-th part where one device takes the pulses."""
        return (n if self.rule == "all" else n / self.devices,) * self.devices

    def readout(self, device: Device, state: CellState, weight: Array) -> Array:
        """The mean of the devices' own weights."""
        del weight
        total = sum(state.conductances[1:], state.conductances[0])
        return (total / self.devices - device.g_ref) * (2.0 * self.weight_range)

    def read_variance(self, device: Device, weight: Array) -> Array:
        """``(2 R sigma_read (g + 1 / (on_off - 1)))^2 / n``, for devices that are equal."""
        sigma = 0.0 if device.sigma_read is None else device.sigma_read
        g = weight * (0.5 / self.weight_range) + device.g_ref + device.g_offset
        return (sigma * 2.0 * self.weight_range * g) ** 2 / self.devices

    def _turn(self, stream: random.Stream, count: Count) -> Array:
        if self.rule == "in_turn":
            return jnp.asarray(count, jnp.int32) % self.devices
        if self.rule == "at_random":
            u = random.uniform(random.fold_in(stream, 2**20), ())
            return (u * self.devices).astype(jnp.int32)
        return jnp.int32(0)
