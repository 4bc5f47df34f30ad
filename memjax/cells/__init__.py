"""A weight made of devices."""

from memjax.cells.base import Cell, CellState
from memjax.cells.differential import DifferentialPair
from memjax.cells.reference import ReferenceCell

CELLS: dict[str, type[Cell]] = {"reference": ReferenceCell, "differential": DifferentialPair}
"""Every cell by its name in a sweep's ``[cell] kind``."""

__all__ = ["CELLS", "Cell", "CellState", "DifferentialPair", "ReferenceCell"]
