"""What each section of a specification may hold, derived from the fields of its experiment.

A section is one or more classes of params, seen as a table: whoever registers a device, or writes
an experiment, can sweep it at once.
"""

import copy
import dataclasses
import functools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError, create_model

from memjax.devices import catalogue
from memjax.errors import SpecError, UserError, suggest
from memjax.experiments.base import Experiment
from memjax.experiments.sections import Open, Part, parts
from memjax.pytree import INSTEAD_OF_INFINITY, Leaf, param, params, static
from memjax.sweep.spec.typed import Section, as_pydantic, hashable, in_our_words

Table = dict[str, Any]


class SectionError(SpecError):
    """A wrong value in a section: its ``key``, and ``what`` is wrong with it."""

    def __init__(self, key: str, what: str):
        super().__init__(f"{key}: {what}")
        self.key, self.what = key, what


@params
class Engine:
    """How lanes are run; results depend on nothing here but ``width``, and on that by rounding."""

    width: int | None = static(
        default=None, doc="lanes a device trains side by side", at_least=1, at_most=2**20
    )
    checkpoint_minutes: Leaf = param(
        default=10.0, doc="between two savings of long lanes", unit="min", at_least=0, swept=False
    )
    keep_states: bool = static(default=False, doc="keep the states of lanes, to add stages later")


ENGINE = Part("", "engine", Engine)


