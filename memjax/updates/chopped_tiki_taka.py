"""Choppers: the sign of a row of the fast array flips now and then, and offsets average out."""

from typing import ClassVar

from jaxtyping import Array

from memjax import random
from memjax.pytree import Leaf, param, params
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
        del turn
        return random.uniform(stream, ()) < self.flip_probability
