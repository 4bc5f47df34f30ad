"""What a response model defines: its parameters, its fabrication, its answer to pulses."""

import dataclasses
from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.devices import c2c, population
from memjax.devices.c2c import CycleToCycle
from memjax.devices.effects import Effects
from memjax.devices.fit_hints import FitHints
from memjax.devices.population import Spread, SpreadParameters
from memjax.devices.pulse import Programming
from memjax.pytree import params


@params
class ResponseModel(Programming, Effects, SpreadParameters, CycleToCycle):
    """The hooks of a model, and what follows from them; ``Device`` is one under pulses.

    A model defines ``fabricate`` and ``response``. One whose pulses leave something behind besides
    the conductance also defines ``update_memory`` and ``reset_memory``; one with noise that is not
    normal, ``change``.
    """

    integer_pulses_only: ClassVar[bool] = False
    """Whether the model knows whole pulses only, none of a fraction of their width."""
    step_vanishes_at_bounds: ClassVar[bool] = False
    """Whether the step vanishes at the bounds, so that a fit has to find them beyond the data."""

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Any:
        """An array of devices: whatever ``response`` needs, computed once.

        Args:
          stream: random stream of this array.
          shape: its shape (static).

        Returns:
          A NamedTuple that has ``g_min`` and ``g_max``; each entry is a scalar or of ``shape``.
        """
        raise NotImplementedError(f"{type(self).__name__} must define fabricate")

    def response(self, array: Any, g: Array, n: Array) -> tuple[Array, Array]:
        """Mean and c2c standard deviation of the change that ``n`` signed pulses make.

        Args:
          array: what ``fabricate`` returned.
          g: normalised conductances.
          n: signed pulse counts of the same shape, up positive.
        """
        raise NotImplementedError(f"{type(self).__name__} must define response")

    def update_memory(self, array: Any, g: Array, n: Array) -> Any:
        """The devices after ``n`` pulses, but for their conductance: here, as they were.

        Args:
          array: what ``fabricate`` returned.
          g: normalised conductances before the pulses.
          n: signed pulse counts.
        """
        del g, n
        return array

    def reset_memory(self, array: Any, where: Array) -> Any:
        """The devices after a RESET to Gmin, but for their conductance: here, as they were.

        Args:
          array: what ``fabricate`` returned.
          where: which devices are reset.
        """
        del where
        return array

    def change(self, array: Any, g: Array, n: Array, noise: Array) -> Array:
        """What ``n`` identical pulses would change with no bounds: ``mean(g, n) + sd(g, n) xi``.

        Args:
          array: what ``fabricate`` returned.
          g: normalised conductances.
          n: signed pulse counts, up positive.
          noise: standard normal numbers, all of the same shape.
        """
        mean, sd = self.mean_and_sd(array, g, n)
        return mean + sd * noise

    def mean_and_sd(self, array: Any, g: Array, n: Array) -> tuple[Array, Array]:
        """Mean change of a write and its standard deviation, by ``c2c`` and ``sigma_g``.

        Args:
          array: what ``fabricate`` returned.
          g: normalised conductances.
          n: signed pulse counts, up positive.
        """
        mean, sd = self.response(array, g, n)
        if self.c2c == "additive":
            sd = self.additive_sd(array, g, n)
        return mean, c2c.standard_deviation(self, mean, sd, g, n)

    def additive_sd(self, array: Any, g: Array, n: Array) -> Array:
        """The c2c sd of ``n`` pulses that all have the noise of a step at ``g_ref`` (w = 0).

        Args:
          array: what ``fabricate`` returned.
          g: normalised conductances.
          n: signed pulse counts, up positive.
        """
        at_zero = jnp.full_like(g, 1.0) * self.g_ref
        step, _ = self.response(array, at_zero, jnp.sign(n))
        return jnp.abs(step) * jnp.sqrt(jnp.abs(n)) * self.sigma_c2c

    def spread(self, stream: random.Stream, shape: tuple[int, ...]) -> Spread:
        """The device-to-device spread of an array of devices (``memjax.devices.population``).

        Args:
          stream: random stream of this array.
          shape: its shape (static).
        """
        return population.spread(self, stream, shape)

    @property
    def mean_step(self) -> Any:
        """The mean step at ``g_ref``, up and down: what a training takes one pulse to be."""
        return self.nominal_step

    @property
    def has_memory(self) -> bool:
        """Whether pulses leave anything behind besides the conductance."""
        return self.has_effects or self.remembers_pulses()

    @classmethod
    def remembers_pulses(cls) -> bool:
        """Whether the model's own response depends on the pulses before."""
        return cls.update_memory is not ResponseModel.update_memory

    @classmethod
    def fitted(cls) -> tuple[str, ...]:
        """The parameters that a fit to measured ramps estimates: step sizes and the model's own."""
        common = {field.name for field in dataclasses.fields(ResponseModel)}
        own = (
            field.name
            for field in dataclasses.fields(cls)
            if field.name not in common
            and field.default is not None
            and not field.metadata.get("static")
            and not field.name.startswith("sigma_")
        )
        return ("levels", "up_down", *own)

    @classmethod
    def fit_hints(cls) -> FitHints:
        """Where a fit begins, where it searches, and whether the model is tried unasked."""
        return FitHints()
