"""Tiki-Taka, version 1: what the fast array holds is added to the slow one, row by row."""

from typing import ClassVar

import optax
from jaxtyping import Array, Key

from memjax.cells import Cell
from memjax.devices import Device
from memjax.pulses import Bernoulli, Scheme
from memjax.pytree import Leaf, given, params
from memjax.updates.digital_scale import WeightRange
from memjax.updates.in_situ import in_situ
from memjax.updates.memristive import Memristive
from memjax.updates.transfer import Read, Transfer


@params
class TikiTaka(Transfer):
    """Version 1: ``C <- C + transfer_rate A[k]``, in stochastic pulses; ``W = gamma A + C``.

    A is drawn to its symmetry point by the pulses themselves, which is to be where it reads 0. Two
    arrays a weight, C and A; three with gamma.

    Source: Gokmen & Haensch, Front. Neurosci. 14:103 (2020).
    """

    arrays: ClassVar[int] = 2

    def remember(self, shape: tuple[int, ...]) -> None:
        """Nothing."""
        del shape

    def on_read(self, memory: None, read: Read) -> tuple[None, Array]:
        """``E[n] = transfer_rate A[k] / pulse size``."""
        wanted = read.value * (self.transfer_rate / read.size)
        return memory, Bernoulli(max_pulses=self.transfer_pulses).draw(read.stream, wanted)


def tiki_taka(
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
    """A fast and a slow array: ``TikiTaka``, version 1.

    Parameters as of ``TikiTaka`` and as of ``in_situ``; ``slow_device`` makes C of another device
    than A. ``transfer_every`` (default: 1), ``tile_rows`` (512), ``transfer_pulses`` (31)
    and ``zero_shift`` (0) must be static to ``optax.inject_hyperparams``.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.SoftBounds(levels=64)
      >>> tx = memjax.tiki_taka(0.1, device, key=jax.random.key(0), gamma=0.5)
    """
    algorithm = TikiTaka(
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