@dataclasses.dataclass(frozen=True, eq=False)
class Schema:
    """The sections of an experiment, and ``engine``.

    Attributes:
      prototype: an experiment; what its sections do not say of another one is its.
    """

    prototype: Experiment

    @property
    def experiment(self) -> type[Experiment]:
        """The class of params."""
        return type(self.prototype)

    @functools.cached_property
    def parts(self) -> list[Part]:
        """What sections describe, part by part."""
        found = parts(self.experiment)
        if any(part.section == ENGINE.section for part in found):
            raise SpecError(f"{self.experiment.__name__}: the section engine is the sweep's own")
        return [*found, ENGINE]

    @functools.cached_property
    def sections(self) -> tuple[str, ...]:
        """Names of all sections."""
        return tuple(dict.fromkeys(part.section for part in self.parts))

    @functools.cached_property
    def choosers(self) -> dict[str, Part]:
        """By its name, the part of a section whose keys depend on one of them."""
        return {part.section: part for part in self.parts if part.selector}

    def functions(self) -> list[tuple[str, str]]:
        """The sections and keys that name a function in a Python file, ``"file.py:name"``."""
        return [
            (part.section, name)
            for part in self.parts
            if not part.selector
            for name, field in _fields(part, part.kind).items()
            if field.metadata.get("is_function")
        ]

    def with_instance(self, raw: Table) -> Table:
        """A specification's tables with what the prototype says where they say nothing.

        Raises:
          SpecError: the prototype has something that no section can say.
        """
        plain, found = type(self.prototype)(), copy.deepcopy(raw)
        for part in self.parts:
            if part.kind is Engine:
                continue
            own, usual = (
                getattr(one, part.field) if part.field else one for one in (self.prototype, plain)
            )
            said = _said(part, own, usual)
            *path, last = part.section.split(".")
            place: Any = found
            for name in path:
                place = place.setdefault(name, {})
            given = place.get(last, {})
            if said and isinstance(given, dict):
                chosen = part.choices.get(str(given.get(part.selector)))
                if chosen in (None, type(own)):  # else the table chooses another class
                    place[last] = said | given
        return found

    def _of(self, section: str) -> list[Part]:
        return [part for part in self.parts if part.section == section]

    def is_open(self, section: str) -> bool:
        """Whether a section takes any keys."""
        return any(part.kind is Open for part in self._of(section))

    def candidates(self, name: str, tables: Mapping[str, Table]) -> list[tuple[str, str]]:
        """The sections and keys that the name of an axis may mean: ``key`` or ``section.key``."""
        prefix, _, key = name.rpartition(".")
        found = [
            section
            for section in self.sections
            if not prefix or f"{section}.".startswith(f"{prefix}.")
        ]
        able = [s for s in found if self.may_be_axis(s, tables[s], key)]
        if not able and prefix:  # a section of any keys has this one too
            able = [section for section in found if self.is_open(section)]
        own = [section for section in able if section == prefix]  # it is named in full
        return [(section, key) for section in own or able]

    def may_be_axis(self, section: str, table: Table, key: str) -> bool:
        """Whether an axis may vary a parameter: no list, nor what shapes the result."""
        if section == ENGINE.section or key not in table or isinstance(table[key], list | dict):
            return False
        chooser = self.choosers.get(section)
        if self.is_open(section) or (chooser and key == chooser.selector):
            return True
        return all(field.metadata.get("swept", True) for field in self._declared(section, key))

    def is_static(self, section: str, table: Table, key: str) -> bool:
        """Whether each value of this parameter is a compilation of its own."""
        chooser = self.choosers.get(section)
        if self.is_open(section) or (chooser and key == chooser.selector):
            return True
        choice = table.get(chooser.selector, chooser.default) if chooser else ""
        return bool(next(self._declared(section, key, choice)).metadata.get("static"))

    def adds_stages(self, section: str, key: str) -> bool:
        """Whether another value only means more stages of the same lane, or fewer."""
        return any(f.metadata.get("adds_stages") for f in self._declared(section, key))

    def describe(self, section: str, key: str) -> tuple[str, str]:
        """What a parameter is, and its unit."""
        field = next(self._declared(section, key), None)
        told: Mapping[str, Any] = {} if field is None else field.metadata
        return told.get("doc", ""), told.get("unit", "")

    def _declared(self, section: str, key: str, choice: str = "") -> Iterator[dataclasses.Field]:
        """The fields of this key: a choice's own first, then those of others."""
        for part in self._of(section):
            chosen = [choice] if choice in part.choices else []
            kinds = [part.choices[name] for name in (*chosen, *part.choices)]
            for kind in kinds or [part.kind]:
                if key in (found := _fields(part, kind)):
                    yield found[key]

    def validate(self, section: str, table: Table) -> Table:
        """A section's table with every value checked and every default filled in.

        Raises:
          SectionError: an unknown key, or a value of a wrong type or out of range.
        """
        checked = self._typed(section, table)
        self._try_to_build(section, checked)
        return checked

    def choices_of(self, section: str, table: Table, listed: list[str]) -> list[Table]:
        """The table of every choice that it or an axis makes, its own first, with its own keys.

        Args:
          section: the section.
          table: what the specification gives.
          listed: the choices that axes make, unchecked.
        """
        chooser = self.choosers.get(section)
        if chooser is None:
            return [table]
        own = table.get(chooser.selector, chooser.default)
        listed = [name for name in listed if name in chooser.choices]
        if not listed or not isinstance(own, str) or own not in chooser.choices:
            return [table]
        keys = {name: self._model(section, name).model_fields for name in (own, *listed)}
        known = set().union(*keys.values())
        return [
            {key: value for key, value in table.items() if key in keys[name] or key not in known}
            | {chooser.selector: name}
            for name in keys
        ]

    def validate_column(self, section: str, table: Table, key: str, values: list[Any]) -> list[Any]:
        """The values of one key that a section may hold in turn, checked.

        Raises:
          SectionError: one of them is of a wrong type or out of range.
        """
        table = self.table_with_choice_for(section, table, key)
        tables = [
            self._typed(section, self.with_value(section, table, key, value)) for value in values
        ]
        column = [checked[key] for checked in tables]
        if self.is_static(section, table, key):
            for checked in tables:
                self._try_to_build(section, checked)
        else:  # all at once
            self._try_to_build(section, {**table, key: np.asarray(column)})
        return column

    def table_with_choice_for(self, section: str, table: Table, key: str) -> Table:
        """The table by a choice that has this key: its own, or the first that has."""
        if (chooser := self.choosers.get(section)) is None:
            return table
        for choice in (str(table.get(chooser.selector)), *chooser.choices):
            if choice in chooser.choices and key in self._model(section, choice).model_fields:
                return self.with_value(
                    section, {**table, key: table.get(key)}, chooser.selector, choice
                )
        return table

    def with_value(self, section: str, table: Table, key: str, value: Any) -> Table:
        """A table with one value changed, less the keys that a new choice has no use for.

        Raises:
          SectionError: it chooses what there is not.
        """
        changed = {**table, key: value}
        if self.is_open(section):
            return changed
        known = self._schema(section, changed).model_fields
        return {key: value for key, value in changed.items() if key in known}

    def defaults(self, section: str, choice: str | None) -> Table:
        """What a section holds where nothing but its choice is said."""
        return _defaults(self, section, choice)

    def build(self, tables: Mapping[str, Table]) -> Experiment:
        """The experiment that validated tables describe."""
        changes: Table = {}
        for part in self.parts:
            if part.kind is Engine:
                continue
            values = _values(part, tables[part.section])
            changes |= {part.field: _kind(part, tables)(**values)} if part.field else values
        return dataclasses.replace(self.prototype, **changes)

    def build_part(self, section: str, table: Table) -> Any:
        """The object of a section, of its choice where it has one."""
        part = self.choosers.get(section) or self._of(section)[0]
        return _kind(part, {section: table})(**_values(part, table))

    def replaced(self, experiment: Experiment, swept: Mapping[tuple[str, str], Any]) -> Experiment:
        """An experiment with other leaves; one that its own choice has not is passed over.

        Args:
          experiment: built by ``build``.
          swept: values by section and key.
        """
        for (section, key), value in swept.items():
            for part in self._of(section):
                own = getattr(experiment, part.field) if part.field else experiment
                if key not in {field.name for field in dataclasses.fields(own)}:
                    continue
                changed = dataclasses.replace(own, **{key: value})
                experiment = (
                    dataclasses.replace(experiment, **{part.field: changed})
                    if part.field
                    else changed
                )
        return experiment

    def _typed(self, section: str, table: Table) -> Table:
        if section == "device" and (chooser := self.choosers.get(section)):
            table = _written_out(table, chooser)
        if self.is_open(section):
            return _open(table)
        shape = self._schema(section, table)
        for key in table:
            if key not in shape.model_fields:
                raise SectionError(key, f"unknown key; {suggest(key, shape.model_fields)}")
        try:
            return shape(**table).model_dump()
        except ValidationError as error:
            first = error.errors()[0]
            value = repr(first["input"])
            shown = value if len(value) <= 60 else f"{value[:60]}..."
            what = f"{shown} {in_our_words(first['msg'])}"
            if first["type"] == "finite_number" and first["input"] in (math.inf, -math.inf):
                what += f"; {INSTEAD_OF_INFINITY}"
            raise SectionError(str(first["loc"][0]), what) from None

    def _try_to_build(self, section: str, table: Table) -> None:
        """Whatever an object checks beyond each value's range."""
        try:
            for part in self._of(section):
                if part.field or part.kind is Engine:
                    _kind(part, {section: table})(**_values(part, table))
        except UserError as error:  # "Class: key = value must be ..."
            blamed = re.match(r"\w+: (\w+) = (.*)", str(error))
            raise SectionError(*(blamed.groups() if blamed else (section, str(error)))) from None

    def _schema(self, section: str, table: Table) -> type[Section]:
        """The types of a section, given what the table chooses."""
        if (chooser := self.choosers.get(section)) is None:
            return self._model(section, "")
        choice = table.get(chooser.selector, chooser.default)
        if not isinstance(choice, str) or choice not in chooser.choices:
            known = suggest(str(choice), chooser.choices)
            raise SectionError(chooser.selector, f"{choice!r} is not known; {known}")
        return self._model(section, choice)

    def _model(self, section: str, choice: str) -> type[Section]:
        kinds = tuple(
            part.choices[choice] if part.selector else part.kind for part in self._of(section)
        )
        return _model(self, section, choice, kinds)


