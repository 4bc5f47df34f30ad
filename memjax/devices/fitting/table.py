"""Measured pulse responses, read from tables into one checked form."""

import csv
import difflib
import io
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from jaxtyping import Float64, Int64

from memjax.errors import DataError

_REQUIRED = ("direction", "pulse", "conductance_S")
_KNOWN = (*_REQUIRED, "cycle", "device")
_TIDY = "one table with the columns cycle, direction, pulse and conductance_S"
_UP = ("up", "potentiation", "ltp", "set", "+1", "1", "1.0")
_DOWN = ("down", "depression", "ltd", "reset", "-1", "-1.0")
_SIGNS = dict.fromkeys(_UP, 1) | dict.fromkeys(_DOWN, -1)
_ONE_DEVICE = "device"
_MIXED = 5.0  # decades between two conductances of one table that only a mix of units explains
_MOST = 10.0  # siemens
_AGAINST_RAMP, _AGAINST_TABLE = -3.5, -2.5  # standard deviations of a ramp that goes nowhere


@dataclass(frozen=True, eq=False)
class Ramps:
    """Ramps of identical pulses and the conductance read between them.

    Ramps are ordered by device, by cycle, and in time within a cycle. Rows are padded on the right.

    Attributes:
      conductance: what was read, in siemens; NaN beyond a ramp's end.
      pulses: how many pulses came since the point before: 0 at a ramp's start and beyond its end,
        above 1 where readings are missing.
      sign: +1 where the pulses potentiate, -1 where they depress.
      cycle: the cycle's number in the table.
      device: which of ``device_names``.
      device_names: what the table calls the devices.
    """

    conductance: Float64[np.ndarray, "ramp point"]
    pulses: Int64[np.ndarray, "ramp point"]
    sign: Int64[np.ndarray, " ramp"]
    cycle: Int64[np.ndarray, " ramp"]
    device: Int64[np.ndarray, " ramp"]
    device_names: tuple[str, ...]

    @property
    def n_ramps(self) -> int:
        """Number of ramps."""
        return len(self.sign)

    @property
    def n_steps(self) -> int:
        """Number of steps from one reading to the next, all ramps together."""
        return int(np.isfinite(self.conductance).sum()) - self.n_ramps

    @property
    def window(self) -> tuple[float, float]:
        """Lowest and highest conductance, in siemens: each the median over ramps of their own."""
        extremes = np.nanmin(self.conductance, axis=1), np.nanmax(self.conductance, axis=1)
        return float(np.median(extremes[0])), float(np.median(extremes[1]))

    def select(self, which: np.ndarray) -> "Ramps":
        """The ramps of a mask or of a list of indices, as narrow as they allow."""
        width = int(np.isfinite(self.conductance[which]).sum(axis=1).max(initial=0))
        return replace(
            self,
            conductance=self.conductance[which, :width],
            pulses=self.pulses[which, :width],
            sign=self.sign[which],
            cycle=self.cycle[which],
            device=self.device[which],
        )

    def split(self, mask: np.ndarray) -> tuple["Ramps", "Ramps"]:
        """The ramps where ``mask`` is true, and the others."""
        mask = np.asarray(mask, bool)
        return self.select(mask), self.select(~mask)


def read(
    path: Path | str, down: Path | str | None = None, *, read_voltage: float | None = None
) -> Ramps:
    """Reads one tidy table, or a table of up ramps and a table of down ramps.

    Files are UTF-8 text with a header row, separated by comma, semicolon or tab; with the last two
    a decimal comma will do. A *tidy* table has a row a reading: ``direction`` (up or down,
    potentiation or depression, LTP or LTD, SET or RESET, +1 or -1), ``pulse`` (pulses given so
    far; 0 is the reading before the first), ``conductance_S`` and, where there are several,
    ``cycle`` and ``device``; it may have others. Rows come in any order, and any may be missing.
    A ramp without a row 0 starts from the last row of the opposite ramp just before it, and goes on
    counting from there if its numbers are higher; after no such ramp, from its own first row. A
    *wide* table has a column a ramp, ragged, and its row r is pulse r. Ramps of one reading are
    dropped.

    Args:
      path: the tidy table, or the wide table of up (SET) ramps.
      down: the wide table of down (RESET) ramps.
      read_voltage: in volts, if the wide tables hold currents in ampere; else they hold siemens.

    Raises:
      DataError: anything that cannot be fitted; names the file, the line and the column.
    """
    if read_voltage is not None and not (math.isfinite(read_voltage) and read_voltage > 0):
        raise DataError(
            f"read_voltage = {read_voltage}: must be above 0 V: give its magnitude, such as 0.1, "
            "and the currents' magnitudes with it"
        )
    sheet = _open(Path(path))
    if down is not None:
        volts = 1.0 if read_voltage is None else float(read_voltage)
        return _ramps([*_wide(sheet, 1, volts), *_wide(_open(Path(down)), -1, volts)])
    if sheet.looks_wide:
        raise DataError(
            f"{path}: a column a ramp, and only one such table: give the table of up ramps and the "
            f"table of down ramps, or {_TIDY}"
        )
    readings = _tidy(sheet)
    if read_voltage is not None:
        raise DataError(
            f"{path}: conductance_S is in siemens already: leave read_voltage out, it is for two "
            "wide tables of currents"
        )
    return _ramps(readings)


