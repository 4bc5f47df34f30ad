"""What a fit found: one model's, and several beside each other."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np

from memjax.devices import catalogue
from memjax.devices.base import Device
from memjax.fitting import picture, rollout
from memjax.fitting.estimate import Estimate
from memjax.fitting.intervals import intervals
from memjax.fitting.likelihood import Noise
from memjax.fitting.problem import NOISES, Problem
from memjax.fitting.ramps import Ramps
from memjax.fitting.variation import Spread

_LOOSE = 2.3  # sd of a logarithm: a factor of ten


@dataclasses.dataclass(frozen=True)
class Fit:
    """One model's fit.

    Attributes:
      model: its name.
      device: the most likely device, its noise and spread as the data show them.
      parameters: each estimated parameter's name, value, standard error (NaN at a limit) and unit.
      log_likelihood: of the readings, in units of the window.
      n_parameters, n_readings: numbers of both; readings where a ramp may meet its bound and those
        after them do not count.
      rms: rms residual of the mean curve over the window, ``up`` and ``down``.
      chance: the rms by which the mean of as many ramps is off by chance, likewise.
      autocorrelation: of successive standardised one-step errors; far from 0, something is missed.
      levels: conductance levels that readings tell apart with 95 % certainty.
      window: Gmin and Gmax of the device, in siemens.
      noise: sds of a ramp's gain and of a reading over the window.
      converged: whether the search ended in a maximum that describes the ramps (rms < 50 %).
      problem, estimate: what was asked and what was found.
      spread: of devices and of their ramps; empty of fewer than three devices.
    """

    model: str
    device: Device
    parameters: list[tuple[str, float, float, str]]
    log_likelihood: float
    n_parameters: int
    n_readings: int
    rms: dict[str, float]
    chance: float
    autocorrelation: float
    levels: float
    window: tuple[float, float]
    noise: Noise
    converged: bool
    problem: Problem = dataclasses.field(repr=False)
    estimate: Estimate = dataclasses.field(repr=False)
    spread: Spread = dataclasses.field(default_factory=dict, repr=False)

    @property
    def aic(self) -> float:
        """``2 k - 2 log L``."""
        return 2.0 * self.n_parameters - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """``k log N - 2 log L``."""
        return self.n_parameters * float(np.log(self.n_readings)) - 2.0 * self.log_likelihood

    @functools.cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """The 95 % interval of each parameter, and of noises left out; NaN at a limit.

        Reckoned when first asked for (``memjax.fitting.intervals``); of the spread of devices, by
        the chi squared distribution of its variance (``memjax.fitting.variation``).
        """
        with np.errstate(all="ignore"):
            low, high = intervals(self.problem, self.estimate).tolist()
        ends = dict(zip(self.estimate.names, zip(low, high, strict=True), strict=True))
        return ends | {name: (sd.low, sd.high) for name, sd in self.spread.items()}

    @property
    def undetermined(self) -> list[str]:
        """Parameters, of noise apart, at their limit, or not known to within a factor of ten."""
        found, problem = self.estimate, self.problem
        sd = np.full(len(found.names), np.inf)
        sd[found.inside] = np.sqrt(np.diag(found.covariance))
        unbounded = np.isfinite(problem.lows) & ~np.isfinite(problem.highs)
        loose = ~found.inside | (unbounded & (sd > _LOOSE))
        named = zip(found.names, loose & found.free, strict=True)
        return [name for name, is_loose in named if is_loose and name not in NOISES]

    @property
    def misfit(self) -> float:
        """The rms residual of the mean curve, both directions together."""
        return float(np.sqrt(np.mean(np.square(list(self.rms.values())))))

    def curves(self, ramps: Ramps) -> np.ndarray:
        """The mean of the device's readings from each ramp's own start, in siemens [ramp, point].

        Args:
          ramps: measured ramps; their starts and lengths count.
        """
        return self.siemens(self.simulate(ramps).mean)

    def bands(self, ramps: Ramps) -> tuple[np.ndarray, np.ndarray]:
        """The 5th and 95th per cent of readings from each ramp's own start, in siemens.

        Args:
          ramps: measured ramps; their starts and lengths count.
        """
        low, high = self.simulate(ramps).band
        return self.siemens(low), self.siemens(high)

    def simulate(self, ramps: Ramps) -> rollout.Simulated:
        """The device's ramps from these ramps' own starts, in fractions of its window.

        Args:
          ramps: measured ramps; their starts and lengths count.
        """
        return rollout.simulate(self.device, self.noise, ramps, self.window)

    def errors(self, ramps: Ramps) -> dict[str, float]:
        """The rms error of the mean curve of these ramps over the window, up and down.

        Args:
          ramps: measured ramps, which may be others than those that were fitted.
        """
        return rollout.mean_curve_error(self.simulate(ramps).mean, ramps, self.window)

    def coverage(self, ramps: Ramps) -> dict[str, float]:
        """The share of these ramps' readings within the 90 % band, up and down.

        Args:
          ramps: measured ramps, which may be others than those that were fitted.
        """
        return rollout.coverage(self.simulate(ramps).band, ramps, self.window)

    def siemens(self, curves: np.ndarray) -> np.ndarray:
        """Conductances in siemens.

        Args:
          curves: in fractions of the device's window.
        """
        return self.window[0] + curves * (self.window[1] - self.window[0])


@dataclasses.dataclass(frozen=True)
class Fits:
    """Fits of several models to the same ramps, the best first; those without a maximum last.

    Attributes:
      ramps: the measurement.
      fits: of the models.
      on_off_is_unknown: whether readings are weights of a device whose on/off ratio was not given.
    """

    ramps: Ramps
    fits: list[Fit]
    on_off_is_unknown: bool = False

    @property
    def best(self) -> Fit:
        """The fit that ``memjax.fit`` takes for the best."""
        return self.fits[0]

    @property
    def device(self) -> Device:
        """Its device."""
        return self.best.device

    @property
    def margin(self) -> float:
        """By how much its BIC is below the least of the others; NaN if there is none."""
        others = [fit.bic for fit in self.fits[1:] if fit.converged]
        return min(others) - self.best.bic if others else float("nan")

    def save(self, path: str | Path) -> None:
        """Writes the device for ``memjax.devices.load``, and where it comes from.

        Args:
          path: the file.

        Raises:
          UserError: the file cannot be written.
        """
        best = self.best
        facts: dict[str, Any] = {
            "ramps": self.ramps.n_ramps,
            "readings": best.n_readings,
            "log_likelihood": best.log_likelihood,
            "bic": best.bic,
            "levels_told_apart": best.levels,
            "residual": best.rms,
            "standard_errors": {n: e for n, _, e, _ in best.parameters if np.isfinite(e)},
        }
        catalogue.save(path, self.device, fit=facts)

    def plot(self) -> Any:
        """The ramps, the best device's mean curves and band: a matplotlib figure."""
        best, ramps = self.best, self.ramps
        shares = ", ".join(f"{name} {100 * value:.2g} %" for name, value in best.rms.items())
        title = f"{best.model}\nrms of the mean curve over the window: {shares}"
        simulated = best.simulate(ramps)
        curves = [best.siemens(rows) for rows in (simulated.mean, *simulated.band)]
        return picture.draw(ramps, best.window, curves[0], curves[1:], best.model, title)
