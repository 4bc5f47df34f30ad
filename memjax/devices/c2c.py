"""Cycle-to-cycle noise: the conventions of the field, each under its own name.

Tools mean different things by one sigma. ``Device.c2c`` says which is meant; ``n`` is the number of
pulses of a write, ``dG`` the mean change that it makes, and conductances are normalised, so that
the range ``Gmax - Gmin`` is 1 and ``G = g + 1 / (on_off - 1)``.

===================  ==========================================  ===================================
``c2c``              standard deviation of a write               who means it
===================  ==========================================  ===================================
``step``             sigma x each pulse's own mean step          aihwkit (``mult_noise``), RPU
``additive``         sigma x the device's step at w = 0, a pulse aihwkit (``mult_noise=False``)
``pulse``            sigma x range x sqrt(n)                     MLP+NeuroSim
``write``            sigma x range, whatever n >= 1              DNN+NeuroSim 2.1
``change``           sigma x sqrt(abs(dG) range)                 CrossSim, independent of G
``change_g``         the same x G / range                        CrossSim, proportional to G
``change_inverse_g`` the same x range / G                        CrossSim, inversely proportional
===================  ==========================================  ===================================

The first two are in units of the mean step, the others in fractions of the range.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array

from memjax.devices.levels import Levels
from memjax.pytree import Leaf, param, params, static

CONVENTIONS = ("step", "additive", "pulse", "write", "change", "change_g", "change_inverse_g")
"""What ``sigma_c2c`` may be in proportion to."""

Noise = Callable[[int], Array]
"""``noise(purpose)`` draws an array's standard normal numbers, independent for each purpose."""


@params
class CycleToCycle(Levels):
    """Noise that every pulse and every read has anew."""

    sigma_c2c: Leaf = param(
        default=0.0, doc="cycle-to-cycle sd of one step", unit="mean steps", at_least=0
    )
    c2c: str = static(default="step", doc="what sigma_c2c is in proportion to", choices=CONVENTIONS)
    sigma_g: Leaf | None = param(
        default=None,
        doc="sd of one pulse in proportion to the conductance",
        unit="fraction of G",
        at_least=0,
    )
    sigma_read: Leaf | None = param(
        default=None,
        doc="sd of one read in proportion to the conductance",
        unit="fraction of G",
        at_least=0,
    )


def standard_deviation(device: CycleToCycle, mean: Array, sd: Array, g: Array, n: Array) -> Array:
    """The sd of a write: by the convention ``c2c``, and by ``sigma_g``.

    With ``sigma_g`` the variance gains ``|n| sigma_g^2 (g + 1 / (on_off - 1))^2``, so a small
    on/off ratio costs. (Every pulse counts alike, at the conductance before them.)

    Args:
      device: the parameters.
      mean: the mean change that the write makes.
      sd: the model's own sd, which ``step`` and ``additive`` mean.
      g: normalised conductances.
      n: signed pulse counts.
    """
    sd = _by_convention(device, mean, sd, g, n)
    if device.sigma_g is not None:
        proportional = device.sigma_g * (g + device.g_offset)
        sd = jnp.sqrt(sd * sd + jnp.abs(n) * proportional * proportional)
    return sd


def _by_convention(device: CycleToCycle, mean: Array, sd: Array, g: Array, n: Array) -> Array:
    if device.c2c in ("step", "additive"):
        return sd
    if device.c2c == "pulse":
        return jnp.sqrt(jnp.abs(n)) * device.sigma_c2c
    if device.c2c == "write":
        return (n != 0).astype(mean.dtype) * device.sigma_c2c
    sd = jnp.sqrt(jnp.abs(mean)) * device.sigma_c2c
    absolute = jnp.maximum(g + device.g_offset, 1e-6)
    if device.c2c == "change_g":
        sd = sd * absolute
    elif device.c2c == "change_inverse_g":
        sd = sd / absolute
    return sd
