"""What a learning algorithm is: parameters, and the transform that they make of a device."""

from typing import ClassVar

import optax
from jaxtyping import Array, Key

from memjax.cells import Cell
from memjax.devices import Device
from memjax.pulses import Scheme
from memjax.pytree import params


@params
class Algorithm:
    """Parameters of a learning algorithm, each in its paper's letters or the name for them.

    ``transform`` gives the last link of an Optax chain: wanted weight changes in, what the devices
    did out. ``memjax.sweep`` knows an algorithm by its name in ``ALGORITHMS``.
    """

    wants_gradients: ClassVar[bool] = False
    """Whether it must see gradients, and counts of pulses in their place will not do."""

    arrays: ClassVar[int] = 1
    """Arrays a weight, the params themselves among them, on reference cells without spread."""

    def check(self, device: Device, cell: Cell) -> None:
        """Raises ``UserError`` where the algorithm needs what the device or the cell lacks."""
        del device, cell

    def transform(
        self,
        device: Device,
        *,
        key: Key[Array, ""],
        cell: Cell | None = None,
        pulses: Scheme | None = None,
        exact_noise: bool = False,
        diagnostics: bool = False,
    ) -> optax.GradientTransformationExtraArgs:
        """The Optax transform.

        Args:
          device: the device of every weight.
          key: one typed key.
          cell: how devices make a weight (default: ``ReferenceCell()``).
          pulses: how wanted changes become pulses, where the algorithm leaves that open.
          exact_noise: exact normal numbers instead of the fast ones (static).
          diagnostics: counts what pulses do (``memjax.updates.diagnostics``; static).
        """
        raise NotImplementedError(f"{type(self).__name__} must define transform")