def from_table(table: Any) -> Ramps:
    """Takes a tidy table from memory; ``read`` says which columns and what they mean.

    Args:
      table: a pandas DataFrame, or a dict of columns.

    Raises:
      DataError: anything that cannot be fitted; names the row, counted from 0, and the column.

    Example:
      >>> from memjax.devices.fitting.table import from_table
      >>> ramps = from_table(
      ...     {"direction": ["up"] * 3, "pulse": [0, 1, 4], "conductance_S": [1e-6, 2e-6, 4e-6]}
      ... )
      >>> ramps.pulses.tolist(), ramps.n_steps
      ([[0, 1, 3]], 2)
    """
    if not hasattr(table, "items"):
        raise DataError(f"a {type(table).__name__} is no table: give a DataFrame or a dict")
    header = [_plain(name) for name, _ in table.items()]
    columns = [np.asarray(column, object).ravel().tolist() for _, column in table.items()]
    if len({len(column) for column in columns}) > 1:
        found = ", ".join(f"{name} {len(at)}" for name, at in zip(header, columns, strict=True))
        raise DataError(f"table: columns of different lengths ({found}): give every row a value")
    rows = [(row, list(map(_plain, cells))) for row, cells in enumerate(zip(*columns, strict=True))]
    return _ramps(_tidy(_Sheet("table", None, header, rows)))


@dataclass(frozen=True)
class _Sheet:
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
        return bool(first) and all(map(_numeric, first)) and not self.columns.keys() & _REQUIRED

    @property
    def columns(self) -> dict[str, int]:
        """Where the columns of a tidy table are, as far as they are there."""
        found = [name.casefold() for name in self.header]
        return {name: found.index(name.casefold()) for name in _KNOWN if name.casefold() in found}

    def place(self, line: int | None) -> str:
        if self.top is None:
            return self.name if line is None else f"{self.name} row {line}"
        return f"{self.name}:{line}"

    def fail(self, line: int | None, column: str, what: str) -> NoReturn:
        raise DataError(f"{self.place(line)}: {column}: {what}")

    def number(self, line: int, column: str, cell: str) -> float:
        text = cell.replace(",", ".") if self.decimal_comma else cell
        if not _numeric(text):
            remedy = "give one such as 1.6e-06, with a decimal point and no unit"
            self.fail(line, column, f"{cell[:40]!r} is not a number: {remedy}")
        return float(text)

    def whole(self, line: int, column: str, cell: str, lowest: int) -> int:
        value = self.number(line, column, cell)
        if not (lowest <= value < 2**53 and value.is_integer()):
            self.fail(line, column, f"{cell} is not a whole number: count 0, 1, 2 and so on")
        return int(value)

    def conductance(self, line: int, column: str, cell: str, volts: float = 1.0) -> float:
        value = self.number(line, column, cell) / volts
        if not math.isfinite(value):
            self.fail(line, column, f"{cell} is no reading: leave it out")
        if value <= 0:
            remedy = "correct its sign or the meter's offset, or leave it out"
            self.fail(line, column, f"{cell} is not above 0: {remedy}")
        return value

    def some(self, readings: list["_Reading"]) -> list["_Reading"]:
        if not readings:
            raise DataError(f"{self.name}: no readings below the header: give {_TIDY}")
        return readings


class _Reading(NamedTuple):
    device: str
    cycle: int
    sign: int
    pulse: int
    conductance: float
    sheet: _Sheet
    line: int
    column: str

    @property
    def ramp(self) -> str:
        device = "" if self.device == _ONE_DEVICE else f"device {self.device}, "
        return f"{device}cycle {self.cycle}, {'up' if self.sign > 0 else 'down'}"

    def fail(self, what: str) -> NoReturn:
        self.sheet.fail(self.line, self.column, what)


_Curve = list[_Reading]


