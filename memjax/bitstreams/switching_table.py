"""Measured switching counts, read from a table into a checked form."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from memjax.errors import DataError
from memjax.fitting.sheet import Sheet, open_sheet

COLUMNS = ("voltage_V", "width_s", "switched", "trials")
"""What a table has, a pulse a row."""


class SwitchingCounts(NamedTuple):
    """How often pulses switched a device.

    Attributes:
      voltage: of each pulse, V.
      width: of each pulse, s.
      switched: how often it did.
      trials: how often it was tried.
    """

    voltage: np.ndarray
    width: np.ndarray
    switched: np.ndarray
    trials: np.ndarray


def read_counts(path: Path | str) -> SwitchingCounts:
    """Reads a table with the columns ``voltage_V``, ``width_s``, ``switched`` and ``trials``.

    Text in UTF-8 with a header, separated by comma, semicolon, tab or spaces. Other columns are
    passed over; rows of the same pulse count together.

    Args:
      path: the table.

    Raises:
      DataError: anything that cannot be fitted; names the file, the line and the column.
    """
    sheet = open_sheet(Path(path))
    names = [name.casefold() for name in sheet.header]
    missing = [name for name in COLUMNS if name.casefold() not in names]
    if missing:
        found = ", ".join(sheet.header)[:120]
        what = f"no column {', '.join(missing)} (found {found})"
        raise DataError(f"{sheet.place(sheet.top)}: {what}: give {', '.join(COLUMNS)}")
    filled = [(line, cells) for line, cells in sheet.rows if any(cells)]
    if not filled:
        raise DataError(f"{sheet.name}: no rows under the header: give a pulse a row")
    where = [names.index(name.casefold()) for name in COLUMNS]
    rows = np.array([_row(sheet, line, [cells[at] for at in where]) for line, cells in filled])
    pulses, which = np.unique(rows[:, :2], axis=0, return_inverse=True)
    counts = np.zeros((len(pulses), 2))
    np.add.at(counts, which.ravel(), rows[:, 2:])
    return SwitchingCounts(*pulses.T, *counts.T)


def _row(sheet: Sheet, line: int, cells: list[str]) -> list[float]:
    volts, seconds = (sheet.number(line, *pair) for pair in zip(COLUMNS, cells[:2], strict=False))
    switched, trials = (
        sheet.whole(line, name, cell, 0) for name, cell in zip(COLUMNS[2:], cells[2:], strict=True)
    )
    if not np.isfinite(volts):
        sheet.fail(line, "voltage_V", f"{cells[0]} is no voltage: leave the row out")
    if not (np.isfinite(seconds) and seconds > 0):
        sheet.fail(line, "width_s", f"{cells[1]} is not above 0: give seconds, such as 1e-3")
    if trials == 0 or switched > trials:
        sheet.fail(line, "switched", f"{switched} of {trials} trials: give 0 to all of 1 or more")
    return [volts, seconds, float(switched), float(trials)]
