"""Tiki-Taka, version 2: a digital buffer between the fast array and the slow one."""

from typing import ClassVar, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from memjax.pytree import params
from memjax.updates.buffer import drain
from memjax.updates.transfer import Read, Transfer


class Buffer(NamedTuple):
    """What was read and has not been written yet.

    Attributes:
      h: in weight units.
    """

    h: Array


@params
class TikiTakaV2(Transfer):
    """Version 2: a digital buffer H between the arrays filters what is read.

    ``H[k] <- H[k] + transfer_rate A[k]``; ``n = trunc(H[k] / pulse size)`` pulses on C, at most 31;
    ``H[k] <- H[k] - n pulse size``: nothing is lost. Three arrays a weight: C, A and H.

    Source: Gokmen, Front. Artif. Intell. 4:699148 (2021).
    """

    arrays: ClassVar[int] = 3

    def remember(self, shape: tuple[int, ...]) -> Buffer:
        """H."""
        return Buffer(jnp.zeros(shape))

    def on_read(self, memory: Buffer, read: Read) -> tuple[Buffer, Array]:
        """Fills the buffer and drains it."""
        h, n = drain(memory.h + self.transfer_rate * read.chop * read.value, read.size)
        return Buffer(h), n
