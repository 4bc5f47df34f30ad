"""Tables of steps against conductance, with their spread: a jump table without ramps."""

import math
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import special

from memjax.devices.jump_table import JumpTable
from memjax.errors import DataError
from memjax.fitting.columns import READING, SIGNS
from memjax.fitting.jumps import check_size, device_of, quantiles
from memjax.fitting.sheet import Sheet, open_sheet

_PROBABILITY = re.compile(r"^(?:q|p|quantile)?\s*(\d+(?:\.\d+)?)\s*(%?)$", re.IGNORECASE)
_TAIL = 0.01  # probability at which a normal's tails are cut
_WHAT = (
    "direction, conductance_S and delta_S (a row a step), or mean_S and sd_S, or a column a "
    "quantile (5 %, 50 %, 95 %)"
)


class _Steps(NamedTuple):
    """Steps of one direction, in siemens: samples, or quantiles of each row's."""

    before: np.ndarray  # conductances
    values: np.ndarray  # [row] of samples, [row, probability] of quantiles
    probabilities: np.ndarray | None


def jump_table_of_steps(path: Path | str, *, rows: int = 9, columns: int = 9) -> JumpTable:
    """The jump table of a table of steps ``dG`` against the conductance G before them.

    The table has the columns ``direction``, ``conductance_S`` and what says how the step is
    distributed: ``delta_S``, one measured step a row; or ``mean_S`` and ``sd_S`` of a normal, cut
    at 1 and 99 %; or quantiles in columns named for their probability (``5 %``, ``0.5``, ``q95``),
    the outermost of which are taken for the least and the largest step. Units may be others,
    named in the header. Steps down are negative, or all positive. Quantiles are linear between the
    table's conductances; samples are those nearest, as in ``jump_table``.

    Args:
      path: the table, of the forms that ``memjax.fitting.read`` takes.
      rows: conductances (static), at least 2.
      columns: probabilities (static), at least 2.

    Raises:
      DataError: a table that cannot be used; names the line and the column.
      UserError: a table of less than 2 x 2 is asked for.

    Example:
      >>> import pathlib, tempfile
      >>> from memjax.fitting.steps import jump_table_of_steps
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     path = pathlib.Path(folder, "steps.csv")
      ...     _ = path.write_text(
      ...         "direction,conductance_S,5 %,95 %\\nup,1e-6,1e-7,3e-7\\nup,5e-6,1e-7,1e-7\\n"
      ...         "down,1e-6,-2e-7,-2e-7\\ndown,5e-6,-2e-7,-2e-7\\n")
      ...     device = jump_table_of_steps(path, rows=2, columns=2)
      >>> round(device.levels, 1), round(device.on_off, 1), device.up_quantiles.shape
      (23.9, 5.0, (2, 2))

    Source: Burr et al., IEEE TED 62:3498 (2015); such tables are CrossSim's and XBTorch's input.
    """
    check_size(rows, columns)
    sheet = open_sheet(Path(path))
    found = {name: _steps(sheet, sign) for name, sign in (("up", 1), ("down", -1))}
    before = np.concatenate([steps.before for steps in found.values()])
    low, high = float(before.min()), float(before.max())
    if not low < high:
        raise DataError(f"{sheet.name}: all steps begin at {low:.4g} S: give two conductances")
    extent = high - low
    tables = {}
    for name, steps in found.items():
        g, values = (steps.before - low) / extent, steps.values / extent
        if steps.probabilities is None:
            tables[name] = quantiles(g, values, rows, columns, name)
        else:
            tables[name] = _resampled(g, values, steps.probabilities, rows, columns)
    mean = float(np.mean([np.abs(table.mean(axis=1)).mean() for table in tables.values()]))
    return device_of(tables["up"], tables["down"], mean, (low, high))


