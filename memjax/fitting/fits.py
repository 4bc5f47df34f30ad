"""From measured pulses to a device: fit the models, compare them, choose one."""

import dataclasses
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from memjax.devices import catalogue
from memjax.devices.base import Device
from memjax.devices.models import MODELS
from memjax.errors import DataError, UserError
from memjax.fitting import rollout, variation
from memjax.fitting.estimate import Estimate, estimate
from memjax.fitting.intervals import SDS, intervals
from memjax.fitting.likelihood import Noise
from memjax.fitting.problem import Problem, device_of, pose
from memjax.fitting.ramps import Ramps
from memjax.fitting.table import from_table, read

AUTO = (
    "ConstantStep",
    "SoftBounds",
    "PowerStep",
    "SaturatingExponential",
    "SymmetricStep",
    "Ernoult",
    "PiecewiseStep",
    "OnsetStep",
)
"""Models among which ``auto`` chooses; those that users register join them.

``LinearStep`` and ``AsymmetricStep`` are curves of ``SaturatingExponential`` in other parameters.
"""

_NOT_AUTO = (
    "LinearStep",
    "SoftBoundsReference",
    "AsymmetricStep",
    "ExponentialStep",
    "PhaseChange",
    "JumpTable",
)
_CONVENTIONS = ("additive", "step")
_WORKERS = 2
_WORST_RMS = 0.5  # of the window


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
      autocorrelation: of successive standardised one-step errors; far from 0, something is missed.
      levels: conductance levels that readings tell apart with 95 % certainty.
      window: Gmin and Gmax of the device, in siemens.
      noise: sds of a ramp's gain and of a reading over the window.
      converged: whether the search ended in a maximum that describes the ramps (rms < 50 %).
      problem, estimate: what was asked and what was found.
    """

    model: str
    device: Device
    parameters: list[tuple[str, float, float, str]]
    log_likelihood: float
    n_parameters: int
    n_readings: int
    rms: dict[str, float]
    autocorrelation: float
    levels: float
    window: tuple[float, float]
    noise: Noise
    converged: bool
    problem: Problem = dataclasses.field(repr=False)
    estimate: Estimate = dataclasses.field(repr=False)

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

        Reckoned when first asked for (``memjax.fitting.intervals``); of spreads between
        devices, which are told by moments, 1.96 standard errors.
        """
        with np.errstate(all="ignore"):
            low, high = intervals(self.problem, self.estimate).tolist()
        ends = dict(zip(self.estimate.names, zip(low, high, strict=True), strict=True))
        for name, value, error, _ in self.parameters:
            if name not in ends or value != self.estimate.of(name):
                ends[name] = max(value - SDS * error, 0.0), value + SDS * error
        return ends

    def curves(self, ramps: Ramps) -> np.ndarray:
        """The noise-free ramp from each measured ramp's own start, in siemens [ramp, point]."""
        return self._siemens(rollout.mean_curves(self.device, ramps, self.window))

    def bands(self, ramps: Ramps) -> tuple[np.ndarray, np.ndarray]:
        """The 5th and 95th per cent of readings from each ramp's own start, in siemens."""
        low, high = rollout.bands(self.device, self.noise, ramps, self.window)
        return self._siemens(low), self._siemens(high)

    def errors(self, ramps: Ramps) -> dict[str, float]:
        """The rms error of the mean curve of these ramps over the window, up and down."""
        curves = rollout.mean_curves(self.device, ramps, self.window)
        return rollout.mean_curve_error(curves, ramps, self.window)

    def coverage(self, ramps: Ramps) -> dict[str, float]:
        """The share of these ramps' readings within the 90 % band, up and down."""
        band = rollout.bands(self.device, self.noise, ramps, self.window)
        return rollout.coverage(band, ramps, self.window)

    def _siemens(self, curves: np.ndarray) -> np.ndarray:
        return self.window[0] + curves * (self.window[1] - self.window[0])


