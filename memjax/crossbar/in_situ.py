"""Arrays that train in place: converters and tiles of conductances that learning moves."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from memjax import random
from memjax.cells import Cell, DifferentialPair, ReferenceCell
from memjax.crossbar.access import Access, behind
from memjax.crossbar.adc import Adc
from memjax.crossbar.analog import Analog
from memjax.crossbar.array import Array
from memjax.crossbar.array_dense import Backward
from memjax.crossbar.current_voltage import MILO_SIEMENS, CurrentVoltage
from memjax.crossbar.dac import Dac
from memjax.crossbar.held import hold
from memjax.crossbar.ir_drop import IRDrop
from memjax.crossbar.management import Management
from memjax.crossbar.state import CrossbarState
from memjax.crossbar.tiling import Tiling
from memjax.devices import Device
from memjax.errors import UserError
from memjax.pytree import check, params, static


@params
class InSituArray(Access, Adc, Analog, CurrentVoltage, Dac, IRDrop, Management, Tiling):
    """What an array does to the products of a training in place, whose weights its cells hold.

    The options are those of ``memjax.crossbar.Array`` less what the device and the cell decide:
    levels, on/off ratio and the mapping. A cell of two devices is read as ``I+ - I-``, one device
    against the current of a reference at ``g_ref``: a reference for each cell with ``subtract =
    "analog"``, a column for each tile, with an ADC of its own, with ``"digital"``.

    Example:
      >>> from memjax.crossbar import InSituArray
      >>> InSituArray().acts, InSituArray(adc_bits=8).acts
      (False, True)
    """

    backward: str = static(
        default="exact",
        doc="what errors are multiplied by: exact, the weights; read, weights that are read back "
        "through r_access and clipped; array, the transposed array with these converters",
        choices=("exact", "read", "array"),
    )

    def __post_init__(self) -> None:
        check(self)
        self._of_any_device()

    @property
    def acts(self) -> bool:
        """Whether products may differ from those in floating point."""
        return any(
            getattr(self, f.name) is not None if f.default is None else _is_chosen(self, f)
            for f in dataclasses.fields(self)
        )

    def idle(self) -> list[str]:
        """What is said to no effect, a sentence an option."""
        return self._of_any_device().idle()

    def check(self, device: Device, cell: Cell) -> None:
        """Raises ``UserError`` where no such array can be trained in place.

        Args:
          device: of the weights.
          cell: of the weights.
        """
        if not self.acts:
            return

        def refuse(what: str) -> None:
            raise UserError(f"array: {what}")

        if not isinstance(cell, ReferenceCell | DifferentialPair):
            refuse(f"{type(cell).__name__} has no columns; take a reference cell or a pair")
        for name, kind in (("adc_range", self.adc_range), ("input_scale", self.input_scale)):
            if kind in ("calibrated", "average_abs_max"):
                refuse(f"{name} = {kind!r} needs data of each layer; take another")
        if self.adc_range == "granular":
            refuse("adc_range = 'granular' is of sliced weights; take another")
        if device.sigma_read is not None:
            refuse("device.sigma_read is not read here; give the noise of reads as array.w_noise")
        if self.r_access is not None and device.gmax is None:
            refuse("r_access needs device.gmax, in siemens")
        converts = self.adc_bits is not None or self.dac_bits is not None
        if self.backward == "array" and self.dac == "unsigned":
            refuse("backward = 'array' drives errors of both signs; take dac = 'sign_magnitude'")
        if self.backward == "array" and converts and self.input_scale != "abs_max":
            refuse("backward = 'array' converts small errors; give input_scale = 'abs_max'")
        self._array(is_pair=True, on_off=device.on_off, gmax=_gmax(device))

    def forward(
        self, device: Device, cell: Cell, g: tuple[jax.Array, ...], stream: random.Stream
    ) -> CrossbarState:
        """The array of a layer.

        Args:
          device: of the weights.
          cell: of the weights.
          g: normalised conductances of each device of the cells, rows by columns.
          stream: random stream of the layer, for life.
        """
        return self._hold(device, cell, g, stream)

    def back(
        self,
        device: Device,
        cell: Cell,
        weight: jax.Array,
        g: tuple[jax.Array, ...],
        stream: random.Stream,
    ) -> Backward:
        """What errors are multiplied by.

        Args:
          device, cell, g, stream: as of ``forward``.
          weight: the weights, in floating point; without those of the bias.
        """
        if self.backward == "array":
            turned = dataclasses.replace(
                self, tile_rows=self.tile_columns, tile_columns=self.tile_rows
            )
            return turned._hold(device, cell, tuple(one.T for one in g), random.fold_in(stream, 1))
        if self.backward == "exact" or self.r_access is None:
            return weight
        gmin = 1.0 / device.on_off
        scale = cell.weight_range / (1.0 - gmin)

        def read(share: Any) -> Any:
            return behind(self, gmin + (1.0 - gmin) * share, _gmax(device))

        read_back = [read(one[: weight.shape[0]]) for one in g]
        if len(g) == 2:
            found = scale * (read_back[0] - read_back[1])
        else:
            bare = gmin + (1.0 - gmin) * device.g_ref  # the ends of the scale are those of devices
            found = 2.0 * scale * (read_back[0] - bare)
        return jnp.clip(found, -cell.weight_range, cell.weight_range)

    def _hold(
        self, device: Device, cell: Cell, g: tuple[jax.Array, ...], stream: random.Stream
    ) -> CrossbarState:
        is_pair = len(g) == 2 or self.subtract == "analog"
        return hold(
            self._array(is_pair=is_pair, on_off=device.on_off, gmax=_gmax(device)),
            g,
            weight_range=cell.weight_range,
            g_ref=device.g_ref,
            stream=random.fold_in(stream, 0),
        )

    def _of_any_device(self) -> Array:
        """With conductances that every law of a cell knows."""
        low, high = MILO_SIEMENS
        return self._array(is_pair=True, on_off=high / low, gmax=high)

    def _array(self, *, is_pair: bool, on_off: Any, gmax: Any) -> Array:
        own = {
            f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "backward"
        }
        mapping = "two_sided" if is_pair else "unit_column"
        return Array(**own, mapping=mapping, on_off=on_off, gmax=gmax)


def _gmax(device: Device) -> Any:
    """In siemens; any, where nothing needs it."""
    return 1.0 if device.gmax is None else device.gmax


def _is_chosen(array: InSituArray, field: Any) -> bool:
    """Whether an option that is never absent is known to say something else than its default.

    A number says nothing alone: it scales what another option brings in.
    """
    if not field.metadata.get("static"):
        return False
    return bool(getattr(array, field.name) != field.default)