def _steps(sheet: Sheet, sign: int) -> _Steps:
    """The steps of one direction; those down negative."""
    kinds = [at.kind for at in sheet.kinds]
    chances = {k: p for k, name in enumerate(sheet.header) if (p := _probability(name)) is not None}
    is_whole = any(p > 1.0 for p in chances.values())
    chances = {k: p / 100.0 if is_whole else p for k, p in chances.items()}
    if not {"direction", READING} <= sheet.columns.keys() or not (
        "step" in kinds or {"mean", "sd"} <= set(kinds) or len(chances) > 1
    ):
        raise DataError(f"{sheet.place(sheet.top)}: no table of steps: give {_WHAT}")
    places = [kinds.index("step")] if "step" in kinds else sorted(chances, key=chances.__getitem__)
    if "mean" in kinds and not places:
        places = [kinds.index("mean"), kinds.index("sd")]
    is_normal = "step" not in kinds and not chances
    at = sheet.columns[READING]
    reading, scale = sheet.kinds[at], sheet.kinds[at].scale
    if reading.kind != "conductance":
        sheet.fail(sheet.top, reading.name, f"steps begin at conductances: give {_WHAT}")
    before, values, lines = [], [], []
    for line, cells in sheet.rows:
        if not any(cells):
            continue
        said = SIGNS.get(cells[sheet.columns["direction"]].casefold())
        if said is None:
            sheet.fail(line, "direction", "no direction: write up or down")
        start = sheet.reading(line, reading, cells[at], 1.0) if said == sign else None
        if start is not None:
            before.append(start)
            units = [s if (s := sheet.kinds[k].scale) > 0 else scale for k in places]
            numbers = [sheet.number(line, sheet.header[k], cells[k]) for k in places]
            if not all(map(math.isfinite, numbers)):
                sheet.fail(line, sheet.header[places[0]], "no step: leave the row out")
            if is_normal and numbers[1] < 0:
                sheet.fail(line, sheet.header[places[1]], "below 0: correct the standard deviation")
            lines.append(line)
            values.append([unit * number for unit, number in zip(units, numbers, strict=True)])
    name = "up" if sign > 0 else "down"
    if not before:
        raise DataError(f"{sheet.name}: no steps {name}: give {_WHAT}")
    table = np.array(values)
    signed = _signed(table[:, :1] if is_normal else table, sign)
    if not sign * np.mean(signed) > 0:
        what = f"steps {name} are {np.mean(signed):.3g} S in the mean, the wrong way or none"
        remedy = "swap up and down, or correct their signs"
        sheet.fail(lines[0], sheet.header[places[0]], f"{what}: {remedy}")
    if "step" in kinds:
        return _Steps(np.array(before, float), signed[:, 0], None)
    if is_normal:
        chance = np.linspace(_TAIL, 1.0 - _TAIL, 41)
        spread = table[:, 1:] * special.ndtri(chance)
        return _Steps(np.array(before, float), signed + spread, chance)
    chance = np.array(sorted(chances.values()))
    if np.any(np.diff(table, axis=1) < 0):
        raise DataError(f"{sheet.name}: quantiles {name} fall: order them by their probability")
    if np.any(signed != table):
        signed, chance = signed[:, ::-1], 1.0 - chance[::-1]
    return _Steps(np.array(before, float), signed, chance)


def _signed(values: np.ndarray, sign: int) -> np.ndarray:
    """Steps down as negative numbers, if the table gives their size."""
    middle = np.median(values) or np.mean(values)  # most pulses may do nothing that is seen
    return -values if sign < 0 and middle > 0 else values


def _probability(name: str) -> float | None:
    found = _PROBABILITY.match(name)
    if found is None:
        return None
    return float(found[1]) / 100.0 if found[2] else float(found[1])


def _resampled(
    g: np.ndarray, values: np.ndarray, chance: np.ndarray, rows: int, columns: int
) -> np.ndarray:
    """Quantiles at equally spaced conductances and probabilities."""
    order = np.argsort(g)
    wanted = np.linspace(chance[0], chance[-1], columns)
    spread = np.array([np.interp(wanted, chance, row) for row in values[order]])
    places = np.linspace(0.0, 1.0, rows)
    return np.stack([np.interp(places, g[order], column) for column in spread.T], axis=1)
