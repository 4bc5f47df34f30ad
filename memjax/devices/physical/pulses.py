"""From physics to training: what one SET and one RESET pulse do at every conductance."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from memjax.devices.physical.base import PhysicalModel, require_positive
from memjax.devices.piecewise_step import PiecewiseStep
from memjax.errors import UserError
from memjax.pytree import Leaf


class PulseSteps(NamedTuple):
    """What a pulse does, on equally spaced normalised conductances from 0 to 1.

    Attributes:
      up, down: normalised conductance that a SET pulse adds (>= 0), a RESET pulse adds (<= 0).
      g_min_S, g_max_S: the conductances that 0 and 1 stand for, in S.
    """

    up: Float[Array, " nodes"]
    down: Float[Array, " nodes"]
    g_min_S: Float[Array, ""]
    g_max_S: Float[Array, ""]


def pulse_steps(
    model: PhysicalModel, v_up: Leaf, v_down: Leaf, width: Leaf, nodes: int = 65
) -> PulseSteps:
    """The steps of a rectangular SET pulse and a RESET pulse against the conductance before it.

    ``g = (G - Gmin) / (Gmax - Gmin)``, Gmin and Gmax the model's conductances at its bounds.

    Args:
      model: any physical model.
      v_up: the voltage that raises the conductance, in V; VTEAM's is negative.
      v_down: the voltage that lowers it, in V.
      width: of both pulses, in s.
      nodes: number of conductances (static), at least 2.

    Raises:
      UserError: a width that is not positive, fewer than two nodes, or a pulse that moves no
        conductance or moves it the wrong way.

    Example:
      >>> from memjax.devices.physical import VTEAM, pulse_steps
      >>> steps = pulse_steps(VTEAM(), -0.3, 0.3, 1e-10, nodes=3)
      >>> [round(float(step), 4) for step in steps.up]
      [0.0022, 0.393, 0.0]
    """
    require_positive("pulse_steps", width=width)
    if nodes < 2:
        raise UserError(f"pulse_steps: nodes = {nodes} must be at least 2")
    bounds = jnp.asarray(model.bounds, jnp.float32)
    ends = model.conductance(bounds)
    (low, high), (first, last) = jnp.sort(ends), bounds[jnp.argsort(ends)]
    before = model.state_at(jnp.linspace(low, high, nodes))
    before = before.at[0].set(first).at[-1].set(last)  # the inverse's last digit may differ

    def steps(voltage: Leaf) -> Array:
        after = model.step(before, voltage, width)
        return (model.conductance(after) - model.conductance(before)) / (high - low)

    up, down = steps(v_up), steps(v_down)
    _require_direction(model, "v_up", v_up, up, "raise", "v_down")
    _require_direction(model, "v_down", v_down, -down, "lower", "v_up")
    return PulseSteps(up, down, low, high)


def as_device(
    model: PhysicalModel, v_up: Leaf, v_down: Leaf, width: Leaf, nodes: int = 65, **more: Any
) -> PiecewiseStep:
    """A device for training: what identical SET and RESET pulses do to a physical model.

    Between its nodes the step is interpolated; a law that is steep between two of them needs more.

    Args:
      model: any physical model.
      v_up, v_down: amplitudes in V, as in ``pulse_steps``.
      width: of both pulses, in s.
      nodes: of the table (static).
      **more: the device's other parameters, such as ``sigma_c2c``.

    Raises:
      UserError: as ``pulse_steps``.

    Example:
      >>> from memjax.devices import pulse_response
      >>> from memjax.devices.physical import VTEAM, as_device
      >>> device = as_device(VTEAM(), -0.25, 0.3, 1e-11)
      >>> round(float(pulse_response(device, 100, 0, start=0.1)[100]), 2)
      0.13
    """
    steps = pulse_steps(model, v_up, v_down, width, nodes)
    at_reference = 0.5 * (jnp.interp(0.5, *_nodes(steps.up)) - jnp.interp(0.5, *_nodes(steps.down)))
    size = jnp.clip(at_reference, 1e-6, 1.0)
    return PiecewiseStep(
        levels=1.0 + 1.0 / size,
        on_off=steps.g_max_S / steps.g_min_S,
        gmax=steps.g_max_S,
        up_nodes=steps.up / size,
        down_nodes=-steps.down / size,
        **more,
    )


def _nodes(heights: Array) -> tuple[Array, Array]:
    return jnp.linspace(0.0, 1.0, heights.shape[0]), heights


def _require_direction(
    model: PhysicalModel, name: str, voltage: Leaf, steps: Array, verb: str, other: str
) -> None:
    if isinstance(steps, jax.core.Tracer):
        return
    what, values = f"pulse_steps: {name} = {voltage} V", np.asarray(steps)
    kind = type(model).__name__
    if not np.any(values):
        raise UserError(f"{what} changes no conductance of {kind}; raise its size or the width")
    if np.any(values < 0):
        raise UserError(f"{what} does not {verb} {kind}'s conductance; swap it with {other}")
