"""The jump table of measured ramps: what one pulse did, at each conductance."""

import numpy as np

from memjax.devices.jump_table import JumpTable
from memjax.errors import DataError, UserError
from memjax.fitting.ramps import Ramps


def jump_table(
    ramps: Ramps, window: tuple[float, float] | None = None, rows: int = 9, columns: int = 9
) -> JumpTable:
    """Empirical quantiles of the steps of single pulses, by the conductance before them.

    Row r is of the steps from nearest to ``g = r / (rows - 1)``, at least ``columns`` of them;
    column c is their quantile at the probability ``c / (columns - 1)``, over the mean step. Nothing
    is assumed and nothing smoothed, so the noise of readings is part of the table, and there is no
    likelihood to compare it by. Steps of several pulses are passed over.

    Args:
      ramps: the measurement.
      window: Gmin and Gmax in siemens; the data's own extremes if not given.
      rows: conductances (static), at least 2.
      columns: probabilities (static), at least 2.

    Raises:
      DataError: fewer than ``columns`` steps of single pulses up or down.
      UserError: a table of less than 2 x 2, or a window that is none.

    Example:
      >>> from memjax.fitting import from_table, jump_table
      >>> ramps = from_table({
      ...     "direction": ["up"] * 5 + ["down"] * 5, "pulse": [0, 1, 2, 3, 4] * 2,
      ...     "conductance_S": [1e-6, 3e-6, 4e-6, 4.5e-6, 5e-6, 5e-6, 4e-6, 3e-6, 2e-6, 1e-6]})
      >>> device = jump_table(ramps, rows=2, columns=3)
      >>> device.levels, device.up_quantiles.round(2).tolist()
      (5.0, [[0.5, 1.0, 2.0], [0.5, 0.5, 1.0]])

    Source: Burr et al., IEEE TED 62:3498 (2015).
    """
    check_size(rows, columns)
    if ramps.normalised:
        raise UserError("jump_table: readings are weights; a jump table is of conductances")
    low, high = ramps.window_or(window, "jump_table")
    y = (ramps.conductance - low) / (high - low)
    single = (ramps.pulses[:, 1:] == 1) & np.isfinite(y[:, 1:])
    before, step = y[:, :-1], np.diff(y, axis=1)
    mean = float(np.mean(np.abs(step[single]))) if single.any() else 1.0
    tables: dict[str, np.ndarray] = {}
    for name, sign in (("up", 1), ("down", -1)):
        mine = single & (ramps.sign == sign)[:, None]
        what = f"of single pulses {name}"
        tables[name] = quantiles(before[mine], step[mine], rows, columns, what)
    return device_of(tables["up"], tables["down"], mean, (low, high))


def check_size(rows: int, columns: int) -> None:
    """Refuses a table of less than 2 x 2.

    Args:
      rows, columns: as in ``jump_table``.

    Raises:
      UserError: that it is.
    """
    if rows < 2 or columns < 2:
        raise UserError(f"jump_table: rows = {rows} and columns = {columns} must be at least 2")


def device_of(
    up: np.ndarray, down: np.ndarray, mean: float, window: tuple[float, float]
) -> JumpTable:
    """The jump table of quantiles over the window.

    Args:
      up, down: quantiles of steps [row, column], in fractions of the window.
      mean: size of a step, likewise.
      window: Gmin and Gmax in siemens.
    """
    return JumpTable(
        levels=1.0 + 1.0 / mean,
        gmax=window[1],
        on_off=window[1] / window[0],
        up_quantiles=(up / mean).astype(np.float32),
        down_quantiles=(down / mean).astype(np.float32),
    )


def quantiles(
    before: np.ndarray, step: np.ndarray, rows: int, columns: int, what: str
) -> np.ndarray:
    """Quantiles of the steps nearest to each of equally spaced conductances [row, column].

    Args:
      before: normalised conductances before the steps.
      step: the steps.
      rows, columns: as in ``jump_table``.
      what: the steps are, for whoever gave too few.

    Raises:
      DataError: fewer than ``columns`` steps.
    """
    if len(step) < columns:
        raise DataError(
            f"jump_table: {len(step)} steps {what}: give at least {columns}, or fewer columns"
        )
    table = np.empty((rows, columns))
    for row, place in enumerate(np.linspace(0.0, 1.0, rows)):
        away = np.abs(np.clip(before, 0.0, 1.0) - place)
        reach = max(0.5 / (rows - 1), float(np.partition(away, columns - 1)[columns - 1]))
        table[row] = np.quantile(step[away <= reach], np.linspace(0.0, 1.0, columns))
    return table
