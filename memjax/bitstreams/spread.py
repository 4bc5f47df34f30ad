"""What cycle-to-cycle spread makes of a probability: independent cycles are one coin, of E[P]."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from memjax.bitstreams.switching_device import (
    Switches,
    SwitchingDevice,
    log_dose,
    scale,
    switched,
)

_NODES, _NODES_EACH = 80, 32


class Pulses(NamedTuple):
    """Pulses, one a device.

    Attributes:
      voltage: V.
      width: s.
    """

    voltage: Float[Array, "..."]
    width: Float[Array, "..."]


def effective_probability(device: SwitchingDevice, switches: Switches, pulses: Pulses) -> Array:
    """The mean over cycles, ``E[P]``: what fraction of many bits of each device is 1.

    Where cycles are independent the bits are those of a coin of this probability, whatever the
    spread, so that nothing needs to be drawn for it. By Gauss-Hermite quadrature.

    Args:
      device: its cycle-to-cycle spread counts.
      switches: the devices.
      pulses: what they get.

    Example:
      >>> from memjax.bitstreams import Pulses, SwitchingDevice, effective_probability
      >>> device = SwitchingDevice(sigma_v0_c2c=0.02)
      >>> pulses = Pulses(device.voltage(0.5, 1e-3), 1e-3)
      >>> print(f"{effective_probability(device, device.nominal, pulses):.4f}")
      0.5090
    """
    if not device.varies:
        return switched(log_dose(switches, *pulses))
    both = device.sigma_v0_c2c is not None and device.sigma_tau0_c2c is not None
    nodes, weights = _gauss_hermite(_NODES_EACH if both else _NODES)
    if both:
        of_v0, of_tau0 = np.meshgrid(nodes, nodes)
        weights = np.outer(weights, weights)
    else:
        of_v0 = of_tau0 = nodes
    shape = jnp.broadcast_shapes(*map(jnp.shape, (*switches, *pulses)))

    def add(total: Array, node: tuple[Array, ...]) -> tuple[Array, None]:
        deviated = deviate(device, switches, *node[:2])
        return total + node[2] * switched(log_dose(deviated, *pulses)), None

    flat = [jnp.asarray(a.ravel(), jnp.float32) for a in (of_v0, of_tau0, weights)]
    return jax.lax.scan(add, jnp.zeros(shape, jnp.float32), tuple(flat))[0]


def deviate(device: SwitchingDevice, switches: Switches, of_v0: Array, of_tau0: Array) -> Switches:
    """Devices in a cycle.

    Args:
      device: its cycle-to-cycle spread.
      switches: the devices in the mean.
      of_v0, of_tau0: standard normal deviations; one that the device has not is not used.
    """
    v0, log_tau0 = switches
    if device.sigma_v0_c2c is not None:
        v0 = v0 * scale(device.sigma_v0_c2c, of_v0)
    if device.sigma_tau0_c2c is not None:
        log_tau0 = log_tau0 + device.sigma_tau0_c2c * of_tau0
    return Switches(v0, log_tau0)


def _gauss_hermite(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the mean over a standard normal number."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    return nodes, weights / weights.sum()
