"""Measured pulse responses, read from tables into one checked form."""

import difflib
import itertools
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from memjax.errors import DataError
from memjax.fitting.ramps import ONE_DEVICE, Ramps, Reading, arrange
from memjax.fitting.sheet import REQUIRED, TIDY, Sheet, numeric, open_sheet, plain

_UP = ("up", "potentiation", "ltp", "set", "+1", "1", "1.0")
_DOWN = ("down", "depression", "ltd", "reset", "-1", "-1.0")
_CURRENT = re.compile(r"current|^i($|[_ (\[])", re.IGNORECASE)
_AS_CURRENT = (
    "'conductance_S' (a tidy table holds I / V_read in siemens), or give two wide tables of "
    "currents with --read-voltage"
)
_SIGNS = dict.fromkeys(_UP, 1) | dict.fromkeys(_DOWN, -1)


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
    sheet = open_sheet(Path(path))
    if down is not None:
        volts = 1.0 if read_voltage is None else float(read_voltage)
        return arrange([*_wide(sheet, 1, volts), *_wide(open_sheet(Path(down)), -1, volts)])
    if sheet.looks_wide:
        raise DataError(
            f"{path}: a column a ramp, and only one such table: give the table of up ramps and the "
            f"table of down ramps, or {TIDY}"
        )
    readings = _tidy(sheet)
    if read_voltage is not None:
        raise DataError(
            f"{path}: conductance_S is in siemens already: leave read_voltage out, it is for two "
            "wide tables of currents"
        )
    return arrange(readings)


def from_table(table: Any) -> Ramps:
    """Takes a tidy table from memory; ``read`` says which columns and what they mean.

    Args:
      table: a pandas DataFrame, or a dict of columns.

    Raises:
      DataError: anything that cannot be fitted; names the row, counted from 0, and the column.

    Example:
      >>> from memjax.fitting.table import from_table
      >>> ramps = from_table(
      ...     {"direction": ["up"] * 3, "pulse": [0, 1, 4], "conductance_S": [1e-6, 2e-6, 4e-6]}
      ... )
      >>> ramps.pulses.tolist(), ramps.n_steps
      ([[0, 1, 3]], 2)
    """
    if not hasattr(table, "items"):
        raise DataError(f"a {type(table).__name__} is no table: give a DataFrame or a dict")
    header = [plain(name) for name, _ in table.items()]
    columns = [np.asarray(column, object).ravel().tolist() for _, column in table.items()]
    if len({len(column) for column in columns}) > 1:
        found = ", ".join(f"{name} {len(at)}" for name, at in zip(header, columns, strict=True))
        raise DataError(f"table: columns of different lengths ({found}): give every row a value")
    rows = [(row, list(map(plain, cells))) for row, cells in enumerate(zip(*columns, strict=True))]
    return arrange(_tidy(Sheet("table", None, header, rows)))


def _tidy(sheet: Sheet) -> list[Reading]:
    """The readings of a table with a row a reading."""
    _check_header(sheet)
    where, readings = sheet.columns, []
    for line, cells in sheet.rows:
        row = {"cycle": "1", "device": ONE_DEVICE} | {k: cells[at] for k, at in where.items()}
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
        readings.append(Reading(row["device"], cycle, sign, pulse, value, *where_from))
    if not where.keys() & {"cycle", "device"}:
        readings = _by_turns(readings)
    return _some(sheet, readings)


def _by_turns(readings: list[Reading]) -> list[Reading]:
    """Cycles of a table that only counts pulses, on through up, down, up, down."""
    counts = [reading.pulse for reading in readings]
    if any(later <= now for now, later in itertools.pairwise(counts)):
        return readings
    cycle, numbered = 1, readings[:1]
    for before, reading in itertools.pairwise(readings):
        cycle += reading.sign == readings[0].sign != before.sign
        numbered.append(reading._replace(cycle=cycle))
    return numbered


def _check_header(sheet: Sheet) -> None:
    missing = [name for name in REQUIRED if name not in sheet.columns]
    if missing:
        others = [name for name in sheet.header if name not in sheet.columns]
        found = ", ".join(sheet.header)[:200]
        what = f"no column {', '.join(missing)} (found {found}): {_remedy(missing, others)}"
        raise DataError(f"{sheet.place(sheet.top)}: {what}")
    for name in sheet.columns:
        if [known.casefold() for known in sheet.header].count(name.casefold()) > 1:
            sheet.fail(sheet.top, name, "two columns of this name: keep one")


def _remedy(missing: list[str], others: list[str]) -> str:
    """What to do about columns that are missing, given those whose names mean nothing."""
    current = next(filter(_CURRENT.search, others), None)
    if current is not None and "conductance_S" in missing:
        return f"divide {current!r} by the read voltage and name it {_AS_CURRENT}"
    near = difflib.get_close_matches(missing[0], others, n=1)
    unit = ", in siemens" if missing[0] == "conductance_S" else ""
    return f"rename {near[0]!r} to {missing[0]!r}{unit}" if near else f"give {TIDY}"


def _wide(sheet: Sheet, sign: int, volts: float) -> list[Reading]:
    """The readings of a table with a column a ramp."""
    if sheet.columns.keys() & {"direction", "conductance_S"}:
        raise DataError(f"{sheet.name}: a row a reading, not a column a ramp: give it alone")
    readings = []
    for column, name in enumerate(sheet.header):
        if numeric(name) and not float(name).is_integer():
            sheet.fail(sheet.top, name, "a number for a name: put a header above the readings")
        for pulse, (line, cells) in enumerate(sheet.rows):
            if cells[column]:
                if not name:
                    what = "readings under no name: name the ramp, or take the column out"
                    sheet.fail(line, f"column {column + 1}", what)
                value = sheet.conductance(line, name, cells[column], volts)
                ramp = ONE_DEVICE, column + 1, sign
                readings.append(Reading(*ramp, pulse, value, sheet, line, name))
    return _some(sheet, readings)


def _some(sheet: Sheet, readings: list[Reading]) -> list[Reading]:
    if not readings:
        raise DataError(f"{sheet.name}: no readings below the header: give {TIDY}")
    return readings
