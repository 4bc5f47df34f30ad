"""What a device does besides answering pulses: write noise, ramp gains, decay, diffusion.

Each is a part that any response model may have, by a parameter of ``Device`` that is otherwise
``None``. A device with one of them is fabricated as ``Kept``: the model's own array, and beside it
what the part remembers.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax import random

if TYPE_CHECKING:
    from memjax.devices.base import Device, Noise


class Kept(NamedTuple):
    """Fabricated devices and what their parts remember.

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


def is_needed(device: "Device") -> bool:
    """Whether the device has any of these parts."""
    parts = (device.sigma_write, device.sigma_ramp, device.lifetime, device.diffusion)
    return any(part is not None for part in parts)


def own(array: Any) -> Any:
    """What the model's ``fabricate`` returned, of an array with parts or without."""
    return array.array if isinstance(array, Kept) else array


def keep(device: "Device", array: Any, stream: random.Stream, g: Array) -> Kept:
    """Adds the parts to devices programmed to ``g``.

    Args:
      device: the parameters.
      array: what ``fabricate`` returned.
      stream: random stream of this array.
      g: normalised conductances within the bounds.
    """
    loss = None
    if device.lifetime is not None:
        lifetime = jnp.asarray(device.lifetime, jnp.float32)
        if device.sigma_lifetime is not None:
            spread = random.normal(random.fold_in(stream, 6), g.shape, exact=True)
            lifetime = lifetime * (1.0 + device.sigma_lifetime * spread)
        loss = 1.0 / jnp.maximum(lifetime, 1.0)
    hidden = None if device.sigma_write is None else g
    return Kept(array, hidden, loss, None if device.sigma_ramp is None else jnp.zeros_like(g))


def advance(device: "Device", kept: Kept, g: Array, n: Array, noise: "Noise") -> tuple[Kept, Array]:
    """One update: pulses, then diffusion and decay, then what the write shows.

    ``h' = clip(h + gain mean + noise)``, ``gain = |1 + sigma_ramp xi|`` drawn anew at reversals;
    ``h' += diffusion xi``; ``h' -> g_ref + (h' - g_ref)(1 - loss)``; with write noise a pulsed
    device shows ``h' + sigma_write nominal_step xi'``, one that was not pulsed what it showed
    before, moved as ``h`` moved.

    Args:
      device: the parameters.
      kept: the devices.
      g: the conductances that are seen.
      n: signed pulse counts.
      noise: as in ``Device.advance``.

    Returns:
      The devices afterwards and the change of what is seen.
    """
    array = kept.array
    before = g if kept.hidden is None else kept.hidden
    change = device.change(array, before, n, noise(0))
    if kept.ramp is not None and device.sigma_ramp is not None:
        drawn = jnp.sign(n) * jnp.abs(1.0 + noise(3) * device.sigma_ramp)
        ramp = jnp.where(n * kept.ramp > 0, kept.ramp, jnp.where(n != 0, drawn, kept.ramp))
        mean, _ = device.response(array, before, n)
        kept, change = kept._replace(ramp=ramp), change + (jnp.abs(ramp) - 1.0) * mean
    after = jnp.clip(before + change, array.g_min, array.g_max)
    array = device.remember(array, before, n)
    if device.diffusion is not None:
        after = jnp.clip(after + device.diffusion * noise(1), array.g_min, array.g_max)
    if kept.loss is not None:
        after = after - kept.loss * (after - device.g_ref)
        after = jnp.clip(after, array.g_min, array.g_max)
    if kept.hidden is None:
        return kept._replace(array=array), after - g
    free = array.g_max > array.g_min
    shown = after + device.sigma_write * device.nominal_step * noise(2)
    change = jnp.where((n != 0) & free, shown - g, after - before)
    return kept._replace(array=array, hidden=after), change


def reset(device: "Device", kept: Kept, g: Array, where: Array) -> tuple[Kept, Array]:
    """RESETs some devices: their parts forget; a write noise shows nothing until the next pulse."""
    array = device.forget(kept.array, where)
    ramp = None if kept.ramp is None else jnp.where(where, 0.0, kept.ramp)
    hidden = None if kept.hidden is None else jnp.where(where, array.g_min, kept.hidden)
    kept = kept._replace(array=array, ramp=ramp, hidden=hidden)
    return kept, jnp.where(where, array.g_min, g)
