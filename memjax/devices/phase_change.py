"""Phase-change memory that remembers how many pulses it took since its last RESET."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax import random
from memjax.devices.fit_hints import FitHints, MeasuredSteps
from memjax.devices.stepped import SteppedDevice
from memjax.pytree import Leaf, param, params


class PhaseChangeArray(NamedTuple):
    """Fabricated PCM devices.

    Attributes:
      up: the device's own potentiation over the nominal one.
      memory: ``P_mem``, 1 after a RESET, falling with every SET.
      g_min, g_max: its own bounds.
    """

    up: Float[Array, "..."]
    memory: Float[Array, "..."]
    g_min: Float[Array, "..."]
    g_max: Float[Array, "..."]


@params
class PhaseChange(SteppedDevice):
    """Partial SET pulses that crystallise; one RESET pulse that melts it all.

    A SET adds ``a G + b + c P_mem`` with sd ``a' G + b' + c' P_mem``, in microsiemens, and then
    ``P_mem <- P_mem exp(-1 / memory_pulses)``; a RESET leads to Gmin with sd ``sigma_reset`` and
    makes ``P_mem = 1``. The device's own gain scales a SET. ``sigma_c2c`` scales the published sd
    (1: as published). ``levels`` says how large a pulse a training takes a SET to be, 0.75
    microsiemens; the physics has no levels.

    Example:
      >>> from memjax.devices import PhaseChange, pulse_response
      >>> [round(0.1 + 11.9 * float(g), 4) for g in pulse_response(PhaseChange(), 2, 1)]
      [0.1, 2.3716, 4.0054, 0.1]

    Source: Nandakumar et al., J. Appl. Phys. 124:152135 (2018).
    """

    levels: Leaf = param(default=16.9, doc="range over the SET that training reckons", at_least=2)
    on_off: Leaf = param(default=120.0, doc="on/off ratio Gmax / Gmin", more_than=1)
    gmax: Leaf = param(default=12e-6, doc="Gmax", unit="S", more_than=0)
    sigma_c2c: Leaf = param(
        default=1.0, doc="cycle-to-cycle sd of one step", unit="published sds", at_least=0
    )
    mean_slope: Leaf = param(default=-0.084, doc="a: SET's mean, of G", at_most=0, at_least=-1)
    mean_offset: Leaf = param(default=0.880, doc="b: SET's mean", unit="µS", at_least=0)
    mean_memory: Leaf = param(default=1.40, doc="c: SET's mean, of P_mem", unit="µS", at_least=0)
    sd_slope: Leaf = param(default=0.091, doc="a': SET's sd, of G", at_least=0)
    sd_offset: Leaf = param(default=0.260, doc="b': SET's sd", unit="µS", at_least=0)
    sd_memory: Leaf = param(default=2.15, doc="c': SET's sd, of P_mem", unit="µS", at_least=0)
    memory_pulses: Leaf = param(default=2.6, doc="decay of the memory", unit="pulses", more_than=0)
    sigma_reset: Leaf = param(
        default=0.01, doc="sd of the conductance after RESET", unit="µS", at_least=0
    )

    @classmethod
    def fitted(cls) -> tuple[str, ...]:
        """The mean of a SET; the sd's line is scaled as one."""
        return ("mean_slope", "mean_offset", "mean_memory", "memory_pulses")

    @classmethod
    def fit_hints(cls) -> FitHints:
        """A SET's start, in microsiemens: 0.7 steps, and one more of the memory; not unasked."""

        def starts(steps: MeasuredSteps) -> dict[str, float]:
            return {
                "mean_offset": 0.7e6 * steps.extent * steps.up,
                "mean_memory": 1e6 * steps.extent * steps.up,
            }

        return FitHints(in_auto=False, starts=starts, resets=True)

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> PhaseChangeArray:
        """Devices after a RESET."""
        spread = self.spread(stream, shape)
        return PhaseChangeArray(spread.up, jnp.ones(shape), spread.g_min, spread.g_max)

    def pulse(self, array: PhaseChangeArray, g: Array, up: Array) -> Array:
        """A SET's mean, or all the way down."""
        grow = self._line(self.mean_slope, self.mean_offset, self.mean_memory, array, g)
        return jnp.where(up, array.up * grow, array.g_min - g)

    def pulse_sd(self, array: PhaseChangeArray, g: Array, up: Array, step: Array) -> Array:
        """The published line, whatever the step."""
        del step
        after = 0.0 if self.sigma_reset is None else self.sigma_reset
        sd = array.up * self._line(self.sd_slope, self.sd_offset, self.sd_memory, array, g)
        return jnp.where(up, sd, after / self._range) * self.sigma_c2c

    def update_memory(self, array: PhaseChangeArray, g: Array, n: Array) -> PhaseChangeArray:
        """``P_mem`` after n SETs, or after a RESET."""
        del g
        faded = array.memory * jnp.exp(-jnp.maximum(n, 0.0) / self.memory_pulses)
        return array._replace(memory=jnp.where(n < 0, 1.0, faded))

    def reset_memory(self, array: PhaseChangeArray, where: Array) -> PhaseChangeArray:
        """``P_mem = 1`` after a RESET."""
        return array._replace(memory=jnp.where(where, 1.0, array.memory))

    @property
    def _range(self) -> Any:
        """``Gmax - Gmin`` in microsiemens."""
        return 1e6 * self.gmax * (1.0 - 1.0 / self.on_off)

    def _line(self, slope: Any, offset: Any, of_memory: Any, array: Any, g: Array) -> Array:
        siemens = self._range * (g + self.g_offset)
        return (slope * siemens + offset + of_memory * array.memory) / self._range
