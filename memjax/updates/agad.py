"""AGAD: gradients are read as differences from a reference that follows the fast array."""

import math
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Key

from memjax import random
from memjax.cells import Cell
from memjax.devices import Device
from memjax.pulses import Scheme
from memjax.pytree import Leaf, given, param, params
from memjax.updates.buffered_transfer import BufferedTransfer
from memjax.updates.digital_scale import WeightRange
from memjax.updates.in_situ import in_situ
from memjax.updates.memristive import Memristive
from memjax.updates.transfer import Read


class Averages(NamedTuple):
    """What AGAD remembers.

    Attributes:
      h: what was read and has not been written yet, in weight units.
      mu: running mean of the reads since the last flip.
      past: mu as it was at the last flip: the reference of the reads since then.
    """

    h: Array
    mu: Array
    past: Array


@params
class AGAD(BufferedTransfer):
    """Analog gradient accumulation with dynamic reference: reads count from their own past mean.

    ``H[k] <- H[k] + transfer_rate chop (A[k] - mu_past[k])``; ``n = trunc(H[k] / pulse size)``
    pulses on C, ``H[k] <- H[k] - n pulse size``. ``mu`` is a running mean of the reads, ``mu <-
    mu + m (A[k] - mu)`` with ``m = min(tail_weight / chop_every, 1)``, which begins at the first
    read after a flip; the chopper flips after every ``chop_every`` reads of the row, and then
    ``mu_past <- mu``. Nothing is written before the first flip. An offset that A always reads
    cancels exactly.

    Five arrays a weight, C, A, H, mu and mu_past, and a sign a row.

    Source: Rasch, Carta, Fagbohungbe & Gokmen, Nat. Commun. 15:7133 (2024).
    """

    chop_every: Leaf = param(
        default=10.0, doc="reads of a row between two flips", unit="reads", at_least=1
    )
    tail_weight: Leaf = param(
        default=5.0, doc="weight of a read in mu, over chop_every", more_than=0
    )

    chops: ClassVar[bool] = True
    arrays: ClassVar[int] = 5

    def _passes_unwritten(self) -> int:
        """Reads before the first flip; 1 where that is traced, or swept."""
        every = self.chop_every
        is_known = not isinstance(every, jax.core.Tracer) and np.ndim(every) == 0
        return math.ceil(float(every)) if is_known else 1

    def remember(self, shape: tuple[int, ...]) -> Averages:
        """H, mu and mu_past."""
        return Averages(*(jnp.zeros(shape) for _ in range(3)))

    def flips(self, stream: random.Stream, turn: Array) -> Array:
        """Regularly."""
        del stream
        return self._period(turn + 1) > self._period(turn)

    def on_read(self, memory: Averages, read: Read) -> tuple[Averages, Array]:
        """The difference from the past mean goes into H."""
        latched = self._period(read.turn) > 0
        moved = self.transfer_rate * read.chop * (read.value - memory.past)
        h, n = self.drain(memory.h + jnp.where(latched, moved, 0.0), read.size)
        begins = (read.turn == 0) | (self._period(read.turn) > self._period(read.turn - 1))
        gain = jnp.minimum(self.tail_weight / self.chop_every, 1.0)
        mu = memory.mu + jnp.where(begins, 1.0, gain) * (read.value - memory.mu)
        return Averages(h, mu, jnp.where(read.flips, mu, memory.past)), n

    def _period(self, turn: Array) -> Array:
        """Flips of a row before its read number ``turn``."""
        return jnp.floor(turn.astype(jnp.float32) / self.chop_every)


def agad(
    learning_rate: optax.ScalarOrSchedule,
    device: Device,
    *,
    key: Key[Array, ""],
    transfer_rate: Leaf = 0.1,
    gamma: Leaf | None = None,
    sigma_transfer: Leaf | None = None,
    transfer_every: int | float | None = None,
    tile_rows: int | None = None,
    transfer_pulses: int | None = None,
    fast_rate: Leaf | None = None,
    auto_scale: bool = False,
    with_reset: Leaf | None = None,
    zero_shift: int | None = None,
    buffer_momentum: Leaf | None = None,
    forget: bool = False,
    chop_every: Leaf = 10.0,
    tail_weight: Leaf = 5.0,
    cell: Cell | None = None,
    pulses: Scheme | None = None,
    slow_device: Device | None = None,
    memristive: Memristive = None,
    weight_range: WeightRange = None,
    watch: bool = True,
    momentum: float | None = None,
    exact_noise: bool = False,
    diagnostics: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """A fast and a slow array with a dynamic reference: ``AGAD``.

    Parameters as of ``AGAD`` and as of ``in_situ``; ``slow_device`` makes C of another device
    than A. ``transfer_every`` (default: 1), ``tile_rows`` (512), ``transfer_pulses`` (31)
    and ``zero_shift`` (0) must be static to ``optax.inject_hyperparams``.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.get("ReRamArrayOM")
      >>> tx = memjax.agad(0.1, device, key=jax.random.key(0), chop_every=20)
    """
    algorithm = AGAD(
        **given(
            transfer_rate=transfer_rate,
            gamma=gamma,
            sigma_transfer=sigma_transfer,
            transfer_every=transfer_every,
            tile_rows=tile_rows,
            transfer_pulses=transfer_pulses,
            fast_rate=fast_rate,
            auto_scale=auto_scale,
            with_reset=with_reset,
            zero_shift=zero_shift,
            buffer_momentum=buffer_momentum,
            forget=forget,
            chop_every=chop_every,
            tail_weight=tail_weight,
        )
    )
    return in_situ(
        algorithm,
        learning_rate,
        device,
        key=key,
        cell=cell,
        pulses=pulses,
        slow_device=slow_device,
        memristive=memristive,
        weight_range=weight_range,
        watch=watch,
        momentum=momentum,
        exact_noise=exact_noise,
        diagnostics=diagnostics,
    )
