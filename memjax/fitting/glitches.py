"""Readings that contradict their neighbours: a meter's glitch, not the device."""

from collections.abc import Sequence

import numpy as np

_SDS = 8.0  # of a reading about its neighbours' line, robustly: noise alone does not reach it
_SHARE = 0.02  # of the window: less does no harm
_LONG = 20  # readings of a ramp that has a spread of its own
_MOST = 0.02  # of the readings: where more stand out, it is what the device does


def glitches(ramps: Sequence[np.ndarray], pulses: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """Single readings far outside what was read before and after them.

    A reading y between two others a and b stands out by ``max(y - max(a, b), min(a, b) - y)``. It
    is a glitch where that exceeds 2 % of the window and 8 standard deviations of a reading about
    the line between its neighbours, in its ramp and in all of them, told by medians so that a
    glitch does not excuse itself. A step that stays is the device's, however large; of a ramp's
    first and last reading one cannot know. Where more than one reading in 50 stands out, none is a
    glitch.

    Args:
      ramps: readings of each ramp.
      pulses: their pulse numbers.

    Returns:
      Pairs of a ramp and a reading, in order.

    Example:
      >>> ramp = np.arange(20.0)
      >>> ramp[3] = 30.0
      >>> glitches([ramp], [np.arange(20)])
      [(0, 3)]
    """
    every = np.concatenate(ramps)
    window = float(np.ptp(every))
    off = [_about_the_line(y, at) for y, at in zip(ramps, pulses, strict=True)]
    common, found = _sd(np.concatenate(off)), []
    for ramp, y in enumerate(ramps):
        own = _sd(off[ramp]) if len(y) >= _LONG else 0.0
        least = max(_SDS * common, _SDS * own, _SHARE * window)
        left = np.arange(len(y))
        while len(left) > 2:  # the worst first: its neighbours seem to stand out beside it
            now = y[left]
            low, high = np.minimum(now[:-2], now[2:]), np.maximum(now[:-2], now[2:])
            outside = np.maximum(now[1:-1] - high, low - now[1:-1])
            worst = int(np.argmax(outside))
            if outside[worst] < least:
                break
            found.append((ramp, int(left[worst + 1])))
            left = np.delete(left, worst + 1)
    return sorted(found) if len(found) <= max(1, int(_MOST * len(every))) else []


def _sd(values: np.ndarray) -> float:
    """The standard deviation, by the median distance from the median."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) if len(values) else 0.0


def _about_the_line(y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Readings less the line between the one before and the one after."""
    if len(y) < 3:
        return np.zeros(0)
    share = (at[1:-1] - at[:-2]) / np.maximum(at[2:] - at[:-2], 1)
    return y[1:-1] - y[:-2] - share * (y[2:] - y[:-2])
