"""Tables with a column a ramp, named for its direction or in a table of one direction."""

import math
from collections.abc import Iterator

from memjax.errors import DataError
from memjax.fitting.columns import Column, column
from memjax.fitting.ramps import Reading
from memjax.fitting.rows import cycle_and_device, labelled, some, volts_of
from memjax.fitting.sheet import Sheet, numeric

_LABELS = ("pulse", "cycle", "device")  # columns that number a ramp's pulses, and ramps in it


def wide(sheet: Sheet, sign: int, read_voltage: float | None) -> list[Reading]:
    """The readings of a table with a column a ramp.

    Columns of cycles and devices tell ramps apart that are below each other; a device may also be
    in a column's name.

    Args:
      sheet: the table.
      sign: of all its ramps; 0 where its columns say theirs.
      read_voltage: in volts, of currents.

    Raises:
      DataError: what is no such table.
    """
    if sign and sheet.columns.keys() & {"direction"}:
        raise DataError(f"{sheet.name}: a row a reading, not a column a ramp: give it alone")
    columns = [column(name, is_ramp=True) for name in sheet.header] if sign else sheet.kinds
    labels = {kind: sheet.columns[kind] for kind in _LABELS if kind in sheet.columns}
    counters = {1: labels.get("pulse"), -1: labels.get("pulse")}
    counters |= {at.sign: k for k, at in enumerate(columns) if at.sign and at.kind == "pulse"}
    ramps = _ramps(columns, {*labels.values()}, sign, read_voltage is not None)
    passed = set(range(len(columns))) - {*ramps, *labels.values(), *counters.values()}
    for index in sorted(passed):
        if any(cells[index] for _, cells in sheet.rows):
            sheet.note(f"the column {sheet.header[index]!r} is passed over")
    _check_names(sheet, sign, ramps)
    devices = dict.fromkeys(at.device for at in ramps.values() if at.device)
    if devices and "device" not in labels:
        sheet.note(f"devices are those in the names of columns: {', '.join(devices)}")
    readings: list[Reading] = []
    cycles: dict[tuple[str, int], int] = {}
    for index, at in ramps.items():
        way = sign or at.sign
        cycles[at.device, way] = cycle = cycles.get((at.device, way), 0) + 1
        if cycle > 1 and "cycle" in labels:
            what = "a second ramp of its direction beside a column of cycles: number them there"
            sheet.fail(sheet.top, at.name, what)
        counter = counters[way]
        where = {kind: k for kind, k in labels.items() if kind != "pulse"}
        where |= {} if counter is None else {"pulse": counter}
        readings += _column(sheet, index, at, (at.device, cycle, way), where, read_voltage)
    return some(sheet, readings)


def _ramps(
    columns: list[Column], labels: set[int], sign: int, are_currents: bool
) -> dict[int, Column]:
    """The columns of ramps; where a direction has several kinds of readings, those of one."""
    order = ("conductance", "", "mean", "resistance", "current", "weight")
    if are_currents:
        order = ("conductance", "resistance", "current", "", "mean", "weight")
    ramps = {
        k: at
        for k, at in enumerate(columns)
        if k not in labels and (sign or at.sign) and at.may_be_ramp
    }
    for way in (1, -1):
        mine = {k: at.kind for k, at in ramps.items() if (sign or at.sign) == way}
        kind = next((kind for kind in order if kind in mine.values()), "")
        ramps = {k: at for k, at in ramps.items() if mine.get(k, kind) == kind}
    return ramps


def _check_names(sheet: Sheet, sign: int, ramps: dict[int, Column]) -> None:
    """Refuses names of ramps that say the other direction, a unit that is none, or nothing."""
    for at in ramps.values():
        if at.sign == -sign != 0:
            sheet.fail(sheet.top, at.name, "named for the other direction: swap the two tables")
        if numeric(at.name) and not float(at.name).is_integer():
            sheet.fail(sheet.top, at.name, "a number for a name: put a header above the readings")
        if at.unknown and not sheet.normalised:
            what = f"{at.unknown!r} is no unit that is known: give one of S, A or ohm, such as (µS)"
            sheet.fail(sheet.top, at.name, f"{what}, or of weights say so (--normalised)")
    bare = [at.name for at in ramps.values() if math.isnan(at.scale) and at.kind != "weight"]
    if 0 < len(bare) < len(ramps):
        sheet.fail(sheet.top, bare[0], "names no unit beside ramps that name theirs: name it, too")


def _column(
    sheet: Sheet,
    index: int,
    at: Column,
    ramp: tuple[str, int, int],
    where: dict[str, int],
    read_voltage: float | None,
) -> Iterator[Reading]:
    """The readings of one column, of a ramp, or of several that others number."""
    volts = volts_of(sheet, at, read_voltage)
    if volts is not None and math.isnan(at.scale):
        unit = "siemens" if read_voltage is None else "ampere"
        unit = "ohm" if at.kind == "resistance" else unit
        sheet.note(f"ramps that name no unit are taken for {unit} (LTP (µS) names one)")
    sheet.check_commas(index)
    start: dict[tuple[str, int], int] = {}
    numbers = {line: number for number, (line, _) in enumerate(sheet.rows)}
    for line, row, cells in labelled(sheet, where, index):
        if not at.name:
            what = "readings under no name: name the ramp, or take the column out"
            sheet.fail(line, f"column {index + 1}", what)
        cycle, device = cycle_and_device(sheet, line, row)
        device = device if "device" in where else ramp[0] or device
        cycle = cycle if "cycle" in where else ramp[1]
        if "pulse" in where:
            pulse = sheet.whole(line, sheet.header[where["pulse"]], row["pulse"], 0)
        else:  # rows are pulses, counted anew in each cycle that a column numbers
            pulse = numbers[line]
            pulse -= start.setdefault((device, cycle), pulse) if where else 0
        value = sheet.reading(line, at, cells[index], volts)
        if value is not None:
            yield Reading(device, cycle, ramp[2], pulse, value, sheet, line, at.name)
