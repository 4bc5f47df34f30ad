"""Spikes of pixels: a train for each of the 256 values, by one of several codes."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool

from memjax.spiking.desired import steps_of

VALUES = 256
"""Values of a pixel, 0 to 255."""


def lif_trains(
    dt: float | int, duration: float | int = 100.0, scheme: str = "exact"
) -> Bool[np.ndarray, "steps values"]:
    """LIF neurons driven by ``2.7 nA + k 0.1012 nA``, k the pixel's value: up to 250 Hz.

    They are held at rest for the first 3 ms as after a spike, and fire above the threshold, so that
    k = 0, at the rheobase, never does. In float64, whatever JAX computes in.

    Args:
      dt: the step, in ms.
      duration: in ms.
      scheme: of integration, as of ``LIF``.

    Example:
      >>> from memjax.spiking import lif_trains
      >>> lif_trains(0.1, scheme="heun").sum(axis=0)[[0, 1, 64, 128, 255]].tolist()
      [0, 2, 15, 20, 25]

    Source: Kulkarni & Rajendran, Neural Networks 103:118 (2018).
    """
    steps = steps_of(duration, dt, "the duration")
    hold = steps_of(3.0, dt, "the refractory time of pixels")
    a = dt / 10.0
    gain = a - a * a / 2 if scheme == "heun" else -np.expm1(-a)
    drive = 1.0 + np.arange(VALUES) * (0.1012 / 2.7)
    u, held = np.zeros(VALUES), np.full(VALUES, hold)
    spikes = np.zeros((steps, VALUES), bool)
    for fires in spikes:
        u = np.where(held == 0, u + gain * (drive - u), u)
        fires[:] = u > 1.0
        u[fires] = 0.0
        held = np.where(fires, hold, np.maximum(held - 1, 0))
    return spikes


def rate_trains(
    dt: float | int, duration: float | int = 100.0, scheme: str = "exact", most: float | int = 0.25
) -> Bool[np.ndarray, "steps values"]:
    """Regular trains whose rate is in proportion to the pixel's value.

    Args:
      dt: the step, in ms.
      duration: in ms.
      scheme: without effect: nothing is integrated.
      most: rate of the largest value, in kHz.

    Example:
      >>> from memjax.spiking import rate_trains
      >>> rate_trains(0.5).sum(axis=0)[[0, 64, 128, 255]].tolist()
      [0, 6, 12, 25]
    """
    del scheme
    steps = steps_of(duration, dt, "the duration")
    phase = np.arange(1, steps + 1)[:, None] * (dt * most) * np.arange(VALUES) / (VALUES - 1)
    return np.diff(np.floor(phase + 1e-9), axis=0, prepend=0.0) > 0


def latency_trains(
    dt: float | int,
    duration: float | int = 100.0,
    scheme: str = "exact",
    last: float | int = 50.0,
    every: float | int = 5,
) -> Bool[np.ndarray, "steps values"]:
    """A first spike that is the earlier the brighter the pixel, repeated a few times.

    It comes at ``last (1 - k / 255)`` ms; with one spike alone few hidden neurons would fire, so
    that it is followed by others at a fixed interval until ``last`` ms after it.

    Args:
      dt: the step, in ms.
      duration: in ms.
      scheme: without effect: nothing is integrated.
      last: the time of the first spike of a pixel of value 0, which has none, in ms.
      every: the interval of those that follow, in ms.

    Example:
      >>> from memjax.spiking import latency_trains
      >>> latency_trains(0.5).argmax(axis=0)[[64, 128, 255]].tolist()
      [75, 50, 0]
    """
    del scheme
    steps = steps_of(duration, dt, "the duration")
    step = np.arange(steps)[:, None]
    first = np.round(last / dt * (1.0 - np.arange(VALUES) / (VALUES - 1))).astype(int)
    after, interval = step - first, steps_of(every, dt, "the interval of latency trains")
    burst = (after >= 0) & (after < last / dt) & (after % interval == 0)
    return burst & (np.arange(VALUES) > 0)


CODES: dict[str, Callable[..., np.ndarray]] = {
    "lif": lif_trains,
    "rate": rate_trains,
    "latency": latency_trains,
}
"""Codes by their name in a specification: of a step, a duration and a scheme of integration."""
