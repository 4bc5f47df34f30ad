"""A sweep's specification: read from TOML or a dict, checked, and resolved to the last value."""

import math
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from memjax.errors import SpecError, UserError, suggest
from memjax.experiments import Experiment, load, own_code
from memjax.origin import Keys, Origin, check_values, override, read_toml
from memjax.sweep.spec import device_axis, grid
from memjax.sweep.spec.axes import Axis
from memjax.sweep.spec.reader import Reader, axis_keys, table_of
from memjax.sweep.spec.schema import ENGINE, Schema, Table

MOST_LANES = 10_000_000
"""Lanes that a sweep may have."""

MOST_WIDTH = 8192
"""Lanes side by side that a sweep of fewer lanes may ask for: it is padded to so many."""

_TOP: Table = {
    "name": "",
    "experiment": "",
    "seeds": 3,
    "root_seed": 0,
    "common_random_numbers": [],
}
_KINDS = {str: "string", int: "whole number", list: "list"}
_NOT_IN_A_NAME = re.compile(r"[^\w .,+=()-]|^\.")

Tables = dict[str, Table]


@dataclass(frozen=True)
class Spec:
    """What to sweep, over what, and how; every value explicit and checked.

    Attributes:
      name: of the sweep.
      experiment: what a lane does: a name of ``memjax.experiments.EXPERIMENTS``, or
        ``"my_study.py:Study"``.
      seeds: lanes a configuration, the ``seed`` dimension.
      root_seed: seed of the whole sweep's randomness.
      common_random_numbers: axes over which lanes share their random numbers.
      axes: the swept dimensions.
      sections: every section's table: of the experiment, and ``engine``.
      schema: what the sections may hold.

    Example:
      >>> from memjax.sweep import Spec
      >>> spec = Spec.from_dict({"seeds": 2, "axes": {"levels": {"powers_of_two": [3, 5]}}})
      >>> spec.axes[0].columns, spec.sections["train"]["epochs"]
      ({'levels': [8.0, 16.0, 32.0]}, 10)
    """

    name: str
    experiment: str
    seeds: int
    root_seed: int
    common_random_numbers: list[str]
    axes: list[Axis]
    sections: Tables = field(repr=False)
    schema: Schema = field(repr=False, compare=False)

    @classmethod
    def from_toml(
        cls,
        path: str | Path,
        overrides: list[str] | None = None,
        *,
        experiment: type[Experiment] | Experiment | None = None,
    ) -> "Spec":
        """Reads and checks a specification; paths in it are relative to its folder.

        Args:
          path: a TOML file.
          overrides: ``"section.key=value"`` settings that replace what the file says.
          experiment: what a lane does, in place of what the file names; an instance's values are
            the defaults of the sections.

        Raises:
          SpecError: one line with the file, the line, the key and the remedy.
        """
        path = Path(path)
        raw, text = read_toml(path)
        settings = override(raw, overrides or [])
        if not raw:
            raise SpecError(f"{path}: is empty; name at least one axis or setting")
        origin = Origin(str(path), text, settings)
        return cls._checked(raw, path.stem, origin, experiment, path.parent)

    @classmethod
    def from_dict(
        cls,
        raw: dict[str, Any],
        name: str = "sweep",
        *,
        experiment: type[Experiment] | Experiment | None = None,
        folder: str | Path = "",
    ) -> "Spec":
        """The same from a dict laid out like the TOML file.

        Args:
          raw: the tables.
          name: of the sweep, if ``raw`` has none.
          experiment: as of ``from_toml``.
          folder: what paths are relative to.

        Raises:
          SpecError: one line with the key and the remedy.
        """
        return cls._checked(_plain(raw), name, Origin(), experiment, Path(folder))

    def __reduce__(self) -> Any:
        """By its text: a worker imports the user's files itself, from where they lie here."""
        named = own_code.is_function(self.experiment)
        prototype = None if named else self.schema.prototype
        return _read_again, (self.to_toml(), prototype, Path.cwd())

    def to_toml(self) -> str:
        """The resolved specification, which reads back as an equal one."""
        top = {key: getattr(self, key) for key in _TOP}
        axes: dict[str, Any] = {}
        for axis in self.axes:
            axes[axis.name] = axis.columns if axis.zipped else next(iter(axis.columns.values()))
        tables = {
            section: {key: value for key, value in table.items() if value is not None}
            for section, table in self.sections.items()
        }
        for axis in self.axes:
            if (labels := axis.names or axis.devices) is None:
                continue
            theirs = {key: c for key, c in axis.columns.items() if axis.is_theirs(key)}
            whole = device_axis.as_toml(labels, theirs)
            others = {key: c for key, c in axis.columns.items() if key not in theirs}
            axes[axis.name] = whole if axis.names is not None else {**others, "device": whole}
            own = {"model", *(key.removeprefix("device.") for key in theirs)}
            tables["device"] = {k: v for k, v in tables["device"].items() if k not in own}
        return tomli_w.dumps({**top, "axes": axes, **_nested(tables)})

    def parameter(self, name: str) -> tuple[str, str]:
        """The section and the key of a swept parameter."""
        found = self.schema.candidates(name, self.sections)
        return found[0] if found else ("device", name.removeprefix("device."))

    def first(self) -> Experiment:
        """The experiment of the first lane."""
        return self.lane({n: c[0] for axis in self.axes for n, c in axis.columns.items()})

    def lane(self, values: dict[str, Any]) -> Experiment:
        """The experiment of one lane.

        Args:
          values: its value of every swept parameter.
        """
        return self.schema.build(self._tables(values))

    def built(self, values: dict[str, list[Any]] | None = None) -> Experiment:
        """The experiment of lanes that share their static values; leaves are arrays, a lane each.

        Args:
          values: every swept parameter's values, lane by lane; without them the sections as they
            stand, of which the reference is made.
        """
        columns = values or {}
        tables = self._tables({name: column[0] for name, column in columns.items()})
        swept = {}
        for name, column in columns.items():
            section, key = self.parameter(name)
            is_leaf = not (column[0] is None or isinstance(column[0], list))
            if is_leaf and not self.schema.is_static(section, tables[section], key):
                swept[section, key] = np.asarray(column, np.float32)
        return self.schema.replaced(self.schema.build(tables), swept)

    def _tables(self, values: dict[str, Any]) -> Tables:
        """The sections with other values of swept parameters."""
        tables = {section: dict(table) for section, table in self.sections.items()}
        for name, value in values.items():
            section, key = self.parameter(name)
            tables[section][key] = value
        return tables

    @classmethod
    def _checked(
        cls,
        raw: dict[str, Any],
        name: str,
        origin: Origin,
        experiment: type[Experiment] | Experiment | None,
        folder: Path,
    ) -> "Spec":
        check_values(raw, origin)
        top: dict[str, Any] = {key: raw.get(key, default) for key, default in _TOP.items()}
        _check_top(top, origin)
        schema, top["experiment"] = _schema(raw, top["experiment"], origin, experiment, folder)
        known = (*_TOP, "axes", *schema.sections)
        for key in raw:
            if key not in {section.partition(".")[0] for section in known}:
                origin.fail((key,), f"unknown key; {suggest(key, known)}")
            if key not in _TOP and not isinstance(raw[key], dict):
                origin.fail((key,), f"{raw[key]!r} must be a table, written [{key}]")
        raw = schema.with_instance(raw)
        _resolve_paths(raw, schema, folder)
        top["name"] = top["name"] or _NOT_IN_A_NAME.sub("_", name)
        reader = Reader(schema, origin, raw)
        axes = reader.axes()
        for shared in top["common_random_numbers"]:
            if shared not in (names := [axis.name for axis in axes]):
                hint = suggest(str(shared), names) if names else "there are none"
                origin.fail(("common_random_numbers",), f"{shared!r} is no axis here; {hint}")
        lanes = math.prod(axis.size for axis in axes) * top["seeds"]
        if lanes > MOST_LANES:
            origin.fail(("seeds",), f"axes and seeds make {lanes} lanes; at most {MOST_LANES}")
        width = reader.tables[ENGINE.section]["width"] or 1
        if width > max(lanes, MOST_WIDTH):
            what = f"{width} lanes side by side, of {lanes} in all; give {MOST_WIDTH} at most"
            origin.fail((ENGINE.section, "width"), what)
        spec = cls(**top, axes=axes, sections=reader.tables, schema=schema)
        _check_combinations(spec, origin)
        return spec


