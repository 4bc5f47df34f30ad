"""The figure by which a memristor is known: its pinched current-voltage loop."""

from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from memjax.devices.physical.base import PhysicalModel, require_positive
from memjax.errors import UserError
from memjax.pytree import Leaf

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class IVCurve(NamedTuple):
    """A device under a sine, sampled from the start to the end of the last cycle.

    Attributes:
      times, voltages, currents: in s, V and A.
      states: of the device, in its own unit.
    """

    times: Float[Array, " samples"]
    voltages: Float[Array, " samples"]
    currents: Float[Array, " samples"]
    states: Float[Array, " samples"]


def iv_curve(
    model: PhysicalModel,
    amplitude: Leaf,
    frequency: Leaf,
    cycles: int = 2,
    points: int = 1000,
    state: Leaf | None = None,
) -> IVCurve:
    """Drives a device with ``V = amplitude sin(2 pi frequency t)``.

    Between two samples the voltage is constant, at its value midway: second order in 1/points.

    Args:
      model: any physical model.
      amplitude: in V.
      frequency: in Hz.
      cycles: number of periods (static).
      points: samples a period (static).
      state: at the start; midway between the bounds if not given.

    Returns:
      ``cycles * points + 1`` samples.

    Raises:
      UserError: a frequency that is not positive, less than one cycle, less than two points.

    Example:
      >>> from memjax.devices.physical import LinearIonDrift, iv_curve
      >>> curve = iv_curve(LinearIonDrift(), 1.0, 1.0, cycles=1, points=4, state=0.1)
      >>> [round(float(x), 3) for x in curve.states]
      [0.1, 0.232, 0.393, 0.232, 0.1]
    """
    require_positive("iv_curve", frequency=frequency)
    if cycles < 1 or points < 2:
        raise UserError(f"iv_curve: cycles = {cycles}, points = {points} must be at least 1 and 2")
    samples = np.arange(cycles * points + 1)
    dt = 1.0 / (points * jnp.asarray(frequency, jnp.float32))

    def sine(at: np.ndarray) -> Array:
        phase = 2.0 * np.pi * (at % points) / points
        return jnp.asarray(np.sin(phase), jnp.float32) * amplitude

    def advance(state: Array, voltage: Array) -> tuple[Array, Array]:
        state = model.step(state, voltage, dt)
        return state, state

    low, high = model.bounds
    start = jnp.clip(0.5 * (low + high) if state is None else jnp.asarray(state), low, high)
    start = jnp.asarray(start, jnp.float32)
    _, after = jax.lax.scan(advance, start, sine(samples[:-1] + 0.5))
    states, voltages = jnp.concatenate([start[None], after]), sine(samples)
    times = dt * jnp.asarray(samples, jnp.float32)
    return IVCurve(times, voltages, model.current(states, voltages), states)


def plot_iv(model: PhysicalModel, curve: IVCurve) -> "Figure":
    """Draws a curve: the loop on the left, voltage and state against time on the right.

    Args:
      model: the device, which names its state.
      curve: what ``iv_curve`` returned.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    figure.suptitle(type(model).__name__)
    loop, course = figure.subplots(1, 2)
    (times, second), (currents, ampere) = _scaled(curve.times, "s"), _scaled(curve.currents, "A")
    voltages = np.asarray(curve.voltages)
    loop.axhline(0.0, color="0.8", linewidth=0.8)
    loop.axvline(0.0, color="0.8", linewidth=0.8)
    loop.plot(voltages, currents, color="#0072B2")
    loop.set(xlabel="voltage (V)", ylabel=f"current ({ampere})")
    course.plot(times, np.asarray(curve.states), color="#D55E00")
    course.set(xlabel=f"time ({second})")
    course.set_ylabel(model.state_name, color="#D55E00")
    drive = course.twinx()
    drive.plot(times, voltages, color="0.5", linestyle="--", linewidth=1.0)
    drive.set_ylabel("voltage (V), dashed", color="0.4")
    return figure


def _scaled(values: Array, unit: str) -> tuple[np.ndarray, str]:
    """Values in the multiple of a unit in which the greatest of them is 1 to 1000."""
    array = np.asarray(values, float)
    greatest = np.abs(array).max()
    prefixes = {1e3: "k", 1.0: "", 1e-3: "m", 1e-6: "µ", 1e-9: "n", 1e-12: "p"}
    scale = next((s for s in prefixes if greatest >= s), 1.0)
    return array / scale, prefixes[scale] + unit