@functools.cache
def _defaults(schema: Schema, section: str, choice: str | None) -> Table:
    if choice is None:
        return schema.validate(section, {})
    chooser = schema.choosers[section]
    table = schema.validate(section, {chooser.selector: choice})
    return table | {chooser.selector: chooser.default}


@functools.cache
def _model(schema: Schema, section: str, choice: str, kinds: tuple[type, ...]) -> type[Section]:
    found: dict[str, Any] = {}
    for part, kind in zip(schema._of(section), kinds, strict=True):
        if part.selector:
            found[part.selector] = (str, part.default)
        found |= {name: as_pydantic(field) for name, field in _fields(part, kind).items()}
    return create_model(section, __base__=Section, **found)


def _fields(part: Part, kind: Any) -> dict[str, dataclasses.Field]:
    """The keys that a class of params gives a section: its fields but sections and hidden ones."""
    if kind is Open:
        return {}
    told = dataclasses.fields(kind)
    return {f.name: f for f in told if not ("part" in f.metadata or f.metadata.get("hidden"))}


def _said(part: Part, own: Any, usual: Any) -> Table:
    """What a part of an instance says that its class does not."""
    if part.kind is Open:
        return {key: list(v) if isinstance(v, tuple) else v for key, v in own.entries}
    said: Table = {}
    if part.selector and type(own) is not type(usual):
        names = {kind: name for name, kind in part.choices.items()}
        if type(own) not in names:
            raise SpecError(
                f"{part.field} = {own!r}: no choice of [{part.section}] {part.selector}; there are "
                f"{', '.join(part.choices)}"
            )
        said, usual = {part.selector: names[type(own)]}, type(own)()
    for name in _fields(part, type(own)):
        value = getattr(own, name)
        if not _equal(value, getattr(usual, name)):
            said[name] = _as_table(value)
    return said


def _equal(one: Any, other: Any) -> bool:
    return one is other or bool(np.array_equal(np.asarray(one), np.asarray(other)))


def _as_table(value: Any) -> Any:
    return np.asarray(value).tolist() if not isinstance(value, bool | str) else value


def _kind(part: Part, tables: Mapping[str, Table]) -> Any:
    return part.choices[tables[part.section][part.selector]] if part.selector else part.kind


def _values(part: Part, table: Table) -> Table:
    """What a table gives a part: other keys belong to other parts, or to another choice."""
    if part.kind is Open:
        return {"entries": tuple((key, hashable(table[key])) for key in sorted(table))}
    fields = _fields(part, _kind(part, {part.section: table}))
    return {
        key: hashable(value) if fields[key].metadata.get("static") else value
        for key, value in table.items()
        if key in fields
    }


def _open(table: Table) -> Table:
    for key, value in table.items():
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, bool | int | float | str) for item in items):
            raise SectionError(key, f"{value!r} must be a number, a string or a list of them")
    return dict(table)


def _written_out(table: Table, chooser: Part) -> Table:
    """A device's table with a preset's or a file's parameters in it, under those that it gives."""
    model = table.get("model")
    if not isinstance(model, str) or model in chooser.choices:
        return table
    try:
        named = catalogue.as_table(catalogue.get(model))
    except UserError as error:
        raise SectionError("model", str(error)) from None
    return {**named, **table, "model": named["model"]}