def _read_again(text: str, experiment: Experiment | None, folder: Path) -> Spec:
    return Spec.from_dict(tomllib.loads(text), experiment=experiment, folder=folder)


def _schema(
    raw: dict[str, Any],
    name: str,
    origin: Origin,
    experiment: type[Experiment] | Experiment | None,
    folder: Path,
) -> tuple[Schema, str]:
    """What the sections may hold, and the name of the experiment."""
    if experiment is not None:
        kind = experiment if isinstance(experiment, type) else type(experiment)
        prototype = experiment() if isinstance(experiment, type) else experiment
        return Schema(prototype), load.name_of(kind)
    model = raw.get("model")
    name = name or ("flax" if isinstance(model, dict) and "flax" in model else "classifier")
    name = own_code.resolved(name, folder)
    try:
        return Schema(load.experiment(name, Path())()), name
    except UserError as error:
        origin.fail(("experiment",), str(error))


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays, and tuples, as TOML would have them."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _nested(tables: Tables) -> dict[str, Any]:
    """Tables of dotted names within one another, as TOML has them."""
    found: dict[str, Any] = {}
    for section, table in tables.items():
        place = found
        for name in section.split("."):
            place = place.setdefault(name, {})
        place |= table
    return found


def _check_top(top: Table, origin: Origin) -> None:
    for key, value in top.items():
        wanted = type(_TOP[key])
        if type(value) is not wanted:
            origin.fail((key,), f"{value!r} must be a {_KINDS[wanted]}")
    if top["name"] and not top["name"].strip():
        origin.fail(("name",), f"{top['name']!r} is to name a directory; give it letters")
    if bad := _NOT_IN_A_NAME.search(top["name"]):
        origin.fail(("name",), f"{top['name']!r} is to name a directory; leave out {bad[0]!r}")
    if top["seeds"] < 1:
        origin.fail(("seeds",), f"{top['seeds']} must be at least 1")
    if not 0 <= top["root_seed"] < 2**32:
        origin.fail(("root_seed",), f"{top['root_seed']} must be within 0 .. 2**32 - 1")


