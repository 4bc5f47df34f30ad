"""Whole ramps of a fitted device, simulated with its noise and its bounds: mean and band."""

import dataclasses
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
from memjax.fitting.quick import quick_options
from memjax.fitting.ramps import Ramps

_DRAWS, _NUMBERS = (32, 300), 1e6  # simulated ramps from each start, and numbers in all of them
_TAIL = 5.0  # per cent outside a band of 90 %, on each side


@dataclasses.dataclass(frozen=True)
class Simulated:
    """Ramps of a device from measured ramps' own starts, in fractions of the window.

    Attributes:
      drawn: readings [draw, ramp, point]; NaN where none was measured.
    """

    drawn: np.ndarray

    @functools.cached_property
    def mean(self) -> np.ndarray:
        """The mean reading [ramp, point].

        Where noise meets a bound, or is larger than a step that bends, it is not the path of a
        device without noise.
        """
        return self.drawn.mean(axis=0)

    @functools.cached_property
    def sd(self) -> np.ndarray:
        """The standard deviation of a reading [ramp, point]."""
        return self.drawn.std(axis=0)

    @functools.cached_property
    def band(self) -> tuple[np.ndarray, np.ndarray]:
        """The 5th and the 95th per cent of readings [ramp, point]."""
        low, high = np.percentile(self.drawn, [_TAIL, 100.0 - _TAIL], axis=0)
        return low, high


def simulate(
    device: Device, noise: Noise, ramps: Ramps, window: tuple[float, float], seed: int = 0
) -> Simulated:
    """Simulates each ramp some hundred times from its own start.

    Args:
      device: its c2c noise and its bounds count.
      noise: of ramps and readings.
      ramps: their starts and lengths.
      window: normalised conductances 0 and 1, in siemens.
      seed: of the simulated ramps.
    """
    y = in_window(ramps, window)
    draws = int(np.clip(_NUMBERS / y.size, *_DRAWS))
    stream = random.stream(jax.random.key(seed))
    arguments = (y[:, 0], ramps.pulses, ramps.sign, np.arange(len(y)))
    with jax.numpy_dtype_promotion("standard"):
        start, pulses, sign, number = (jnp.asarray(a, jnp.float32) for a in arguments)
        keys = number.astype(jnp.int32)
        drawn = _simulator(draws)(device, noise, start, pulses, sign, keys, stream)
    return Simulated(np.where(np.isfinite(y), np.asarray(drawn, float), np.nan))


def mean_curve_error(
    curves: np.ndarray, ramps: Ramps, window: tuple[float, float]
) -> dict[str, float]:
    """The rms difference of the mean over ramps after their starts, in fractions of the window.

    Args:
      curves: of these ramps, in fractions of the window.
      ramps: the measured ones.
      window: normalised conductances 0 and 1, in siemens.
    """
    residual = (in_window(ramps, window) - curves)[:, 1:]
    found = {}
    for name, sign in (("up", 1), ("down", -1)):
        mine = residual[ramps.sign == sign]
        some = np.isfinite(mine).any(axis=0)
        if some.any():
            found[name] = float(np.sqrt(np.mean(np.nanmean(mine[:, some], axis=0) ** 2)))
    return found


def noise_of_mean(simulated: Simulated, ramps: Ramps) -> float:
    """The rms by which the mean over measured ramps is off by chance, in fractions of the window.

    Args:
      simulated: of these ramps.
      ramps: their directions.
    """
    variances = []
    for sign in (1, -1):
        sd = simulated.sd[ramps.sign == sign][:, 1:]
        some = np.isfinite(sd).any(axis=0)
        if some.any():
            seen = np.isfinite(sd[:, some]).sum(axis=0)
            variances.append(np.mean(np.nansum(sd[:, some] ** 2, axis=0) / seen**2))
    return float(np.sqrt(np.mean(variances)))


def coverage(
    band: tuple[np.ndarray, np.ndarray], ramps: Ramps, window: tuple[float, float]
) -> dict[str, float]:
    """The share of readings after the start that lie within the band, up and down.

    Args:
      band: lowest and highest readings, in fractions of the window.
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


@functools.cache
def _simulator(draws: int) -> Any:
    shape = (draws,)

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

    over = jax.vmap(ramp, (None, None, 0, 0, 0, 0, None), 1)

    def run(*arguments: Any) -> Array:
        return jnp.moveaxis(over(*arguments), 2, 0).swapaxes(1, 2)

    return jax.jit(run, compiler_options=quick_options() | {"xla_backend_optimization_level": 0})
