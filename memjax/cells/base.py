"""What a cell is: devices that make one weight, how pulses reach them and how it is read."""

from typing import Any, ClassVar, NamedTuple

from jaxtyping import Array, Int32

from memjax import random
from memjax.devices import Device
from memjax.pytree import Leaf, param, params
from memjax.renamed import Renamed, take_over

Count = Int32[Array, ""] | int


class CellState(NamedTuple):
    """One weight array's cells: what was fabricated, and what the weight alone cannot tell.

    Attributes:
      devices: a fabricated array a device of the cell (what ``Device.init`` returns).
      conductances: normalised conductances, an array a device; empty where the weight says it all,
        and places on a scale of the device's own where the cell holds those.
    """

    devices: tuple[Any, ...]
    conductances: tuple[Array, ...]


@params
class Cell:
    """Parameters that every cell has."""

    refreshes: ClassVar[bool] = False
    """Whether it re-programs devices by itself, beside the pulses of updates."""

    weight_range: Leaf = param(
        default=0.5, doc="largest weight R: w lies in [-R, R]", unit="weight units", more_than=0
    )

    def check(self, device: Device) -> None:
        """Raises ``UserError`` where cells of this kind cannot be made of the device.

        Args:
          device: the device that the cells are made of.
        """
        del device

    def pulse_size(self, device: Device) -> Any:
        """One pulse's mean weight change at ``g_ref``, ``2 R mean_step``, in weight units.

        Args:
          device: the device that the cells are made of.
        """
        return 2.0 * self.weight_range * device.mean_step

    def is_static(self, device: Device) -> bool:
        """Whether cells that get no pulse stay as they are, so that others may be pulsed alone.

        Args:
          device: the device that the cells are made of.
        """
        return not device.changes_with_time

    def init(self, device: Device, stream: random.Stream, weight: Array) -> tuple[CellState, Array]:
        """Fabricates cells and programs them to ``weight`` as nearly as they can hold it.

        Args:
          device: the device that the cells are made of.
          stream: random stream of this weight array.
          weight: wanted weights.

        Returns:
          The cells' state and the weight that they hold.
        """
        raise NotImplementedError(f"{type(self).__name__} must define init")

    def pulse(
        self,
        device: Device,
        state: CellState,
        weight: Array,
        n: Array,
        stream: random.Stream,
        *,
        count: Count = 0,
        exact_noise: bool = False,
    ) -> tuple[CellState, Array]:
        """Fires ``n`` signed pulses at each cell (up raises the weight).

        Args:
          device: the device that the cells are made of.
          state: the cells' state.
          weight: the weight that they hold.
          n: signed pulse counts of the weight's shape.
          stream: random stream of this update.
          count: updates done before this one; cells with upkeep go by it.
          exact_noise: exact normal numbers instead of the fast ones (static).

        Returns:
          The new state and the new weight.
        """
        raise NotImplementedError(f"{type(self).__name__} must define pulse")

    def shares(self, n: Array) -> tuple[Array, ...]:
        """The signed pulses that each device of a cell takes of ``n``, up positive, on average.

        Args:
          n: signed pulse counts of the weight's shape.
        """
        return (n,)

    def conductances(self, device: Device, state: CellState, weight: Array) -> tuple[Array, ...]:
        """The normalised conductance of each device of the cells.

        Args:
          device: the device that the cells are made of.
          state: the cells' state.
          weight: the weight that they hold.
        """
        del device, weight
        return state.conductances

    def readout(self, device: Device, state: CellState, weight: Array) -> Array:
        """The weight that the cells hold, given the last one that they were seen to hold.

        Args:
          device: the device that the cells are made of.
          state: the cells' state.
          weight: the last one that they were seen to hold.
        """
        raise NotImplementedError(f"{type(self).__name__} must define readout")

    def read_variance(self, device: Device, weight: Array) -> Array:
        """The variance of one read of each weight, ``device.sigma_read`` of every conductance.

        Args:
          device: the device that the cells are made of.
          weight: the weight that they hold.
        """
        raise NotImplementedError(f"{type(self).__name__} must define read_variance")

    idles = Renamed("is_static")

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        take_over(cls)