def _plain(cell: Any) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _numeric(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python takes 1_000 for a number


def _open(path: Path) -> _Sheet:
    """The cells of a text file, each row with the number of its first line."""
    text = _text(path)
    head = next((line for line in text.split("\n") if line.strip()), None)
    if head is None:
        raise DataError(f"{path}: an empty file: give {_TIDY}")
    separator = max(";\t,", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    rows, line = [], 1
    try:
        for cells in reader:
            rows.append((line, [_plain(cell) for cell in cells]))
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
    return _Sheet(str(path), top, header, rows, decimal_comma=separator != ",")


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


def _tidy(sheet: _Sheet) -> list[_Reading]:
    """The readings of a table with a row a reading."""
    _check_header(sheet)
    where, readings = sheet.columns, []
    for line, cells in sheet.rows:
        row = {"cycle": "1", "device": _ONE_DEVICE} | {k: cells[at] for k, at in where.items()}
        if not row["conductance_S"]:
            continue
        sign = _SIGNS.get(row["direction"].casefold())
        if sign is None:
            said = repr(row["direction"][:40])
            sheet.fail(line, "direction", f"{said} is no direction: write up or down")
        if not row["device"]:
            sheet.fail(line, "device", "an empty cell: name the device")
        cycle = sheet.whole(line, "cycle", row["cycle"], -(2**53))
        pulse = sheet.whole(line, "pulse", row["pulse"], 0)
        value = sheet.conductance(line, "conductance_S", row["conductance_S"])
        where_from = sheet, line, "conductance_S"
        readings.append(_Reading(row["device"], cycle, sign, pulse, value, *where_from))
    return sheet.some(readings)


def _check_header(sheet: _Sheet) -> None:
    missing = [name for name in _REQUIRED if name not in sheet.columns]
    if missing:
        others = [name for name in sheet.header if name not in sheet.columns]
        near = difflib.get_close_matches(missing[0], others, n=1)
        remedy = f"rename {near[0]!r} to {missing[0]!r}" if near else f"give {_TIDY}"
        unit = ", in siemens" if near and missing[0] == "conductance_S" else ""
        found = ", ".join(sheet.header)[:200]
        what = f"no column {', '.join(missing)} (found {found}): {remedy}{unit}"
        raise DataError(f"{sheet.place(sheet.top)}: {what}")
    for name in sheet.columns:
        if [known.casefold() for known in sheet.header].count(name.casefold()) > 1:
            sheet.fail(sheet.top, name, "two columns of this name: keep one")


def _wide(sheet: _Sheet, sign: int, volts: float) -> list[_Reading]:
    """The readings of a table with a column a ramp."""
    if sheet.columns.keys() & {"direction", "conductance_S"}:
        raise DataError(f"{sheet.name}: a row a reading, not a column a ramp: give it alone")
    readings = []
    for column, name in enumerate(sheet.header):
        if _numeric(name) and not float(name).is_integer():
            sheet.fail(sheet.top, name, "a number for a name: put a header above the readings")
        for pulse, (line, cells) in enumerate(sheet.rows):
            if cells[column]:
                if not name:
                    what = "readings under no name: name the ramp, or take the column out"
                    sheet.fail(line, f"column {column + 1}", what)
                value = sheet.conductance(line, name, cells[column], volts)
                ramp = _ONE_DEVICE, column + 1, sign
                readings.append(_Reading(*ramp, pulse, value, sheet, line, name))
    return sheet.some(readings)


def _ramps(readings: list[_Reading]) -> Ramps:
    """Puts readings in order, checks them, and lays them out."""
    _check_units(readings)
    curves = [curve for curve in _in_order(readings) if len(curve) > 1]
    _check_shapes(curves, readings[0].sheet)
    _check_directions(curves)
    shape = len(curves), max(map(len, curves))
    conductance, pulses = np.full(shape, np.nan), np.zeros(shape, np.int64)
    for row, curve in enumerate(curves):
        conductance[row, : len(curve)] = [reading.conductance for reading in curve]
        pulses[row, 1 : len(curve)] = np.diff([reading.pulse for reading in curve])
    devices = list(dict.fromkeys(curve[-1].device for curve in curves))
    labels = [(at.sign, at.cycle, devices.index(at.device)) for *_, at in curves]
    sign, cycle, device = np.array(labels, np.int64).T
    return Ramps(conductance, pulses, sign, cycle, device, tuple(devices))


def _in_order(readings: list[_Reading]) -> list[_Curve]:
    """The ramps by device, cycle and time: first in a cycle is the direction that counts lower."""
    ramps: dict[tuple[str, int, int], dict[int, _Reading]] = {}
    lowest: dict[tuple[str, int], int] = {}
    for reading in readings:
        device, cycle, sign, pulse = reading[:4]
        lowest[device, sign] = min(pulse, lowest.get((device, sign), pulse))
        first = ramps.setdefault((device, cycle, sign), {}).setdefault(pulse, reading)
        if first is not reading:
            reading.fail(
                f"{reading.ramp}, pulse {pulse} again (first in {first.sheet.place(first.line)}): "
                "keep one, or tell them apart by a cycle or device column"
            )

    def order(ramp: tuple[str, int, int]) -> tuple[int, str, int, int, int]:
        device, cycle, sign = ramp
        return len(device), device, cycle, lowest[device, sign], -sign

    curves: list[_Curve] = [[]]
    for ramp in sorted(ramps, key=order):
        curves.append(_started([at for _, at in sorted(ramps[ramp].items())], curves[-1]))
    return curves[1:]


def _started(curve: _Curve, before: _Curve) -> _Curve:
    """The ramp with its start: its own, or the end of the opposite ramp just before it."""
    first, last = curve[0], before[-1] if before else curve[0]
    follows = last.device == first.device and last.sign == -first.sign
    if not follows or first.cycle - last.cycle > 1 or first.pulse in (0, last.pulse):
        return curve
    if first.pulse > last.pulse:  # goes on counting
        return [last, *curve]
    shared = {reading.pulse for reading in before} & {reading.pulse for reading in curve}
    if not shared and "cycle" not in first.sheet.columns and first.sheet.columns:
        first.fail("up and down take turns more than once: number the turns in a cycle column")
    return [last._replace(pulse=0), *curve]


def _check_units(readings: list[_Reading]) -> None:
    values = np.array([reading.conductance for reading in readings])
    decades = np.log10(values)
    if np.ptp(decades) >= _MIXED:
        away = decades - np.quantile(decades, 0.5, method="lower")
        odd = int(np.argmax(np.abs(away)))
        readings[odd].fail(
            f"{values[odd]:.4g} S is about 1e{away[odd]:+.0f} times the usual: mixed units? "
            "give all in siemens (currents in ampere)"
        )
    if values.min() > _MOST:
        raise DataError(
            f"{readings[0].sheet.name}: every conductance is above {_MOST:g} S (at least "
            f"{values.min():.4g}): ohm or µS? give siemens (currents in ampere)"
        )


def _check_shapes(curves: list[_Curve], sheet: _Sheet) -> None:
    if max(map(len, curves), default=0) < 3:
        raise DataError(
            f"{sheet.name}: no ramp has 3 readings: give one before the first pulse and one after "
            "each of at least two pulses"
        )
    for curve in curves:
        if len(curve) > 2 and len({reading.conductance for reading in curve}) == 1:
            _fail(curve, f"no change in {len(curve)} readings: leave the ramp out")


def _check_directions(curves: list[_Curve]) -> None:
    trends = np.array([_trend(curve) for curve in curves])
    wrong = trends < _AGAINST_RAMP
    rest = trends[~wrong]
    if rest.sum() < _AGAINST_TABLE * math.sqrt(len(rest)) or (len(wrong) > 1 and wrong.all()):
        files = " and ".join(dict.fromkeys(curve[-1].sheet.name for curve in curves))
        raise DataError(
            f"{files}: up ramps fall or down ramps rise: swap up and down (or the two files)"
        )
    if wrong.any():
        curve = curves[int(np.argmax(wrong))]
        moves = "falls" if curve[-1].sign > 0 else "rises"
        _fail(curve, f"the ramp {moves}: correct its direction or leave it out")


def _fail(curve: _Curve, what: str) -> NoReturn:
    """Blames a ramp, where its own first reading is."""
    first = next(reading for reading in curve if reading.sign == curve[-1].sign)
    first.sheet.fail(first.line, first.column, f"{first.ramp}: {what}")


def _trend(curve: _Curve) -> float:
    """How surely a ramp goes its way: Wilcoxon's signed ranks of up to 32 smoothed steps.

    N(0, 1) for a walk with symmetric steps, whatever their size; medians still the read noise.
    """
    values = np.array([reading.conductance for reading in curve])
    blocks = np.array_split(values, min(len(values), 33))
    steps = np.diff([np.median(block) for block in blocks]) * curve[-1].sign
    ranks = np.argsort(np.argsort(np.abs(steps))) + 1.0
    return float((ranks * np.sign(steps)).sum() / np.sqrt((ranks**2).sum()))
