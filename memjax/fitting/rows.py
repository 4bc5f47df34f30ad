"""Rows of a table that have a reading: their labels, and what a reading is of."""

from collections.abc import Iterator

from memjax.errors import DataError
from memjax.fitting.columns import Column
from memjax.fitting.ramps import ONE_DEVICE, Reading
from memjax.fitting.sheet import TIDY, Sheet

_MERGED = ("direction", "cycle", "device")  # columns in which spreadsheets merge cells


def labelled(
    sheet: Sheet, where: dict[str, int], index: int
) -> Iterator[tuple[int, dict[str, str], list[str]]]:
    """The rows that have a reading: line, labels (one that is empty is that above it), cells.

    Args:
      sheet: the table.
      where: the columns of labels.
      index: of the readings' column.
    """
    above: dict[str, str] = {}
    for line, cells in sheet.rows:
        if not cells[index]:
            continue
        row = {"cycle": "1", "device": ONE_DEVICE} | {k: cells[at] for k, at in where.items()}
        for kind in _MERGED:
            if not row.get(kind) and above.get(kind):
                row[kind] = above[kind]
                sheet.note(f"an empty cell under {sheet.header[where[kind]]!r} is that above it")
        above = row
        yield line, row, cells


def cycle_and_device(sheet: Sheet, line: int, row: dict[str, str]) -> tuple[int, str]:
    """The number of a row's cycle, and the name of its device.

    Args:
      sheet: the table.
      line: of the row.
      row: its labels.
    """
    if row["device"].casefold() in ("", "nan"):
        sheet.fail(line, "device", f"{row['device'] or 'an empty cell'}: name the device")
    return sheet.whole(line, "cycle", row["cycle"], -(2**53)), row["device"]


def volts_of(sheet: Sheet, at: Column, read_voltage: float | None) -> float | None:
    """What to divide a column of readings by; ``None`` where they are weights.

    Args:
      sheet: the table.
      at: the column.
      read_voltage: that was given.
    """
    if sheet.normalised and at.kind == "resistance":
        what = "resistances are no weights, which rise as pulses potentiate: leave --normalised out"
        sheet.fail(sheet.top, at.name, what)
    if sheet.normalised or at.kind == "weight":
        return None
    if at.kind in ("conductance", "resistance") and read_voltage is not None:
        raise DataError(
            f"{sheet.name}: {at.name} is no current: leave read_voltage out, it is what currents "
            "are divided by"
        )
    if at.kind == "current" and read_voltage is None:
        what = "currents: give the voltage that they were read at (--read-voltage 0.1)"
        sheet.fail(sheet.top, at.name, what)
    return 1.0 if read_voltage is None else float(read_voltage)


def some(sheet: Sheet, readings: list[Reading]) -> list[Reading]:
    """The readings, of which there must be one.

    Args:
      sheet: that they are of.
      readings: found there.
    """
    if not readings:
        raise DataError(f"{sheet.name}: no readings below the header: give {TIDY}")
    return readings
