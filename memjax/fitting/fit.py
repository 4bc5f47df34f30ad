"""From measured pulses to a device: fit the models, compare them, choose one."""

import dataclasses
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from memjax.devices import catalogue
from memjax.devices.base import Device
from memjax.devices.levels import Levels
from memjax.devices.models import MODELS
from memjax.errors import DataError, UserError
from memjax.fitting import rollout, variation
from memjax.fitting.estimate import Estimate, estimate
from memjax.fitting.likelihood import Noise
from memjax.fitting.problem import device_of, pose
from memjax.fitting.ramps import Ramps
from memjax.fitting.result import Fit, Fits
from memjax.fitting.table import from_table, read

_CONVENTIONS = ("additive", "step")
_REACH = 20.0  # of BIC from the best, that another start may make up for
_WORKERS = 2
_WORST_RMS = 0.5  # of the window
_LEAST_NOISE = 0.005  # of the window, of a mean ramp: a smaller difference is none
_ENOUGH = 30_000  # readings that are fitted
_MOST = 300_000  # readings of a few ramps, which cannot be thinned out
_UNKNOWN: Any = Levels().on_off  # at which weights are fitted that tell no on/off ratio


def fit(
    data: Any,
    down: Any = None,
    *,
    model: str = "auto",
    read_voltage: float | None = None,
    window: tuple[float, float] | None = None,
    c2c: str | None = None,
    normalised: bool = False,
    on_off: float | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Fits:
    """Fits response models to measured pulses by maximum likelihood.

    ``auto`` takes, of the models that predict the mean ramps no worse than another does by more
    than the noise of that mean, and of these those that the data determine, the one of least BIC.
    Models that remember pulses are tried where a device has two ramps of a direction; in one, what
    is remembered cannot be told from conductance. Depression by one pulse is taken for a RESET,
    which is not fitted; without any other the device is of ``polarity = "up"``: what was not
    measured is not invented. Of more than 30,000 readings, evenly spaced cycles are fitted.

    Args:
      data: a file, a DataFrame or a dict of columns (``cycle, direction, pulse, conductance_S`` and
        optionally ``device``), the wide table of up ramps, or ``Ramps``.
      down: the wide table of down ramps, if ``data`` is one of up ramps.
      model: a response model's name, or ``"auto"`` for the best among ``auto_models()``.
      read_voltage: in volts, if tables hold currents.
      window: Gmin and Gmax in siemens; the data's own extremes if not given.
      c2c: what the cycle-to-cycle noise is in proportion to (``memjax.devices.c2c``); if not given,
        each model has ``"additive"`` or ``"step"``, by which it is more likely.
      normalised: readings are weights, in any linear scale.
      on_off: on/off ratio of the device that normalised readings are of, which do not tell it.
      progress: told after each fit how many are done, of how many, and the model's name.

    Returns:
      The fits; ``.device`` is the best one's device.

    Raises:
      DataError: data that cannot be fitted, or no fit of which converges.
      UserError: no such model, or a window that is none.

    Example:
      >>> import numpy as np
      >>> from memjax.fitting import fit
      >>> rng = np.random.default_rng(0)
      >>> steps = rng.normal(1e-6, 1e-7, (2, 20))
      >>> ramp = np.concatenate([1e-6 + np.cumsum(steps[0]), 22e-6 - np.cumsum(steps[1])])
      >>> table = {"direction": ["up"] * 20 + ["down"] * 20, "pulse": [*range(20)] * 2,
      ...          "conductance_S": ramp}
      >>> fits = fit(table, model="ConstantStep", window=(1e-6, 21e-6), c2c="step")
      >>> round(fits.device.levels), fits.device.on_off
      (21, 21.0)
    """
    given = _ramps(data, down, read_voltage, normalised)
    if on_off is not None and not given.normalised:
        raise UserError("fit: on_off is told by conductances; leave it out, it is for weights")
    if given.normalised and window is not None:
        raise UserError("fit: window is in siemens; leave it out, readings are weights")
    if given.normalised:
        given = given.as_conductances(_UNKNOWN if on_off is None else on_off)
    window = given.window_or(window, "fit")
    ramps = given.gradual().thinned(_ENOUGH)
    if ramps.n_steps > _MOST:
        raise DataError(
            f"{ramps.n_steps} readings in {ramps.n_ramps} ramps: give every tenth (the pulse "
            f"numbers tell what is between); at most {_MOST} are fitted"
        )
    names = _names(model, ramps)
    conventions = _CONVENTIONS if c2c is None else (c2c,)
    starts = (0, 1) if len(names) == 1 else (0,)
    done, total = itertools.count(1), len(names) if len(names) == 1 else 2 * len(names)

    def told(found: Fit) -> Fit:
        if progress is not None:
            progress(next(done), total, found.model)
        return found

    def again(found: Fit, best: Fit) -> Fit:
        """The better of a fit within reach of the best and one from another start."""
        if found is not best and not (found.converged and found.bic < best.bic + _REACH):
            return found
        other = _fit(found.model, (found.device.c2c,), ramps, window, (1,))
        return min((found, other), key=lambda fit: (not fit.converged, fit.bic))

    with ThreadPoolExecutor(_WORKERS) as pool:
        first = pool.map(lambda name: told(_fit(name, conventions, ramps, window, starts)), names)
        fits = _ranked(list(first))
        if len(names) > 1:
            best = fits[0]
            fits = _ranked(list(pool.map(lambda found: told(again(found, best)), fits)))
    if not fits[0].converged:
        tried = ", ".join(names)
        raise DataError(
            f"the fit of {tried} does not converge: no maximum of the likelihood was found; give "
            "more ramps, or try another model"
        )
    unknown = on_off is None and given.normalised
    if unknown:  # what a read's noise is in proportion to is not known either
        changes: dict[str, Any] = {"sigma_read": None}
        fits = [
            dataclasses.replace(f, device=dataclasses.replace(f.device, **changes)) for f in fits
        ]
    return Fits(ramps, fits, unknown)


def auto_models() -> list[str]:
    """The models among which ``auto`` chooses; those that users register join them."""
    return [name for name, model in MODELS.items() if model.fit_hints().in_auto]


def _ranked(fits: list[Fit]) -> list[Fit]:
    """The fits, the best first (``fit`` says what is better)."""
    found = [fit for fit in fits if fit.converged]
    if not found:
        return fits
    nearest = min(found, key=lambda fit: fit.misfit)

    def rank(fit: Fit) -> tuple[bool, bool, bool, float]:
        is_worse = fit.misfit > nearest.misfit + max(nearest.chance, _LEAST_NOISE)
        return not fit.converged, is_worse, bool(fit.undetermined), fit.bic

    return sorted(fits, key=rank)


def _ramps(data: Any, down: Any, read_voltage: float | None, normalised: bool) -> Ramps:
    if isinstance(data, Ramps):
        if down is not None or read_voltage is not None or normalised:
            raise UserError(
                "fit: Ramps are read already: give down, read_voltage and normalised to what reads "
                "them (memjax.fitting.read)"
            )
        return data
    if isinstance(data, str | Path):
        return read(data, down, read_voltage=read_voltage, normalised=normalised)
    if down is not None:
        raise DataError("fit: down is for two files; give one table, its columns named LTP and LTD")
    return from_table(data, read_voltage=read_voltage, normalised=normalised)


def _names(model: str, ramps: Ramps) -> list[str]:
    if model.lower() == "auto":
        names = auto_models()
        if ramps.repeats:
            return names
        return [name for name in names if not MODELS[name].remembers_pulses()]
    name = catalogue.find(model)
    if name not in MODELS:
        raise UserError(f"{name} is a preset; fit its model, {type(catalogue.get(name)).__name__}")
    if instead := MODELS[name].fit_hints().instead:
        raise UserError(f"{name} has no likelihood; {instead}")
    return [name]


def _fit(
    name: str,
    conventions: tuple[str, ...],
    ramps: Ramps,
    window: tuple[float, float],
    coarse: tuple[int, ...],
) -> Fit:
    """A model's fit, with the noise convention by which it is more likely."""
    with np.errstate(all="ignore"):
        tried = {
            how: estimate(MODELS[name], {"c2c": how}, ramps, window, coarse=coarse)
            for how in conventions
        }
    convention = min(tried, key=lambda how: (not tried[how].converged, tried[how].bic))
    found = tried[convention]
    problem = pose(MODELS[name], {"c2c": convention}, ramps, window)
    device, noise, low, high = device_of(problem, found.values)
    extent = window[1] - window[0]
    own = float(window[0] + low * extent), float(window[0] + high * extent)
    noise = Noise(float(noise.ramp), float(noise.read) / float(high - low))
    spread = variation.between_devices(found, ramps)
    middle = float(np.nanmean(ramps.conductance))
    changes: dict[str, Any] = {
        "gmax": None if ramps.normalised else own[1],
        "on_off": window[1] / window[0] if ramps.normalised else own[1] / own[0],
        "sigma_read": found.of("read") * extent / middle or None,
        "sigma_ramp": found.of("sigma_ramp") or None,
    }
    changes |= {name: sd.value or None for name, sd in spread.items()}
    if np.all(ramps.sign > 0) and not MODELS[name].fit_hints().resets:
        changes["polarity"] = "up"
    shown = _plain(dataclasses.replace(device, **changes))
    simulated = rollout.simulate(shown, noise, ramps, own)
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
        rms=rollout.mean_curve_error(simulated.mean, ramps, own),
        chance=rollout.noise_of_mean(simulated, ramps),
        autocorrelation=float(np.nanmean(pairs) / np.nanmean(errors**2)),
        levels=variation.levels(found, problem),
        window=own,
        noise=noise,
        converged=found.converged,
        problem=problem,
        estimate=found,
        spread=spread,
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
    shown |= {name: (sd.value, sd.error) for name, sd in spread.items()}
    return [
        (name, *numbers, units.get(name.partition("[")[0], ""))
        for name, numbers in shown.items()
        if name not in spread or numbers[0] > 0
    ]
