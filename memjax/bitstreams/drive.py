"""The pulses that make a probability."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.bitstreams.spread import Pulses, effective_probability
from memjax.bitstreams.switching_device import Switches, SwitchingDevice, cloglog
from memjax.pytree import Leaf, param, params, static

MODULATES = ("amplitude", "width")
CALIBRATIONS = ("nominal", "mean", "device")
_STEPS = 8
_FARTHEST = 3.0


@params
class Drive:
    """How a pulse carries a probability, and what is known of the device that it is made for.

    ``calibration`` is ``"nominal"``: the law without any spread; ``"mean"``: the mean over cycles
    of the nominal device, and what failing RESETs leave; ``"device"``: the same of each device.
    """

    modulates: str = static(
        default="amplitude", doc="what of a pulse carries the probability", choices=MODULATES
    )
    amplitude: Leaf = param(
        default=3.0, doc="of pulses whose width carries the probability", unit="V", more_than=0
    )
    width: Leaf = param(
        default=1e-3, doc="of pulses whose amplitude carries the probability", unit="s", more_than=0
    )
    calibration: str = static(
        default="nominal", doc="what is known of the device", choices=CALIBRATIONS
    )


def pulses(device: SwitchingDevice, p: Array, drive: Drive) -> Pulses:
    """The pulses of the nominal law.

    Args:
      device: whose ``tau0`` and ``V0`` count.
      p: probabilities.
      drive: how they are carried.
    """
    if drive.modulates == "width":
        return Pulses(jnp.asarray(drive.amplitude, jnp.float32), device.width(p, drive.amplitude))
    return Pulses(device.voltage(p, drive.width), jnp.asarray(drive.width, jnp.float32))


def pulses_as_known(
    device: SwitchingDevice,
    p: Array,
    drive: Drive,
    switches: Switches,
    on: Leaf | None = None,
) -> Pulses:
    """The pulses by what ``drive.calibration`` says is known of devices.

    Args:
      device, p, drive, on: as of ``calibrate``.
      switches: the devices.
    """
    if drive.calibration == "nominal":
        return pulses(device, p, drive)
    known = switches if drive.calibration == "device" else None
    return calibrate(device, p, drive, known, on)


def calibrate(
    device: SwitchingDevice,
    p: Leaf,
    drive: Drive | None = None,
    switches: Switches | None = None,
    on: Leaf | None = None,
) -> Pulses:
    """The pulses by which the mean of many bits is ``p``, whatever spreads from cycle to cycle.

    Solves ``E[P] = p`` by Newton's method on ``ln(-ln(1 - P))``, which is nearly straight. A RESET
    that fails leaves a device SET: of each cycle ``(p - q on) / (1 - q on)`` is then asked, at
    least 0.

    Args:
      device: its parameters.
      p: probabilities wanted.
      drive: how pulses carry them.
      switches: devices, each of which is measured; the nominal one if not given.
      on: how often the device is SET before a RESET; ``p`` if not given.

    Example:
      >>> from memjax.bitstreams import SwitchingDevice, calibrate, effective_probability
      >>> device = SwitchingDevice(sigma_v0_c2c=0.05)
      >>> found = effective_probability(device, device.nominal, calibrate(device, 0.3))
      >>> print(f"{found:.4f}")
      0.3000
    """
    drive = Drive() if drive is None else drive
    switches = device.nominal if switches is None else switches
    p = jnp.asarray(p, jnp.float32)
    if device.reset_failure is not None:
        left = device.reset_failure * (p if on is None else jnp.asarray(on, jnp.float32))
        p = jnp.maximum((p - left) / (1.0 - left), 0.0)
    start = pulses(device, p, drive)
    inside = (p > 0) & (p < 1)
    shape = jnp.broadcast_shapes(p.shape, switches.v0.shape, switches.log_tau0.shape)
    wanted = jnp.broadcast_to(cloglog(jnp.where(inside, p, 0.5)), shape)
    at_half = pulses(device, jnp.float32(0.5), drive)
    first = jnp.where(inside, *_coordinates(start, at_half, device, drive))

    def error(x: Array) -> Array:
        found = effective_probability(device, switches, _pulses(x, start, device, drive))
        return cloglog(jnp.clip(found, 1e-30, 1.0 - 2.0**-24)) - wanted

    def step(_: Array, x: Array) -> Array:
        now, slope = jax.jvp(error, (x,), (jnp.ones_like(x),))
        change = jnp.where(slope > 0.05, now / jnp.maximum(slope, 0.05), jnp.sign(now))
        return x - jnp.clip(change, -_FARTHEST, _FARTHEST)

    found = jax.lax.fori_loop(0, _STEPS, step, jnp.broadcast_to(first, shape))
    made = _pulses(found, start, device, drive)
    return Pulses(*(jnp.where(inside, new, old) for new, old in zip(made, start, strict=True)))


def _coordinates(
    one: Pulses, other: Pulses, device: SwitchingDevice, drive: Drive
) -> tuple[Array, Array]:
    """Pulses on a scale of which one is a factor e of the rate: ``V / V0`` or ``ln t``."""
    if drive.modulates == "width":
        return jnp.log(one.width), jnp.log(other.width)
    return one.voltage / device.v0, other.voltage / device.v0


def _pulses(x: Float[Array, "..."], like: Pulses, device: SwitchingDevice, drive: Drive) -> Pulses:
    if drive.modulates == "width":
        return Pulses(like.voltage, jnp.exp(x))
    return Pulses(x * device.v0, like.width)
