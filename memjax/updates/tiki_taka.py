"""Tiki-Taka, version 1: what the fast array holds is added to the slow one, row by row."""

from typing import ClassVar

from jaxtyping import Array

from memjax.pulses import Bernoulli
from memjax.pytree import params
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
        return memory, Bernoulli().draw(read.stream, wanted)
