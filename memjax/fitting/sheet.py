"""Cells of a table, from a file or from memory, and how to say where one of them is."""

import csv
import functools
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from memjax.errors import DataError
from memjax.fitting.columns import READING, READINGS, Column, columns, is_header, is_unit

REQUIRED = ("direction", "pulse", READING)
"""Columns that a tidy table must have."""
TIDY = "one table with the columns cycle, direction, pulse and conductance_S"
"""What a message asks for."""
_COMMENT = re.compile(r"\s*\"?(#(?!\s*\"?[;\t,])|%|//)")  # a column may be called "#"
_PREAMBLE = 50  # rows above which a header is looked for
_HEADER = 3  # lines over which a header's quotes may go
_MISSING = ("nan", "nat", "<na>")  # how pandas' cells that are empty print
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_OVERFLOW = 9e36  # what a meter writes for a current beyond its range is 9.9e37, or 9.91e37


@dataclass(frozen=True)
class Sheet:
    """Cells as found, none missing under the header, and how to say where one is."""

    name: str
    top: int | None  # the header's line; None: no file, and rows in place of lines
    header: list[str]
    rows: list[tuple[int, list[str]]]
    decimal_comma: bool = False
    normalised: bool = False  # readings are weights
    notes: list[str] = field(default_factory=list)  # what was taken for what
    overflows: list[int] = field(default_factory=list)  # lines of readings beyond a meter's range

    @functools.cached_property
    def kinds(self) -> list[Column]:
        """What each column holds."""
        return columns(self.header)

    @functools.cached_property
    def columns(self) -> dict[str, int]:
        """Where the columns of a tidy table are, as far as they are there."""
        kinds = ["" if at.sign else at.kind for at in self.kinds]
        others = ("direction", "pulse", "cycle", "device")
        found: dict[str, int] = {kind: kinds.index(kind) for kind in others if kind in kinds}
        if "direction" not in found and "voltage" in kinds:
            found["direction"] = kinds.index("voltage")
        readings = [
            at.kind if at.scale > 0 or at.kind == "weight" or self.normalised else ""
            for at in self.kinds
        ]
        kind = next((kind for kind in READINGS if kind in readings), None)
        return found if kind is None else found | {READING: readings.index(kind)}

    @property
    def kind_of_readings(self) -> str:
        """What the readings of a tidy table are; ``""`` of another."""
        return self.kinds[self.columns[READING]].kind if READING in self.columns else ""

    @property
    def is_directed(self) -> bool:
        """Whether it has a column a ramp, each named for its direction."""
        named = any(at.sign and at.kind != "pulse" for at in self.kinds)
        return named and "direction" not in self.columns

    @property
    def looks_wide(self) -> bool:
        """Whether no column has a tidy table's name and the first row is all numbers."""
        first = [cell.replace(",", ".") for _, cells in self.rows[:1] for cell in cells if cell]
        unnamed = sum(not at.kind for at in self.kinds)
        tidy = bool(self.columns.keys() & {"direction", READING})
        tidy |= "pulse" in self.columns and unnamed < 2
        return bool(first) and all(map(numeric, first)) and not tidy

    def place(self, line: int | None) -> str:
        """A line, or the whole, in words."""
        if self.top is None:
            return self.name if line is None else f"{self.name} row {line}"
        return f"{self.name}:{line}"

    def fail(self, line: int | None, column: str, what: str) -> NoReturn:
        """Raises ``DataError`` that says where and what."""
        raise DataError(f"{self.place(line)}: {column}: {what}")

    def note(self, what: str) -> None:
        """Adds a sentence to the notes, once."""
        said = f"{self.name}: {what}"
        if said not in self.notes:
            self.notes.append(said)

    def number(self, line: int, column: str, cell: str) -> float:
        """The number in a cell."""
        text = cell.replace(",", ".") if self.decimal_comma else cell
        if not numeric(text):
            remedy = "give one such as 1.6e-06, with a decimal point and no unit"
            self.fail(line, column, f"{cell[:40]!r} is not a number: {remedy}")
        return float(text)

    def whole(self, line: int, column: str, cell: str, lowest: int) -> int:
        """The whole number in a cell, at least ``lowest``."""
        value = float(cell) if numeric(cell) else math.nan
        if not (lowest <= value < 2**53 and value.is_integer()):
            remedy = "count 0, 1, 2 and so on" if lowest == 0 else "number them 1, 2, 3"
            self.fail(line, column, f"{cell[:40]!r} is not a whole number: {remedy}")
        return int(value)

    def reading(self, line: int, at: Column, cell: str, volts: float | None) -> float | None:
        """The conductance in a cell, in siemens, or the weight.

        Args:
          line: of the cell.
          at: its column.
          cell: its text.
          volts: that made a current; ``None`` for weights.

        Returns:
          The number; ``None`` where the meter was beyond its range.
        """
        value = self.number(line, at.name, cell)
        if abs(value) >= _OVERFLOW and math.isfinite(value):
            self.overflows.append(line)
            return None
        if not math.isfinite(value):
            self.fail(line, at.name, f"{cell} is no reading: leave it out")
        scale = 1.0 if math.isnan(at.scale) else at.scale
        if volts is None:
            return value * scale
        if value <= 0:
            remedy = (
                "correct its sign or the meter's offset, or leave it out; of weights normalised to "
                "0..1 or -1..1, say so (--normalised)"
            )
            self.fail(line, at.name, f"{cell} is not above 0: {remedy}")
        value *= scale
        return 1.0 / value if at.kind == "resistance" else value / volts

    def check_commas(self, index: int) -> None:
        """Refuses decimal commas that may be those of thousands, and notes those that may not.

        Args:
          index: of a column of readings.
        """
        if not self.decimal_comma:
            return
        found = [(line, cells[index]) for line, cells in self.rows if "," in cells[index]]
        if found and all(_THOUSANDS.fullmatch(cell) for _, cell in found):
            line, cell = found[0]
            what = f"{cell!r}: a decimal comma, or one of thousands? write decimal points"
            self.fail(line, self.header[index], f"{what}, and no commas between thousands")
        if found:
            self.note("commas are taken for decimal points")


