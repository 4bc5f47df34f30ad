"""Pair of devices that are only potentiated, refreshed before they saturate."""

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.cells.base import CellState, Count
from memjax.cells.differential import DifferentialPair
from memjax.cells.several import pick, program, pulse_one
from memjax.devices import Device
from memjax.fusion import materialize
from memjax.pytree import Leaf, param, params


@params
class RefreshPair(DifferentialPair):
    """``w = R (g+ - g-)``; a pulse up potentiates g+, a pulse down g-, and nothing is depressed.

    Both conductances only grow, so pairs are refreshed: read, both devices RESET to their own Gmin,
    and the difference that was read re-programmed on one of them, with the noise of its pulses. Of
    the pairs, those are due at every ``refresh_every``-th update in which the larger conductance
    exceeds ``refresh_above`` and the smaller ``refresh_below``, both fractions of the range (all,
    where those are ``None``). A pair that is due takes the update's own pulses together with those
    that re-programme it. On saturation: ``refresh_every=1, refresh_above=0.9``.

    The number of pulses is the one that leads nearest in the mean, as a write with verification
    finds it on each device: at most half a step off, and the noise. What one device cannot hold is
    lost, and where steps vanish at a bound, the last of the way to it.

    One pulse moves one device, ``R mean_step``. Two arrays a weight are state.

    Example:
      >>> from memjax.cells import RefreshPair
      >>> from memjax.devices import ConstantStep
      >>> RefreshPair(weight_range=1.0).pulse_size(ConstantStep(levels=26))
      0.04

    Source: Burr et al., IEEE TED 62:3498 (2015); thresholds as in aihwkit's one-sided cell.
    """

    refreshes: ClassVar[bool] = True

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

    def is_static(self, device: Device) -> bool:
        """Never: a refresh comes by the count of updates."""
        del device
        return False

    def init(self, device: Device, stream: random.Stream, weight: Array) -> tuple[CellState, Array]:
        """Programs ``|w| / R`` on one device of each pair; the other is at Gmin."""
        sides = (weight / self.weight_range, -weight / self.weight_range)
        state = program(device, stream, [jnp.maximum(side, 0.0) for side in sides])
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
        """``|n|`` pulses on the device of n's sign, and those that re-programme pairs due."""
        now = _is_time(jnp.asarray(count, jnp.int32) + 1, self.refresh_every)

        due = self._are_due(now, state)
        wanted = self._read(device, state, stream, exact_noise=exact_noise)
        state = _reset(device, state, due)
        missing = jnp.where(due, wanted - (state.conductances[0] - state.conductances[1]), 0.0)
        array, g = pick((missing < 0).astype(jnp.int32), state)
        n = materialize(n + jnp.sign(missing) * device.pulses_to_raise(array, g, jnp.abs(missing)))
        chosen = (n < 0).astype(jnp.int32)
        state = pulse_one(device, state, chosen, jnp.abs(n), stream, exact_noise=exact_noise)
        return state, self.readout(device, state, weight)

    def read_variance(self, device: Device, weight: Array) -> Array:
        """``(R sigma_read)^2 sum over both of (g + 1 / (on_off - 1))^2``, of a pair just refreshed.

        A layer sees the weight only, so it takes ``|w| / R`` on one device and Gmin on the other,
        as a refresh leaves them; between refreshes both grow, and the true variance is larger.
        """
        sigma = 0.0 if device.sigma_read is None else device.sigma_read
        high = jnp.abs(weight) / self.weight_range + device.g_offset
        return (self.weight_range * sigma) ** 2 * (high**2 + device.g_offset**2)

    def shares(self, n: Array) -> tuple[Array, ...]:
        """Up on g+ or up on g-; what a refresh adds is not counted."""
        return jnp.maximum(n, 0.0), jnp.maximum(-n, 0.0)

    def _are_due(self, now: Array, state: CellState) -> Array:
        """Which pairs are refreshed, at an update that refreshes."""
        plus, minus = state.conductances
        due = jnp.broadcast_to(now, plus.shape)
        if self.refresh_above is not None:
            due &= jnp.maximum(plus, minus) > self.refresh_above
        if self.refresh_below is not None:
            due &= jnp.minimum(plus, minus) > self.refresh_below
        return due

    def _read(
        self, device: Device, state: CellState, stream: random.Stream, *, exact_noise: bool
    ) -> Array:
        """``g+ - g-``, with the noise of reading both."""
        plus, minus = state.conductances
        difference = plus - minus
        if device.sigma_read is None:
            return difference
        xi = random.normal(random.fold_in(stream, 2**20), difference.shape, exact=exact_noise)
        seen = jnp.hypot(plus + device.g_offset, minus + device.g_offset)
        return difference + device.sigma_read * seen * xi


def _is_time(number: Array, every: Any) -> Array:
    """Whether an update, counted from 1, is the first at or after a multiple of ``every``.

    A whole ``every`` is counted in integers, which know every update; floats count to 2^24.
    """
    rounded = jnp.minimum(jnp.round(every), 2.0**30).astype(jnp.int32)
    in_floats = number.astype(jnp.float32) % every < 1.0  # the remainder of floats is exact
    return jnp.where(rounded.astype(jnp.float32) == every, number % rounded == 0, in_floats)


def _reset(device: Device, state: CellState, where: Array) -> CellState:
    """Both devices of some pairs at Gmin."""
    both = zip(state.devices, state.conductances, strict=True)
    reset = [device.reset(array, g, where) for array, g in both]
    return CellState(*zip(*reset, strict=True))
