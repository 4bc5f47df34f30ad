"""Effects beside the answer to pulses: ramp gains, write noise, decay, diffusion.

Each is there in any response model whose parameter for it is not ``None``. A device with one of
them is fabricated as ``EffectState``: the model's own array, and beside it what the effects need.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax import random
from memjax.devices.bounds import clip_to_bounds
from memjax.devices.c2c import Noise
from memjax.devices.levels import Levels
from memjax.pytree import Leaf, param, params, static


@params
class Effects(Levels):
    """What happens to a device's conductance beside the answer to its pulses."""

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
    programming: str = static(
        default="exact",
        doc="of initial weights: exact, or noisy, with the write noise of any other write",
        choices=("exact", "noisy"),
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

    @property
    def has_effects(self) -> bool:
        """Whether any of them is there."""
        sizes = (self.sigma_write, self.sigma_ramp, self.lifetime, self.diffusion)
        return any(size is not None for size in sizes)

    @property
    def is_programmed_with_noise(self) -> bool:
        """Whether what ``init`` programs shows something else than was wanted."""
        return self.programming == "noisy" and self.sigma_write is not None

    @property
    def changes_with_time(self) -> bool:
        """Whether time alone changes a device: it decays or diffuses at every update."""
        return self.lifetime is not None or self.diffusion is not None


class EffectState(NamedTuple):
    """Fabricated devices and what their effects need to know of each.

    Attributes:
      array: what the model's ``fabricate`` returned.
      hidden: with write noise, the conductance that pulses move; what is seen has noise added.
      loss: with a lifetime, the fraction of the distance to ``g_ref`` lost in one update.
      ramp: with ramp gains, the gain of the pulses since the last reversal, its sign theirs.
    """

    array: Any
    hidden: Float[Array, "..."] | None
    loss: Float[Array, "..."] | None
    ramp: Float[Array, "..."] | None

    @property
    def g_min(self) -> Array:
        """The lower bound of what is seen: none with write noise, which may lead beyond."""
        return self.array.g_min if self.hidden is None else jnp.float32(-jnp.inf)

    @property
    def g_max(self) -> Array:
        """The upper bound of what is seen."""
        return self.array.g_max if self.hidden is None else jnp.float32(jnp.inf)


def attach(device: Effects, array: Any, stream: random.Stream, g: Array) -> Any:
    """The devices with the state of their effects, if they have any.

    Args:
      device: the parameters.
      array: what ``fabricate`` returned.
      stream: random stream of this array.
      g: the conductances that they are programmed to, within the bounds.

    Returns:
      An ``EffectState``, or ``array`` as it is.
    """
    if not device.has_effects:
        return array
    loss = None
    if device.lifetime is not None:
        lifetime = jnp.asarray(device.lifetime, jnp.float32)
        if device.sigma_lifetime is not None:
            spread = random.normal(random.fold_in(stream, 6), g.shape, exact=True)
            lifetime = lifetime * (1.0 + device.sigma_lifetime * spread)
        loss = 1.0 / jnp.maximum(lifetime, 1.0)
    hidden = None if device.sigma_write is None else g
    ramp = None if device.sigma_ramp is None else jnp.zeros_like(g)
    return EffectState(array, hidden, loss, ramp)


def model_array(array: Any) -> Any:
    """What the model's ``fabricate`` returned, of an array with effects or without.

    Args:
      array: what ``Device.init`` returned, or the last ``advance``.
    """
    return array.array if isinstance(array, EffectState) else array


def ramp_gain(device: Effects, ramp: Array, n: Array, xi: Array) -> Array:
    """``|1 + sigma_ramp xi|`` with the sign of the pulses, drawn anew where they turn.

    Args:
      device: the parameters.
      ramp: the gain before.
      n: signed pulse counts.
      xi: standard normal numbers.
    """
    sigma: Any = device.sigma_ramp
    drawn = jnp.sign(n) * jnp.abs(1.0 + xi * sigma)
    return jnp.where(n * ramp > 0, ramp, jnp.where(n != 0, drawn, ramp))


def after_an_update(device: Effects, state: EffectState, g: Array, noise: Noise) -> Array:
    """What the time of one update makes of conductances: diffusion, then decay.

    ``g' = g + diffusion xi``, then ``g_ref + (g' - g_ref)(1 - loss)``, each within the bounds.

    Args:
      device: the parameters.
      state: the devices.
      g: normalised conductances after the pulses.
      noise: its purpose 1 is the random walk's.
    """
    if device.diffusion is not None:
        g = clip_to_bounds(state.array, g + device.diffusion * noise(1))
    if state.loss is not None:
        g = g - state.loss * (g - device.g_ref)
        g = clip_to_bounds(state.array, g)
    return g


def shown(device: Effects, g: Array, noise: Noise) -> Array:
    """What a write shows of the conductance that it made: ``g + sigma_write nominal_step xi``.

    Args:
      device: the parameters.
      g: normalised conductances.
      noise: its purpose 2 is the write's.
    """
    return g + device.sigma_write * device.nominal_step * noise(2)


def reset(state: EffectState, where: Array) -> EffectState:
    """RESETs some devices: no ramp, and a write noise shows nothing until the next pulse.

    Args:
      state: the devices.
      where: which of them.
    """
    ramp = None if state.ramp is None else jnp.where(where, 0.0, state.ramp)
    hidden = state.hidden
    if hidden is not None:
        hidden = jnp.where(where, state.array.g_min, hidden)
    return state._replace(ramp=ramp, hidden=hidden)
