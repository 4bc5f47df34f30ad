"""What a device is: parameters, a fabricated population, and its answer to a train of pulses."""

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.devices import c2c, keeping, population, verified_write
from memjax.devices.population import Spread
from memjax.errors import UserError
from memjax.pytree import Leaf, param, params, static

Noise = Callable[[int], Array]
"""``noise(purpose)`` draws an array's standard normal numbers, independent for each purpose."""


@params
class Device:
    """Parameters that every response model has.

    Conductance is normalised, ``g = (G - Gmin) / (Gmax - Gmin)``, nominally in [0, 1]; the step is
    ``1 / (levels - 1)`` at ``g_ref``, where the weight is 0. Every parameter may be swept. A
    spread or noise that is ``None`` is absent and costs nothing; 0 and ``None`` mean the same
    physics. Only ``gmax`` knows of siemens, and only the edge of the package of ``gmax`` and
    ``weight_span``.

    Source of the d2d conventions: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016).
    """

    levels: Leaf = param(default=32.0, doc="number of conductance levels L", at_least=2)
    on_off: Leaf = param(default=10.0, doc="on/off ratio Gmax / Gmin", more_than=1)
    g_ref: Leaf = param(
        default=0.5,
        doc="normalised conductance of the reference, at which the weight is 0",
        at_least=0,
        at_most=1,
    )
    up_down: Leaf = param(
        default=0.0,
        doc="up/down imbalance: that fraction of a step off depression (> 0) or potentiation (< 0)",
        at_least=-1,
        at_most=1,
    )
    sigma_c2c: Leaf = param(
        default=0.0, doc="cycle-to-cycle sd of one step", unit="mean steps", at_least=0
    )
    c2c: str = static(
        default="step", doc="what sigma_c2c is in proportion to", choices=c2c.CONVENTIONS
    )
    sigma_g: Leaf | None = param(
        default=None,
        doc="sd of one pulse in proportion to the conductance",
        unit="fraction of G",
        at_least=0,
    )
    sigma_read: Leaf | None = param(
        default=None,
        doc="sd of one read in proportion to the conductance",
        unit="fraction of G",
        at_least=0,
    )
    sigma_d2d: Leaf | None = param(
        default=None, doc="device-to-device sd of the mean step", unit="relative", at_least=0
    )
    d2d: str = static(
        default="normal", doc="law of the mean step over devices", choices=population.LAWS
    )
    sigma_up_down: Leaf | None = param(
        default=None,
        doc="device-to-device sd of the up/down imbalance",
        unit="fraction of a step",
        at_least=0,
    )
    sigma_bounds: Leaf | None = param(
        default=None,
        doc="device-to-device sd of each bound's distance from g_ref",
        unit="relative",
        at_least=0,
    )
    sigma_lower_bound: Leaf | None = param(
        default=None,
        doc="the same for the lower bound alone, where it differs",
        unit="relative",
        at_least=0,
    )
    stuck: Leaf | None = param(
        default=None, doc="fraction of devices stuck at a random conductance", at_least=0, at_most=1
    )
    sigma_ramp: Leaf | None = param(
        default=None,
        doc="cycle-to-cycle sd of the step of a whole ramp, drawn anew at each reversal",
        unit="relative",
        at_least=0,
    )
    sigma_write: Leaf | None = param(
        default=None,
        doc="sd of what a write shows about the conductance that it made",
        unit="mean steps",
        at_least=0,
    )
    lifetime: Leaf | None = param(
        default=None, doc="decay towards g_ref: its time constant", unit="updates", at_least=1
    )
    sigma_lifetime: Leaf | None = param(
        default=None, doc="device-to-device sd of the lifetime", unit="relative", at_least=0
    )
    diffusion: Leaf | None = param(
        default=None, doc="random walk: its sd an update", unit="fraction of the range", at_least=0
    )
    gmax: Leaf | None = param(default=None, doc="Gmax", unit="S", more_than=0)
    voltage_up: Leaf | None = param(
        default=None, doc="amplitude of a potentiation pulse", unit="V", more_than=0
    )
    voltage_down: Leaf | None = param(
        default=None, doc="amplitude of a depression pulse", unit="V", more_than=0
    )
    width_up: Leaf | None = param(
        default=None, doc="width of a potentiation pulse", unit="s", more_than=0
    )
    width_down: Leaf | None = param(
        default=None, doc="width of a depression pulse", unit="s", more_than=0
    )
    weight_span: Leaf = param(
        default=2.0,
        doc="the model's own weights from Gmin to Gmax, for pulse responses",
        unit="weight units",
        more_than=0,
    )

    pulses_to_bound: ClassVar[bool] = False
    """Whether ``levels`` counts the pulses from bound to bound, instead of conductances."""
    whole_pulses: ClassVar[bool] = False
    """Whether the model knows whole pulses only, none of a fraction of their width."""
    vanishes: ClassVar[bool] = False
    """Whether the step vanishes at the bounds, so that a fit has to find them beyond the data."""

    @classmethod
    def fitted(cls) -> tuple[str, ...]:
        """The parameters that a fit to measured ramps estimates: step sizes and the model's own."""
        common = {field.name for field in dataclasses.fields(Device)}
        own = (
            field.name
            for field in dataclasses.fields(cls)
            if field.name not in common
            and field.default is not None
            and not field.metadata.get("static")
            and not field.name.startswith("sigma_")
        )
        return ("levels", "up_down", *own)

    @property
    def nominal_step(self) -> Any:
        """The mean step in normalised conductance: ``1 / (L - 1)``, or ``1 / L`` of L pulses."""
        return 1.0 / self.levels if self.pulses_to_bound else 1.0 / (self.levels - 1.0)

    @property
    def mean_step(self) -> Any:
        """The mean step at ``g_ref``, up and down: what a training takes one pulse to be."""
        return self.nominal_step

    @property
    def ages(self) -> bool:
        """Whether time alone changes a device: it decays or diffuses at every update."""
        return self.lifetime is not None or self.diffusion is not None

    @property
    def remembers(self) -> bool:
        """Whether pulses leave anything behind besides the conductance."""
        return keeping.is_needed(self) or type(self).remember is not Device.remember

    @property
    def g_offset(self) -> Any:
        """``Gmin / (Gmax - Gmin) = 1 / (on_off - 1)``: what a read sees below ``g = 0``."""
        return 1.0 / (self.on_off - 1.0)

    def siemens(self, g: Any) -> Any:
        """The conductance ``Gmax (1 / on_off + g (1 - 1 / on_off))`` in siemens.

        Raises:
          UserError: the device's ``gmax`` is not known.
        """
        if self.gmax is None:
            raise UserError(f"{type(self).__name__}: gmax is not known; set it, in siemens")
        return self.gmax * (1.0 / self.on_off + g * (1.0 - 1.0 / self.on_off))

    def weights(self, g: Any) -> Any:
        """The model's own weights, ``weight_span (g - g_ref)``."""
        return self.weight_span * (g - self.g_ref)

    def spread(self, stream: random.Stream, shape: tuple[int, ...]) -> Spread:
        """The device-to-device spread of an array of devices (``memjax.devices.population``)."""
        return population.spread(self, stream, shape)

    def init(self, stream: random.Stream, g: Array) -> tuple[Any, Array]:
        """Fabricates devices and programs them to ``g`` as nearly as their bounds allow.

        Args:
          stream: random stream of this array.
          g: wanted normalised conductances.

        Returns:
          The array of devices, which has ``g_min`` and ``g_max``, and their conductances.
        """
        array = self.fabricate(stream, g.shape)
        g = jnp.clip(g, array.g_min, array.g_max)
        return (keeping.keep(self, array, stream, g) if keeping.is_needed(self) else array), g

    def advance(self, array: Any, g: Array, n: Array, noise: Noise) -> tuple[Any, Array]:
        """One update: ``n`` pulses, what they leave behind, and what time does.

        Args:
          array: what ``init`` returned, or the last ``advance``.
          g: normalised conductances, as they are seen.
          n: signed pulse counts of the same shape, up positive.
          noise: draws the write noise (purpose 0) and whatever else the device's parts need.

        Returns:
          The array of devices afterwards, and the change of their conductances before the array's
          bounds clip them.
        """
        if isinstance(array, keeping.Kept):
            return keeping.advance(self, array, g, n, noise)
        return self.remember(array, g, n), self.change(array, g, n, noise(0))

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

    def pulses_up(self, array: Any, g: Array, distance: Array) -> Array:
        """Whole pulses that raise the mean conductance by ``distance``, as nearly as they can.

        What a write with verification finds (``memjax.devices.verified_write``); a model whose law
        can be inverted says so itself.

        Args:
          array: what ``init`` returned, or the last ``advance``.
          g: normalised conductances.
          distance: how far up, at least 0.
        """
        return self.count_up(keeping.own(array), g, distance)

    def count_up(self, array: Any, g: Array, distance: Array) -> Array:
        """The same of what ``fabricate`` returned: by trial, where the model knows no better."""
        return verified_write.pulses_up(self, array, g, distance)

    def remember(self, array: Any, g: Array, n: Array) -> Any:
        """What ``n`` pulses leave in the devices besides their conductance: here, nothing.

        Args:
          array: what ``fabricate`` returned.
          g: normalised conductances before the pulses.
          n: signed pulse counts.
        """
        del g, n
        return array

    def forget(self, array: Any, where: Array) -> Any:
        """What a RESET to Gmin makes of what pulses left in the devices ``where`` it is: nothing.

        Args:
          array: what ``fabricate`` returned.
          where: which devices are reset.
        """
        del where
        return array

    def reset(self, array: Any, g: Array, where: Array) -> tuple[Any, Array]:
        """RESETs some devices to their lower bound, as if they had just been fabricated.

        Args:
          array: what ``init`` returned, or the last ``advance``.
          g: normalised conductances.
          where: which devices to reset.

        Returns:
          The array of devices afterwards and their conductances.
        """
        if isinstance(array, keeping.Kept):
            return keeping.reset(self, array, g, where)
        return self.forget(array, where), jnp.where(where, array.g_min, g)

    def additive_sd(self, array: Any, g: Array, n: Array) -> Array:
        """The c2c sd of ``n`` pulses that all have the noise of a step at ``g_ref`` (w = 0)."""
        at_zero = jnp.full_like(g, 1.0) * self.g_ref
        step, _ = self.response(array, at_zero, jnp.sign(n))
        return jnp.abs(step) * jnp.sqrt(jnp.abs(n)) * self.sigma_c2c

    def change(self, array: Any, g: Array, n: Array, noise: Array) -> Array:
        """What ``n`` identical pulses would change with no bounds: ``mean(g, n) + sd(g, n) xi``.

        With ``sigma_g`` the variance of the noise gains ``|n| sigma_g^2 (g + 1 / (on_off - 1))^2``,
        so a small on/off ratio costs. (Every pulse counts alike, at the conductance before them.)

        Args:
          array: what ``fabricate`` returned.
          g: normalised conductances.
          n: signed pulse counts, up positive.
          noise: standard normal numbers, all of the same shape.
        """
        mean, sd = c2c.standard_deviation(self, array, g, n)
        return mean + sd * noise

    def step(self, array: Any, g: Array, n: Array, noise: Array) -> Array:
        """Conductances after ``n`` identical pulses: ``clip(g + change, g_min, g_max)``.

        Zero pulses change nothing, beyond holding a device within its bounds. Arguments are those
        of ``change``.
        """
        return jnp.clip(g + self.change(array, g, n, noise), array.g_min, array.g_max)
