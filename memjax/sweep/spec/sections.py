"""The sections of a specification: what each may hold, of which type, and what it builds.

``[device]``, ``[cell]`` and ``[pulses]`` are the package's own parameter classes, seen as tables:
whoever registers a new device can sweep it at once. The rest are declared here.
"""

import dataclasses
import functools
import re
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model

from memjax.cells import CELLS
from memjax.devices import MODELS, catalogue
from memjax.errors import SpecError, UserError, suggest
from memjax.experiments import ACTIVATIONS
from memjax.pulses import SCHEMES
from memjax.updates import ALGORITHMS


class SectionError(SpecError):
    """A wrong value in a section: its ``key``, and ``what`` is wrong with it."""

    def __init__(self, key: str, what: str):
        super().__init__(f"{key}: {what}")
        self.key, self.what = key, what


def _float32(value: float) -> float:
    if abs(value) > float(np.finfo(np.float32).max):
        raise ValueError("is more than a float32 can hold")
    return value


Number = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_float32)]
"""What may become an array's element."""


def _distinct(levels: list[float]) -> list[float]:
    if len(set(levels)) < len(levels):
        raise ValueError("must be distinct levels")
    return levels


def _activation(name: str) -> str:
    if name not in ACTIVATIONS:
        raise ValueError(f"is not known; {suggest(name, ACTIVATIONS)}")
    return name


class Section(BaseModel):
    """A table of the specification, of strict types."""

    model_config = ConfigDict(strict=True, frozen=True)


class ModelSection(Section):
    """The network."""

    hidden: list[Annotated[int, Field(ge=1, le=2**20)]] = Field([32], min_length=1)
    activation: Annotated[str, AfterValidator(_activation)] = "sigmoid"


class DataSection(Section):
    """The data set."""

    name: str = "digits"
    dir: str = ""
    train_size: int | None = Field(None, ge=1)
    test_size: int | None = Field(None, ge=1)
    crop: int | None = Field(None, ge=1)
    binarize: Annotated[Number, Field(gt=0, lt=1)] | None = None


class TrainSection(Section):
    """The training."""

    epochs: int = Field(10, ge=1, le=100_000)
    batch_size: int = Field(1, ge=1)
    learning_rate: Number = Field(0.1, ge=0)
    learning_rate_decay: Number = Field(1.0, gt=0)
    baseline_learning_rate: Number | None = Field(None, ge=0)


class EvaluateSection(Section):
    """Corruptions of the test set, at the end of training, and what pulses did until then."""

    gaussian: Annotated[list[Annotated[Number, Field(gt=0)]], AfterValidator(_distinct)] = []
    salt_and_pepper: Annotated[
        list[Annotated[Number, Field(gt=0, le=1)]], AfterValidator(_distinct)
    ] = []
    diagnostics: bool = False


class EngineSection(Section):
    """How lanes are run; results depend on nothing here but ``width``, and on that by rounding."""

    width: int | None = Field(None, ge=1, le=2**20)
    checkpoint_minutes: Number = Field(10.0, ge=0)
    keep_states: bool = False


PLAIN: dict[str, type[Section]] = {
    "model": ModelSection,
    "data": DataSection,
    "train": TrainSection,
    "evaluate": EvaluateSection,
    "engine": EngineSection,
}
"""Sections with a fixed set of keys; of one in ``CHOICES`` too, those that all choices have."""

CHOICES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "device": ("model", "ConstantStep", MODELS),
    "cell": ("kind", "reference", CELLS),
    "pulses": ("scheme", "coincidence", SCHEMES),
    "train": ("algorithm", "sgd", ALGORITHMS),
}
"""Sections whose keys depend on one of them: that key, its default, and what it chooses from."""

SECTIONS = tuple(dict.fromkeys((*CHOICES, *PLAIN)))
"""All of them."""

AXIS_SECTIONS = ("device", "cell", "pulses", "model", "train")
"""Where an axis looks for its parameter, in this order."""

_NOT_AXES = {("train", "epochs"), ("train", "baseline_learning_rate")}

_BOUNDS = {"at_least": "ge", "more_than": "gt", "at_most": "le", "less_than": "lt"}
_LEAVES = {("train", "learning_rate"), ("train", "learning_rate_decay")}


def may_be_axis(section: str, table: dict[str, Any], key: str) -> bool:
    """Whether an axis may vary a parameter: not a list, nor what changes the result's shape."""
    return key in table and not isinstance(table[key], list) and (section, key) not in _NOT_AXES


def validate(section: str, table: dict[str, Any]) -> dict[str, Any]:
    """A section's table with every value checked and every default filled in.

    Raises:
      SectionError: an unknown key, or a value of a wrong type or out of range.
    """
    checked = _typed(section, table)
    _try_to_build(section, checked)
    return checked


def choices_of(section: str, table: dict[str, Any], axes: dict[str, Any]) -> list[dict[str, Any]]:
    """The table of every choice that it or an axis makes, its own first, each with its own keys.

    Args:
      section: the section.
      table: what the specification gives.
      axes: the specification's axes, unchecked.
    """
    if section not in CHOICES:
        return [table]
    selector, default, registry = CHOICES[section]
    groups = [axes, *(entry for entry in axes.values() if isinstance(entry, dict))]
    listed = [
        name
        for group in groups
        if isinstance(group.get(selector), list)
        for name in group[selector]
        if isinstance(name, str) and name in registry
    ]
    own = table.get(selector, default)
    if not listed or own not in registry:
        return [table]
    keys = {name: _choice_schema(section, name).model_fields for name in (own, *listed)}
    known = set().union(*keys.values())
    return [
        {key: value for key, value in table.items() if key in keys[name] or key not in known}
        | {selector: name}
        for name in keys
    ]


