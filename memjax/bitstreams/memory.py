"""Cycles of devices that remember: a spread that lasts, and a RESET that may fail."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, UInt32

from memjax import random
from memjax.bitstreams.switching_device import SwitchingDevice

_V0, _TAU0, _EVENT, _RESET = range(4)


class Memory(NamedTuple):
    """What devices carry from a bit to the next.

    Attributes:
      of_v0, of_tau0: deviations, standard normal.
      on: which are SET.
      recent: the last 32 bits of what is read later, the newest in the last place.
    """

    of_v0: Float[Array, "..."]
    of_tau0: Float[Array, "..."]
    on: Bool[Array, "..."]
    recent: UInt32[Array, "..."]


def forgotten(stream: random.Stream, shape: tuple[int, ...]) -> Memory:
    """Devices before their first bit: deviations of the stationary law, none SET.

    Args:
      stream: random stream of these devices.
      shape: of the devices (static).
    """
    of_v0, of_tau0 = (_normal(stream, purpose, shape) for purpose in (_V0, _TAU0))
    return Memory(of_v0, of_tau0, jnp.zeros(shape, bool), jnp.zeros(shape, jnp.uint32))


def cycle(
    device: SwitchingDevice,
    memory: Memory,
    stream: random.Stream,
    chances: Callable[[Memory], Sequence[Array]],
) -> tuple[Memory, list[Array]]:
    """RESET, pulse, READ: a bit of each device, or several that see the same switching.

    ``on' = (on and the RESET fails) or u < P(xi)``, with one ``u`` for all probabilities.

    Args:
      device: its parameters.
      memory: what the devices carry.
      stream: random stream of this cycle.
      chances: the probabilities of each bit, given the deviations.
    """
    shape = memory.on.shape
    if device.lasts:
        kept = jnp.asarray(device.rho, jnp.float32)
        fresh = jnp.sqrt(1.0 - jnp.square(kept))
        memory = memory._replace(
            of_v0=kept * memory.of_v0 + fresh * _normal(stream, _V0, shape),
            of_tau0=kept * memory.of_tau0 + fresh * _normal(stream, _TAU0, shape),
        )
    event = random.uniform(random.fold_in(stream, _EVENT), shape)
    bits = [event < chance for chance in chances(memory)]
    if device.reset_failure is not None:
        fails = random.uniform(random.fold_in(stream, _RESET), shape) < device.reset_failure
        bits = [bit | (memory.on & fails) for bit in bits]
    on = bits[0]
    for bit in bits[1:]:
        on = on | bit
    return memory._replace(on=on), bits


def _normal(stream: random.Stream, purpose: int, shape: tuple[int, ...]) -> Array:
    return random.normal(random.fold_in(stream, purpose), shape)
