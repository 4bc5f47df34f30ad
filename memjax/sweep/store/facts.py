"""What results must say of themselves before anybody reads them: attributes, columns, dimensions.

Results of versions that knew one experiment say no objective: theirs is the test accuracy.
"""

import math
import tomllib
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from memjax.origin import parse
from memjax.sweep.store.columns import NOT_RUN, TRAINED

SEED = "seed"


def lacking(results: xr.Dataset) -> str:
    """What of results is missing or wrong, in words; empty where nothing is.

    Args:
      results: of a sweep.

    Example:
      >>> lacking(xr.Dataset(attrs={"objective": "error", "guess": "0.1"}))
      "the attribute guess = '0.1' is not a finite number"
    """
    attrs = results.attrs
    for name, (is_right, what) in _FACTS.items():
        if name in attrs and not is_right(attrs[name]):
            return f"the attribute {name} = {_shown(attrs[name])} is not {what}"
    needed = "n_classes"
    if "objective" in attrs or "frame" in attrs:
        needed = "guess" if "objective" in attrs else "objective"
    if needed not in attrs:
        return f"the attribute {needed} is missing"
    column, stage = attrs.get("objective", "test_accuracy"), attrs.get("stage", "epoch")
    for name in (column, "status"):
        if name not in results.data_vars:
            return f"no {name}"
    lanes, values = results["status"], results[column]
    if lanes.dtype.kind not in "iu" or not _within(lanes, TRAINED, NOT_RUN):
        return f"status is not of whole numbers, {TRAINED} to {NOT_RUN}"
    if SEED not in lanes.dims or set(values.dims) != {*lanes.dims, stage} or stage in lanes.dims:
        return f"{column} is over {_dims(values)}, status over {_dims(lanes)}, not {stage} less"
    if not values.size:
        return f"no values of {column}"
    if values.dtype.kind not in "fiub":
        return f"{column} is not of numbers"
    lost = values.isel({stage: -1}).isnull() & (lanes == TRAINED)
    return f"values of {column} are missing" if np.any(lost) else _coordinates(results)


def impossible(results: xr.Dataset) -> str:
    """What of results cannot be, which no checksum rules out where there is none; or nothing.

    Args:
      results: of a sweep, which lack nothing.

    Example:
      >>> y = xr.DataArray([[1.7]], {"seed": [0], "epoch": [1]}, ("seed", "epoch"))
      >>> impossible(xr.Dataset({"test_accuracy": y}))
      'values of test_accuracy are not between 0 and 1'
    """
    attrs = results.attrs
    column = attrs.get("objective", "test_accuracy")
    low, high = attrs.get("bounds", (-math.inf, math.inf) if "objective" in attrs else (0, 1))
    if bool(((results[column] < low) | (results[column] > high)).any()):
        return f"values of {column} are not between {low:g} and {high:g}"
    asked = tomllib.loads(attrs.get("spec", ""))
    sizes = {SEED: asked.get("seeds"), "epoch": asked.get("train", {}).get("epochs")}
    for name in map(str, results[column].dims):
        if name in results.indexes and not results.indexes[name].is_unique:
            return f"two values of {name} are equal"
        if (size := sizes.get(name)) not in (None, results.sizes[name]):
            return f"{results.sizes[name]} of {size} values of {name}"
    return ""


def _coordinates(results: xr.Dataset) -> str:
    """What is wrong with who lanes are; results of before lanes had keys do not say."""
    dims = results["status"].dims
    for name in ("lane_key", "key_data"):
        if name in results.coords and results[name].dims != dims:
            return f"{name} is over {_dims(results[name])}, status over {_dims(results['status'])}"
    for reference, found in results.data_vars.items():
        of = found.attrs.get("reference_of", "")
        if not isinstance(of, str):
            return f"{reference} is the reference of {_shown(of)}"
        if of and (found.dims[:1] != (SEED,) or found.dtype.kind not in "fiub"):
            return f"{reference} is not of numbers over {SEED}"
    return ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return type(value) is int and abs(value) < 2**1000


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53


def _are_bounds(value: Any) -> bool:
    two = isinstance(value, list | tuple | np.ndarray) and len(value) == 2
    return two and all(isinstance(bound, int | float) for bound in value)


def _are_sentences(value: Any) -> bool:
    if isinstance(value, str) or value is None:
        return True
    return isinstance(value, list | tuple | np.ndarray) and all(isinstance(x, str) for x in value)


def _is_toml(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(parse(value) or True)
    except tomllib.TOMLDecodeError:
        return False


_TEXT = (_is_text, "a string")
_NUMBER = (_is_number, "a finite number")
_SENTENCES = (_are_sentences, "a list of sentences")
_COUNT = (_is_count, "a whole number of at least 1")
_FACTS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": _TEXT,
    "objective": _TEXT,
    "stage": _TEXT,
    "frame": _TEXT,
    "better": (lambda value: value in ("higher", "lower"), "higher or lower"),
    "guess": _NUMBER,
    "n_classes": _COUNT,
    "bounds": (_are_bounds, "a list of two numbers"),
    "spec": (_is_toml, "a specification in TOML"),
    "seconds": _NUMBER,
    "notes": _SENTENCES,
    "errors": _SENTENCES,
    "width": _COUNT,
}


def _within(values: xr.DataArray, low: int, high: int) -> bool:
    return bool(((values >= low) & (values <= high)).all())


def _dims(values: xr.DataArray) -> str:
    return ", ".join(map(str, values.dims)) or "nothing"


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."
