"""A sweep's specification: read from TOML or a dict, checked, and resolved to the last value."""

import difflib
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from memjax.errors import SpecError, UserError
from memjax.sweep.axes import Axis, parse_axis
from memjax.sweep.sections import AXIS_SECTIONS, CHOICES, NOT_AXES, PLAIN, build, is_static, schema

_TOP = {"name": "", "seeds": 3, "root_seed": 0, "common_random_numbers": []}


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
      ({'levels': [8, 16, 32]}, 10)
    """

    name: str
    seeds: int
    root_seed: int
    common_random_numbers: list[str]
    axes: list[Axis]
    sections: dict[str, dict[str, Any]] = field(repr=False)

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
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise SpecError(f"{path}: no such file; give the path of a sweep's TOML file") from None
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(f"{path}: cannot be read as a text file: {error}") from None
        try:
            raw = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise SpecError(f"{path}: not valid TOML: {error}") from None
        overridden = _override(raw, overrides or [])
        return cls._checked(raw, path.stem, _Origin(str(path), text, overridden))

    @classmethod
    def from_dict(cls, raw: dict[str, Any], name: str = "sweep") -> "Spec":
        """The same from a dict laid out like the TOML file.

        Args:
          raw: nested tables.
          name: the sweep's name where ``raw`` gives none.

        Raises:
          SpecError: one line with the key and the remedy.
        """
        return cls._checked(raw, name, _Origin("spec", "", set()))

    def to_toml(self) -> str:
        """The resolved specification, which reads back as an equal one."""
        top = {key: getattr(self, key) for key in _TOP}
        axes = {a.name: a.columns if a.zipped else a.columns[a.name] for a in self.axes}
        tables = {
            section: {key: value for key, value in table.items() if value is not None}
            for section, table in self.sections.items()
        }
        return tomli_w.dumps({**top, "axes": axes, **tables})

    @classmethod
    def _checked(cls, raw: dict[str, Any], name: str, origin: "_Origin") -> "Spec":
        sections = (*CHOICES, *PLAIN)
        for key in raw:
            if key not in (*_TOP, "axes", *sections):
                origin.fail((key,), _unknown(key, [*_TOP, "axes", *sections]))
        top = {key: raw.get(key, default) for key, default in _TOP.items()}
        top["name"] = top["name"] or name
        for key, value in top.items():
            wanted = type(_TOP[key])
            if type(value) is not wanted:
                origin.fail((key,), f"{value!r} must be a {_KINDS[wanted]}")
        if top["seeds"] < 1:
            origin.fail(("seeds",), f"{top['seeds']} must be at least 1")
        if not 0 <= top["root_seed"] < 2**32:
            origin.fail(("root_seed",), f"{top['root_seed']} must be within 0 .. 2**32 - 1")
        tables = {section: _check_table(section, raw.get(section, {}), origin) for section in sections}
        if not isinstance(raw.get("axes", {}), dict):
            origin.fail(("axes",), "must be a table")
        axes = [_check_axis(k, v, tables, origin) for k, v in raw.get("axes", {}).items()]
        axes.sort(key=lambda axis: axis.zipped)  # as TOML orders tables, so that it reads back equal
        _check_distinct(axes, origin)
        for shared in top["common_random_numbers"]:
            if shared not in [axis.name for axis in axes]:
                origin.fail(("common_random_numbers",), f"{shared!r} is not an axis of this sweep")
        return cls(**top, axes=axes, sections=tables)


def _override(raw: dict[str, Any], settings: list[str]) -> set[tuple[str, ...]]:
    """Applies ``section.key=value`` settings to ``raw`` and returns the keys that they set."""
    overridden = set()
    for setting in settings:
        path, equals, value = setting.partition("=")
        keys = tuple(part.strip() for part in path.split("."))
        if not equals or not all(keys):
            raise SpecError(f"--set {setting}: must be section.key=value, such as train.epochs=3")
        try:
            parsed = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            parsed = value.strip()  # a bare word is a string
        table = raw
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise SpecError(f"--set {setting}: {key} is a value, not a table")
        table[keys[-1]] = parsed
        overridden.add(keys)
    return overridden


_KINDS = {str: "string", int: "whole number", list: "list"}


@dataclass(frozen=True)
class _Origin:
    """Where a value stands, for messages."""

    file: str
    text: str
    overridden: set[tuple[str, ...]]

    def fail(self, keys: tuple[str, ...], what: str) -> None:
        """Raises with the file, the line and the key."""
        shown = keys[0] if len(keys) == 1 else f"[{'.'.join(keys[:-1])}] {keys[-1]}"
        where = self.file
        if any(keys[: len(o)] == o or o[: len(keys)] == keys for o in self.overridden):
            where = "--set"
        elif line := self._line(keys):
            where = f"{self.file}:{line}"
        raise SpecError(f"{where}: {shown}: {what}")

    def _line(self, keys: tuple[str, ...]) -> int | None:
        """The line of a key, or of the nearest table that holds it."""
        table: tuple[str, ...] = ()
        best, depth = None, 0
        for number, line in enumerate(self.text.splitlines(), start=1):
            if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
                table = tuple(part.strip(" \"'") for part in header[1].split("."))
                here = table
            elif assignment := re.match(r"\s*([\w.\"'-]+)\s*=", line):
                here = (*table, *(p.strip("\"'") for p in assignment[1].split(".")))
            else:
                continue
            if here == keys[: len(here)] and len(here) > depth:
                best, depth = number, len(here)
        return best


def _unknown(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(str(key), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
    return f"unknown key; {hint}"


def _check_table(section: str, table: Any, origin: _Origin) -> dict[str, Any]:
    if not isinstance(table, dict):
        origin.fail((section,), f"must be a table, written [{section}]")
    try:
        shape = schema(section, table)
        for key in table:
            if key not in shape.model_fields:
                origin.fail((section, key), _unknown(key, list(shape.model_fields)))
        checked = shape(**table).model_dump()
        if section in CHOICES:
            build(section, checked)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else section
        origin.fail((section, key), f"{first['input']!r}: {first['msg'].lower()}")
    except SpecError as error:
        if str(error).startswith((origin.file, "--set")):
            raise
        origin.fail((section, CHOICES[section][0]), str(error))
    except UserError as error:
        blamed = re.match(r"\w+: (\w+) = ", str(error))
        origin.fail((section, blamed[1] if blamed else section), str(error))
    if section == "model" and (not checked["hidden"] or min(checked["hidden"]) < 1):
        origin.fail((section, "hidden"), "needs at least one layer, each of at least 1 unit")
    if section == "evaluate":
        for key, levels in checked.items():
            if any(level <= 0 or (key == "salt_and_pepper" and level > 1) for level in levels):
                origin.fail((section, key), f"{levels} must be more than 0 (and fractions at most 1)")
    return checked


def _check_axis(
    name: str, entry: Any, tables: dict[str, dict[str, Any]], origin: _Origin
) -> Axis:
    try:
        axis = parse_axis(name, entry)
    except SpecError as error:
        origin.fail(("axes", name), str(error))
    columns = {}
    for parameter, values in axis.columns.items():
        keys = ("axes", name, parameter) if axis.zipped else ("axes", name)
        section = section_of(parameter, tables)
        if section is None:
            origin.fail(keys, _unknown(parameter, axis_parameters(tables)))
        checked = []
        for value in values:
            table = {**tables[section], parameter: value}
            if section in CHOICES and parameter == CHOICES[section][0]:
                kept = set(schema(section, {parameter: value}).model_fields) if isinstance(
                    value, str
                ) and value in CHOICES[section][2] else set(table)
                table = {k: v for k, v in table.items() if k in kept}
            try:
                checked.append(_check_table(section, table, _Origin("", "", set()))[parameter])
            except SpecError as error:
                origin.fail(keys, str(error).split(": ", 2)[-1])
        columns[parameter] = checked
    return Axis(name, columns)


def _check_distinct(axes: list[Axis], origin: _Origin) -> None:
    seen: dict[str, str] = {}
    for axis in axes:
        for parameter in axis.columns:
            if parameter in seen:
                origin.fail(
                    ("axes", axis.name), f"{parameter} is varied by the axis {seen[parameter]} too"
                )
            seen[parameter] = axis.name


def axis_parameters(tables: dict[str, dict[str, Any]]) -> list[str]:
    """Every parameter that may be an axis, given what the tables choose."""
    return [
        key
        for section in AXIS_SECTIONS
        for key in tables[section]
        if (section, key) not in NOT_AXES
    ]


def section_of(parameter: str, tables: dict[str, dict[str, Any]]) -> str | None:
    """The section that holds a parameter, or None where no axis may vary it."""
    for section in AXIS_SECTIONS:
        if parameter in tables[section] and (section, parameter) not in NOT_AXES:
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
