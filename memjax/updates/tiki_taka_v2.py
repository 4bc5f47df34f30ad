"""Tiki-Taka, version 2: a digital buffer between the fast array and the slow one."""

from typing import ClassVar, NamedTuple

import jax.numpy as jnp
import optax
from jaxtyping import Array, Key

from memjax.cells import Cell
from memjax.devices import Device
from memjax.pulses import Scheme
from memjax.pytree import Leaf, given, params
from memjax.updates.buffered_transfer import BufferedTransfer
from memjax.updates.digital_scale import WeightRange
from memjax.updates.in_situ import in_situ
from memjax.updates.memristive import Memristive
from memjax.updates.transfer import Read


class Buffer(NamedTuple):
    """What was read and has not been written yet.

    Attributes:
      h: in weight units.
    """

    h: Array


@params
class TikiTakaV2(BufferedTransfer):
    """Version 2: a digital buffer H between the arrays filters what is read.

    ``H[k] <- H[k] + transfer_rate A[k]``; ``n = trunc(H[k] / pulse size)`` pulses on C, at most
    ``transfer_pulses`` (the paper has 1); ``H[k] <- H[k] - n pulse size``: nothing is lost. Three
    arrays a weight: C, A and H.

    Source: Gokmen, Front. Artif. Intell. 4:699148 (2021).
    """

    arrays: ClassVar[int] = 3

    def remember(self, shape: tuple[int, ...]) -> Buffer:
        """H."""
        return Buffer(jnp.zeros(shape))

    def on_read(self, memory: Buffer, read: Read) -> tuple[Buffer, Array]:
        """Fills the buffer and drains it."""
        h, n = self.drain(memory.h + self.transfer_rate * read.chop * read.value, read.size)
        return Buffer(h), n


def tiki_taka_v2(
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
    """A fast and a slow array with a buffer between them: ``TikiTakaV2``.

    Parameters as of ``TikiTakaV2`` and as of ``in_situ``; ``slow_device`` makes C of another device
    than A. ``transfer_every`` (default: 1), ``tile_rows`` (512), ``transfer_pulses`` (31)
    and ``zero_shift`` (0) must be static to ``optax.inject_hyperparams``.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.SoftBounds(levels=64)
      >>> tx = memjax.tiki_taka_v2(0.1, device, key=jax.random.key(0), transfer_rate=0.2)
    """
    algorithm = TikiTakaV2(
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
