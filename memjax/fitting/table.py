"""Measured pulse responses, read from tables into one checked form."""

import difflib
import itertools
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from memjax.errors import DataError
from memjax.fitting.columns import READING, SIGNS
from memjax.fitting.ramps import Ramps, Reading, arrange
from memjax.fitting.rows import cycle_and_device, labelled, some, volts_of
from memjax.fitting.sheet import REQUIRED, TIDY, Sheet, numeric, open_sheet, plain
from memjax.fitting.wide import wide

_CURRENT = re.compile(r"current|^i($|[_ (\[])", re.IGNORECASE)


def read(
    path: Path | str,
    down: Path | str | None = None,
    *,
    read_voltage: float | None = None,
    normalised: bool = False,
) -> Ramps:
    """Reads one table, or a table of up ramps and a table of down ramps.

    Files are UTF-8 text with a header row, separated by comma, semicolon, tab or spaces; with
    semicolons and tabs a decimal comma will do. Lines of comment (``#``, ``%``, ``//``) and what is
    above the header are passed over. A *tidy* table has a row a reading: ``direction`` (up or down,
    potentiation or depression, LTP or LTD, SET or RESET, +1 or -1), ``pulse`` (pulses given so
    far; 0 is the reading before the first), ``conductance_S`` and, where there are several,
    ``cycle`` and ``device``; it may have others. Readings may be in another unit, named in the
    header or in a row below it (``G (µS)``, ``R (kohm)``, ``I (nA)`` with ``read_voltage``). Rows
    come in any order, and any may be missing; an empty cell of direction, cycle or device is that
    above it. A ramp without a row 0 starts from the last row of the opposite ramp just before it,
    and goes on counting from there if its numbers are higher; after no such ramp, or far from its
    end, from its own first row. A *wide* table has a column a ramp, ragged; its row r is pulse r,
    if it has no column ``pulse``. Where the columns are named for their direction (``LTP 1``,
    ``LTD 1``), one table will do; columns ``cycle`` and ``device`` number ramps that are below each
    other, and ``D1 LTP`` names a device. Ramps of one reading are dropped. What was taken for what
    is in ``Ramps.notes``.

    Args:
      path: the table, or the wide table of up (SET) ramps.
      down: the wide table of down (RESET) ramps.
      read_voltage: in volts, if the tables hold currents.
      normalised: readings are weights, in any linear scale such as 0..1 or -1..1; so they are, too,
        where their column is called ``weight`` and there is none of conductances.

    Raises:
      DataError: anything that cannot be fitted; names the file, the line and the column.
    """
    _check_voltage(read_voltage)
    sheet = open_sheet(Path(path), normalised)
    if down is not None:
        other = open_sheet(Path(down), normalised)
        if sheet.rows == other.rows:
            raise DataError(f"{path} and {down}: the same table twice: give the one of down ramps")
        readings = [*wide(sheet, 1, read_voltage), *wide(other, -1, read_voltage)]
    elif sheet.is_directed:
        readings = wide(sheet, 0, read_voltage)
    elif sheet.looks_wide:
        raise DataError(
            f"{path}: a column a ramp, and only one such table: name the columns for their "
            "direction (LTP 1, LTD 1, ...), or give the table of up ramps and the table of down "
            f"ramps, or {TIDY}"
        )
    else:
        readings = _tidy(sheet, read_voltage)
    return arrange(readings)


