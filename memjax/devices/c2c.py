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

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from jaxtyping import Array

if TYPE_CHECKING:
    from memjax.devices.base import Device

CONVENTIONS = ("step", "additive", "pulse", "write", "change", "change_g", "change_inverse_g")
"""What ``sigma_c2c`` may be in proportion to."""


def standard_deviation(device: "Device", array: Any, g: Array, n: Array) -> tuple[Array, Array]:
    """Mean change of a write and its standard deviation: by the convention, and by ``sigma_g``.

    Args:
      device: the parameters.
      array: the fabricated devices.
      g: normalised conductances.
      n: signed pulse counts.
    """
    mean, sd = _by_convention(device, array, g, n)
    if device.sigma_g is not None:
        proportional = device.sigma_g * (g + device.g_offset)
        sd = jnp.sqrt(sd * sd + jnp.abs(n) * proportional * proportional)
    return mean, sd


def _by_convention(device: "Device", array: Any, g: Array, n: Array) -> tuple[Array, Array]:
    mean, sd = device.response(array, g, n)
    if device.c2c == "step":
        return mean, sd
    if device.c2c == "additive":
        return mean, device.additive_sd(array, g, n)
    if device.c2c == "pulse":
        return mean, jnp.sqrt(jnp.abs(n)) * device.sigma_c2c
    if device.c2c == "write":
        return mean, (n != 0).astype(mean.dtype) * device.sigma_c2c
    sd = jnp.sqrt(jnp.abs(mean)) * device.sigma_c2c
    absolute = jnp.maximum(g + device.g_offset, 1e-6)
    if device.c2c == "change_g":
        sd = sd * absolute
    elif device.c2c == "change_inverse_g":
        sd = sd / absolute
    return mean, sd
