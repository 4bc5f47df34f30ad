"""A weight made of devices."""

from memjax.cells.base import Cell, CellState
from memjax.cells.differential import DifferentialPair
from memjax.cells.reference import ReferenceCell
from memjax.cells.refresh_pair import RefreshPair
from memjax.cells.vector import VectorCell

CELLS: dict[str, type[Cell]] = {
    "reference": ReferenceCell,
    "differential": DifferentialPair,
    "refresh_pair": RefreshPair,
    "vector": VectorCell,
}
"""Every cell by its name in a sweep's ``[cell] kind``."""

__all__ = [
    "CELLS",
    "Cell",
    "CellState",
    "DifferentialPair",
    "ReferenceCell",
    "RefreshPair",
    "VectorCell",
]
