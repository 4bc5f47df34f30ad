"""The type of a field of params as a table has it, for pydantic to check."""

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _float32(value: float) -> float:
    if abs(value) > float(np.finfo(np.float32).max):
        raise ValueError("is more than a float32 can hold")
    return value


Number = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_float32)]
"""What may become an array's element."""


class Section(BaseModel):
    """A table of the specification, of strict types."""

    model_config = ConfigDict(strict=True, frozen=True)


_BOUNDS = {"at_least": "ge", "more_than": "gt", "at_most": "le", "less_than": "lt"}


def as_pydantic(field: dataclasses.Field) -> tuple[Any, Any]:
    """The type of a field's value in a table, and its default."""
    told, default = field.metadata, field.default
    if told.get("static"):
        kind = _plain(field.type, told.get("each", {}))
        default = list(default) if isinstance(default, tuple) else default
    else:
        kind = Number
    if rank := told.get("rank"):
        default = np.asarray(default).tolist()
        for _ in range(rank):
            kind = list[kind]  # type: ignore[valid-type]
    bounded = Annotated[kind, Field(**_limits(told["bounds"]))]  # type: ignore[valid-type]
    return (bounded if default is not None else bounded | None, default)


def _plain(kind: Any, each: Mapping[str, float | int]) -> Any:
    """A static field's type as a table has it: lists for tuples, and no ``None``."""
    if isinstance(kind, types.UnionType):
        kinds = [one for one in typing.get_args(kind) if one is not type(None)]
        kind = float if set(kinds) == {int, float} else kinds[0]
    if typing.get_origin(kind) is tuple:
        entry = _plain(typing.get_args(kind)[0], {})
        return list[Annotated[entry, Field(**_limits(each))]]  # type: ignore[valid-type]
    return Number if kind is float else kind


def _limits(bounds: Mapping[str, Any]) -> dict[str, Any]:
    return {_BOUNDS[key]: bound for key, bound in bounds.items() if bound is not None}


def hashable(value: Any) -> Any:
    """A static field's value from a table's: tuples for lists."""
    return tuple(hashable(item) for item in value) if isinstance(value, list) else value


_WORDS = {
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "more than",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    " after validation": "",
    "Value error, ": "",
}


def in_our_words(message: str) -> str:
    """Pydantic's message in this package's words."""
    message = re.sub(r"^\w+ should ", "must ", message)
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    return message
