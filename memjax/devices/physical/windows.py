"""Windows: how the drift of a boundary slows down towards the ends of the device."""

from collections.abc import Callable
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from memjax.devices.physical.base import PhysicalModel, require_ascending
from memjax.errors import UserError
from memjax.pytree import Leaf, check, param, params, static


def none(x: Array, drive: Array, p: Leaf, j: Leaf) -> Array:
    """``f = 1``: the drift is the same everywhere and stops at the bounds."""
    del drive, p, j
    return jnp.ones_like(x)


def joglekar(x: Array, drive: Array, p: Leaf, j: Leaf) -> Array:
    """``f = 1 - (2 x - 1)^(2 p)``: 0 at both ends, so a device that reaches one stays there.

    Source: Joglekar & Wolf, Eur. J. Phys. 30:661 (2009).
    """
    del drive, j
    return _one_less_power(4.0 * x * (1.0 - x), p)


def biolek(x: Array, drive: Array, p: Leaf, j: Leaf) -> Array:
    """``f = 1 - (x - step(-drive))^(2 p)``: 0 only at the end that the state is driven to.

    Source: Biolek, Biolek & Biolkova, Radioengineering 18:210 (2009).
    """
    del j
    to_go = jnp.where(drive < 0, x, 1.0 - x)
    return _one_less_power(to_go * (2.0 - to_go), p)


def prodromakis(x: Array, drive: Array, p: Leaf, j: Leaf) -> Array:
    """``f = j (1 - ((x - 1/2)^2 + 3/4)^p)``: 0 at both ends, ``j (1 - (3/4)^p)`` midway.

    Source: Prodromakis, Peh, Papavassiliou & Toumazou, IEEE TED 58:3099 (2011).
    """
    del drive
    return _one_less_power(x * (1.0 - x), p) * j


def _one_less_power(loss: Array, p: Leaf) -> Array:
    """``1 - (1 - loss)^p``, to float32's last digits near the ends too, where it vanishes."""
    below_one = jnp.minimum(loss, 1.0 - 2.0**-24)  # finite in value and slope
    return -jnp.expm1(p * jnp.log1p(-below_one))


WINDOWS: dict[str, Callable[[Array, Array, Leaf, Leaf], Array]] = {
    window.__name__: window for window in (none, joglekar, biolek, prodromakis)
}
"""Every window by name: f(x, drive, p, j), ``drive`` of the sign of dx/dt."""


@params
class WindowedModel(PhysicalModel):
    """A boundary at ``x`` in [0, 1] of a film, between two resistances, slowed by a window."""

    state_name: ClassVar[str] = "boundary's position x = w/d"

    p: Leaf = param(default=1.0, doc="the window's exponent", more_than=0)
    j: Leaf = param(default=1.0, doc="the window's height (prodromakis)", more_than=0)
    r_on: Leaf = param(default=100.0, doc="least resistance", unit="Ω", more_than=0)
    r_off: Leaf = param(default=16e3, doc="greatest resistance", unit="Ω", more_than=0)
    window: str = static("none", "the window's name in WINDOWS")
    substeps: int = static(16, "cells of a step with a window", at_least=1)

    def __post_init__(self) -> None:
        check(self)
        require_ascending(self, "r_on", "r_off")
        if self.window not in WINDOWS:
            names = ", ".join(WINDOWS)
            raise UserError(
                f"{type(self).__name__}: window = {self.window!r} must be one of {names}"
            )

    @property
    def bounds(self) -> tuple[Leaf, Leaf]:
        """The film's two faces, 0 and 1."""
        return 0.0, 1.0

    def windowed(self, x: Array, drive: Array) -> Array:
        """``drive f(x)``, the drift as the window leaves it."""
        return drive * WINDOWS[self.window](x, drive, self.p, self.j)
