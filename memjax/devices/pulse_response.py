"""The experiment that every device paper shows: conductance against pulse number."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from memjax import random
from memjax.devices.base import Device
from memjax.devices.bounds import clip_to_bounds
from memjax.errors import UserError
from memjax.pytree import Leaf


def pulse_response(
    device: Device,
    n_up: int,
    n_down: int,
    *,
    start: Leaf = 0.0,
    cycles: int = 1,
    train: Leaf = 1.0,
    key: Key[Array, ""] | None = None,
) -> Float[Array, "n_pulses_and_start"]:
    """Normalised conductance after each of ``n_up`` potentiation and ``n_down`` depression pulses.

    Args:
      device: any device.
      n_up: number of single pulses up, first (static).
      n_down: number of single pulses down, after them (static).
      start: normalised conductance before the first pulse, in [0, 1].
      cycles: how often, one after the other on the same device (static).
      train: pulses fired in one go, in place of each single one.
      key: draws the device and its noise; without one the device is ideal, with no spread or noise.
        ``vmap`` over keys for a population.

    Returns:
      ``1 + cycles (n_up + n_down)`` conductances, the start first. In siemens:
      ``device.siemens(g)``; in the model's own weights: ``device.weights(g)``.

    Raises:
      UserError: a negative number of pulses, or a start outside [0, 1].

    Example:
      >>> from memjax.devices import ConstantStep, pulse_response
      >>> pulse_response(ConstantStep(levels=3), 2, 1).tolist()
      [0.0, 0.5, 1.0, 0.5]
    """
    if n_up < 0 or n_down < 0:
        raise UserError(f"pulse_response: n_up = {n_up}, n_down = {n_down} must be at least 0")
    if cycles < 1:
        raise UserError(f"pulse_response: cycles = {cycles} must be at least 1")
    if isinstance(start, int | float) and not 0 <= start <= 1:
        raise UserError(f"pulse_response: start = {start} must be within [0, 1]")
    ideal = key is None
    stream = random.stream(jax.random.key(0) if key is None else key)
    if ideal:
        device = without_noise(device)
    array, first = device.init(random.fold_in(stream, 0), jnp.asarray(start, jnp.float32))
    noises = random.fold_in(stream, 1)

    def pulse(carry: tuple[Any, Array], step_and_sign: tuple[Array, Array]):
        array, g = carry
        step, sign = step_and_sign
        own = random.fold_in(noises, step)

        def noise(purpose: int) -> Array:
            return jnp.float32(0.0) if ideal else random.normal(random.fold_in(own, purpose), ())

        array, change = device.advance(array, g, sign * train, noise)
        g = clip_to_bounds(array, g + change)
        return (array, g), g

    signs = np.tile(np.repeat(np.array([1.0, -1.0], np.float32), [n_up, n_down]), cycles)
    _, after = jax.lax.scan(pulse, (array, first), (jnp.arange(len(signs)), jnp.asarray(signs)))
    return jnp.concatenate([first[None], after])


def without_noise(device: Device) -> Device:
    """The ideal twin of a device: the same response, no spread, no noise, nothing stuck.

    Args:
      device: any device.
    """
    ideal: dict[str, Any] = {
        field.name: None if field.default is None else 0.0
        for field in dataclasses.fields(device)
        if field.name.startswith("sigma_") or field.name in ("stuck", "diffusion")
    }
    return dataclasses.replace(device, **ideal)
