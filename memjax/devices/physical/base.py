"""What a physical model is: a state, a law that a voltage drives it by, and a current."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from memjax.errors import UserError
from memjax.pytree import Leaf, params


@params
class PhysicalModel:
    """A memristive device in physical units: volts, seconds, amperes, siemens.

    A subclass gives ``bounds``, ``advance``, ``conductance`` and ``state_at``, and ``current`` if
    it is not ohmic. Everything is elementwise and pure, so a model may be jitted and vmapped over
    devices, voltages and parameters alike.
    """

    state_name: ClassVar[str]
    """What the state is, with its unit: the label of an axis."""

    @property
    def bounds(self) -> tuple[Leaf, Leaf]:
        """The least and the greatest state."""
        raise NotImplementedError(f"{type(self).__name__} must define bounds")

    def advance(self, state: Array, voltage: Array, dt: Array) -> Array:
        """The state after ``dt`` at a constant voltage; ``step`` holds it within the bounds."""
        raise NotImplementedError(f"{type(self).__name__} must define advance")

    def conductance(self, state: Leaf) -> Float[Array, "..."]:
        """What a read sees, in S."""
        raise NotImplementedError(f"{type(self).__name__} must define conductance")

    def state_at(self, conductance: Leaf) -> Float[Array, "..."]:
        """The state within the bounds that has a conductance, in S: inverts ``conductance``."""
        raise NotImplementedError(f"{type(self).__name__} must define state_at")

    def current(self, state: Leaf, voltage: Leaf) -> Float[Array, "..."]:
        """The current in A at a voltage in V: ohmic, ``i = G V``."""
        return self.conductance(state) * voltage

    def step(self, state: Leaf, voltage: Leaf, dt: Leaf) -> Float[Array, "..."]:
        """The state after a time at a constant voltage, within the bounds.

        Args:
          state: of any shape; in the unit of ``state_name``.
          voltage: in V; a scalar or of the state's shape, like ``dt``.
          dt: in s.

        Raises:
          UserError: a ``dt`` that is not positive.
        """
        require_positive(self, dt=dt)
        state, voltage, dt = jnp.broadcast_arrays(
            *(jnp.asarray(value, jnp.float32) for value in (state, voltage, dt))
        )
        return jnp.clip(self.advance(state, voltage, dt), *self.bounds)


def require_positive(owner: Any, **values: Leaf) -> None:
    """Raises ``UserError`` for the first concrete value that is not a positive number."""
    for name, value in values.items():
        if not isinstance(value, jax.core.Tracer) and not np.all(np.asarray(value) > 0):
            name_of_owner = owner if isinstance(owner, str) else type(owner).__name__
            raise UserError(f"{name_of_owner}: {name} = {value} must be more than 0")


def require_ascending(model: PhysicalModel, low: str, high: str) -> None:
    """Raises ``UserError`` unless one concrete field of a model is below another."""
    below, above = getattr(model, low), getattr(model, high)
    if isinstance(below, jax.core.Tracer) or isinstance(above, jax.core.Tracer):
        return
    if not np.all(np.asarray(below) < np.asarray(above)):
        raise UserError(f"{type(model).__name__}: {low} = {below} must be less than {high}")
