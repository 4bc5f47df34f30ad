"""Devices under pulses: fabricated and programmed, updated, reset."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.devices import effects
from memjax.devices.bounds import clip_to_bounds
from memjax.devices.c2c import Noise
from memjax.devices.effects import EffectState
from memjax.devices.response_model import ResponseModel


def init(device: ResponseModel, stream: random.Stream, g: Array) -> tuple[Any, Array]:
    """Fabricates devices and programs them to ``g`` as nearly as their bounds allow.

    Args:
      device: the parameters.
      stream: random stream of this array.
      g: wanted normalised conductances.

    Returns:
      The array of devices, which has ``g_min`` and ``g_max``, and their conductances as they are
      seen: those programmed, with an error where ``programming = "noisy"``.
    """
    array = device.fabricate(stream, g.shape)
    g = clip_to_bounds(array, g)
    state = effects.attach(device, array, stream, g)
    if not device.is_programmed_with_noise:
        return state, g
    own = random.fold_in(stream, 7)
    shown = effects.shown(device, g, lambda _: random.normal(own, g.shape, exact=True))
    return state, jnp.where(array.g_max > array.g_min, shown, g)


def advance(
    device: ResponseModel, array: Any, g: Array, n: Array, noise: Noise
) -> tuple[Any, Array]:
    """One update: pulses and what they leave behind, then what time does, then what is seen.

    The conductance h, which without write noise is what is seen, becomes ``clip(h + gain mean + sd
    xi)`` with the ramp's gain, diffuses and decays. With write noise a device that was pulsed shows
    h with an error, and one that was not shows what it showed before, moved as h moved
    (``memjax.devices.effects``). Where ``polarity`` is ``"up"``, pulses down leave it as it is.

    Args:
      device: the parameters.
      array: what ``init`` returned, or the last ``advance``.
      g: normalised conductances, as they are seen.
      n: signed pulse counts of the same shape, up positive.
      noise: draws the pulses' noise (purpose 0) and whatever else the effects need.

    Returns:
      The array of devices afterwards, and the change of their conductances before the array's
      bounds clip them.
    """
    if device.polarity == "up":
        n = jnp.maximum(n, jnp.zeros_like(n))
    if not isinstance(array, EffectState):
        return device.update_memory(array, g, n), device.change(array, g, n, noise(0))
    state, array = array, array.array
    before = g if state.hidden is None else state.hidden
    change = device.change(array, before, n, noise(0))
    if state.ramp is not None:
        ramp = effects.ramp_gain(device, state.ramp, n, noise(3))
        mean, _ = device.response(array, before, n)
        state, change = state._replace(ramp=ramp), change + (jnp.abs(ramp) - 1.0) * mean
    after = clip_to_bounds(array, before + change)
    after = effects.after_an_update(device, state, after, noise)
    state = state._replace(array=device.update_memory(array, before, n))
    if state.hidden is None:
        return state, after - g
    free = array.g_max > array.g_min
    shown = effects.shown(device, after, noise)
    return state._replace(hidden=after), jnp.where((n != 0) & free, shown - g, after - before)


def reset(device: ResponseModel, array: Any, g: Array, where: Array) -> tuple[Any, Array]:
    """RESETs some devices to their lower bound, as if they had just been fabricated.

    Args:
      device: the parameters.
      array: what ``init`` returned, or the last ``advance``.
      g: normalised conductances.
      where: which devices to reset.

    Returns:
      The array of devices afterwards and their conductances.
    """
    model = effects.model_array(array)
    g = jnp.where(where, model.g_min, g)
    if isinstance(array, EffectState):
        return effects.reset(array, where)._replace(array=device.reset_memory(model, where)), g
    return device.reset_memory(model, where), g
