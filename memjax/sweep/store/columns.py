"""What lanes report, a row a lane."""

import hashlib

import numpy as np

from memjax.errors import UserError

Columns = dict[str, np.ndarray]
"""Arrays by the name of the column; the first dimension of every one is the lane."""

TRAINED, NOT_FINITE, NOT_RUN = range(3)
"""What the ``status`` of a lane means: it was trained, it went non-finite, it could not be run."""


def fill(columns: Columns, part: Columns, rows: np.ndarray, total: int) -> None:
    """Puts lanes into columns of all lanes, which it makes where they are not there yet.

    Args:
      columns: of all lanes.
      part: of some.
      rows: where those belong.
      total: number of all lanes.

    Raises:
      UserError: some have columns that others have not, or of other shapes: nothing is made up.
    """
    shapes, held = _shapes(part), _shapes(columns) or _shapes(part)
    if shapes != held:
        name = min(name for name in shapes | held if shapes.get(name) != held.get(name))
        raise UserError(
            f"lanes that were run before differ from these in their column {name!r}, as another "
            "version of memjax wrote them; give another --out"
        )
    for name, values in part.items():
        if name not in columns:
            nothing = NOT_RUN if name == "status" else np.nan if values.dtype.kind == "f" else 0
            columns[name] = np.full((total, *values.shape[1:]), nothing, values.dtype)
        columns[name][rows] = values


def digest(columns: Columns) -> str:
    """A fingerprint of all that they hold."""
    found = hashlib.blake2b(digest_size=8)
    for name in sorted(columns):
        found.update(name.encode() + np.ascontiguousarray(columns[name]).tobytes())
    return found.hexdigest()


def _shapes(columns: Columns) -> dict[str, tuple[int, ...]]:
    """Of a lane's values."""
    return {name: values.shape[1:] for name, values in columns.items()}
