"""Reference cell: one device against a fixed reference at mid-conductance."""

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.cells.base import Cell, CellState
from memjax.devices import Device
from memjax.pytree import params


@params
class ReferenceCell(Cell):
    """``w = R (2 g - 1)``: the weight is an affine function of g, and so the only state.

    The reference is ideal: it has no spread and no noise.

    Example:
      >>> from memjax.cells import ReferenceCell
      >>> from memjax.devices import ConstantStep
      >>> ReferenceCell(weight_range=1.0).pulse_size(ConstantStep(levels=5))
      0.5

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016).
    """

    def init(self, device: Device, stream: random.Stream, weight: Array) -> tuple[CellState, Array]:
        """Clips each weight to what its device can hold."""
        array = device.fabricate(random.fold_in(stream, 0), weight.shape)
        return CellState((array,), ()), self._clip(array, weight)

    def pulse(
        self,
        device: Device,
        state: CellState,
        weight: Array,
        n: Array,
        stream: random.Stream,
        *,
        exact_noise: bool = False,
    ) -> tuple[CellState, Array]:
        """Moves the weight by ``2 R`` times the conductance change, within the device's bounds."""
        (array,) = state.devices
        noise = random.normal(random.fold_in(stream, 0), weight.shape, exact=exact_noise)
        change = device.change(array, self._conductance(weight), n, noise)
        return state, self._clip(array, weight + 2.0 * self.weight_range * change)

    def readout(self, state: CellState, weight: Array) -> Array:
        """The weight, held within each device's bounds."""
        return self._clip(state.devices[0], weight)

    def read_variance(self, device: Device, weight: Array) -> Array:
        """``(2 R sigma_read (g + 1 / (on_off - 1)))^2``."""
        sigma = 0.0 if device.sigma_read is None else device.sigma_read
        seen = 2.0 * self.weight_range * (self._conductance(weight) + device.g_offset)
        return (sigma * seen) ** 2

    def _conductance(self, weight: Array) -> Array:
        return 0.5 + weight * (0.5 / self.weight_range)

    def _clip(self, array, weight: Array) -> Array:
        low = self.weight_range * (2.0 * array.g_min - 1.0)
        return jnp.clip(weight, low, self.weight_range * (2.0 * array.g_max - 1.0))
