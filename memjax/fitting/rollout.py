"""Whole ramps of a fitted device: the mean curve from a start, and the band of its noise."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from memjax import random
from memjax.devices.base import Device
from memjax.devices.bounds import clip_to_bounds
from memjax.fitting.likelihood import LONG, Noise
from memjax.fitting.ramps import Ramps

_DRAWS = 300  # simulated ramps from each start
_TAIL = 5.0  # per cent outside a band of 90 %, on each side


def mean_curves(device: Device, ramps: Ramps, window: tuple[float, float]) -> np.ndarray:
    """The noise-free ramp from each ramp's own start, in fractions of the window [ramp, point].

    Args:
      device: the device.
      ramps: their starts and lengths.
      window: normalised conductances 0 and 1, in siemens.
    """
    y = in_window(ramps, window)
    return _masked(_simulate(device, Noise(0.0, 0.0), y, ramps, draws=None), y)


def bands(
    device: Device, noise: Noise, ramps: Ramps, window: tuple[float, float], seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The 5th and the 95th per cent of readings from each ramp's own start [ramp, point].

    Args:
      device: its c2c noise counts.
      noise: of ramps and readings.
      ramps: their starts and lengths.
      window: normalised conductances 0 and 1, in siemens.
      seed: of the simulated ramps.
    """
    y = in_window(ramps, window)
    drawn = _simulate(device, noise, y, ramps, draws=_DRAWS, seed=seed)
    low, high = np.percentile(drawn, [_TAIL, 100.0 - _TAIL], axis=0)
    return _masked(low, y), _masked(high, y)


def mean_curve_error(
    curves: np.ndarray, ramps: Ramps, window: tuple[float, float]
) -> dict[str, float]:
    """The rms difference of the mean over ramps after their starts, in fractions of the window.

    Args:
      curves: what ``mean_curves`` returned for these ramps.
      ramps: the measured ones.
      window: normalised conductances 0 and 1, in siemens.
    """
    return rms_of_mean((in_window(ramps, window) - curves)[:, 1:], ramps)


def rms_of_mean(residual: np.ndarray, ramps: Ramps) -> dict[str, float]:
    """The rms of the mean over ramps, up and down, of residuals [ramp, reading], NaN for none.

    Args:
      residual: in fractions of the window.
      ramps: their directions.
    """
    found = {}
    for name, sign in (("up", 1), ("down", -1)):
        mine = residual[ramps.sign == sign]
        some = np.isfinite(mine).any(axis=0)
        if some.any():
            found[name] = float(np.sqrt(np.mean(np.nanmean(mine[:, some], axis=0) ** 2)))
    return found


def coverage(
    band: tuple[np.ndarray, np.ndarray], ramps: Ramps, window: tuple[float, float]
) -> dict[str, float]:
    """The share of readings after the start that lie within the band, up and down.

    Args:
      band: what ``bands`` returned for these ramps.
      ramps: the measured ones.
      window: normalised conductances 0 and 1, in siemens.
    """
    y, found = in_window(ramps, window), {}
    inside = (y >= band[0]) & (y <= band[1])
    for name, sign in (("up", 1), ("down", -1)):
        readings = np.isfinite(y[ramps.sign == sign][:, 1:])
        if readings.any():
            found[name] = float(inside[ramps.sign == sign][:, 1:][readings].mean())
    return found


def in_window(ramps: Ramps, window: tuple[float, float]) -> np.ndarray:
    """Readings as normalised conductance.

    Args:
      ramps: the measured ones.
      window: normalised conductances 0 and 1, in siemens.
    """
    return (ramps.conductance - window[0]) / (window[1] - window[0])


def _masked(curves: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(y), curves, np.nan)


def _simulate(
    device: Device, noise: Noise, y: np.ndarray, ramps: Ramps, draws: int | None, seed: int = 0
) -> np.ndarray:
    stream = random.stream(jax.random.key(seed))
    arguments = (y[:, 0], ramps.pulses, ramps.sign, np.arange(len(y)))
    with jax.numpy_dtype_promotion("standard"):
        start, pulses, sign, number = (jnp.asarray(a, jnp.float32) for a in arguments)
        keys = number.astype(jnp.int32)
        return np.asarray(_ramps(draws)(device, noise, start, pulses, sign, keys, stream), float)


@functools.cache
def _ramps(draws: int | None) -> Any:
    shape = () if draws is None else (draws,)

    def ramp(
        device: Device,
        noise: Noise,
        y0: Array,
        pulses: Array,
        sign: Array,
        number: Array,
        stream: Any,
    ) -> Array:
        own = random.fold_in(stream, number)
        array = device.fabricate(jnp.zeros(2, jnp.uint32), shape)
        first = jnp.full(shape, y0)
        array = device.update_memory(array, first, jnp.full(shape, -sign * LONG))
        array = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), array)

        def normal(step: Any, purpose: int) -> Array:
            if draws is None:
                return jnp.float32(0.0)
            return random.normal(random.fold_in(random.fold_in(own, purpose), step), shape)

        gain = jnp.abs(1.0 + noise.ramp * normal(0, 0))

        def fire(carry: Any, now: Any) -> Any:
            array, g = carry
            step, count = now
            n = jnp.full(shape, sign * count)
            mean, sd = device.mean_and_sd(array, g, n)
            array = device.update_memory(array, g, n)
            g = clip_to_bounds(array, g + gain * mean + sd * normal(step, 1))
            return (array, g), g + noise.read * normal(step, 2)

        numbers = jnp.arange(1, pulses.shape[0])
        _, seen = jax.lax.scan(fire, (array, first), (numbers, pulses[1:]))
        return jnp.concatenate([first[None], seen])

    over = jax.vmap(ramp, (None, None, 0, 0, 0, 0, None), 1 if draws else 0)

    def run(*arguments: Any) -> Array:
        curves = over(*arguments)
        return jnp.moveaxis(curves, 2, 0).swapaxes(1, 2) if draws else curves

    return jax.jit(run, compiler_options={"xla_backend_optimization_level": 0})
