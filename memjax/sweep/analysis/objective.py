"""The number that a sweep is about: which of two values is better, and how a person writes one."""

import math
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

T = TypeVar("T")

POINTS = "points"
"""What differences of percentages are told in."""

BARELY = 0.055
"""A value is at the guess when it is less than this part of the way from it to what can be had."""


class Objective(NamedTuple):
    """The column that tables, maps and searches are about.

    Attributes:
      column: its name.
      better: which of two values is.
      bounds: between which it lies; none where it is not bounded on both sides.
      guess: what chance gets, and what a failed lane counts as.
      label: what it is, for tables and axes.
      units: of its values, ``"1"`` for a fraction.
      guess_name: what the guess is called.

    Example:
      >>> part = Objective("retained", "higher", (0, 1), 0.1, "weights retained")
      >>> part.text(0.93412, 0.0123), part.axis_label
      ('93.4 ± 1.2 %', 'weights retained (%)')
      >>> error = Objective("rms_error", "lower", None, 1.0, "rms error", "V")
      >>> error.text(0.93412), error.axis_label, error.gain(0.5) > error.gain(0.9)
      ('0.934 V', 'rms error (V)', True)
    """

    column: str
    better: Literal["higher", "lower"]
    bounds: tuple[float, float] | None
    guess: float
    label: str = ""
    units: str = "1"
    guess_name: str = "guess"

    def unbounded_if_infinite(self) -> "Objective":
        """The same without bounds, if one of them is infinite."""
        bounded = self.bounds is not None and all(map(math.isfinite, self.bounds))
        return self if bounded else self._replace(bounds=None)

    @property
    def as_percent(self) -> bool:
        """Whether people write it in percent: a fraction between 0 and 1."""
        return self.units == "1" and self.bounds is not None and tuple(self.bounds) == (0, 1)

    @property
    def unit(self) -> str:
        """The unit that it is shown in; empty if it has none."""
        if self.as_percent:
            return "%"
        return "" if self.units == "1" else self.units

    @property
    def axis_label(self) -> str:
        """Its name with the unit that it is shown in."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def difference_label(self) -> str:
        """What an axis of differences is called."""
        if self.as_percent:
            return f"{POINTS} of {self.label}"
        return f"{self.label}, {self.unit}" if self.unit else self.label

    def gain(self, values: T) -> T:
        """Values, or their negatives where lower is better: of two the larger gain is better."""
        return values if self.better == "higher" else -values  # type: ignore[operator]

    def gainable(self, reference: float | None = None) -> float:
        """How far the guess is from the best bound; without one from the reference, or from 0."""
        if self.bounds is not None:
            best = self.bounds[self.better == "higher"]
        else:
            best = 0.0 if reference is None else reference
        return abs(best - self.guess)

    def is_at_guess(
        self, values: Any, reference: float | None = None, barely: float = BARELY
    ) -> Any:
        """Whether values are no better than the guess, or barely; so are those not finite.

        Args:
          values: in the column's units.
          reference: what can be had, where there is no bound.
          barely: so much of what can be gained does not count.
        """
        gained = self.gain(np.asarray(values) - self.guess)
        return ~(gained > barely * self.gainable(reference))

    def shown(self, values: Any) -> Any:
        """Values in the unit that they are shown in."""
        return 100 * values if self.as_percent else values

    def number(self, value: Any, form: str | None = None) -> str:
        """Writes a value without its unit: a percentage to a tenth, others to three digits."""
        shown = float(self.shown(value))
        usual = ".1f" if self.as_percent else ".0f" if 1e3 <= abs(shown) < 1e6 else ".3g"
        return format(shown, form or usual)

    def text(self, value: Any, spread: Any = math.nan, form: str | None = None) -> str:
        """Writes a value as a person reads it, with its unit.

        Args:
          value: in the column's units.
          spread: a standard deviation or error of it; without one it is not told.
          form: a format in place of the usual one, for what is given rather than measured.
        """
        if not _is_finite(value):
            return "not finite"
        return self.with_unit(self._plus_minus(self.number(value, form), spread))

    def with_unit(self, numbers: str) -> str:
        """Numbers as they were written, and the unit, once."""
        return f"{numbers} {self.unit}".rstrip()

    def difference(self, value: Any, error: Any = math.nan) -> str:
        """Writes a signed difference of two values, without a unit."""
        shown = float(self.shown(value))
        rounded = round(shown, 1) if self.as_percent else float(f"{shown:.3g}")
        form = "+.1f" if self.as_percent else "+.3g"
        return self._plus_minus(format(rounded + 0.0, form), error)  # no -0.0

    def _plus_minus(self, shown: str, spread: Any) -> str:
        if not _is_finite(spread):
            return shown
        return f"{shown} ± {format(float(self.shown(spread)), '.1f' if self.as_percent else '.2g')}"


def _is_finite(value: Any) -> bool:
    return math.isfinite(float(value))


def attributes(objective: Objective) -> dict[str, Any]:
    """An objective as attributes of a dataset, of which its column has label and units."""
    found: dict[str, Any] = {"objective": objective.column, "better": objective.better}
    found |= {"guess": objective.guess, "guess_name": objective.guess_name}
    bounds = objective.bounds
    return found if bounds is None else found | {"bounds": [float(bound) for bound in bounds]}
