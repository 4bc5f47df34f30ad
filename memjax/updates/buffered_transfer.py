"""Transfers through a digital buffer: what has been read and not written yet is kept."""

import jax.numpy as jnp
from jaxtyping import Array

from memjax.pytree import Leaf, param, params, static
from memjax.updates.buffer import drain
from memjax.updates.transfer import Transfer


@params
class BufferedTransfer(Transfer):
    """Parameters of every algorithm with a buffer H between A and C.

    ``n = trunc(H[k] / pulse size)`` pulses on C, at most ``transfer_pulses``; then ``H[k] <- H[k] -
    n pulse size``: nothing is lost. With a ``buffer_momentum`` that share of what was written stays
    in H; with ``forget`` nothing else does, of weights of C that got a pulse: neither the pulses
    beyond ``transfer_pulses`` nor the rest of a step.

    Source: Gokmen, Front. Artif. Intell. 4:699148 (2021); forgetting as aihwkit 1.1.0 describes it.
    """

    buffer_momentum: Leaf | None = param(
        default=None, doc="share of what was written that stays in H", at_least=0, less_than=1
    )
    forget: bool = static(
        default=False, doc="whether H forgets what was not written where it fired a pulse"
    )

    def drain(self, h: Array, size: Array) -> tuple[Array, Array]:
        """What is left in H, and the whole pulses that it held.

        Args:
          h: of some rows, in weight units.
          size: what one pulse changes C by.
        """
        left, n = drain(h, size, self.transfer_pulses)
        if self.forget:
            left = jnp.where(n == 0, left, 0.0)
        if self.buffer_momentum is not None:
            left = left + self.buffer_momentum * (n * size)
        return left, n
