"""A network's weights from a file."""

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Array

from memjax.errors import UserError


def read_weights(file: str, like: dict[str, Array]) -> dict[str, Any]:
    """The arrays of a file, one a parameter.

    Args:
      file: an ``.npz``.
      like: the model's parameters by path, for their shapes.

    Raises:
      UserError: no such file, or other names or shapes than the model's.
    """
    try:
        with np.load(Path(file)) as arrays:
            found = {name: np.asarray(arrays[name], np.float32) for name in arrays.files}
    except (OSError, ValueError, TypeError, EOFError, AttributeError, BadZipFile) as error:
        raise UserError(f"model.weights: {file}: cannot be read as .npz: {error}") from None
    if sorted(found) != sorted(like):
        raise UserError(
            f"model.weights: {file} has {', '.join(sorted(found))}; the model has "
            f"{', '.join(sorted(like))}: name each array by its path"
        )
    for name, weight in like.items():
        if found[name].shape != weight.shape:
            raise UserError(
                f"model.weights: {file}: {name} has shape {found[name].shape}, the model's "
                f"{weight.shape} (Flax kernels are height, width, inputs, outputs)"
            )
        if not np.all(np.isfinite(found[name])):
            raise UserError(f"model.weights: {file}: {name} has numbers that are not finite")
    return {name: found[name] for name in like}
