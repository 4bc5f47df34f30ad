"""What lanes report, a row a lane."""

import hashlib

import numpy as np

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
    """
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
