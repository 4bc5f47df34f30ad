"""Ramps of pulses: readings in order of device, cycle and time, checked."""

import itertools
import math
import statistics
from dataclasses import dataclass, replace
from typing import NamedTuple, NoReturn

import numpy as np
from jaxtyping import Float64, Int64

from memjax.errors import DataError, UserError
from memjax.fitting.glitches import glitches
from memjax.fitting.sheet import Sheet

ONE_DEVICE = "device"
"""The name of the device of a table that names none."""
_WIDE, _MIXED = 5.0, 2.9  # decades of a table, and of a gap in it that only a mix of units explains
_RESET = 0.6  # of the window, by one pulse
_GAP = 0.1  # of the window, between a ramp's end and the next one's start
_MOST = 0.1  # siemens: 10 Ω, the wires of an array
_STEPS = 6.0  # typical steps of a ramp: noise alone is not so large
_MANY = 20  # readings that tell whether one is far off
_MOST_ON_OFF = 1e9  # of weights: no device has more
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
      normalised: whether readings are weights, not siemens.
      notes: what was taken for what, and left out.
    """

    conductance: Float64[np.ndarray, "ramp point"]
    pulses: Int64[np.ndarray, "ramp point"]
    sign: Int64[np.ndarray, " ramp"]
    cycle: Int64[np.ndarray, " ramp"]
    device: Int64[np.ndarray, " ramp"]
    device_names: tuple[str, ...]
    normalised: bool = False
    notes: tuple[str, ...] = ()

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

    def window_or(self, given: tuple[float, float] | None, caller: str) -> tuple[float, float]:
        """A window that is given, checked, else the ramps' own.

        Args:
          given: Gmin and Gmax in siemens.
          caller: who is told by the error.

        Raises:
          UserError: it is no window.
        """
        low, high = self.window if given is None else given
        if not 0 < low < high < math.inf:
            where = f"{caller}: window = {(low, high)}"
            raise UserError(f"{where} must be 0 < Gmin < Gmax, in siemens")
        return low, high

    @property
    def repeats(self) -> bool:
        """Whether a device has two ramps of one direction."""
        pairs = np.stack([self.device, self.sign], axis=1)
        return bool(np.unique(pairs, axis=0, return_counts=True)[1].max() > 1)

    def as_conductances(self, on_off: float) -> "Ramps":
        """Weights as conductances over ``Gmax - Gmin``.

        Args:
          on_off: on/off ratio Gmax / Gmin of the device, above 1, up to 1e9.

        Raises:
          UserError: it is not.
        """
        if not 1 < on_off <= _MOST_ON_OFF:
            raise UserError(f"on_off = {on_off}: must be above 1, and {_MOST_ON_OFF:g} at most")
        low, high = self.window
        return replace(
            self, conductance=(self.conductance - low) / (high - low) + 1.0 / (on_off - 1.0)
        )

    def thinned(self, most: int) -> "Ramps":
        """Every so-many-th cycle of each device, and a note, where there are more readings.

        Of every device two cycles are left, if it has them: one cycle does not tell how a device's
        ramps differ.

        Args:
          most: readings that are enough.
        """
        readings = self.n_steps + self.n_ramps
        every = -(-readings // most)
        kept = np.zeros(self.n_ramps, bool)
        for device in np.unique(self.device):
            cycles = np.unique(self.cycle[self.device == device])
            some = cycles[:: min(every, max(len(cycles) - 1, 1))]
            kept |= (self.device == device) & np.isin(self.cycle, some)
        if kept.all():
            return self
        said = (
            f"{readings} readings: {kept.sum()} of {self.n_ramps} ramps are fitted, from evenly "
            "spaced cycles of each device; more would not tell much more"
        )
        return replace(self.select(kept), notes=(*self.notes, said))

    def gradual(self) -> "Ramps":
        """The ramps less those of depression, where each of them is a RESET, and a note of it.

        A RESET goes by one pulse at least 60 % of the way that potentiation goes.
        """
        up, down = self.select(self.sign > 0), self.select(self.sign < 0)
        if not (up.n_ramps and down.n_ramps):
            return self
        low, high = up.window
        drops = np.where(down.pulses[:, 1] == 1, -np.diff(down.conductance[:, :2])[:, 0], 0.0)
        if np.any(drops < _RESET * (high - low)):
            return self
        said = (
            f"{down.n_ramps} RESETs, each by one pulse from about "
            f"{np.median(down.conductance[:, 0]):.4g} to {np.median(down.conductance[:, 1]):.4g}, "
            "are not fitted: the device depresses at once"
        )
        return replace(up, notes=(*self.notes, said))

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
    sheets = list({id(at.sheet): at.sheet for at in readings}.values())
    normalised = sheets[0].normalised or sheets[0].kind_of_readings == "weight"
    notes = [note for sheet in sheets for note in (*sheet.notes, *_overflows(sheet))]
    if not normalised:
        notes += _check_units(readings)
    readings, said = _forwards(readings)
    curves = [curve for curve in _in_order(readings) if len(curve) > 1]
    _check_shapes(curves, readings[0].sheet)
    said += _gaps(curves)
    curves, odd = _without_glitches(curves)
    odd += _far_off(curves)
    _check_turns(curves)
    _check_directions(curves)
    shape = len(curves), max(map(len, curves))
    conductance, pulses = np.full(shape, np.nan), np.zeros(shape, np.int64)
    for row, curve in enumerate(curves):
        conductance[row, : len(curve)] = [reading.conductance for reading in curve]
        pulses[row, 1 : len(curve)] = np.diff([reading.pulse for reading in curve])
    devices = list(dict.fromkeys(curve[-1].device for curve in curves))
    labels = [(at.sign, at.cycle, devices.index(at.device)) for *_, at in curves]
    sign, cycle, device = np.array(labels, np.int64).T
    told = tuple(notes + said + odd)
    return Ramps(conductance, pulses, sign, cycle, device, tuple(devices), normalised, told)


def _overflows(sheet: Sheet) -> list[str]:
    if not sheet.overflows:
        return []
    n, first = len(sheet.overflows), sheet.place(sheet.overflows[0])
    return [f"{first}: beyond the meter's range (9.9e37), {n} such readings are left out"]


def _forwards(readings: list[Reading]) -> tuple[list[Reading], list[str]]:
    """Readings of a direction that is numbered from its end, as papers plot it, turned about.

    So it is taken where all ramps of one direction go the wrong way and none of the other, and they
    then begin nearer to where the others end.
    """
    ramps: dict[tuple[str, int, int], list[Reading]] = {}
    for reading in sorted(readings, key=lambda at: at.pulse):
        ramps.setdefault((reading.device, reading.cycle, reading.sign), []).append(reading)
    ways: dict[int, list[Curve]] = {1: [], -1: []}
    for (*_, sign), curve in ramps.items():
        if len(curve) > 2:
            ways[sign].append(curve)
    for sign, mine in ways.items():
        others = ways[-sign]
        if not (mine and others) or any(_trend(curve) > 0 for curve in mine):
            continue
        if any(_trend(curve) < 0 for curve in others):
            continue
        end = np.mean([curve[-1].conductance for curve in others])
        first, last = (np.mean([curve[at].conductance for curve in mine]) for at in (0, -1))
        if abs(last - end) < abs(first - end):
            name = "up" if sign > 0 else "down"
            highest = max(curve[-1].pulse for curve in mine)
            turned = [at._replace(pulse=highest - at.pulse) for at in readings if at.sign == sign]
            rest = [at for at in readings if at.sign != sign]
            return rest + turned, [f"pulses {name} are numbered from their end: read backwards"]
    return readings, []


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
    if _is_far(last, curve, before):
        return curve
    if first.pulse > last.pulse:  # goes on counting
        return [last, *curve]
    shared = {reading.pulse for reading in before} & {reading.pulse for reading in curve}
    if not shared and "cycle" not in first.sheet.columns and first.sheet.columns:
        first.fail("up and down take turns more than once: number the turns in a cycle column")
    return [last._replace(pulse=0), *curve]


def _is_far(last: Reading, curve: Curve, before: Curve) -> bool:
    """Whether no pulse can have led from the last reading to a ramp's first.

    The step would be a tenth of all that was read, three times the largest of the next ones, and
    the ramp goes on: it is no RESET.
    """
    here = [at.conductance for at in curve]
    every = [*here, *(at.conductance for at in before)]
    step = abs(last.conductance - here[0])
    steps = np.abs(np.diff(here[:6]))
    goes_on = max(here) - min(here) > 0.2 * step
    far = step > max(3.0 * steps.max(initial=0.0), _GAP * (max(every) - min(every)))
    return len(here) > 2 and goes_on and bool(far)


def _without_glitches(curves: list[Curve]) -> tuple[list[Curve], list[str]]:
    values = [np.array([at.conductance for at in curve]) for curve in curves]
    found = set(glitches(values, [np.array([at.pulse for at in curve]) for curve in curves]))
    said = []
    for ramp, point in sorted(found):
        at, curve = curves[ramp][point], curves[ramp]
        before, after = curve[point - 1].conductance, curve[point + 1].conductance
        said.append(
            f"{at.sheet.place(at.line)}: {at.column}: {at.ramp}, pulse {at.pulse}: "
            f"{at.conductance:.4g} between {before:.4g} and {after:.4g} is left out as a glitch of "
            "the meter"
        )
    kept = [
        [at for point, at in enumerate(curve) if (ramp, point) not in found]
        for ramp, curve in enumerate(curves)
    ]
    return kept, said


def _gaps(curves: list[Curve]) -> list[str]:
    """What is to be told of ramps that begin far from where the opposite ones before them ended."""
    values = [at.conductance for curve in curves for at in curve]
    window, said = max(values) - min(values), []
    for sign in (1, -1):
        ends = [
            (before[-1].conductance, curve[0].conductance)
            for before, curve in itertools.pairwise(curves)
            if before[-1].sign == -sign and curve[-1].sign == sign
            if before[-1].device == curve[-1].device
        ]
        if not ends:
            continue
        end, start = np.median(ends, axis=0)
        if abs(end - start) > _GAP * window:
            names = ("down", "up") if sign > 0 else ("up", "down")
            ranges = [
                f"ramps {name} go from {min(some):.4g} to {max(some):.4g}"
                for name, way in zip(names, (-sign, sign), strict=True)
                if (some := [at.conductance for c in curves if c[-1].sign == way for at in c])
            ]
            said.append(
                f"{' and '.join(ranges)}; the {names[1]} ones begin at {start:.4g}, where the "
                f"{names[0]} ones before ended at {end:.4g}: what led from one to the other was "
                "not measured, and the fit does not know of it"
            )
    return said


def _check_units(readings: list[Reading]) -> list[str]:
    """What is to be told of the conductances' range."""
    values = np.array([reading.conductance for reading in readings])
    decades = np.log10(values)
    gaps = np.diff(np.sort(decades))
    if np.ptp(decades) >= _WIDE and gaps.max() >= _MIXED:
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
            "ohm? name the unit in the header (G (µS), R (ohm)), or of normalised weights say so "
            "(--normalised)"
        )
    if np.ptp(decades) < _WIDE:
        return []
    return [
        f"conductances cover {np.ptp(decades):.1f} decades: models are of conductance, not of its "
        "logarithm, so what is far below Gmax counts little"
    ]


