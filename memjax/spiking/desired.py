"""When outputs are to fire, and times as whole steps."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from memjax.errors import UserError
from memjax.spiking.lif import LIF


def steps_of(time: float | int, dt: float | int, what: str) -> int:
    """A time as a number of steps.

    Args:
      time: in ms.
      dt: the step, in ms.
      what: the time's name.

    Raises:
      UserError: the step does not divide it.

    Example:
      >>> steps_of(3.5, 0.5, "the desired period")
      7
    """
    if not dt > 0:
        raise UserError(f"dt = {dt} ms must be more than 0")
    steps = round(time / dt)
    if abs(steps * dt - time) > 1e-6 * max(time, dt):
        raise UserError(
            f"dt = {dt:g} ms does not divide {what}, {time:g} ms; take 0.1, 0.25 or 0.5 ms, or "
            "another time"
        )
    return steps


def desired(
    labels: Int[Array, " samples"],
    outputs: int,
    *,
    dt: float | int,
    duration: float | int = 100.0,
    start: float | int = 10.0,
    period: float | int = 3.5,
) -> Float[Array, "samples steps outputs"]:
    """The trains that are wanted: the label's output fires regularly, all others never.

    Args:
      labels: of the samples.
      outputs: number of outputs.
      dt: the step, in ms.
      duration: of a sample, in ms.
      start: of its first spike, in ms.
      period: between two spikes, in ms.

    Raises:
      UserError: the step does not divide the times.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.spiking import desired
      >>> jnp.flatnonzero(desired(jnp.array([1]), 2, dt=0.5, duration=20.0)[0, :, 1]).tolist()
      [20, 27, 34]
    """
    train = desired_train(dt, duration, start, period)
    is_own = jax.nn.one_hot(labels, outputs, dtype=jnp.float32)
    return jnp.asarray(train)[None, :, None] * is_own[:, None, :]


def desired_train(
    dt: float | int,
    duration: float | int = 100.0,
    start: float | int = 10.0,
    period: float | int = 3.5,
) -> np.ndarray:
    """A regular train: 1 at the steps ``start, start + period, ...``.

    Args:
      dt, duration, start, period: as of ``desired``.
    """
    steps = steps_of(duration, dt, "the duration")
    first = steps_of(start, dt, "the start of the desired trains")
    every = steps_of(period, dt, "the period of the desired trains")
    if every < 1:
        raise UserError(f"the period of the desired trains is {period} ms; give more than 0")
    train = np.zeros(steps, np.float32)
    train[first::every] = 1.0
    return train


def check_attainable(neuron: LIF, dt: float | int, period: float | int = 3.5) -> None:
    """Raises ``UserError`` where no neuron can fire as often as is wanted.

    It is held for ``t_ref`` after a spike and needs one step more; where that is longer than the
    period, errors never vanish and weights grow without end.

    Args:
      neuron: of the outputs.
      dt: the step, in ms.
      period: between two desired spikes, in ms.
    """
    least = int(np.max(neuron.hold_steps(dt))) + 1
    if least * dt > period * (1 + 1e-6):
        raise UserError(
            f"dt = {dt:g} ms: a neuron fires every {least * dt:g} ms at most ({(least - 1) * dt:g}"
            f" ms of hold and a step), and every {period:g} ms is desired, so that training "
            "diverges; take 0.5 ms or less"
        )
