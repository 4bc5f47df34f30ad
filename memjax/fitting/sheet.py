"""Cells of a table, from a file or from memory, and how to say where one of them is."""

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from memjax.errors import DataError

REQUIRED = ("direction", "pulse", "conductance_S")
"""Columns that a tidy table must have."""
TIDY = "one table with the columns cycle, direction, pulse and conductance_S"
"""What a message asks for."""
_KNOWN = (*REQUIRED, "cycle", "device")


@dataclass(frozen=True)
class Sheet:
    """Cells as found, none missing under the header, and how to say where one is."""

    name: str
    top: int | None  # the header's line; None: no file, and rows in place of lines
    header: list[str]
    rows: list[tuple[int, list[str]]]
    decimal_comma: bool = False

    @property
    def looks_wide(self) -> bool:
        """Whether no column has a tidy table's name and the first row is all numbers."""
        first = [cell.replace(",", ".") for _, cells in self.rows[:1] for cell in cells if cell]
        return bool(first) and all(map(numeric, first)) and not self.columns.keys() & REQUIRED

    @property
    def columns(self) -> dict[str, int]:
        """Where the columns of a tidy table are, as far as they are there."""
        found = [name.casefold() for name in self.header]
        return {name: found.index(name.casefold()) for name in _KNOWN if name.casefold() in found}

    def place(self, line: int | None) -> str:
        """A line, or the whole, in words."""
        if self.top is None:
            return self.name if line is None else f"{self.name} row {line}"
        return f"{self.name}:{line}"

    def fail(self, line: int | None, column: str, what: str) -> NoReturn:
        """Raises ``DataError`` that says where and what."""
        raise DataError(f"{self.place(line)}: {column}: {what}")

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

    def conductance(self, line: int, column: str, cell: str, volts: float = 1.0) -> float:
        """The conductance in a cell, in siemens; its current, if ``volts`` are not 1."""
        value = self.number(line, column, cell) / volts
        if not math.isfinite(value):
            self.fail(line, column, f"{cell} is no reading: leave it out")
        if value <= 0:
            remedy = "correct its sign or the meter's offset, or leave it out"
            self.fail(line, column, f"{cell} is not above 0: {remedy}")
        return value


def plain(cell: Any) -> str:
    """The text of a cell, without needless space."""
    return "" if cell is None else " ".join(str(cell).split())


def numeric(cell: str) -> bool:
    """Whether a text is a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python takes 1_000 for a number


def open_sheet(path: Path) -> Sheet:
    """The cells of a text file, each row with the number of its first line."""
    text = _text(path)
    head = next((line for line in text.split("\n") if line.strip()), None)
    if head is None:
        raise DataError(f"{path}: an empty file: give {TIDY}")
    separator = max(";\t,", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    rows, line = [], 1
    try:
        for cells in reader:
            rows.append((line, [plain(cell) for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}:{line}: {error}: mend the line or its quotes") from None
    while not any(rows[0][1]):
        del rows[0]
    (top, header), *rows = rows
    for line, cells in rows:
        if any(cells[len(header) :]):
            raise DataError(
                f"{path}:{line}: {len(cells)} cells under a header of {len(header)}: take the "
                "extra separators out; with decimal commas, separate columns by semicolons"
            )
        cells += [""] * (len(header) - len(cells))
    return Sheet(str(path), top, header, rows, decimal_comma=separator != ",")


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