def _check_shapes(curves: list[Curve], sheet: Sheet) -> None:
    if max(map(len, curves), default=0) < 3:
        raise DataError(
            f"{sheet.name}: no ramp has 3 readings: give one before the first pulse and one after "
            "each of at least two pulses"
        )
    for curve in curves:
        if len(curve) > 2 and len({reading.conductance for reading in curve}) == 1:
            _fail(curve, f"no change in {len(curve)} readings: leave the ramp out")


def _check_turns(curves: list[Curve]) -> None:
    """Refuses a ramp that begins again, as one of several cycles that nothing numbers does.

    By one pulse it goes back most of its way, further than noise does, and stays there for two.
    """
    for curve in curves:
        values = np.array([at.conductance for at in curve]) * curve[-1].sign
        falls, middle = -np.diff(values), 0.5 * (values[:-1] + values[1:])
        far = max(_RESET * np.ptp(values), _STEPS * np.median(abs(falls)))
        for k in np.flatnonzero(falls > far):
            before, after = values[k - 2 : k + 1] if k > 1 else values[:0], values[k + 1 : k + 4]
            if len(before) == len(after) == 3 and before.min() > middle[k] > after.max():
                first = curve[k + 1]
                first.fail(
                    f"{first.ramp}: goes back from {curve[k].conductance:.4g} to "
                    f"{first.conductance:.4g} at pulse {first.pulse}, as if it began again: "
                    "number the ramps in a cycle column"
                )


