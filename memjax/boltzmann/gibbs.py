"""Gibbs sampling with the weights of one update; a state is a column."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.boltzmann.phases import Phase
from memjax.boltzmann.units import Logistic
from memjax.boltzmann.weights import Weights, product

_BINARISE, _DATA, _START, _DREAM, _LAST = range(5)


class Group(NamedTuple):
    """Visible units of a kind.

    Attributes:
      kernel, bias: the names of their parameters.
      units: how many.
      one_hot: whether one of them is on, and no other.
    """

    kernel: str
    bias: str
    units: int
    one_hot: bool


class Gibbs(NamedTuple):
    """What draws hidden units given visible ones, and the other way round.

    Attributes:
      groups: the kinds of visible units.
      weights: as products take them.
      units: what makes hidden and visible units random.
      expected: whether gradients see ``P(h | v)`` in place of samples of h.
    """

    groups: tuple[Group, ...]
    weights: Weights
    units: Logistic
    expected: bool

    @property
    def number(self) -> Any:
        """The numbers of states that are 0 or 1."""
        return self.weights.down[0].dtype

    def start(self, stream: random.Stream, drive: Array) -> Array:
        """Hidden units from which a chain goes on.

        Args:
          stream: random stream of this update.
          drive: their inputs.
        """
        return self.fire(random.fold_in(stream, _START), drive)

    def data(
        self, visible: tuple[Array, ...], stream: random.Stream, chains: int
    ) -> tuple[Phase, Array]:
        """Binary data of every chain with their hidden units, and what drives those.

        Args:
          visible: of each group; values between 0 and 1 are probabilities.
          stream: random stream of this update.
          chains: of a sample (static).
        """
        own, drawn = random.fold_in(stream, _BINARISE), []
        for number, (group, v) in enumerate(zip(self.groups, visible, strict=True)):
            v = jnp.tile(v, (1, chains))
            if not group.one_hot:
                v = random.uniform(random.fold_in(own, number), v.shape) < v
            drawn.append(v.astype(self.number))
        drive = self.up(tuple(drawn))
        seen = self._seen(random.fold_in(stream, _DATA), drive)
        return Phase(tuple(drawn), seen), drive

    def dream(self, stream: random.Stream, hidden: Array, steps: int) -> tuple[Array, ...]:
        """Visible units after some steps from hidden ones.

        Args:
          stream: random stream of this update.
          hidden: where chains start.
          steps: how many (static).
        """
        stream = random.fold_in(stream, _DREAM)

        def visible_of(number: Any, hidden: Array) -> tuple[Array, ...]:
            own = random.fold_in(stream, 2 * number)
            return self._fire_visible(own, self.down(hidden))

        def step(number: Any, hidden: Array) -> Array:
            drive = self.up(visible_of(number, hidden))
            return self.fire(random.fold_in(stream, 2 * number + 1), drive)

        if steps > 1:
            hidden = jax.lax.fori_loop(0, steps - 1, step, hidden.astype(self.number))
        return visible_of(steps - 1, hidden)

    def last(self, visible: tuple[Array, ...], stream: random.Stream) -> tuple[Array, Array]:
        """The hidden units that end a chain, as gradients see them, and what drives them.

        Args:
          visible: at the chain's end.
          stream: random stream of this update.
        """
        drive = self.up(visible)
        return self._seen(random.fold_in(stream, _LAST), drive), drive

    def _seen(self, stream: random.Stream, drive: Array) -> Array:
        return self.units.probability(drive) if self.expected else self.fire(stream, drive)

    def fire(self, stream: random.Stream, drive: Array) -> Array:
        """Units that are on.

        Args:
          stream: random stream of these units.
          drive: their inputs.
        """
        return self.units.fire(stream, drive).astype(self.number)

    def _fire_visible(self, stream: random.Stream, drives: tuple[Array, ...]) -> tuple[Array, ...]:
        found = []
        for number, (group, drive) in enumerate(zip(self.groups, drives, strict=True)):
            own = random.fold_in(stream, number)
            if group.one_hot:  # the largest of logits with Gumbel's noise
                u = random.uniform(own, drive.shape)
                chosen = jnp.argmax(drive - jnp.log(-jnp.log(u)), axis=0)
                found.append(jax.nn.one_hot(chosen, group.units, axis=0, dtype=self.number))
            else:
                found.append(self.fire(own, drive))
        return tuple(found)

    def up(self, visible: tuple[Array, ...]) -> Array:
        """``sum over groups W^T v + c``, ``[hidden, states]``.

        Args:
          visible: of each group.
        """
        drives = [product(w, v) for w, v in zip(self.weights.up, visible, strict=True)]
        return sum(drives[1:], drives[0]) + self.weights.up_bias[:, None]

    def down(self, hidden: Array) -> tuple[Array, ...]:
        """``W h + b`` of each group, ``[units, states]``.

        Args:
          hidden: states.
        """
        pairs = zip(self.weights.down, self.weights.down_bias, strict=True)
        return tuple(product(w, hidden) + b[:, None] for w, b in pairs)
