"""Differential pair: two devices that move in opposite directions."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Array

from memjax import random
from memjax.cells.base import Cell, CellState, Count
from memjax.cells.several import program, pulse_all
from memjax.devices import Device
from memjax.devices.translated import TranslatedDevice
from memjax.errors import UserError
from memjax.fusion import materialize
from memjax.pytree import params, static


@params
class DifferentialPair(Cell):
    """``w = R (g+ - g-)``, each pulse potentiating one device and depressing the other.

    Gmin cancels in the difference. One pulse moves both devices, so its mean size is that of the
    reference cell, ``2 R mean_step``, with two independent noises. Two arrays a weight are
    state.

    A device whose pulses are translations on a scale of its own (``TranslatedDevice``) may be held
    as its place there, ``held = "translated"``: a pulse then needs neither exponential nor
    logarithm, which is most of what it takes. Numbers differ by rounding. Only pulses move such a
    device: it has no noise of writing.

    Source: Ernoult, Grollier & Querlioz, Sci. Rep. 9:1851 (2019).
    """

    held: str = static(
        default="conductance",
        doc="what is kept of a device: its conductance, or its place on a scale of its own",
        choices=("conductance", "translated"),
    )

    def check(self, device: Device) -> None:
        """Translated devices have a scale, and nothing but pulses moves them."""
        if self.held == "conductance":
            return
        if not isinstance(device, TranslatedDevice):
            raise UserError(
                f"DifferentialPair: held = {self.held!r} needs a device with a scale of its own, "
                f"Ernoult or SymmetricStep; leave it out with {type(device).__name__}"
            )
        noise = {"sigma_c2c": device.sigma_c2c, "sigma_g": device.sigma_g}
        noisy = [name for name, sigma in noise.items() if sigma is not None and _acts(sigma)]
        if noisy or device.has_memory:
            told = noisy[0] if noisy else "sigma_write, sigma_ramp, lifetime or diffusion"
            raise UserError(
                f"DifferentialPair: held = {self.held!r} is of pulses without noise; leave out "
                f"{told}, or held"
            )

    def init(self, device: Device, stream: random.Stream, weight: Array) -> tuple[CellState, Array]:
        """Programs ``g+- = 1/2 +- w / (2 R)``, within each device's bounds."""
        state = program(device, stream, self._balanced(weight))
        if self.held == "translated":
            state = self._each(device.hold, state)  # type: ignore[attr-defined]
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
        if self.held == "translated":
            state = self._each(device.translate, state, (n, -n))  # type: ignore[attr-defined]
        else:
            n = materialize(n)
            state = pulse_all(device, state, [n, -n], stream, exact_noise=exact_noise)
        return state, self.readout(device, state, weight)

    def shares(self, n: Array) -> tuple[Array, ...]:
        """As many down on g- as up on g+."""
        return n, -n

    def readout(self, device: Device, state: CellState, weight: Array) -> Array:
        """``R (g+ - g-)``."""
        del weight
        if self.held == "translated":
            gap = device.difference(state.devices, state.conductances)  # type: ignore[attr-defined]
            return gap * self.weight_range
        return (state.conductances[0] - state.conductances[1]) * self.weight_range

    def conductances(self, device: Device, state: CellState, weight: Array) -> tuple[Array, ...]:
        """Those of g+ and g-."""
        del weight
        if self.held == "translated":
            return self._each(device.shown, state).conductances  # type: ignore[attr-defined]
        return state.conductances

    def read_variance(self, device: Device, weight: Array) -> Array:
        """``(R sigma_read)^2 sum over both of (g + 1 / (on_off - 1))^2``, for a balanced pair.

        A layer sees the weight only, so it takes ``g+- = 1/2 +- w / (2 R)``. Pairs drift from that
        balance where up and down steps differ or devices are stuck; where depression is steeper, as
        in NeuroSim's Ag:a-Si, both conductances settle lower and the true variance is smaller.
        """
        sigma = 0.0 if device.sigma_read is None else device.sigma_read
        seen = (g + device.g_offset for g in self._balanced(weight))
        return (self.weight_range * sigma) ** 2 * sum(g * g for g in seen)

    def _each(self, function: Any, state: CellState, *more: tuple[Array, Array]) -> CellState:
        """The state with a function of each device's array and place."""
        found = map(function, state.devices, state.conductances, *more)
        return state._replace(conductances=tuple(found))

    def _balanced(self, weight: Array) -> tuple[Array, Array]:
        half = weight * (0.5 / self.weight_range)
        return 0.5 + half, 0.5 - half


def _acts(sigma: Any) -> bool:
    """Whether a size that is known is above 0."""
    return not isinstance(sigma, jax.core.Tracer) and bool(np.any(np.asarray(sigma) > 0))
