"""Coincidence pulses: an outer-product update in one shot, by trains on rows and columns."""

import jax.numpy as jnp
from jaxtyping import Array, Float32

from memjax import random
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

    With length management a sample takes ``min(ceil(rate X D), length)`` slots. With update
    management a sample that wants more than ``length`` pulses has its d clipped, never its x.

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016); Gokmen, Onen & Haensch, Front. Neurosci.
    11:538 (2017).
    """

    length: int = static(10, "slots a train, BL", at_least=1, at_most=1024)
    update_management: bool = static(True, "balance the probabilities of rows and columns")
    length_management: bool = static(False, "as many slots as the sample needs, up to length")

    def __post_init__(self) -> None:
        check(self)

    def count(
        self,
        stream: random.Stream,
        x: Float32[Array, "batch rows"],
        d: Float32[Array, "batch columns"],
        rate: Leaf,
    ) -> Float32[Array, "rows columns"]:
        """Signed pulse counts, positive where x and d agree in sign; a batch's counts add.

        Args:
          stream: random stream of this update.
          x: the layer's inputs.
          d: the errors at its outputs.
          rate: pulses for a unit of ``x d``: learning rate over pulse size.
        """
        x_max = jnp.maximum(jnp.max(jnp.abs(x), axis=1, keepdims=True), _TINY)
        d_max = jnp.maximum(jnp.max(jnp.abs(d), axis=1, keepdims=True), _TINY)
        wanted = rate * x_max * d_max
        slots = jnp.full_like(wanted, self.length)
        active = None
        if self.length_management:
            slots = jnp.clip(jnp.ceil(wanted), 1.0, self.length)
            active = slots[:, 0].astype(jnp.int32)
        each = jnp.sqrt(rate / slots)
        balance = jnp.ones_like(wanted)
        if self.update_management:
            reach = d_max * jnp.minimum(1.0, slots / jnp.maximum(wanted, _TINY))
            balance = jnp.sqrt(reach / x_max)

        def line(purpose: int, values: Array, scale: Array) -> Trains:
            lane = random.fold_in(stream, purpose)
            return trains(lane, jnp.abs(values) * scale, values < 0, self.length, active)

        return coincidences(line(0, x, each * balance), line(1, d, each / balance))
