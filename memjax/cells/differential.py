"""Differential pair: two devices that move in opposite directions."""

from jaxtyping import Array

from memjax import random
from memjax.cells.base import Cell, CellState, Count
from memjax.cells.several import program, pulse_all
from memjax.devices import Device
from memjax.fusion import materialize
from memjax.pytree import params


@params
class DifferentialPair(Cell):
    """``w = R (g+ - g-)``, each pulse potentiating one device and depressing the other.

    Gmin cancels in the difference. One pulse moves both devices, so its mean size is that of the
    reference cell, ``2 R mean_step``, with two independent noises. Two arrays a weight are
    state.

    Source: Ernoult, Grollier & Querlioz, Sci. Rep. 9:1851 (2019).
    """

    def init(self, device: Device, stream: random.Stream, weight: Array) -> tuple[CellState, Array]:
        """Programs ``g+- = 1/2 +- w / (2 R)``, within each device's bounds."""
        state = program(device, stream, self._balanced(weight))
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
        """``n`` pulses up on g+ and as many down on g-."""
        del count
        n = materialize(n)
        state = pulse_all(device, state, [n, -n], stream, exact_noise=exact_noise)
        return state, self.readout(device, state, weight)

    def shares(self, n: Array) -> tuple[Array, ...]:
        """As many down on g- as up on g+."""
        return n, -n

    def readout(self, device: Device, state: CellState, weight: Array) -> Array:
        """``R (g+ - g-)``."""
        del device, weight
        return (state.conductances[0] - state.conductances[1]) * self.weight_range

    def read_variance(self, device: Device, weight: Array) -> Array:
        """``(R sigma_read)^2 sum over both of (g + 1 / (on_off - 1))^2``, for a balanced pair.

        A layer sees the weight only, so it takes ``g+- = 1/2 +- w / (2 R)``. Pairs drift from that
        balance where up and down steps differ or devices are stuck; where depression is steeper, as
        in NeuroSim's Ag:a-Si, both conductances settle lower and the true variance is smaller.
        """
        sigma = 0.0 if device.sigma_read is None else device.sigma_read
        seen = (g + device.g_offset for g in self._balanced(weight))
        return (self.weight_range * sigma) ** 2 * sum(g * g for g in seen)

    def _balanced(self, weight: Array) -> tuple[Array, Array]:
        half = weight * (0.5 / self.weight_range)
        return 0.5 + half, 0.5 - half
