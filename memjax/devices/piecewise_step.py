"""Piecewise step: a measured curve of the step against conductance."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.devices.fit_hints import FitHints
from memjax.devices.population import Spread
from memjax.devices.stepped import SteppedDevice
from memjax.pytree import params, table


@params
class PiecewiseStep(SteppedDevice):
    """Steps by linear interpolation between equally spaced nodes.

    Over ``x = (g - g_min) / (g_max - g_min)``, a pulse up adds ``dg0 up F_up(x)``, one down takes
    ``dg0 down F_down(x)``, where F interpolates the nodes at ``x = 0, 1/(k-1), ..., 1``: the
    measured step over the nominal one. Tables of unlike length share a shape once padded
    (``memjax.devices.stack``).

    Example:
      >>> from memjax.devices import PiecewiseStep, pulse_response
      >>> device = PiecewiseStep(levels=11, up_nodes=[2, 1], down_nodes=[1, 1])
      >>> [round(float(g), 4) for g in pulse_response(device, 2, 0)]
      [0.0, 0.2, 0.38]

    Source: Rasch et al., AICAS (2021), arXiv:2104.02184 (PiecewiseStep).
    """

    up_nodes: Any = table((1.0, 1.0), "potentiation's step at each node", unit="mean steps")
    down_nodes: Any = table((1.0, 1.0), "depression's step at each node", unit="mean steps")

    @classmethod
    def fitted(cls) -> tuple[str, ...]:
        """The nodes, in units of a step that is given."""
        return ("up_nodes", "down_nodes")

    @classmethod
    def fit_hints(cls) -> FitHints:
        """The step that the nodes are in units of is the measured one."""
        return FitHints(given=("levels",))

    @property
    def mean_step(self) -> Any:
        """The steps up and down at ``g_ref``, averaged."""
        x = jnp.asarray(self.g_ref, jnp.float32)
        at = [interpolate(jnp.asarray(t), x) for t in (self.up_nodes, self.down_nodes)]
        return self.nominal_step * 0.5 * (at[0] + at[1])

    def fabricate(self, stream: random.Stream, shape: tuple[int, ...]) -> Spread:
        """The spread with its steps in conductance units."""
        return self.spread(stream, shape).times(self.nominal_step)

    def pulse(self, array: Spread, g: Array, up: Array) -> Array:
        """The interpolated step."""
        x = place(array, g)
        of_up, of_down = (interpolate(jnp.asarray(t), x) for t in (self.up_nodes, self.down_nodes))
        return jnp.where(up, array.up, -array.down) * jnp.where(up, of_up, of_down)


def place(array: Spread, g: Array) -> Array:
    """``(g - g_min) / (g_max - g_min)``; a stuck device has no extent and stays in place."""
    extent = array.g_max - array.g_min
    return (g - array.g_min) / jnp.where(extent > 0, extent, 1.0)


def locate(count: int, x: Array) -> tuple[Array, Array]:
    """The node left of x in [0, 1], of ``count`` equally spaced ones, and x's share of the gap."""
    at = jnp.clip(x, 0.0, 1.0) * (count - 1.0)
    left = jnp.minimum(jnp.floor(at), count - 2.0)
    return left.astype(jnp.int32), at - left


def interpolate(nodes: Array, x: Array) -> Array:
    """The piecewise linear curve through equally spaced ``nodes`` at x in [0, 1], flat beyond."""
    left, share = locate(nodes.shape[-1], x)
    return nodes[left] + share * (nodes[left + 1] - nodes[left])
