"""The twelve fixed kernels of the published network: edges, diagonals, corners and forks."""

from typing import Any

import numpy as np
from jaxtyping import Array, Float

from memjax.errors import UserError

_EXCITES = (
    ((0, 1), (1, 1), (2, 1)),
    ((1, 0), (1, 1), (1, 2)),
    ((0, 0), (1, 1), (2, 2)),
    ((0, 2), (1, 1), (2, 0)),
    ((0, 1), (1, 1), (1, 2)),
    ((1, 0), (1, 1), (2, 1)),
    ((0, 1), (1, 0), (1, 1)),
    ((1, 1), (1, 2), (2, 1)),
    ((0, 0), (0, 2), (1, 1)),
    ((0, 0), (1, 1), (2, 0)),
    ((0, 2), (1, 1), (2, 2)),
    ((1, 1), (2, 0), (2, 2)),
)
"""Rows and columns of the three excitatory cells of each kernel."""


def edge_kernels(
    excite: float = 2.5, inhibit: float = -1.5
) -> Float[np.ndarray, "kernels height width"]:
    """Twelve 3 x 3 kernels: three cells excite, the six others inhibit.

    They sum to -1.5, so that an even surface drives no neuron.

    Args:
      excite: weight of the three cells.
      inhibit: weight of the others.

    Example:
      >>> from memjax.spiking import edge_kernels
      >>> edge_kernels()[0].tolist()
      [[-1.5, 2.5, -1.5], [-1.5, 2.5, -1.5], [-1.5, 2.5, -1.5]]

    Source: Kulkarni & Rajendran, Neural Networks 103:118 (2018).
    """
    kernels = np.full((len(_EXCITES), 3, 3), inhibit, np.float32)
    for kernel, cells in zip(kernels, _EXCITES, strict=True):
        for row, column in cells:
            kernel[row, column] = excite
    return kernels


def slide(
    weights: Float[Array, "kernels *copies 9"], planes: Float[Array, "planes rows columns"]
) -> Float[Array, "planes kernels less_rows less_columns"]:
    """The sums of 3 x 3 windows, each cell times its weight, at every place of a plane.

    Args:
      weights: of each kernel, or of each place's copy of it, ``[kernels, rows - 2, columns - 2,
        9]``.
      planes: images, or what their pixels drive.
    """
    height, width = (extent - 2 for extent in planes.shape[1:])
    copies = weights if weights.ndim == 4 else weights[:, None, None]
    total: Any = 0.0
    for cell in range(9):
        row, column = divmod(cell, 3)
        window = planes[:, None, row : row + height, column : column + width]
        total = total + copies[None, ..., cell] * window
    return total


def check_kernels(kernels: np.ndarray) -> None:
    """Raises ``UserError`` for what is no list of 3 x 3 kernels of finite numbers.

    Args:
      kernels: whatever was given.
    """
    if kernels.ndim != 3 or kernels.shape[1:] != (3, 3) or not len(kernels):
        shape = " x ".join(map(str, kernels.shape))
        raise UserError(f"kernels are {shape}; give some of 3 x 3, an array [kernels, 3, 3]")
    if not np.all(np.isfinite(kernels)):
        raise UserError("kernels have an entry that is no finite number; mend it")
