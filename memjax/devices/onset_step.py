"""Onset step: the step recovers over the pulses that follow a reversal of direction."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax import random
from memjax.devices.fit_hints import FitHints
from memjax.devices.stepped import SteppedDevice
from memjax.pytree import Leaf, param, params


class OnsetArray(NamedTuple):
    """Fabricated onset-step devices.

    Attributes:
      up, down: own steps in conductance units.
      memory: which way the last pulses went, from -1 (all down) to 1 (all up).
      g_min, g_max: the own bounds.
    """

    up: Float[Array, "..."]
    down: Float[Array, "..."]
    memory: Float[Array, "..."]
    g_min: Float[Array, "..."]
    g_max: Float[Array, "..."]


@params
class OnsetStep(SteppedDevice):
    """Exponential steps that begin small after a reversal and grow over the next pulses.

    With ``z`` the memory of the last pulses, one up adds ``dg0 up e^(slope_up (g - g_ref)) (1 -
    onset_up (1 - z) / 2)`` and then moves ``z`` towards 1, ``z <- 1 + (z - 1) e^(-1 / memory_up)``;
    one down takes the mirror image, ``e^(slope_down (g_ref - g))`` and ``(1 + z) / 2``, and moves
    ``z`` towards -1. A fresh device has ``z = 0``.

    Example:
      >>> from memjax.devices import OnsetStep, pulse_response
      >>> device = OnsetStep(levels=11, onset_up=0.5, memory_up=1)
      >>> [round(float(g), 4) for g in pulse_response(device, 3, 0)]
      [0.0, 0.075, 0.1658, 0.2624]

    Source: found in the public pulse data of Sandia's CrossSim 2.0 (2022); see docs/fitting.md.
    """

    slope_up: Leaf = param(default=0.0, doc="growth of potentiation's step with g")
    slope_down: Leaf = param(default=0.0, doc="fall of depression's step with g")
    onset_up: Leaf = param(
        default=0.0, doc="part of the step missing after depression", at_least=0, at_most=1
    )
    onset_down: Leaf = param(
        default=0.0, doc="part of the step missing after potentiation", at_least=0, at_most=1
    )
    memory_up: Leaf = param(default=10.0, doc="potentiation's recovery", unit="pulses", more_than=0)
    memory_down: Leaf = param(default=10.0, doc="depression's recovery", unit="pulses", more_than=0)

    @classmethod
    def fit_hints(cls) -> FitHints:
        """Ramps show a reversal's onset once, at their start."""
        caveat = "pulses that turn after a few are an extrapolation from ramps that do not"
        return FitHints(caveat=caveat)

    @property
    def mean_step(self) -> Any:
        """The step at ``g_ref`` while pulses alternate, so that ``z`` is about 0."""
        return self.nominal_step * (1.0 - 0.25 * (self.onset_up + self.onset_down))

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> OnsetArray:
        """Fresh devices, their steps in conductance units."""
        spread = self.spread(stream, shape)
        up, down = spread.up * self.nominal_step, spread.down * self.nominal_step
        return OnsetArray(up, down, jnp.zeros(shape), spread.g_min, spread.g_max)

    def pulse(self, array: OnsetArray, g: Array, up: Array) -> Array:
        """The exponential step, less what the memory of the other direction takes."""
        behind = 0.5 * jnp.where(up, 1.0 - array.memory, 1.0 + array.memory)
        missing = jnp.where(up, self.onset_up, self.onset_down) * behind
        away = jnp.where(up, self.slope_up * (g - self.g_ref), self.slope_down * (self.g_ref - g))
        return jnp.where(up, array.up, -array.down) * jnp.exp(away) * (1.0 - missing)

    def additive_sd(self, array: OnsetArray, g: Array, n: Array) -> Array:
        """The noise of whole steps, whatever the memory takes of them."""
        return jnp.where(n > 0, array.up, array.down) * jnp.sqrt(jnp.abs(n)) * self.sigma_c2c

    def update_memory(self, array: OnsetArray, g: Array, n: Array) -> OnsetArray:
        """The memory after n pulses of one direction."""
        del g
        kept = jnp.exp(-jnp.abs(n) / jnp.where(n > 0, self.memory_up, self.memory_down))
        moved = jnp.sign(n) + (array.memory - jnp.sign(n)) * kept
        return array._replace(memory=jnp.where(n != 0, moved, array.memory))

    def reset_memory(self, array: OnsetArray, where: Array) -> OnsetArray:
        """A RESET is the longest train down."""
        return array._replace(memory=jnp.where(where, -1.0, array.memory))