def _resolve_paths(raw: dict[str, Any], schema: Schema, folder: Path) -> None:
    """Device files, and functions in Python files, that lie beside the specification."""
    device_axis.resolve_paths(raw, folder)
    for section, key in schema.functions():
        table = table_of(raw, section)
        axes = raw.get("axes")
        for place in (table, axes if isinstance(axes, dict) else {}):
            if isinstance(place, dict) and key in place:
                place[key] = own_code.resolved(place[key], folder)


def _check_combinations(spec: Spec, origin: Origin) -> None:
    """The experiment's parameters fit one another, in every lane."""
    for values in grid.combinations(spec):
        try:
            spec.built(values).check()
        except UserError as error:
            origin.fail(_blamed(spec, str(error)), str(error))


def _blamed(spec: Spec, told: str) -> Keys:
    """Where what an error names first is chosen: a class of params, or a file of the user's."""
    for section, chooser in spec.schema.choosers.items():
        if told.partition(":")[0] in {one.__name__ for one in chooser.choices.values()}:
            for axis in spec.axes:
                for name in axis.columns:
                    if spec.parameter(name) == (section, chooser.selector):
                        return axis_keys(axis, name)
            return (section, chooser.selector)
    file = Path(told.partition(".py:")[0]).name + ".py:"
    named = {
        (section, key): name.removeprefix(file)
        for section, key in spec.schema.functions()
        if (name := own_code.without_folder(spec.sections[section][key] or "")).startswith(file)
    }
    for keys, name in named.items():
        if len(named) == 1 or name in told.partition(";")[0]:
            return keys
    return ("experiment",)