def from_table(table: Any, *, read_voltage: float | None = None, normalised: bool = False) -> Ramps:
    """Takes a table from memory; ``read`` says which columns and what they mean.

    A cell that is None or NaN is an empty one.

    Args:
      table: a pandas DataFrame, or a dict of columns.
      read_voltage: in volts, if the table holds currents.
      normalised: readings are weights.

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
    _check_voltage(read_voltage)
    if not hasattr(table, "items"):
        raise DataError(f"a {type(table).__name__} is no table: give a DataFrame or a dict")
    header = [plain(name) for name, _ in table.items()]
    columns = [np.asarray(column, object).ravel().tolist() for _, column in table.items()]
    if len({len(column) for column in columns}) > 1:
        found = ", ".join(f"{name} {len(at)}" for name, at in zip(header, columns, strict=True))
        raise DataError(f"table: columns of different lengths ({found}): give every row a value")
    rows = [(row, list(map(plain, cells))) for row, cells in enumerate(zip(*columns, strict=True))]
    sheet = Sheet("table", None, header, rows, normalised=normalised)
    if sheet.is_directed:
        return arrange(wide(sheet, 0, read_voltage))
    return arrange(_tidy(sheet, read_voltage))


def _check_voltage(read_voltage: float | None) -> None:
    if read_voltage is not None and not (math.isfinite(read_voltage) and read_voltage > 0):
        raise DataError(
            f"read_voltage = {read_voltage}: must be above 0 V: give its magnitude, such as 0.1, "
            "and the currents' magnitudes with it"
        )


def _tidy(sheet: Sheet, read_voltage: float | None) -> list[Reading]:
    """The readings of a table with a row a reading."""
    _check_header(sheet)
    where, readings = dict(sheet.columns), []
    at = sheet.kinds[where.pop(READING)]
    volts = volts_of(sheet, at, read_voltage)
    if at.name.casefold() != READING.casefold():
        sheet.note(f"readings are those of the column {at.name!r}")
    index = sheet.header.index(at.name)
    sheet.check_commas(index)
    ways = sheet.kinds[where["direction"]]
    signs: set[int] = set()
    for line, row, cells in labelled(sheet, where, index):
        sign = SIGNS.get(row["direction"].casefold())
        if sign is None or ways.kind == "voltage":
            sign = _sign_of_voltage(sheet, line, row["direction"])
            signs.add(sign)
        cycle, device = cycle_and_device(sheet, line, row)
        pulse = sheet.whole(line, "pulse", row["pulse"], 0)
        value = sheet.reading(line, at, cells[index], volts)
        if value is not None:
            where_from = sheet, line, at.name
            readings.append(Reading(device, cycle, sign, pulse, value, *where_from))
    if len(signs) == 1:
        what = "numbers of one sign tell no directions (a read voltage? a code?): write up or down"
        sheet.fail(sheet.top, ways.name, f"{what}, in a column 'direction'")
    if not where.keys() & {"cycle", "device"}:
        readings = _by_turns(readings)
    return some(sheet, readings)


def _sign_of_voltage(sheet: Sheet, line: int, cell: str) -> int:
    """The sign of the voltage of pulses, for their direction."""
    if not (numeric(cell) and math.isfinite(float(cell)) and float(cell)):
        sheet.fail(line, "direction", f"{cell[:40]!r} is no direction: write up or down")
    sheet.note("directions are the signs of the pulses' voltages")
    return 1 if float(cell) > 0 else -1


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
        others = [at.name for at in sheet.kinds if not at.kind or at.is_reading]
        found = ", ".join(sheet.header)[:200]
        remedy = _remedy(missing, others)
        bare = [at.name for at in sheet.kinds if at.is_reading and not at.scale > 0]
        if missing == [READING] and bare:
            remedy = f"name the unit of {bare[0]!r} in the header, as in G (µS), R (ohm) or I (nA)"
        what = f"no column {', '.join(missing)} (found {found}): {remedy}"
        raise DataError(f"{sheet.place(sheet.top)}: {what}")
    for index in sheet.columns.values():
        name = sheet.header[index]
        if [known.casefold() for known in sheet.header].count(name.casefold()) > 1:
            sheet.fail(sheet.top, name, "two columns of this name: keep one")


def _remedy(missing: list[str], others: list[str]) -> str:
    """What to do about columns that are missing, given those whose names mean nothing."""
    near = difflib.get_close_matches(missing[0], others, n=1)
    if missing == ["direction"] and not near:
        return "add it: up where pulses potentiate, down where they depress"
    current = next(filter(_CURRENT.search, others), None)
    if current is not None and READING in missing:
        return f"rename {current!r} to 'current_A' and give the read voltage (--read-voltage 0.1)"
    unit = ", in siemens" if missing[0] == READING else ""
    return f"rename {near[0]!r} to {missing[0]!r}{unit}" if near else f"give {TIDY}"
