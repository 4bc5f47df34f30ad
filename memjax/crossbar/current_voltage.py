"""Cells whose current is not in proportion to their voltage, and how inputs become voltages."""

import functools
import operator
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from memjax.pytree import Leaf, param, params, static

MILO_SIEMENS = 50e-6, 225e-6
"""Conductances between which Milo's curves are known."""

MILO_VOLTS = 0.5
"""Voltage up to which they were measured."""


class Term(NamedTuple):
    """A part of a cell's current: what it has of the conductance, times what of the voltage.

    Attributes:
      conductance: of G, siemens: siemens, per volt and per volt squared in higher orders.
      voltage: of V, volts: volts, squared and cubed in higher orders.
    """

    conductance: Callable[[jax.Array], jax.Array]
    voltage: Callable[[jax.Array], jax.Array]


@params
class CurrentVoltage:
    """The current of a cell, ``I(G, V)``, and the voltages that inputs are coded as.

    * ``linear``: ``I = G V``;
    * ``sinh``: ``I = G v sinh(a V) / sinh(a v)`` with ``a = sinh_shape`` and ``v = v_read``, so
      that ``G`` is that of a read at v;
    * ``cubic``: ``I = G (V - c V^3)`` with ``c = cubic_loss``;
    * ``milo``: ``I = G V + N2(G) V^2 + N3(G) V^3`` of a measured RRAM, asymmetric, from 50 to 225
      uS and up to 0.5 V; beyond these conductances ``N2 / G`` and ``N3 / G`` are those at the ends.

    An input x, in units of the input scale, is the voltage ``x v`` with the coding ``amplitude``.
    With ``pulse_width`` it is ``v``, or ``-v``, for the share ``|x|`` of a read: all that cells
    then do is ``I(G, +-v)``. It is so too where input slices have one bit.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar import Array
      >>> array = Array(iv="sinh", sinh_shape=3.0, v_read=0.2)
      >>> half, whole = array.amperes(1e-6 * jnp.ones(2), jnp.array([0.1, 0.2]))
      >>> f"{half / whole:.4f}"
      '0.4783'

    Source: CrossSim 3.2 manual; Milo et al., IEEE IRPS (2021), figure 1, as CrossSim has it: fitted
    at 62.5 to 110 uS, and taken to be linear at 225 uS.
    """

    iv: str = static(
        default="linear",
        doc="current of a cell for its voltage",
        choices=("linear", "sinh", "cubic", "milo"),
    )
    coding: str = static(
        default="amplitude",
        doc="what inputs are: amplitude, voltages; pulse_width, times at the read voltage",
        choices=("amplitude", "pulse_width"),
    )
    v_read: Leaf = param(default=0.2, doc="voltage of an input of 1", unit="V", more_than=0)
    sinh_shape: Leaf = param(default=3.0, doc="a of sinh; 0 is linear", unit="1/V", at_least=0)
    cubic_loss: Leaf = param(default=0.25, doc="c of cubic", unit="1/V^2")

    def amperes(self, conductance: jax.Array, voltage: jax.Array) -> jax.Array:
        """The current of cells: a ``law`` of ``memjax.crossbar.currents``.

        Args:
          conductance: siemens.
          voltage: across them, volts, of a shape that fits.
        """
        parts = [term.conductance(conductance) * term.voltage(voltage) for term in terms(self)]
        return functools.reduce(operator.add, parts)


