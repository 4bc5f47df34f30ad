"""A device's TOML file, read with its places and written whole."""

from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from memjax.errors import UserError
from memjax.origin import Origin, check_values, read_toml
from memjax.outputs import whole


def read_device(path: Path) -> tuple[dict[str, Any], Origin]:
    """The table ``[device]`` of a file, and where its values stand.

    Raises:
      SpecError: no such file, not TOML, no such table, or no model in it.
    """
    raw, text = read_toml(path, "a device's TOML file")
    origin = Origin(str(path), text)
    check_values(raw, origin)
    table = raw.get("device")
    if not isinstance(table, dict):
        origin.fail(("device",), "there is no table [device]; `memjax fit --out` writes one")
    if not isinstance(table.get("model"), str):
        origin.fail(("device", "model"), 'must name a model, such as model = "SoftBounds"')
    return dict(table), origin


def plain(value: Any) -> Any:
    """A parameter as TOML has it: floats of the digits that a float32 holds, and lists of them."""
    if isinstance(value, str):
        return value
    array = np.asarray(value, np.float32)
    digits = [float(str(entry)) for entry in array.ravel()]  # the fewest that a float32 needs
    return np.reshape(digits, array.shape).tolist()


def write(path: Path, tables: dict[str, Any]) -> None:
    """Writes tables to a file, which is there whole or not at all.

    Raises:
      UserError: the file cannot be written.
    """
    try:
        with whole(path) as partial, partial.open("wb") as file:
            tomli_w.dump(tables, file)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}; give another path") from None
