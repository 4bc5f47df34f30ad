"""Times as people write them."""

import jax
import numpy as np

from memjax.errors import UserError
from memjax.pytree import Leaf

TIMES = {
    "s": 1.0,
    "second": 1.0,
    "minute": 60.0,
    "hour": 3600.0,
    "h": 3600.0,
    "day": 86_400.0,
    "week": 604_800.0,
    "month": 2_592_000.0,
    "year": 31_536_000.0,
}
"""Seconds of a unit, by its name."""


def seconds(time: Leaf | str) -> Leaf:
    """A time in seconds.

    Args:
      time: seconds, or a number and a unit, ``"1 day"``: second, minute, hour, day, week, month (30
        days) or year (365).

    Raises:
      UserError: a text that is none.

    Example:
      >>> from memjax.crossbar.times import seconds
      >>> seconds("2 hours"), seconds(5.0)
      (7200.0, 5.0)
    """
    if not isinstance(time, str):
        if not isinstance(time, jax.core.Tracer) and not np.all(np.asarray(time) >= 0):
            raise UserError(f"time = {time} must be at least 0 seconds")
        return time
    number, _, unit = time.strip().partition(" ")
    scale = TIMES.get(unit.strip().removesuffix("s") or "s")
    try:
        if scale is None or not float(number) >= 0:
            raise ValueError
        return float(number) * scale
    except ValueError:
        raise UserError(
            f"time = {time!r} must be a number and a unit, such as '1 day'; there are "
            f"{', '.join(unit for unit in TIMES if len(unit) > 1)}"
        ) from None
