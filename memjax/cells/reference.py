"""Reference cell: one device against a fixed reference."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.cells.base import Cell, CellState, Count
from memjax.devices import Device
from memjax.devices.bounds import clip_to_bounds
from memjax.pytree import params


@params
class ReferenceCell(Cell):
    """``w = 2 R (g - g_ref)``: the weight is an affine function of g, and so the only state.

    The reference is ideal: it has no spread and no noise. Where ``init`` programs with write noise,
    g is state too: the params say what was wanted, until an update says what is held.

    Example:
      >>> from memjax.cells import ReferenceCell
      >>> from memjax.devices import ConstantStep
      >>> ReferenceCell(weight_range=1.0).pulse_size(ConstantStep(levels=5))
      0.5

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016).
    """

    def init(self, device: Device, stream: random.Stream, weight: Array) -> tuple[CellState, Array]:
        """Clips each weight to what its device can hold."""
        wanted = self._conductance(device, weight)
        array, g = device.init(random.fold_in(stream, 0), wanted)
        if device.is_programmed_with_noise:
            return CellState((array,), (g,)), self._weight(device, g)
        return CellState((array,), ()), jnp.where(g == wanted, weight, self._weight(device, g))

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
        """Moves the weight by ``2 R`` times the conductance change, within the device's bounds."""
        del count
        (array,) = state.devices

        def noise(purpose: int) -> Array:
            own = random.fold_in(stream, purpose)
            return random.normal(own, weight.shape, exact=exact_noise)

        if state.conductances:
            (g,) = state.conductances
            array, change = device.advance(array, g, n, noise)
            g = clip_to_bounds(array, g + change)
            return CellState((array,), (g,)), self._weight(device, g)
        array, change = device.advance(array, self._conductance(device, weight), n, noise)
        moved = weight + 2.0 * self.weight_range * change
        return CellState((array,), ()), self._clip(device, array, moved)

    def conductances(self, device: Device, state: CellState, weight: Array) -> tuple[Array, ...]:
        """``g = g_ref + w / (2 R)``."""
        if state.conductances:
            return state.conductances
        return (self._conductance(device, weight),)

    def readout(self, device: Device, state: CellState, weight: Array) -> Array:
        """The weight, held within each device's bounds."""
        if state.conductances:
            return self._weight(device, state.conductances[0])
        return self._clip(device, state.devices[0], weight)

    def read_variance(self, device: Device, weight: Array) -> Array:
        """``(2 R sigma_read (g + 1 / (on_off - 1)))^2``."""
        sigma = 0.0 if device.sigma_read is None else device.sigma_read
        conductance = self._conductance(device, weight) + device.g_offset
        return (sigma * 2.0 * self.weight_range * conductance) ** 2

    def _conductance(self, device: Device, weight: Array) -> Array:
        return weight * (0.5 / self.weight_range) + device.g_ref

    def _weight(self, device: Device, g: Any) -> Any:
        return 2.0 * self.weight_range * (g - device.g_ref)

    def _clip(self, device: Device, array: Any, weight: Array) -> Array:
        return clip_to_bounds(array, weight, lambda g: self._weight(device, g))
