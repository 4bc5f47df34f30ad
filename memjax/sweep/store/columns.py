"""What lanes report, a row a lane."""

import hashlib
import zipfile
from pathlib import Path

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

    Example:
      >>> columns = {}
      >>> fill(columns, {"status": np.zeros(1, np.int8)}, rows=np.array([1]), total=2)
      >>> columns["status"].tolist() == [NOT_RUN, TRAINED]
      True
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


def save(path: Path, columns: Columns) -> None:
    """Writes columns of any names as a ``.npz`` file.

    ``numpy.savez`` takes columns called ``file`` or ``allow_pickle`` for arguments of its own.

    Args:
      path: the file.
      columns: what it is to hold.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as place:
      ...     save(Path(place) / "lanes.npz", {"file": np.arange(3)})
      ...     load(Path(place) / "lanes.npz")
      {'file': array([0, 1, 2])}
    """
    with zipfile.ZipFile(path, "w") as file:
        for name, values in columns.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(values), allow_pickle=False)


def load(path: Path) -> Columns:
    """The columns of a file of ``save``; raises whatever NumPy makes of a broken one."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}


def digest(columns: Columns) -> str:
    """A fingerprint of all that they hold."""
    found = hashlib.blake2b(digest_size=8)
    for name in sorted(columns):
        found.update(name.encode() + np.ascontiguousarray(columns[name]).tobytes())
    return found.hexdigest()


def _shapes(columns: Columns) -> dict[str, tuple[int, ...]]:
    """Of a lane's values."""
    return {name: values.shape[1:] for name, values in columns.items()}
