"""One door to every data set."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from memjax.data.dataset import Dataset
from memjax.data.digits import load_digits
from memjax.data.idx import find_idx, load_idx
from memjax.data.tfds import load_tfds
from memjax.errors import DataError

VARIABLE = "MEMJAX_DATA_DIR"

DATASETS: dict[str, Callable[[], Dataset]] = {"digits": load_digits}
"""Data sets that a function makes, by name; one that is added here can be swept on."""


def load(name: str = "digits", *, data_dir: Path | str | None = None) -> Dataset:
    """Loads a data set by name, from the nearest place that has it.

    "digits" is embedded, and `DATASETS` may get others. Any other is looked for in this order:

    1. IDX files in `data_dir/<name>/`, then in `data_dir` itself;
    2. a prepared TFDS data set in `data_dir`;
    3. if `data_dir` is not given: the same two in the directory that the variable
       MEMJAX_DATA_DIR names (IDX files directly in it count as "mnist" only, so that no other
       name is taken for them), then TFDS's own directory, then a download by TFDS.

    Args:
        name: "digits", "mnist", "fashion_mnist", "kmnist", another image classification data set
            of TFDS, or, for IDX files in `data_dir`, any name.
        data_dir: Where to look, and nowhere else.

    Returns:
        The data set: x float32 [n, height, width(, channels)] in [0, 1], y int32 [n].

    Raises:
        DataError: If the data set is unknown, missing or broken; one line, with the remedy.

    Example:
        >>> digits = load()
        >>> digits.name, digits.n_features, digits.flat().x_test.shape
        ('digits', 64, (360, 64))
    """
    if not re.fullmatch(r"\w+(/\w[\w.-]*)?", name):
        raise DataError(
            f"data set name {name!r}: give a name such as digits, mnist, emnist/letters"
        )
    if name in DATASETS:
        return DATASETS[name]()
    if data_dir is not None:
        found = _from_directory(name, Path(data_dir), unnamed=True)
        if found is None:
            raise DataError(
                f"{data_dir}: neither IDX files nor a prepared TFDS data set {name!r}: put "
                "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
                "t10k-labels-idx1-ubyte (plain or .gz) there, or leave data_dir out to download"
            )
        return found
    if directory := os.environ.get(VARIABLE):
        found = _from_directory(name, Path(directory), unnamed=name == "mnist")
        if found is not None:
            return found
    return load_tfds(name)


def _from_directory(name: str, directory: Path, *, unnamed: bool) -> Dataset | None:
    """Looks in one directory; `unnamed` says whether IDX files directly in it are `name`."""
    if not directory.is_dir():
        raise DataError(f"{directory}: no such directory: check data_dir or {VARIABLE}")
    for place in (directory / name, *([directory] if unnamed else [])):
        if find_idx(place) is not None:
            return load_idx(place, name)
    if any((directory / name).glob("**/dataset_info.json")):
        return load_tfds(name, directory, download=False)
    return None