def _far_off(curves: list[Curve]) -> list[str]:
    """What is to be told of a few readings, at a ramp's end or in a row, far above all others."""
    every = sorted((at for curve in curves for at in curve), key=lambda at: at.conductance)
    values = np.array([at.conductance for at in every])
    few = max(1, len(every) // 50)
    for n in range(1, few + 1 if len(every) >= _MANY else 0):
        if values[-n] - values[-n - 1] > values[-n - 1] - values[0]:
            return [
                f"{at.sheet.place(at.line)}: {at.column}: {at.ramp}, pulse {at.pulse}: "
                f"{at.conductance:.4g} is far above all others, {values[0]:.4g} to "
                f"{values[-n - 1]:.4g}: if it is a glitch of the meter, leave it out"
                for at in every[-n:]
            ]
    return []


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
    values, n = [reading.conductance for reading in curve], min(len(curve), 33)
    size, longer = divmod(len(values), n)
    ends = [size * k + min(k, longer) for k in range(n + 1)]
    blocks = [values[start:end] for start, end in itertools.pairwise(ends)]
    steps = np.diff([statistics.median(block) for block in blocks]) * curve[-1].sign
    ranks = np.argsort(np.argsort(np.abs(steps))) + 1.0
    return float((ranks * np.sign(steps)).sum() / np.sqrt((ranks**2).sum()))
