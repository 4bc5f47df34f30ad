"""The sections of a specification: what each may hold, of which type, and what it builds.

``[device]``, ``[cell]`` and ``[pulses]`` are the package's own parameter classes, seen as tables:
whoever registers a new device can sweep it at once. The rest are declared here.
"""

import dataclasses
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from memjax.cells import CELLS
from memjax.devices import MODELS
from memjax.errors import SpecError
from memjax.pulses import SCHEMES, Coincidence


class Section(BaseModel):
    """A table of the specification: strict types, no unknown keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ModelSection(Section):
    """The network."""

    hidden: list[int] = Field([32], description="units of every hidden layer")
    activation: Literal["sigmoid", "tanh", "relu"] = "sigmoid"


class DataSection(Section):
    """The data set."""

    name: str = "digits"
    dir: str = ""
    train_size: int | None = Field(None, ge=1)
    test_size: int | None = Field(None, ge=1)


class TrainSection(Section):
    """The training."""

    epochs: int = Field(10, ge=1)
    batch_size: int = Field(1, ge=1)
    learning_rate: float = Field(0.1, ge=0, allow_inf_nan=False)
    learning_rate_decay: float = Field(1.0, gt=0, allow_inf_nan=False)
    baseline_learning_rate: float | None = Field(None, ge=0, allow_inf_nan=False)


class EvaluateSection(Section):
    """Corruptions of the test set, at the end of training."""

    gaussian: list[float] = []
    salt_and_pepper: list[float] = []


class EngineSection(Section):
    """How lanes are run; results depend on nothing here but ``width``, and on that by rounding."""

    width: int | None = Field(None, ge=1)


PLAIN: dict[str, type[Section]] = {
    "model": ModelSection,
    "data": DataSection,
    "train": TrainSection,
    "evaluate": EvaluateSection,
    "engine": EngineSection,
}
"""Sections with a fixed set of keys."""

CHOICES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "device": ("model", "ConstantStep", MODELS),
    "cell": ("kind", "reference", CELLS),
    "pulses": ("scheme", "coincidence", {"coincidence": Coincidence, **SCHEMES}),
}
"""Sections whose keys depend on one of them: that key, its default, and what it chooses from."""


def schema(section: str, table: dict[str, Any]) -> type[Section]:
    """The schema of a section, given what the table chooses.

    Raises:
      SpecError: it chooses what there is not.
    """
    if section in PLAIN:
        return PLAIN[section]
    selector, default, registry = CHOICES[section]
    choice = table.get(selector, default)
    if not isinstance(choice, str) or choice not in registry:
        raise SpecError(f"{selector} = {choice!r} is not known; there are {', '.join(registry)}")
    fields: dict[str, Any] = {selector: (str, default)}
    for field in dataclasses.fields(registry[choice]):
        swept = not field.metadata.get("static")
        kind = (float if field.default is not None else float | None) if swept else field.type
        fields[field.name] = (kind, field.default)
    return create_model(section, __base__=Section, **fields)


def build(section: str, table: dict[str, Any]) -> Any:
    """The object that a validated ``device``, ``cell`` or ``pulses`` table describes."""
    selector, _, registry = CHOICES[section]
    values = {key: value for key, value in table.items() if key != selector}
    return registry[table[selector]](**values)


def is_static(section: str, table: dict[str, Any], key: str) -> bool:
    """Whether each value of this parameter is a compilation of its own."""
    if section in CHOICES:
        selector, _, registry = CHOICES[section]
        if key == selector:
            return True
        fields = {f.name: f for f in dataclasses.fields(registry[table[selector]])}
        return bool(fields[key].metadata.get("static"))
    return (section, key) not in {
        ("train", "learning_rate"),
        ("train", "learning_rate_decay"),
    }


AXIS_SECTIONS = ("device", "cell", "pulses", "model", "train")
"""Where an axis looks for its parameter, in this order."""

NOT_AXES = {("train", "epochs"), ("train", "baseline_learning_rate"), ("model", "hidden")}
"""Parameters that cannot be an axis: they change the result's shape or its baseline."""