@dataclasses.dataclass(frozen=True)
class Fits:
    """Fits of several models to the same ramps, the best first; those without a maximum last.

    Attributes:
      ramps: the measurement.
      fits: of the models.
    """

    ramps: Ramps
    fits: list[Fit]

    @property
    def best(self) -> Fit:
        """The fit of least BIC."""
        return self.fits[0]

    @property
    def device(self) -> Device:
        """Its device."""
        return self.best.device

    @property
    def margin(self) -> float:
        """By how much its BIC is below that of the next model; NaN if there is none."""
        return self.fits[1].bic - self.best.bic if len(self.fits) > 1 else float("nan")

    def save(self, path: str | Path) -> None:
        """Writes the device for ``memjax.devices.load``, and where it comes from.

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
        from memjax.fitting.picture import draw

        return draw(self)


def fit(
    data: Any,
    down: Any = None,
    *,
    model: str = "auto",
    read_voltage: float | None = None,
    window: tuple[float, float] | None = None,
    c2c: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Fits:
    """Fits response models to measured pulses by maximum likelihood.

    Args:
      data: a file, a DataFrame or a dict of columns (``cycle, direction, pulse, conductance_S`` and
        optionally ``device``), the wide table of up ramps, or ``Ramps``.
      down: the wide table of down ramps, if ``data`` is one of up ramps.
      model: a response model's name, or ``"auto"`` for the one of least BIC among ``AUTO``.
      read_voltage: in volts, if wide tables hold currents.
      window: Gmin and Gmax in siemens; the data's own extremes if not given.
      c2c: what the cycle-to-cycle noise is in proportion to (``memjax.devices.c2c``); if not given,
        models are compared with ``"additive"`` noise, and the best is tried with ``"step"`` too.
      progress: told the name of each model when its fit is done.

    Returns:
      The fits; ``.device`` is the best one's device.

    Raises:
      DataError: data that cannot be fitted, or no fit of which converges.
      UserError: no such model, or a window that is none.

    Example:
      >>> import numpy as np
      >>> from memjax.devices import fit
      >>> rng = np.random.default_rng(0)
      >>> steps = rng.normal(1e-6, 1e-7, (2, 20))
      >>> ramp = np.concatenate([1e-6 + np.cumsum(steps[0]), 22e-6 - np.cumsum(steps[1])])
      >>> table = {"direction": ["up"] * 20 + ["down"] * 20, "pulse": [*range(20)] * 2,
      ...          "conductance_S": ramp}
      >>> fits = fit(table, model="ConstantStep", window=(1e-6, 21e-6), c2c="step")
      >>> round(fits.device.levels), fits.device.on_off
      (21, 21.0)
    """
    ramps = _ramps(data, down, read_voltage)
    window = ramps.window if window is None else window
    if not 0 < window[0] < window[1]:
        raise UserError(f"fit: window = {window} must be 0 < Gmin < Gmax, in siemens")
    names = _names(model)

    def one(name: str, convention: str, *coarse: int) -> Fit:
        found = _fit(name, convention, ramps, window, coarse)
        if progress is not None:
            progress(name)
        return found

    first = _CONVENTIONS[0] if c2c is None else c2c
    with ThreadPoolExecutor(_WORKERS) as pool:
        starts = (0, 1) if len(names) == 1 else (0,)
        fits = list(pool.map(lambda name: one(name, first, *starts), names))
        fits.sort(key=_rank)
        again: list[Any] = [(first, 1)] if len(names) > 1 else []
        again += [(_CONVENTIONS[1], *starts)] if c2c is None else []
        best = fits[0].model
        others = pool.map(lambda how: one(best, *how), again)
        fits[0] = min((fits[0], *others), key=_rank)
        fits.sort(key=_rank)
    if not fits[0].converged:
        tried = ", ".join(names)
        raise DataError(
            f"the fit of {tried} does not converge: no maximum of the likelihood was found; give "
            "more ramps, or try another model"
        )
    return Fits(ramps, fits)


def _rank(fit: Fit) -> tuple[bool, float]:
    return not fit.converged, fit.bic


def _ramps(data: Any, down: Any, read_voltage: float | None) -> Ramps:
    if isinstance(data, Ramps):
        return data
    if isinstance(data, str | Path):
        return read(data, down, read_voltage=read_voltage)
    if down is not None or read_voltage is not None:
        raise DataError("down and read_voltage are for files of wide tables; leave them out")
    return from_table(data)


def _names(model: str) -> list[str]:
    if model.lower() == "auto":
        return [*AUTO, *(name for name in MODELS if name not in (*AUTO, *_NOT_AUTO))]
    name = catalogue.find(model)
    if name not in MODELS:
        raise UserError(f"{name} is a preset; fit its model, {type(catalogue.get(name)).__name__}")
    if name == "JumpTable":
        raise UserError(
            "JumpTable has no likelihood; make it by memjax.fitting.jump_table and write "
            "it by memjax.devices.save"
        )
    return [name]


def _fit(
    name: str,
    convention: str,
    ramps: Ramps,
    window: tuple[float, float],
    coarse: tuple[int, ...],
) -> Fit:
    fixed = {"c2c": convention}
    problem = pose(MODELS[name], fixed, ramps, window)
    with np.errstate(all="ignore"):
        found = estimate(MODELS[name], fixed, ramps, window, coarse=coarse)
    device, noise, low, high = device_of(problem, found.values)
    extent = window[1] - window[0]
    own = float(window[0] + low * extent), float(window[0] + high * extent)
    noise = Noise(float(noise.ramp), float(noise.read) / float(high - low))
    spread = variation.between_devices(found, ramps)
    middle = float(np.nanmean(ramps.conductance))
    changes: dict[str, Any] = {
        "gmax": own[1],
        "on_off": own[1] / own[0],
        "sigma_read": found.of("read") * extent / middle or None,
        "sigma_ramp": found.of("sigma_ramp") or None,
    }
    changes |= {name: value or None for name, (value, _) in spread.items()}
    shown = dataclasses.replace(device, **changes)
    shown = _plain(shown)
    readings = int(np.isfinite(problem.data[0][:, 1:]).sum())
    errors = found.standardised
    pairs = errors[:, 1:] * errors[:, :-1]
    outcome = Fit(
        model=name,
        device=shown,
        parameters=_rows(found, MODELS[name], spread),
        log_likelihood=found.log_likelihood,
        n_parameters=int(found.free.sum()),
        n_readings=readings,
        rms=rollout.rms_of_mean(found.residual, ramps),
        autocorrelation=float(np.nanmean(pairs) / np.nanmean(errors**2)),
        levels=variation.levels(found, problem),
        window=own,
        noise=noise,
        converged=found.converged,
        problem=problem,
        estimate=found,
    )
    describes = max(outcome.rms.values()) < _WORST_RMS
    return outcome if describes else dataclasses.replace(outcome, converged=False)


def _plain(device: Device) -> Device:
    """Parameters as Python's numbers, tables as arrays of float32."""
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(device):
        value = getattr(device, field.name)
        if value is None or field.metadata.get("static"):
            continue
        array = np.asarray(value, np.float64)
        changes[field.name] = float(array) if array.ndim == 0 else array.astype(np.float32)
    return dataclasses.replace(device, **changes)


def _rows(
    found: Estimate, model: type[Device], spread: variation.Spread
) -> list[tuple[str, float, float, str]]:
    units = {field.name: field.metadata["unit"] for field in dataclasses.fields(model)}
    units |= {"read": "fraction of the window", "low": "windows", "high": "windows"}
    estimates = zip(found.names, found.values, found.errors, strict=True)
    shown = {name: (float(value), float(error)) for name, value, error in estimates}
    shown = {name: shown[name] for name, free in zip(found.names, found.free, strict=True) if free}
    return [
        (name, *numbers, units.get(name.partition("[")[0], ""))
        for name, numbers in (shown | spread).items()
        if name not in spread or numbers[0] > 0
    ]
