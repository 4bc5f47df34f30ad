"""Coincidence pulses: an outer-product update in one shot, by trains on rows and columns."""

import functools

import jax.numpy as jnp
from jaxtyping import Array, Float32

from memjax import random
from memjax.errors import UserError
from memjax.pulses.trains import Trains, coincidences, trains
from memjax.pytree import Leaf, check, params, static

_TINY = 1e-30


@params
class Coincidence:
    """Stochastic trains of ``length`` slots; their coincidences multiply x and delta.

    A slot of row j fires with ``p = |x_j| C sqrt(D / X)``, of column i with
    ``q = |d_i| C sqrt(X / D)``, ``C = sqrt(rate / length)``, where ``rate = learning_rate /
    pulse_size``, ``X = max |x|`` and ``D = max |d|`` of the sample; without update management the
    square roots are 1. So ``E[n] = rate x d`` while no probability exceeds 1.

    With length management a sample takes ``min(ceil(rate X D), length)`` slots, at least 1. With
    update management a sample that wants more than ``length`` pulses has its d clipped, not its x.

    A batch's counts add before any pulse is fired, so opposite ones cancel and make no noise.

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016); Gokmen, Onen & Haensch, Front.
    Neurosci. 11:538 (2017).
    """

    length: int = static(default=10, doc="slots a train, BL", at_least=1, at_most=32)
    update_management: bool = static(
        default=True, doc="balance the probabilities of rows and columns"
    )
    length_management: bool = static(
        default=False, doc="as many slots as the sample needs, up to length"
    )

    def __post_init__(self) -> None:
        check(self)
        if self.length_management and not self.update_management:
            raise UserError(
                "Coincidence: length_management = True needs update_management = True: in few "
                "slots, unbalanced probabilities clip"
            )

    @property
    def most(self) -> int:
        """``length``: of a sample."""
        return self.length

    def count(
        self,
        stream: random.Stream,
        rows: tuple[Float32[Array, "batch _"], ...],
        columns: Float32[Array, "batch columns"],
        rate: Leaf,
    ) -> tuple[Float32[Array, "_ columns"], ...]:
        """Signed pulse counts, positive where row and column agree in sign; a batch's counts add.

        Args:
          stream: random stream of this update.
          rows: what drives the rows, in groups (the inputs x; the 1 of a bias).
          columns: what drives the columns, the errors d.
          rate: pulses for a unit of ``x d``: learning rate over pulse size.

        Returns:
          The counts of every group of rows.
        """
        x_max, d_max = _largest(*rows), _largest(columns)
        wanted = rate * x_max * d_max
        slots, active = jnp.full_like(wanted, self.length), None
        if self.length_management:
            slots = jnp.clip(jnp.ceil(wanted), 1.0, self.length)
            active = slots[:, 0].astype(jnp.int32)
        each = jnp.sqrt(rate / slots)
        balance = jnp.ones_like(wanted)
        if self.update_management:
            reach = d_max * jnp.minimum(1.0, slots / jnp.maximum(wanted, _TINY))
            balance = jnp.sqrt(reach / x_max)

        def lines(purpose: int, values: Array, scale: Array) -> Trains:
            own = random.fold_in(stream, purpose)
            return trains(own, jnp.abs(values) * scale, values < 0, self.length, active)

        across = lines(0, columns, each / balance)
        return tuple(
            coincidences(lines(1 + group, values, each * balance), across)
            for group, values in enumerate(rows)
        )


def _largest(*values: Array) -> Array:
    """The largest magnitude of each sample, ``[batch, 1]``, never 0."""
    largest = [jnp.max(jnp.abs(v), axis=1, keepdims=True) for v in values]
    return functools.reduce(jnp.maximum, largest, jnp.full_like(largest[0], _TINY))
