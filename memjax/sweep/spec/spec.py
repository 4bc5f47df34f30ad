"""A sweep's specification: read from TOML or a dict, checked, and resolved to the last value."""

import functools
import itertools
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from memjax.errors import SpecError, UserError, suggest
from memjax.origin import Keys, Origin, override, read_toml
from memjax.sweep.spec import device_axis
from memjax.sweep.spec.axes import Axis, check_distinct, parse_axis
from memjax.sweep.spec.sections import (
    AXIS_SECTIONS,
    CHOICES,
    SECTIONS,
    SectionError,
    build,
    choices_of,
    is_static,
    may_be_axis,
    validate,
    validate_column,
    with_value,
)

MOST_LANES = 10_000_000
"""Lanes that a sweep may have."""

_TOP: dict[str, Any] = {"name": "", "seeds": 3, "root_seed": 0, "common_random_numbers": []}
_KINDS = {str: "string", int: "whole number", list: "list"}
_NOT_IN_A_NAME = re.compile(r"[^\w .,+=()-]|^\.")

Tables = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Spec:
    """What to sweep, over what, and how to train; every value explicit and checked.

    Attributes:
      name: of the sweep.
      seeds: lanes a configuration, the ``seed`` dimension.
      root_seed: seed of the whole sweep's randomness.
      common_random_numbers: axes over which lanes share their random numbers.
      axes: the swept dimensions.
      sections: every section's table: ``device``, ``cell``, ``pulses``, ``model``, ``data``,
        ``train``, ``evaluate``, ``engine``.

    Example:
      >>> from memjax.sweep import Spec
      >>> spec = Spec.from_dict({"seeds": 2, "axes": {"levels": {"powers_of_two": [3, 5]}}})
      >>> spec.axes[0].columns, spec.sections["train"]["epochs"]
      ({'levels': [8.0, 16.0, 32.0]}, 10)
    """

    name: str
    seeds: int
    root_seed: int
    common_random_numbers: list[str]
    axes: list[Axis]
    sections: Tables = field(repr=False)

    @classmethod
    def from_toml(cls, path: str | Path, overrides: list[str] | None = None) -> "Spec":
        """Reads and checks a specification.

        Args:
          path: a TOML file.
          overrides: ``"section.key=value"`` settings that replace what the file says.

        Raises:
          SpecError: one line with the file, the line, the key and the remedy.
        """
        path = Path(path)
        raw, text = read_toml(path)
        device_axis.beside(raw, path.parent)
        settings = override(raw, overrides or [])
        if not raw:
            raise SpecError(f"{path}: is empty; name at least one axis or setting")
        return cls._checked(raw, path.stem, Origin(str(path), text, settings))

    @classmethod
    def from_dict(cls, raw: dict[str, Any], name: str = "sweep") -> "Spec":
        """The same from a dict laid out like the TOML file.

        Args:
          raw: nested tables; NumPy's numbers and arrays will do.
          name: the sweep's name where ``raw`` gives none.

        Raises:
          SpecError: one line with the key and the remedy.
        """
        return cls._checked(_plain(raw), name, Origin())

    def to_toml(self) -> str:
        """The resolved specification, which reads back as an equal one."""
        top = {key: getattr(self, key) for key in _TOP}
        axes = {a.name: a.columns if a.zipped else a.columns[a.name] for a in self.axes}
        tables = {
            section: {key: value for key, value in table.items() if value is not None}
            for section, table in self.sections.items()
        }
        for axis in self.axes:
            if axis.names is not None:
                axes[axis.name] = device_axis.as_toml(axis.names, axis.columns)
                own = {"model", *axis.columns}
                tables["device"] = {k: v for k, v in tables["device"].items() if k not in own}
        return tomli_w.dumps({**top, "axes": axes, **tables})

    @classmethod
    def _checked(cls, raw: dict[str, Any], name: str, origin: Origin) -> "Spec":
        known = (*_TOP, "axes", *SECTIONS)
        for key in raw:
            if key not in known:
                origin.fail((key,), f"unknown key; {suggest(key, known)}")
            if key not in _TOP and not isinstance(raw[key], dict):
                origin.fail((key,), f"{raw[key]!r} must be a table, written [{key}]")
        top = {key: raw.get(key, default) for key, default in _TOP.items()}
        _check_top(top, origin)
        top["name"] = top["name"] or _NOT_IN_A_NAME.sub("_", name)
        tables = {section: _table(section, raw, origin) for section in SECTIONS}
        axes = [
            _device_axis(key, raw, tables, origin)
            if device_axis.is_one(key, entry)
            else _axis(key, entry, tables, origin)
            for key, entry in _devices_first(raw.get("axes", {}))
        ]
        axes.sort(key=lambda axis: axis.zipped)  # as TOML orders tables: it reads back equal
        _check_swept(axes, tables, origin)
        _check_algorithms(axes, tables, origin)
        for shared in top["common_random_numbers"]:
            if shared not in (names := [axis.name for axis in axes]):
                hint = suggest(str(shared), names) if names else "there are none"
                origin.fail(("common_random_numbers",), f"{shared!r} is no axis here; {hint}")
        lanes = math.prod(axis.size for axis in axes) * top["seeds"]
        if lanes > MOST_LANES:
            origin.fail(("seeds",), f"axes and seeds make {lanes} lanes; at most {MOST_LANES}")
        return cls(**top, axes=axes, sections=tables)


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays, and tuples, as TOML would have them."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _check_top(top: dict[str, Any], origin: Origin) -> None:
    for key, value in top.items():
        wanted = type(_TOP[key])
        if type(value) is not wanted:
            origin.fail((key,), f"{value!r} must be a {_KINDS[wanted]}")
    if bad := _NOT_IN_A_NAME.search(top["name"]):
        origin.fail(("name",), f"{top['name']!r} is to name a directory; leave out {bad[0]!r}")
    if top["seeds"] < 1:
        origin.fail(("seeds",), f"{top['seeds']} must be at least 1")
    if not 0 <= top["root_seed"] < 2**32:
        origin.fail(("root_seed",), f"{top['root_seed']} must be within 0 .. 2**32 - 1")


