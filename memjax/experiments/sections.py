"""How an experiment's fields are the sections of a specification."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from memjax.pytree import params, static


@dataclasses.dataclass(frozen=True)
class Part:
    """A field of an experiment that is a section of a specification, or a share of one.

    Attributes:
      field: its name in the experiment; empty for the experiment's own numbers.
      section: the section's name: ``device``, ``model.arguments``.
      kind: the params class that the section describes, if there is one only.
      selector: the key that chooses among several, such as ``model`` in ``[device]``.
      default: the choice without one.
      choices: the classes by the names of the choices, held by reference.
    """

    field: str
    section: str
    kind: type | None = None
    selector: str = ""
    default: str = ""
    choices: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@params
class Open:
    """A section of any keys: what a function of the user's takes, each value compiled in."""

    entries: tuple[tuple[str, Any], ...] = static(default=(), doc="keys and their values")


def part(kind: type, section: str = "") -> Any:
    """A field that holds params, described by a section of the field's name.

    Args:
      kind: the params class; ``Open`` takes any keys.
      section: the section's name, where it is another.
    """
    return dataclasses.field(
        default=kind(), metadata={"part": {"kind": kind, "section": section}, "doc": kind.__doc__}
    )


def choice(selector: str, default: str, choices: Mapping[str, Any], section: str = "") -> Any:
    """A field that holds params of one of several classes, chosen by a key of its section.

    Args:
      selector: the key, such as ``model`` in ``[device]``.
      default: the choice without it.
      choices: the classes by name, held by reference: what is registered later counts too.
      section: the section's name, where it is not the field's.
    """
    told = {"section": section, "selector": selector, "default": default, "choices": choices}
    return dataclasses.field(default=choices[default](), metadata={"part": told, "doc": ""})


OWN = "study"
"""The section of an experiment's own numbers."""


def parts(experiment: type) -> list[Part]:
    """The parts of an experiment, in the order of its fields; its own numbers last.

    Args:
      experiment: a class of params.
    """
    fields = dataclasses.fields(experiment)
    found = [
        Part(f.name, told.pop("section") or f.name, **told)
        for f in fields
        if (told := dict(f.metadata.get("part", {})))
    ]
    if any("part" not in f.metadata and not f.metadata.get("hidden") for f in fields):
        found.append(Part("", OWN, experiment))
    return found