def outside(iv: CurrentVoltage, gmax: Leaf, on_off: Leaf | None) -> str | None:
    """Why a cell's law does not hold for these numbers, in a sentence; what is traced is let be.

    Args:
      iv: the parameters.
      gmax: siemens.
      on_off: ``Gmax / Gmin``; ``None``: Gmin is 0.
    """
    numbers = (iv.v_read, iv.cubic_loss, gmax, on_off)
    if any(isinstance(number, jax.core.Tracer) for number in numbers):
        return None
    v, c, gmax = (np.asarray(number, float) for number in numbers[:3])
    if iv.iv == "cubic" and np.any(3.0 * c * v**2 > 1.0):
        return (
            f"cubic_loss = {c} with v_read = {v} has currents that fall where voltages rise; "
            f"give less than {1.0 / (3.0 * np.max(v) ** 2):.3g}"
        )
    if iv.iv != "milo":
        return None
    (low, high), tolerance = MILO_SIEMENS, 1e-4
    gmin = np.zeros(()) if on_off is None else gmax / np.asarray(on_off, float)
    if np.any(gmin < low * (1.0 - tolerance)) or np.any(gmax > high * (1.0 + tolerance)):
        return (
            f"iv = 'milo' is of cells of {low * 1e6:g} to {high * 1e6:g} uS; give "
            f"gmax = {high * 1e6:g}e-6 and on_off = {high / low:g}"
        )
    if np.any(v > MILO_VOLTS):
        return f"v_read = {v} with iv = 'milo', which is known up to {MILO_VOLTS:g} V; give less"
    return None


def terms(iv: CurrentVoltage) -> tuple[Term, ...]:
    """The parts of a cell's current, which add up; the first is what it is at low voltages.

    Args:
      iv: the parameters.
    """
    if iv.iv == "sinh":
        return (Term(lambda g: g, functools.partial(_sinh, iv)),)
    if iv.iv == "cubic":
        c = iv.cubic_loss
        return (Term(lambda g: g, lambda v: v - jnp.asarray(c, v.dtype) * v**3),)
    first = Term(lambda g: g, lambda v: v)
    if iv.iv == "linear":
        return (first,)
    return first, *(
        Term(functools.partial(_milo, order=order), functools.partial(_power, order=order))
        for order in _MILO
    )


def drives(iv: CurrentVoltage, x: jax.Array) -> tuple[jax.Array, ...]:
    """What inputs are worth to each part of a cell's current, over the read voltage.

    Args:
      iv: the parameters.
      x: inputs over their scale.
    """
    if iv.iv == "linear":
        return (x,)
    v = jnp.asarray(iv.v_read, x.dtype)
    if iv.coding == "amplitude":
        return tuple(term.voltage(x * v) / v for term in terms(iv))
    sign = jnp.where(x < 0.0, -jnp.ones_like(x), jnp.ones_like(x))
    return tuple(sign * x * term.voltage(sign * v) / v for term in terms(iv))


def orders(iv: CurrentVoltage, g: jax.Array, gmax: Leaf) -> tuple[jax.Array, ...]:
    """What conductances are worth to each part of a cell's current, over Gmax.

    Args:
      iv: the parameters.
      g: conductances over Gmax.
      gmax: siemens.
    """
    if len(terms(iv)) == 1:
        return (g,)
    siemens = jnp.asarray(gmax, g.dtype)
    return tuple(term.conductance(g * siemens) / siemens for term in terms(iv))


def _sinh(iv: CurrentVoltage, v: jax.Array) -> jax.Array:
    """``v_read sinh(a v) / sinh(a v_read)``; v where a is 0."""
    read, a = jnp.asarray(iv.v_read, v.dtype), jnp.asarray(iv.sinh_shape, v.dtype)
    is_curved = a > 0.0
    a = jnp.where(is_curved, a, 1.0)
    return jnp.where(is_curved, read * jnp.sinh(a * v) / jnp.sinh(a * read), v)


def _power(v: jax.Array, order: int) -> jax.Array:
    return v**order


# Polynomials of log10(G / S), lowest power first, as published; of log10(G / 100 uS) they keep
# their digits in float32.
_MILO = {
    order: np.polynomial.Polynomial(coefficients)(np.polynomial.Polynomial([-4.0, 1.0])).coef
    for order, coefficients in {
        2: (0.007063, 0.005711, 0.001541, 0.0001388),
        3: (1.2968e-3, 6.7919e-4, 8.8710e-5),
    }.items()
}


def _milo(g: jax.Array, order: int) -> jax.Array:
    """``N2`` or ``N3`` of conductances in siemens."""
    low, high = MILO_SIEMENS
    known = jnp.clip(g, low, high)
    log = jnp.log10(known * 1e4)
    total = jnp.zeros_like(g)
    for coefficient in _MILO[order][::-1]:
        total = total * log + float(coefficient)
    return total * (g / known)
