"""What a crossbar holds: conductances in tiles, and what makes weights of them."""

import copy
from typing import Any, TypeVar

import jax
import numpy as np

from memjax.crossbar import tiling
from memjax.crossbar.array import Array
from memjax.crossbar.tiling import Tiles
from memjax.errors import UserError
from memjax.pytree import params, static

_Self = TypeVar("_Self", bound="CrossbarState")


@params
class CrossbarState:
    """A matrix as an array holds it.

    Attributes:
      array: how it is held.
      g: conductances over Gmax: slices, sides (G+ and G- of a pair), tiles along the inputs, along
        the outputs, rows (inputs), columns (outputs, and the unit column behind them). Padding is
        0, and what is put there is not read.
      limit: the weight limit of each column, of the rank of a tile's weights.
      columns: standard normal numbers a column, of the gains, offsets and voltage offsets.
      adc_range: ends of a calibrated range a slice: slices by 2.
      input_range: a calibrated scale of the inputs: one, or one a tile along them.
      gain, bias: of the outputs, digital, what ``memjax.crossbar.tune`` finds.
      tiles: sizes of the tiles (static).
      cycles: input slices of a product (static).
    """

    array: Array
    g: jax.Array
    limit: jax.Array
    columns: jax.Array | None
    adc_range: jax.Array | None
    input_range: jax.Array | None
    gain: jax.Array | None
    bias: jax.Array | None
    tiles: Tiles = static(default=Tiles((), ()), doc="sizes of the tiles")
    cycles: int = static(default=1, doc="input slices of a product")

    def replace(self: _Self, **changes: Any) -> _Self:
        """The same with other attributes, such as its conductances ``g``.

        Args:
          **changes: attributes by name.
        """
        if unknown := changes.keys() - self.__dataclass_fields__.keys():
            raise UserError(f"replace: a crossbar has no {', '.join(sorted(unknown))}")
        new = copy.copy(self)
        new._set(**changes)
        return new

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def shape(self) -> tuple[int, int]:
        """Outputs and inputs."""
        return sum(self.tiles.columns), sum(self.tiles.rows)

    @property
    def is_cell(self) -> np.ndarray:
        """Which entries of ``g`` are cells, not padding: tiles by rows by columns."""
        found = tiling.is_cell(self.tiles)
        if self.array.mapping != "unit_column":
            return found
        return np.concatenate([found, found[..., :1]], axis=-1)

    @property
    def is_output(self) -> np.ndarray:
        """Which currents are read, not padding: of their rank, columns last."""
        found = tiling.mask(self.tiles.columns)
        if self.array.mapping == "unit_column":
            found = np.pad(found, ((0, 0), (0, 1)), constant_values=True)
        return found[None, None, None]
