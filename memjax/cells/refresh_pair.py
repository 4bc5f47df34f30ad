"""Pair of devices that are only potentiated, refreshed before they saturate."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.cells.base import CellState, Count
from memjax.cells.differential import DifferentialPair
from memjax.cells.several import pick, pulse_one
from memjax.devices import Device
from memjax.devices.keeping import Kept
from memjax.pytree import Leaf, param, params


@params
class RefreshPair(DifferentialPair):
    """``w = R (g+ - g-)``; a pulse up potentiates g+, a pulse down g-, and nothing is depressed.

    Both conductances only grow, so pairs are refreshed: read, both devices RESET to Gmin, and the
    difference re-programmed on the larger, with the noise of its pulses. Of the pairs, those are
    due at every ``refresh_every``-th update in which the larger conductance exceeds
    ``refresh_above`` and the smaller ``refresh_below``, both fractions of the range (all, where
    those are ``None``). A pair that is due takes the update's own pulses together with those that
    re-programme it. On saturation: ``refresh_every=1, refresh_above=0.9``.

    The number of pulses that re-programme a difference d is ``round(integral of dg / step(g) from
    Gmin to Gmin + d)``, of the device's own mean step, as a write with verification finds it: at
    most half a step off, and the noise.

    One pulse moves one device, ``R nominal_step``. Two arrays a weight are state.

    Example:
      >>> from memjax.cells import RefreshPair
      >>> from memjax.devices import ConstantStep
      >>> RefreshPair(weight_range=1.0).pulse_size(ConstantStep(levels=26))
      0.04

    Source: Burr et al., IEEE TED 62:3498 (2015); thresholds as in aihwkit's one-sided cell.
    """

    refresh_every: Leaf = param(
        default=100.0, doc="R: refresh at every R-th update", unit="updates", at_least=1
    )
    refresh_above: Leaf | None = param(
        default=None,
        doc="only where the larger conductance exceeds this",
        unit="fraction of the range",
        more_than=0,
        less_than=1,
    )
    refresh_below: Leaf | None = param(
        default=None,
        doc="only where the smaller conductance exceeds this too",
        unit="fraction of the range",
        more_than=0,
        less_than=1,
    )

    def pulse_size(self, device: Device) -> Any:
        """One pulse's mean weight change, ``R mean_step``, in weight units."""
        return self.weight_range * device.mean_step

    def idles(self, device: Device) -> bool:
        """Never: a refresh comes by the count of updates."""
        del device
        return False

    def init(self, device: Device, stream: random.Stream, weight: Array) -> tuple[CellState, Array]:
        """Programs ``|w| / R`` on one device of each pair; the other is at Gmin."""
        sides = (weight / self.weight_range, -weight / self.weight_range)
        made = [
            device.init(random.fold_in(stream, k), jnp.maximum(side, 0.0))
            for k, side in enumerate(sides)
        ]
        state = CellState(tuple(array for array, _ in made), tuple(g for _, g in made))
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
        """``|n|`` pulses on the device of n's sign, after a RESET and with what re-programmes it."""
        due = self._is_due(state, count)
        difference = state.conductances[0] - state.conductances[1]
        if device.sigma_read is not None:
            xi = random.normal(random.fold_in(stream, 2**20), n.shape, exact=exact_noise)
            plus, minus = (g + device.g_offset for g in state.conductances)
            difference += device.sigma_read * jnp.sqrt(plus * plus + minus * minus) * xi
        both = zip(state.devices, state.conductances, strict=True)
        reset = [device.reset(array, g, due) for array, g in both]
        state = CellState(tuple(array for array, _ in reset), tuple(g for _, g in reset))
        missing = difference - (state.conductances[0] - state.conductances[1])
        array, bottom = pick((missing < 0).astype(jnp.int32), state)
        n = n + jnp.sign(missing) * _rewrite(device, array, bottom, jnp.abs(missing), due)
        chosen = (n < 0).astype(jnp.int32)
        state = pulse_one(device, state, chosen, jnp.abs(n), stream, exact_noise=exact_noise)
        return state, self.readout(device, state, weight)

    def _is_due(self, state: CellState, count: Count) -> Array:
        """Which pairs are refreshed with the update after ``count`` others."""
        done = jnp.asarray(count, jnp.float32)
        now = (done + 1.0) % self.refresh_every < 1.0  # the remainder of floats is exact
        plus, minus = state.conductances
        due = jnp.broadcast_to(now, plus.shape)
        if self.refresh_above is not None:
            due &= jnp.maximum(plus, minus) > self.refresh_above
        if self.refresh_below is not None:
            due &= jnp.minimum(plus, minus) > self.refresh_below
        return due


def _rewrite(device: Device, array: Any, g: Array, distance: Array, where: Array) -> Array:
    """Pulses that lead nearest to ``distance`` above ``g`` in the mean: a write with verification.

    Each round fires as many as the step at the place reached suggests; where they would lead more
    than half a step too far, none, and the next round at most half as many. It gives up where the
    step has all but vanished.
    """
    array = array.array if isinstance(array, Kept) else array
    target = jnp.minimum(g + distance, array.g_max)
    least = 0.01 * device.nominal_step

    def verify(carry: tuple[Any, Array, Array, Array]) -> tuple[Any, Array, Array, Array]:
        array, g, n, most = carry
        step = device.mean_change(array, g, jnp.ones_like(g))
        more = jnp.round((target - g) / jnp.maximum(step, least))
        more = jnp.where(step > least, jnp.clip(more, 0.0, most), 0.0)
        after = g + device.mean_change(array, g, more)
        fits = after - target <= 0.5 * step
        most = jnp.where(fits, jnp.where(more > 0, most, 0.0), jnp.floor(0.5 * more))
        more = jnp.where(fits, more, 0.0)
        return device.remember(array, g, more), jnp.where(fits, after, g), n + more, most

    start = array, g, jnp.zeros_like(g), jnp.where(where, jnp.round(1.0 / device.nominal_step), 0.0)
    _, _, n, _ = jax.lax.while_loop(lambda carry: jnp.any(carry[3] > 0), verify, start)
    return n