def _table(section: str, raw: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """A section's checked table: with an axis of choices, it may give what any of them has."""
    table = raw.get(section, {})
    if section == "device" and any(device_axis.is_one(*item) for item in _axes_of(raw).items()):
        return validate(section, {})  # its axis fills it in
    try:
        rows = [validate(section, row) for row in choices_of(section, table, _axes_of(raw))]
    except SectionError as error:
        origin.fail((section, error.key), error.what)
    return {key: value for row in reversed(rows) for key, value in row.items()}


def _axes_of(raw: dict[str, Any]) -> dict[str, Any]:
    axes = raw.get("axes", {})
    return axes if isinstance(axes, dict) else {}


def _axis(name: str, entry: Any, tables: Tables, origin: Origin) -> Axis:
    """An axis with every value checked as the section of its parameter would."""
    try:
        axis = parse_axis(name, entry)
    except SpecError as error:
        origin.fail(("axes", name), str(error))
    if axis.zipped and section_of(name, tables):
        what = "is a parameter: give it a list or a range (a zipped group needs another name)"
        origin.fail(("axes", name), what)
    columns = {
        parameter: _column(_keys(axis, parameter), values, tables, origin)
        for parameter, values in axis.columns.items()
    }
    return Axis(name, columns)


def _devices_first(axes: dict[str, Any]) -> list[tuple[str, Any]]:
    """The axes, one of devices first: others may vary parameters that only its devices have."""
    return sorted(axes.items(), key=lambda item: not device_axis.is_one(*item))


def _device_axis(name: str, raw: dict[str, Any], tables: Tables, origin: Origin) -> Axis:
    """An axis of whole devices, each checked; ``[device]`` then has every parameter of any."""
    given, axes = raw.get("device", {}), raw["axes"]
    others = {k: v for k, v in axes.items() if k != name}
    swept = {p for k, v in others.items() for p in (k, *(v if isinstance(v, dict) else ()))}
    try:
        names, columns = device_axis.columns(axes[name], {*given, *swept} - {"model"})
        check_distinct(names)
        rows = [
            validate("device", device_axis.row(columns, point, given))
            for point in range(len(names))
        ]
    except SpecError as error:
        origin.fail(("axes", name), str(error))
    every = {key: value for row in reversed(rows) for key, value in row.items()}
    unknown = [key for key in given if key not in every]
    if unknown:
        what = f"unknown key; {suggest(unknown[0], every)}"
        origin.fail(("device", unknown[0]), what)
    tables["device"] = every
    return Axis(name, columns, names)


def _column(keys: Keys, values: list[Any], tables: Tables, origin: Origin) -> list[Any]:
    parameter = keys[-1]
    section = section_of(parameter, tables)
    if section is None:
        for fixed in AXIS_SECTIONS:
            if parameter in tables[fixed]:
                origin.fail(keys, f"cannot be swept; set it in [{fixed}], or run a sweep a value")
        origin.fail(keys, f"unknown key; {suggest(parameter, axis_parameters(tables))}")
    try:
        return validate_column(section, tables[section], parameter, values)
    except SectionError as error:
        origin.fail(keys, error.what if error.key == parameter else str(error))


def _check_swept(axes: list[Axis], tables: Tables, origin: Origin) -> None:
    """Every parameter is varied once, and every choice that is swept (of a device) has it."""
    swept: dict[str, tuple[Axis, list[Any]]] = {}
    for axis in axes:
        for parameter, values in axis.columns.items():
            if parameter in swept:
                other = swept[parameter][0].name
                origin.fail(_keys(axis, parameter), f"is varied by the axis {other} too; keep one")
            swept[parameter] = axis, values
    for section, (selector, _, _) in CHOICES.items():
        for choice in swept[selector][1] if selector in swept else []:
            table = with_value(section, tables[section], selector, choice)
            for parameter, (axis, values) in swept.items():
                if section_of(parameter, tables) != section or axis is swept[selector][0]:
                    continue
                keys = _keys(axis, parameter)
                if parameter not in table:
                    what = "has no such parameter; sweep it apart"
                    origin.fail(keys, f"the {selector} {choice} {what}")
                try:
                    validate_column(section, table, parameter, values)
                except SectionError as error:
                    origin.fail(keys, f"with the {selector} {choice}, {error.what}")


def _check_algorithms(axes: list[Axis], tables: Tables, origin: Origin) -> None:
    """Every algorithm can run on every device and cell that it meets."""
    chosen = ("algorithm", "model", "g_ref", "kind", "width")
    few = [axis for axis in axes if set(chosen) & set(axis.columns)]
    for point in itertools.product(*(range(axis.size) for axis in few)):
        values = {
            k: v[i] for axis, i in zip(few, point, strict=True) for k, v in axis.columns.items()
        }
        own = {
            section: table | {k: v for k, v in values.items() if k in table}
            for section, table in tables.items()
        }
        algorithm, device, cell = (
            build(section, own[section]) for section in ("train", "device", "cell")
        )
        try:
            algorithm.check(device, cell)
        except UserError as error:
            at = next((axis for axis in few if "algorithm" in axis.columns), None)
            origin.fail(
                ("train", "algorithm") if at is None else _keys(at, "algorithm"), str(error)
            )


def _keys(axis: Axis, parameter: str) -> Keys:
    return ("axes", axis.name, parameter) if axis.zipped else ("axes", parameter)


def axis_parameters(tables: Tables) -> list[str]:
    """Every parameter that may be an axis, given what the tables choose."""
    return [
        key
        for section in AXIS_SECTIONS
        for key in tables[section]
        if may_be_axis(section, tables[section], key)
    ]


def unusual(tables: Tables, swept: dict[str, Any]) -> dict[str, Any]:
    """The parameters of one lane that could be an axis and are not at their defaults, by name.

    Args:
      tables: the specification's sections.
      swept: the lane's own values.
    """
    found = {}
    for section in AXIS_SECTIONS:
        table = {key: swept.get(key, value) for key, value in tables[section].items()}
        choice = table.get(CHOICES[section][0]) if section in CHOICES else None
        for key, default in _defaults(section, choice).items():
            if table.get(key, default) != default and may_be_axis(section, table, key):
                found[key] = table[key]
    return dict(sorted(found.items()))


@functools.cache
def _defaults(section: str, choice: str | None) -> dict[str, Any]:
    if choice is None:
        return validate(section, {})
    selector, default, _ = CHOICES[section]
    return validate(section, {selector: choice}) | {selector: default}


def section_of(parameter: str, tables: Tables) -> str | None:
    """The section that holds a parameter, or None where no axis may vary it."""
    for section in AXIS_SECTIONS:
        if may_be_axis(section, tables[section], parameter):
            return section
    return None


def static_parameters(spec: Spec) -> list[str]:
    """Swept parameters each value of which is a compilation of its own."""
    names = [parameter for axis in spec.axes for parameter in axis.columns]
    found = []
    for name in names:
        section = section_of(name, spec.sections)
        if section is not None and is_static(section, spec.sections[section], name):
            found.append(name)
    return found
