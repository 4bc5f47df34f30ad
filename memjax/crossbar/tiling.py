"""How a matrix is cut into tiles: static, padded shapes."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from memjax.pytree import params, static


@params
class Tiling:
    """The largest tile, and how a matrix that is larger is cut."""

    tile_rows: int | None = static(default=None, doc="most inputs of a tile", at_least=1)
    tile_columns: int | None = static(default=None, doc="most outputs of a tile", at_least=1)
    cut: str = static(
        default="even",
        doc="of what is larger: even, parts that differ by one at most (aihwkit); equal, rounded "
        "parts and a last one of the rest, which may exceed the limit (CrossSim EQUAL); full, full "
        "tiles and a remainder, but even where their number divides the size (CrossSim MAX); "
        "always_full, full tiles and a remainder (MemTorch)",
        choices=("even", "equal", "full", "always_full"),
    )


class Tiles(NamedTuple):
    """Sizes of the tiles of one matrix, static.

    Attributes:
      rows: inputs of each tile along the inputs.
      columns: outputs of each tile along the outputs.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]


def tiles(tiling: Tiling, shape: tuple[int, int]) -> Tiles:
    """The tiles of a matrix.

    Args:
      tiling: the limits and the cut.
      shape: outputs and inputs.

    Example:
      >>> from memjax.crossbar.tiling import Tiling, tiles
      >>> tiles(Tiling(tile_rows=3, tile_columns=2, cut="equal"), (5, 7))
      Tiles(rows=(2, 2, 3), columns=(2, 2, 1))
      >>> tiles(Tiling(tile_rows=4), (1, 10)).rows
      (4, 3, 3)
    """
    outputs, inputs = shape
    return Tiles(
        sizes(inputs, tiling.tile_rows, tiling.cut), sizes(outputs, tiling.tile_columns, tiling.cut)
    )


def sizes(size: int, limit: int | None, cut: str) -> tuple[int, ...]:
    """Sizes of the parts of an axis; CrossSim's cuts are even where their number divides it.

    Args:
      size: of the axis.
      limit: the largest part that is wanted.
      cut: ``even``, ``equal``, ``full`` or ``always_full``.

    Example:
      >>> from memjax.crossbar.tiling import sizes
      >>> [sizes(6, 4, cut) for cut in ("full", "always_full")]
      [(3, 3), (4, 2)]
    """
    count = 1 if limit is None else -(-size // limit)
    if count == 1:
        return (size,)
    whole, extra = divmod(size, count)
    if cut == "even" or (not extra and cut != "always_full"):
        return tuple(whole + (part < extra) for part in range(count))
    each = round(size / count) if cut == "equal" else (limit or size)  # half to even
    return (each,) * (count - 1) + (size - each * (count - 1),)


def mask(parts: tuple[int, ...]) -> np.ndarray:
    """What is not padding: a row a part, as long as the longest.

    Args:
      parts: sizes of the parts.
    """
    return np.arange(max(parts)) < np.asarray(parts)[:, None]


def split(x: jax.Array, parts: tuple[int, ...]) -> jax.Array:
    """The last axis as parts, padded with zeros to the longest.

    Args:
      x: an array whose last axis has the size of all parts.
      parts: their sizes.

    Returns:
      An array of one axis more: parts, places.
    """
    width, size = max(parts), sum(parts)
    if _fills_in_order(parts):
        padding = [(0, 0)] * (x.ndim - 1) + [(0, width * len(parts) - size)]
        return jnp.pad(x, padding).reshape(*x.shape[:-1], len(parts), width)
    begins = np.cumsum((0, *parts[:-1]))
    index = np.minimum(begins[:, None] + np.arange(width), size - 1)
    is_there = mask(parts).reshape(*(1,) * (x.ndim - 1), len(parts), width)
    return jnp.where(is_there, x[..., index], jnp.zeros((), x.dtype))


def join(y: jax.Array, parts: tuple[int, ...]) -> jax.Array:
    """The inverse of ``split``: padding is dropped.

    Args:
      y: an array whose last two axes are parts and places.
      parts: their sizes.
    """
    flat = y.reshape(*y.shape[:-2], -1)
    if _fills_in_order(parts):
        return flat[..., : sum(parts)]
    return flat[..., np.flatnonzero(mask(parts))]


def _fills_in_order(parts: tuple[int, ...]) -> bool:
    """Whether only the last part is padded, so that no gather is needed."""
    return all(part == max(parts) for part in parts[:-1])


def split_matrix(W: jax.Array, tiles: Tiles) -> jax.Array:
    """A matrix as padded tiles.

    Args:
      W: outputs by inputs.
      tiles: their sizes.

    Returns:
      Tiles along the inputs, along the outputs, rows (inputs), columns (outputs).
    """
    by_inputs = split(W, tiles.rows)  # outputs, ti, rows
    return jnp.moveaxis(split(jnp.moveaxis(by_inputs, 0, -1), tiles.columns), 1, 2)


def join_matrix(cells: jax.Array, tiles: Tiles) -> jax.Array:
    """The inverse of ``split_matrix``.

    Args:
      cells: tiles along the inputs, along the outputs, rows, columns.
      tiles: their sizes.
    """
    by_inputs = join(jnp.moveaxis(cells, 2, 1), tiles.columns)  # ti, rows, outputs
    return join(jnp.moveaxis(by_inputs, -1, 0), tiles.rows)


def is_cell(tiles: Tiles) -> np.ndarray:
    """Which places are cells, not padding: of the shape of ``split_matrix``.

    Args:
      tiles: their sizes.
    """
    return mask(tiles.rows)[:, None, :, None] & mask(tiles.columns)[None, :, None, :]
