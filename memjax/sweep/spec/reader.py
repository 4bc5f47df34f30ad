"""Reads the sections and the axes of one specification, and checks every value."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from memjax.errors import SpecError, suggest
from memjax.origin import Keys, Origin
from memjax.sweep.spec import device_axis
from memjax.sweep.spec.axes import Axis, check_apart, check_distinct, entries, is_range, parse_axis
from memjax.sweep.spec.schema import Schema, SectionError, Table


def table_of(raw: dict[str, Any], section: str) -> Any:
    """What a specification gives for a section of a dotted name."""
    place: Any = raw
    for name in section.split("."):
        place = place.get(name, {}) if isinstance(place, dict) else {}
    return place


class Reader:
    """Reads the sections, then the axes, of one specification.

    Attributes:
      tables: of the sections, checked.
    """

    def __init__(self, schema: Schema, origin: Origin, raw: dict[str, Any]):
        self.schema, self.origin, self.raw = schema, origin, raw
        given = raw.get("axes", {})
        self.entries = entries(given, schema.sections)
        self.tables = {section: self._table(section) for section in schema.sections}

    def axes(self) -> list[Axis]:
        """The axes with every value checked; one of devices fills in ``[device]``."""
        axes = []
        for path, entry in sorted(
            self.entries.items(), key=lambda item: not self._is_devices(*item)
        ):
            if self._is_devices(path, entry):
                axes.append(self._device_axis(path[0], entry))
            else:
                axes.append(self._axis(path, entry))
        axes.sort(key=lambda axis: axis.zipped)  # as TOML orders tables: it reads back equal
        self._check_swept(axes)
        return axes

    def _is_devices(self, path: Keys, entry: Any) -> bool:
        return "device" in self.schema.sections and (
            device_axis.is_device_axis(".".join(path), entry) or device_axis.is_group(entry)
        )

    def _given(self, section: str) -> Table:
        """What the specification gives for a section, its sub-sections aside."""
        table = table_of(self.raw, section)
        if not isinstance(table, dict):
            self.origin.fail(tuple(section.split(".")), f"{table!r} must be a table, [{section}]")
        inner = {
            other[len(section) + 1 :].partition(".")[0]
            for other in self.schema.sections
            if other.startswith(f"{section}.")
        }
        return {key: value for key, value in table.items() if key not in inner}

    def _table(self, section: str) -> Table:
        """A section's checked table: with an axis of choices, it may give what any of them has."""
        if section == "device" and any(self._is_devices(*item) for item in self.entries.items()):
            return self.schema.validate(section, {})  # its axis fills it in
        try:
            tables = self.schema.choices_of(section, self._given(section), self._listed(section))
            rows = [self.schema.validate(section, table) for table in tables]
        except SectionError as error:
            self.origin.fail((*section.split("."), error.key), error.what)
        return {key: value for row in reversed(rows) for key, value in row.items()}

    def _listed(self, section: str) -> list[str]:
        """The choices of a section that axes make, unchecked."""
        if (chooser := self.schema.choosers.get(section)) is None:
            return []
        names = {(chooser.selector,), (section, chooser.selector)}
        found: list[str] = []
        for path, entry in self.entries.items():
            groups = {path: entry}
            if isinstance(entry, dict) and not is_range(entry):
                groups = {tuple(key.split(".")): values for key, values in entry.items()}
            for key, values in groups.items():
                if key in names and isinstance(values, list):
                    found += [name for name in values if isinstance(name, str)]
        return found

    def _axis(self, path: Keys, entry: Any) -> Axis:
        name, axis = ".".join(path), self._parsed(path, entry)
        if axis.zipped and self.schema.candidates(name, self.tables):
            what = "is a parameter: give it a list or a range (a zipped group needs another name)"
            self.origin.fail(("axes", *path), what)
        columns = self._columns(path, axis)
        return Axis(name if axis.zipped else next(iter(columns)), columns, axis.zipped)

    def _parsed(self, path: Keys, entry: Any) -> Axis:
        try:
            return parse_axis(".".join(path), entry)
        except SpecError as error:
            self.origin.fail(("axes", *path), str(error))

    def _columns(self, path: Keys, axis: Axis) -> dict[str, list[Any]]:
        """The values of an axis, checked."""
        columns, leaves = {}, []
        for parameter, values in axis.columns.items():
            keys = ("axes", *path, parameter) if axis.zipped else ("axes", *path)
            section, key = self._parameter(parameter, values[0], keys)
            columns[self._short(section, key)] = self._column(section, key, values, keys)
            leaves.append(not self.schema.is_static(section, self.tables[section], key))
        if all(leaves):
            try:
                check_apart(columns, axis.devices)
            except SpecError as error:
                self.origin.fail(("axes", *path), str(error))
        return columns

    def _parameter(self, name: str, first: Any, keys: Keys) -> tuple[str, str]:
        """What the name of an axis means, whose first value this is."""
        found = self.schema.candidates(name, self.tables)
        if len(found) == 1:
            ((section, key),) = found
            if self.schema.is_open(section):
                self.tables[section].setdefault(key, first)
            return section, key
        if found:
            both = " or ".join(f"{section}.{key}" for section, key in found)
            self.origin.fail(keys, f"may be {both}; write which")
        for section, table in self.tables.items():
            if name.rpartition(".")[2] in table:
                what = f"cannot be swept; set it in [{section}], or run a sweep a value"
                self.origin.fail(keys, what)
        able = [
            self._short(section, key)
            for section, table in self.tables.items()
            for key in table
            if self.schema.may_be_axis(section, table, key)
        ]
        self.origin.fail(keys, f"unknown key; {suggest(name, able)}")

    def _short(self, section: str, key: str) -> str:
        """The key where it is unique, else with its section."""
        alone = len(self.schema.candidates(key, self.tables)) == 1
        return key if alone else f"{section}.{key}"

    def _column(self, section: str, key: str, values: list[Any], keys: Keys) -> list[Any]:
        try:
            return self.schema.validate_column(section, self.tables[section], key, values)
        except SectionError as error:
            self.origin.fail(keys, error.what if error.key == key else str(error))

    def _device_axis(self, name: str, entry: Any) -> Axis:
        """An axis of whole devices, each checked; ``[device]`` then has every parameter of any."""
        if device_axis.is_group(entry):
            return self._group_of_devices(name, entry)
        names, columns = self._devices(name, entry)
        try:
            check_distinct(names)
        except SpecError as error:
            self.origin.fail(("axes", name), str(error))
        return Axis(name, columns, zipped=True, names=names)

    def _group_of_devices(self, name: str, entry: dict[str, Any]) -> Axis:
        """A zipped group of whole devices and other parameters."""
        names, theirs = self._devices(name, entry["device"], beside=entry)
        given = entry["device"] if isinstance(entry["device"], list) else names
        if len(set(zip(names, given, strict=True))) > len(set(names)):
            what = "two files of one name would be one device in the results; rename one of them"
            self.origin.fail(("axes", name, "device"), what)
        group = self._parsed((name,), {**entry, "device": names})
        del group.columns["device"]
        if not group.columns:
            self.origin.fail(("axes", name), "has devices alone; write device = [...] in [axes]")
        own = self._columns((name,), dataclasses.replace(group, devices=names))
        return Axis(name, theirs | own, zipped=True, devices=names, of_devices=tuple(theirs))

    def _devices(
        self, name: str, entry: Any, beside: Iterable[str] = ()
    ) -> tuple[list[str], dict[str, list[Any]]]:
        """The names of devices and the columns of what differs; fills in ``[device]``.

        Args:
          name: of the axis.
          entry: a list of devices, or the resolved one.
          beside: parameters of the same group, which have their own values.
        """
        given = self.raw.get("device", {})
        swept = {
            parameter.removeprefix("device.")
            for path, other in self.entries.items()
            if ".".join(path) != name
            for parameter in (".".join(path), *(other if isinstance(other, dict) else ()))
        } | {parameter.removeprefix("device.") for parameter in beside}
        try:
            names, columns = device_axis.columns(entry, {*given, *swept} - {"model"})
            rows = [
                self.schema.validate("device", device_axis.row(columns, point, given))
                for point in range(len(names))
            ]
        except SpecError as error:
            self.origin.fail(("axes", name), str(error))
        every = {key: value for row in reversed(rows) for key, value in row.items()}
        unknown = [key for key in given if key not in every]
        if unknown:
            what = f"unknown key; {suggest(unknown[0], every)}"
            self.origin.fail(("device", unknown[0]), what)
        self.tables["device"] = every
        return names, {self._named_in_device(key): values for key, values in columns.items()}

    def _named_in_device(self, key: str) -> str:
        found = self.schema.candidates(key, self.tables)
        return f"device.{key}" if any(section != "device" for section, _ in found) else key

    def _check_swept(self, axes: list[Axis]) -> None:
        """Every parameter is varied once, and every choice that is swept (of a device) has it."""
        swept: dict[str, tuple[Axis, list[Any]]] = {}
        for axis in axes:
            for parameter, values in axis.columns.items():
                if parameter in swept:
                    other = swept[parameter][0].name
                    what = f"is varied by the axis {other} too; keep one"
                    self.origin.fail(axis_keys(axis, parameter), what)
                swept[parameter] = axis, values
        for section, chooser in self.schema.choosers.items():
            selector = (
                chooser.selector if chooser.selector in swept else f"{section}.{chooser.selector}"
            )
            chosen, choices = swept.get(selector, (None, []))
            for point, choice in enumerate(choices):
                table = self.schema.with_value(
                    section, self.tables[section], chooser.selector, choice
                )
                for parameter, (axis, values) in swept.items():
                    found = self.schema.candidates(parameter, self.tables)
                    if [s for s, _ in found] != [section]:
                        continue
                    if axis is chosen:
                        if axis.devices is None or axis.is_theirs(parameter):
                            continue
                        values = [values[point]]
                    self._check_column(
                        section, table, found[0][1], values, (choice, axis, parameter)
                    )

    def _check_column(
        self,
        section: str,
        table: Table,
        key: str,
        values: list[Any],
        where: tuple[str, Axis, str],
    ) -> None:
        """A choice that is swept has a parameter that is swept beside it."""
        choice, axis, parameter = where
        selector, keys = self.schema.choosers[section].selector, axis_keys(axis, parameter)
        if key not in table:
            what = "has no such parameter; sweep it apart"
            self.origin.fail(keys, f"the {selector} {choice} {what}")
        try:
            self.schema.validate_column(section, table, key, values)
        except SectionError as error:
            self.origin.fail(keys, f"with the {selector} {choice}, {error.what}")


def axis_keys(axis: Axis, parameter: str) -> Keys:
    """Where in a specification the values of a parameter stand."""
    return ("axes", axis.name, parameter) if axis.zipped else ("axes", *parameter.split("."))
