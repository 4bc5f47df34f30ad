"""Programming by the device's own pulses: read, pulse, read again, until it is near enough."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32

from memjax import random
from memjax.crossbar.programming import PROGRAMMING, Programming, Writing
from memjax.devices import ConstantStep, Device
from memjax.devices.bounds import clip_to_bounds
from memjax.devices.effects import model_array
from memjax.errors import UserError
from memjax.pytree import Leaf, param, params, static


class Written(NamedTuple):
    """What a write with verification came to, device by device.

    Attributes:
      g: the conductances, fractions of Gmax.
      tries: trains of pulses that were fired.
      pulses: pulses in them.
      converged: whether the last read was within the tolerance.
      energy: of the pulses, in joules, at the mean of a train's first and last conductance; NaN
        where the device's pulses are not known.
    """

    g: Float[Array, "..."]
    tries: Int32[Array, "..."]
    pulses: Float[Array, "..."]
    converged: Array
    energy: Float[Array, "..."]


@params
class WriteVerify(Programming):
    """Each device is read and pulsed until it reads within ``tolerance`` of its target, from Gmin.

    A train has as many pulses as lead nearest to the target by the step where the device is, one at
    least. Reads have the device's ``sigma_read``. Devices that are not there after ``most_tries``
    stay where they are.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax import random
      >>> from memjax.crossbar import WriteVerify
      >>> from memjax.devices import ConstantStep
      >>> rule = WriteVerify(device=ConstantStep(levels=101, on_off=1e6), tolerance=0.006)
      >>> written = rule.write(random.stream(jax.random.key(0)), jnp.array([0.3, 0.5]), gmin=0.0)
      >>> [round(float(g), 3) for g in written.g], written.tries.tolist()
      ([0.3, 0.5], [1, 1])
    """

    device: Device = dataclasses.field(
        default=ConstantStep(levels=100), metadata={"hidden": True, "doc": "any device of memjax"}
    )
    tolerance: Leaf = param(
        default=0.01, doc="distance of a read from its target", unit="of the range", more_than=0
    )
    most_tries: int = static(default=20, doc="trains of pulses a device", at_least=1)
    most_pulses: int = static(default=1000, doc="pulses of a train", at_least=1)

    def sd(self, g: Array, gmax: Leaf) -> Array:
        """Refused: what pulses reach follows from no formula."""
        raise UserError("WriteVerify: it has no sd of its own; take that of what write() gives")

    def program(self, stream: random.Stream, g: Array, *, gmin: Leaf, gmax: Leaf) -> Array:
        """The conductances of ``write``."""
        del gmax
        return self.write(stream, g, gmin=gmin).g

    def program_cells(
        self, stream: random.Stream, g: Array, is_cell: np.ndarray, *, gmin: Leaf, gmax: Leaf
    ) -> tuple[Array, Writing]:
        """The conductances of ``write``, and its tries, pulses and energy over all cells."""
        del gmax
        written = self.write(stream, g, gmin=gmin)
        cells = jnp.broadcast_to(is_cell, g.shape)
        count = jnp.sum(cells, dtype=jnp.float32)

        def total(of: Array) -> Array:
            return jnp.sum(jnp.where(cells, of.astype(jnp.float32), 0.0))

        return written.g, Writing(
            tries=total(written.tries) / count,
            pulses=total(written.pulses),
            energy=total(written.energy),
            unwritten=total(jnp.logical_not(written.converged)) / count,
        )

    def write(self, stream: random.Stream, g: Array, *, gmin: Leaf) -> Written:
        """Programs an array of devices.

        Args:
          stream: random stream of the array.
          g: targets, fractions of Gmax.
          gmin: the lower bound, a fraction of Gmax.
        """
        device = self.device
        target = (g - gmin) / (1.0 - gmin)
        made, now = device.init(random.fold_in(stream, 0), jnp.zeros_like(target))
        none = jnp.zeros(g.shape)
        start = (made, now, self._apart(stream, target, now, 0), none.astype(jnp.int32), none, none)

        def attempt(k: Array, carry: tuple) -> tuple:
            made, now, apart, tries, pulses, energy = carry
            open_ = jnp.abs(apart) > self.tolerance
            n = jnp.where(open_, self._train(made, now, apart), 0.0)
            own = random.fold_in(random.fold_in(stream, 1), k)

            def noise(purpose: int) -> Array:
                return random.normal(random.fold_in(own, purpose), g.shape, exact=True)

            made, change = device.advance(made, now, n, noise)
            before, now = now, clip_to_bounds(made, now + change)
            if device.knows_energy:
                energy = energy + device.energy(n, (before + now) / 2.0)
            read = self._apart(stream, target, now, k + 1)
            apart = jnp.where(open_, read, apart)
            return made, now, apart, tries + open_.astype(jnp.int32), pulses + jnp.abs(n), energy

        found = jax.lax.fori_loop(0, self.most_tries, attempt, start)
        _, now, apart, tries, pulses, energy = found
        return Written(
            g=gmin + (1.0 - gmin) * now,
            tries=tries,
            pulses=pulses,
            converged=jnp.abs(apart) <= self.tolerance,
            energy=energy if device.knows_energy else jnp.full(g.shape, jnp.nan),
        )

    def _apart(self, stream: random.Stream, target: Array, now: Array, k: Array | int) -> Array:
        """How far a read lies below its target."""
        if self.device.sigma_read is None:
            return target - now
        own = random.fold_in(random.fold_in(stream, 2), k)
        sd = self.device.sigma_read * (now + self.device.g_offset)
        return target - now - sd * random.normal(own, now.shape, exact=True)

    def _train(self, made: object, now: Array, apart: Array) -> Array:
        """Signed pulses towards the target, by the step at the present conductance."""
        one = jnp.sign(apart)
        step = jnp.abs(self.device.response(model_array(made), now, one)[0])
        n = jnp.round(jnp.abs(apart) / jnp.maximum(step, 1e-3 * self.device.nominal_step))
        return one * jnp.clip(n, 1.0, float(self.most_pulses))


PROGRAMMING["write_verify"] = WriteVerify
