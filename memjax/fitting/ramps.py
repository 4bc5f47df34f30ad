"""Ramps of pulses: readings in order of device, cycle and time, checked."""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple, NoReturn

import numpy as np
from jaxtyping import Float64, Int64

from memjax.errors import DataError
from memjax.fitting.sheet import Sheet

ONE_DEVICE = "device"
"""The name of the device of a table that names none."""
_MIXED = 5.0  # decades between two conductances of one table that only a mix of units explains
_MOST = 0.1  # siemens: 10 Ω, the wires of an array
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
        """Lowest and highest conductance, in siemens: all but the outermost 5 % of ramps' own."""
        lows, highs = np.nanmin(self.conductance, axis=1), np.nanmax(self.conductance, axis=1)
        return float(np.percentile(lows, 5)), float(np.percentile(highs, 95))

    def select(self, which: np.ndarray) -> "Ramps":
        """The ramps of a mask or of a list of indices, as narrow as they allow.

        Args:
          which: a mask over ramps, or their indices.
        """
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
        """The ramps where ``mask`` is true, and the others.

        Args:
          mask: over ramps.
        """
        mask = np.asarray(mask, bool)
        return self.select(mask), self.select(~mask)


class Reading(NamedTuple):
    """A reading of a table, in siemens, and where in the table it is."""

    device: str
    cycle: int
    sign: int
    pulse: int
    conductance: float
    sheet: Sheet
    line: int
    column: str

    @property
    def ramp(self) -> str:
        """Which ramp it is of, in words."""
        device = "" if self.device == ONE_DEVICE else f"device {self.device}, "
        return f"{device}cycle {self.cycle}, {'up' if self.sign > 0 else 'down'}"

    def fail(self, what: str) -> NoReturn:
        """Raises ``DataError`` that says where it is."""
        self.sheet.fail(self.line, self.column, what)


Curve = list[Reading]


def arrange(readings: list[Reading]) -> Ramps:
    """Puts readings in order, checks them, and lays them out.

    Args:
      readings: in any order.

    Raises:
      DataError: readings that cannot be fitted; names the line and the column.
    """
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


def _in_order(readings: list[Reading]) -> list[Curve]:
    """The ramps by device, cycle and time: first in a cycle is the direction that counts lower."""
    ramps: dict[tuple[str, int, int], dict[int, Reading]] = {}
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

    curves: list[Curve] = [[]]
    for ramp in sorted(ramps, key=order):
        curves.append(_started([at for _, at in sorted(ramps[ramp].items())], curves[-1]))
    return curves[1:]


def _started(curve: Curve, before: Curve) -> Curve:
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


def _check_units(readings: list[Reading]) -> None:
    values = np.array([reading.conductance for reading in readings])
    decades = np.log10(values)
    if np.ptp(decades) >= _MIXED:
        away = decades - np.quantile(decades, 0.5, method="lower")
        odd = int(np.argmax(np.abs(away)))
        readings[odd].fail(
            f"{values[odd]:.4g} S is about 1e{away[odd]:+.0f} times the usual: mixed units? "
            "give all in siemens (currents in ampere)"
        )
    if values.max() > _MOST:
        highest = readings[int(np.argmax(values))]
        highest.fail(
            f"{values.max():.4g} S: no memristive device conducts more than {_MOST:g} S: in µS or "
            "ohm? give siemens (µS / 1e6, 1 / ohm; currents in ampere)"
        )


def _check_shapes(curves: list[Curve], sheet: Sheet) -> None:
    if max(map(len, curves), default=0) < 3:
        raise DataError(
            f"{sheet.name}: no ramp has 3 readings: give one before the first pulse and one after "
            "each of at least two pulses"
        )
    for curve in curves:
        if len(curve) > 2 and len({reading.conductance for reading in curve}) == 1:
            _fail(curve, f"no change in {len(curve)} readings: leave the ramp out")


def _check_directions(curves: list[Curve]) -> None:
    trends = np.array([_trend(curve) for curve in curves])
    wrong = trends < _AGAINST_RAMP
    rest = trends[~wrong]
    if rest.sum() < _AGAINST_TABLE * math.sqrt(len(rest)) or (len(wrong) > 1 and wrong.all()):
        files = " and ".join(dict.fromkeys(curve[-1].sheet.name for curve in curves))
        raise DataError(
            f"{files}: up ramps fall or down ramps rise: swap up and down (or the two files)"
        )
    # A short ramp has too few ranks to be sure by itself; one that also goes far back is wrong.
    nets = [(c[-1].conductance - c[0].conductance) * c[-1].sign for c in curves]
    far_back = np.array(nets) < -0.5 * np.median(np.abs(nets))
    wrong |= far_back & (trends < _AGAINST_TABLE)
    if wrong.any():
        curve = curves[int(np.argmax(wrong))]
        moves = "falls" if curve[-1].sign > 0 else "rises"
        _fail(curve, f"the ramp {moves}: correct its direction or leave it out")


def _fail(curve: Curve, what: str) -> NoReturn:
    """Blames a ramp, where its own first reading is."""
    first = next(reading for reading in curve if reading.sign == curve[-1].sign)
    first.sheet.fail(first.line, first.column, f"{first.ramp}: {what}")


def _trend(curve: Curve) -> float:
    """How surely a ramp goes its way: Wilcoxon's signed ranks of up to 32 smoothed steps.

    N(0, 1) for a walk with symmetric steps, whatever their size; medians still the read noise.
    """
    values = np.array([reading.conductance for reading in curve])
    blocks = np.array_split(values, min(len(values), 33))
    steps = np.diff([np.median(block) for block in blocks]) * curve[-1].sign
    ranks = np.argsort(np.argsort(np.abs(steps))) + 1.0
    return float((ranks * np.sign(steps)).sum() / np.sqrt((ranks**2).sum()))
