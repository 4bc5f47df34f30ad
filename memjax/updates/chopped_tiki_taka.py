"""Choppers: the sign of a row of the fast array flips now and then, and offsets average out."""

from typing import ClassVar

import optax
from jaxtyping import Array, Key

from memjax import random
from memjax.cells import Cell
from memjax.devices import Device
from memjax.pulses import Scheme
from memjax.pytree import Leaf, given, param, params
from memjax.updates.digital_scale import WeightRange
from memjax.updates.in_situ import in_situ
from memjax.updates.memristive import Memristive
from memjax.updates.tiki_taka_v2 import TikiTakaV2


@params
class ChoppedTikiTaka(TikiTakaV2):
    """c-TTv2: version 2, with each row's wanted changes and reads times its chopper's sign.

    After a read the chopper of its row flips with a probability. Gradients add up whatever the
    sign; an offset of A's symmetry point changes sign with it and averages out of H. Three arrays a
    weight, C, A and H, and a sign a row.

    Source: Rasch, Carta, Fagbohungbe & Gokmen, Nat. Commun. 15:7133 (2024).
    """

    flip_probability: Leaf = param(
        default=0.1, doc="that a chopper flips after a read", at_least=0, at_most=1
    )

    chops: ClassVar[bool] = True

    def flips(self, stream: random.Stream, turn: Array) -> Array:
        """At random."""
        return random.uniform(stream, turn.shape) < self.flip_probability


def chopped_tiki_taka(
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
    flip_probability: Leaf = 0.1,
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
    """Version 2 with choppers: ``ChoppedTikiTaka``.

    Parameters as of ``ChoppedTikiTaka`` and as of ``in_situ``; ``slow_device`` makes C of another
    device than A. ``transfer_every`` (default: 1), ``tile_rows`` (512), ``transfer_pulses`` (31)
    and ``zero_shift`` (0) must be static to ``optax.inject_hyperparams``.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.SoftBounds(levels=64)
      >>> tx = memjax.chopped_tiki_taka(0.1, device, key=jax.random.key(0), flip_probability=0.05)
    """
    algorithm = ChoppedTikiTaka(
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
            flip_probability=flip_probability,
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