def validate_column(section: str, table: dict[str, Any], key: str, values: list[Any]) -> list[Any]:
    """The values of one key that a section may hold in turn, checked.

    Raises:
      SectionError: one of them is of a wrong type or out of range.
    """
    table = knowing(section, table, key)
    tables = [_typed(section, with_value(section, table, key, value)) for value in values]
    column = [checked[key] for checked in tables]
    if is_static(section, table, key):
        for checked in tables:
            _try_to_build(section, checked)
    else:  # all at once
        _try_to_build(section, {**table, key: np.asarray(column)})
    return column


def _typed(section: str, table: dict[str, Any]) -> dict[str, Any]:
    if section == "device":
        table = _written_out(table)
    shape = _schema(section, table)
    for key in table:
        if key not in shape.model_fields:
            raise SectionError(key, f"unknown key; {suggest(key, shape.model_fields)}")
    try:
        return shape(**table).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        value = repr(first["input"])
        shown = value if len(value) <= 60 else f"{value[:60]}..."
        raise SectionError(str(first["loc"][0]), f"{shown} {_said(first['msg'])}") from None


def _written_out(table: dict[str, Any]) -> dict[str, Any]:
    """A device's table with a preset's or a file's parameters in it, under those that it gives."""
    model = table.get("model")
    if not isinstance(model, str) or model in MODELS:
        return table
    try:
        named = catalogue.as_table(catalogue.get(model))
    except UserError as error:
        raise SectionError("model", str(error)) from None
    return {**named, **table, "model": named["model"]}


def _try_to_build(section: str, table: dict[str, Any]) -> None:
    """Whatever an object checks beyond each value's range."""
    try:
        if section in CHOICES:
            build(section, table)
    except UserError as error:  # "Class: key = value must be ..."
        blamed = re.match(r"\w+: (\w+) = (.*)", str(error))
        raise SectionError(*(blamed.groups() if blamed else (section, str(error)))) from None


_WORDS = {
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "more than",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    " after validation": "",
    "Value error, ": "",
}


def _said(message: str) -> str:
    """Pydantic's message in this package's words."""
    message = re.sub(r"^\w+ should ", "must ", message)
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    return message


def knowing(section: str, table: dict[str, Any], key: str) -> dict[str, Any]:
    """The table by a choice that has this key: its own, or the first that has."""
    selector, _, registry = CHOICES.get(section, ("", "", {}))
    for choice in (table.get(selector), *registry):
        if choice in registry and key in _choice_schema(section, choice).model_fields:
            return with_value(section, {**table, key: table.get(key)}, selector, choice)
    return table


def with_value(section: str, table: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A table with one value changed, less the keys that a new choice (of a device) has no use for.

    Raises:
      SectionError: it chooses what there is not.
    """
    changed = {**table, key: value}
    known = _schema(section, changed).model_fields
    return {key: value for key, value in changed.items() if key in known}


def build(section: str, table: dict[str, Any]) -> Any:
    """The object that a validated table of ``CHOICES`` describes: ``train``'s is the algorithm.

    Keys that it has no use for are left out: they belong to another choice of the same sweep.
    """
    selector, _, registry = CHOICES[section]
    fields = _fields(section, table[selector])
    return registry[table[selector]](**{k: v for k, v in table.items() if k in fields})


def is_static(section: str, table: dict[str, Any], key: str) -> bool:
    """Whether each value of this parameter is a compilation of its own."""
    if section in PLAIN and key in PLAIN[section].model_fields:
        return (section, key) not in _LEAVES
    selector, _, registry = CHOICES[section]
    if key == selector:
        return True
    fields = (_fields(section, choice).get(key) for choice in (table[selector], *registry))
    return next(bool(field.metadata.get("static")) for field in fields if field is not None)


def _fields(section: str, choice: str) -> dict[str, dataclasses.Field]:
    _, _, registry = CHOICES[section]
    return {field.name: field for field in dataclasses.fields(registry[choice])}


def _schema(section: str, table: dict[str, Any]) -> type[Section]:
    """The schema of a section, given what the table chooses."""
    if section not in CHOICES:
        return PLAIN[section]
    selector, default, registry = CHOICES[section]
    choice = table.get(selector, default)
    if not isinstance(choice, str) or choice not in registry:
        known = suggest(str(choice), registry)
        raise SectionError(selector, f"{choice!r} is not known; {known}")
    return _choice_schema(section, choice)


@functools.cache
def _choice_schema(section: str, choice: str) -> type[Section]:
    fields: dict[str, Any] = {CHOICES[section][0]: (str, CHOICES[section][1])}
    for name, field in _fields(section, choice).items():
        kind, default = field.type if field.metadata.get("static") else Number, field.default
        if rank := field.metadata.get("rank"):
            default = np.asarray(default).tolist()
            for _ in range(rank):
                kind = list[kind]  # type: ignore[valid-type]
        bounds = {
            _BOUNDS[key]: bound
            for key, bound in field.metadata["bounds"].items()
            if bound is not None
        }
        bounded = Annotated[kind, Field(**bounds)]  # type: ignore[valid-type]
        fields[name] = (bounded if default is not None else bounded | None, default)
    return create_model(section, __base__=PLAIN.get(section, Section), **fields)
