"""What pulse counts are, and what makes them."""

from typing import NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, Float, Float32

from memjax import random
from memjax.pytree import Leaf


class Counts(NamedTuple):
    """Signed pulse counts of one weight array: a type, so that no wanted change is taken for them.

    Attributes:
      n: pulses of each weight, up positive; a fraction is a pulse of that width.
      clipped: pulses that were wanted beyond those, in total; ``None`` where that is not known.

    Example:
      >>> import jax, jax.numpy as jnp, memjax
      >>> from memjax.pulses import Counts
      >>> tx = memjax.pulsed_update(memjax.devices.ConstantStep(levels=5), key=jax.random.key(0))
      >>> w = jnp.zeros(3)
      >>> tx.update(Counts(jnp.array([1.0, -2.0, 0.0])), tx.init(w), w)[0].tolist()
      [0.25, -0.5, 0.0]
    """

    n: Float[Array, "..."]
    clipped: Float[Array, ""] | None = None


@runtime_checkable
class Scheme(Protocol):
    """Turns wanted changes, in pulses, into signed whole numbers of pulses, weight by weight."""

    @property
    def most(self) -> float:
        """The most pulses that it fires, a weight and update."""
        ...

    def draw(self, stream: random.Stream, wanted: Array) -> Array:
        """Signed pulse counts.

        Args:
          stream: random stream of this update.
          wanted: wanted change over pulse size, any shape.
        """
        ...


@runtime_checkable
class OuterProduct(Protocol):
    """Turns a layer's inputs and errors into the pulses of their outer product, in one shot."""

    @property
    def most(self) -> float:
        """The most pulses that it fires, a weight and sample."""
        ...

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
        ...