def plain(cell: Any) -> str:
    """The text of a cell, without needless space; none of a missing one (None, NaN, NaT, NA)."""
    text = " ".join(str(cell).split())
    is_missing = cell is None or (not isinstance(cell, str) and text.casefold() in _MISSING)
    return "" if is_missing else text


def numeric(cell: str) -> bool:
    """Whether a text is a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python takes 1_000 for a number


def open_sheet(path: Path, normalised: bool = False) -> Sheet:
    """The cells of a text file, each row with the number of its first line."""
    every = enumerate(map(_uncommented, _text(path).split("\n")), start=1)
    lines = [(number, line) for number, line in every if line is not None]
    separator = _separator(path, [line for _, line in lines if line])
    rows = _rows(path, lines, separator)
    while rows and not any(rows[0][1]):
        del rows[0]
    if not rows:
        raise DataError(f"{path}: an empty file: give {TIDY}")
    at = next((k for k, (_, cells) in enumerate(rows[:_PREAMBLE]) if is_header(cells)), 0)
    (top, header), rows = rows[at], rows[at + 1 :]
    while not header[-1]:
        header.pop()
    for line, cells in rows:
        if any(cells[len(header) :]):
            raise DataError(
                f"{path}:{line}: {len(cells)} cells under a header of {len(header)}: take the "
                "extra separators out; with decimal commas, separate columns by semicolons"
            )
        cells += [""] * (len(header) - len(cells))
    if rows and any(map(is_unit, rows[0][1])) and not any(map(numeric, rows[0][1])):
        units = [f" ({cell.strip('[]() ')})" if is_unit(cell) else "" for cell in rows.pop(0)[1]]
        header = [name + unit for name, unit in zip(header, units, strict=False)]
    notes = [f"{path}: the header is taken to be line {top}"] if at else []
    return Sheet(str(path), top, header, rows, separator in ";\t", normalised, notes)


def _separator(path: Path, lines: list[str]) -> str:
    """What is between the columns: what makes a line a header, else the first's most frequent."""
    if not lines:
        raise DataError(f"{path}: an empty file: give {TIDY}")
    for line in lines[:_PREAMBLE]:
        for separator in (";", "\t", ",", None):
            names = [name.strip(' "') for name in line.split(separator)]
            if len(names) > 1 and is_header(names):
                return separator or " "
    separator = max(";\t,", key=lines[0].count)
    fields = {len(line.split()) for line in lines[:2]}
    return " " if separator not in lines[0] and len(fields) == 1 and fields > {1} else separator


def _rows(path: Path, lines: list[tuple[int, str]], separator: str) -> list[tuple[int, list[str]]]:
    """The cells of every row, and its line."""
    text = (line + "\n" for _, line in lines)
    reader = csv.reader(text, delimiter=separator, skipinitialspace=True)
    rows: list[tuple[int, list[str]]] = []
    line, read = lines[0][0], 0
    try:
        for cells in reader:
            if reader.line_num - read > (1 if rows else _HEADER):
                raise DataError(
                    f"{path}:{line}: a quote opens here and does not close in its line: close it, "
                    "or take it out"
                )
            rows.append((line, [plain(cell) for cell in cells]))
            read = reader.line_num
            line = lines[min(read, len(lines) - 1)][0]
    except csv.Error as error:
        raise DataError(f"{path}:{line}: {error}: mend the line or its quotes") from None
    return rows


def _uncommented(line: str) -> str | None:
    """A line as it is; of a comment, what is in it if that is a header."""
    if not _COMMENT.match(line):
        return line.strip(" ")
    bare = line.strip(' "#%/')
    names = re.split(r"\s*[;\t,]\s*" if re.search(r"[;\t,]", bare) else r"\s+", bare)
    return bare if is_header(names) else None


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if "\0" in text:
            raise UnicodeError
        return text
    except FileNotFoundError:
        raise DataError(f"{path}: no such file: check the path") from None
    except UnicodeError:
        raise DataError(f"{path}: not a text file in UTF-8: save it as 'CSV UTF-8'") from None
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}: give a file that can be read") from None
