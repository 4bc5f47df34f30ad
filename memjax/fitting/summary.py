"""Fits on a terminal: a model a row, then the best one's parameters."""

import numpy as np
from rich import box
from rich.table import Table

from memjax.fitting.result import Fit, Fits
from memjax.fitting.standard_errors import SDS

_HELD = 0.7  # of the readings, in a band of 90 %
_FAR = 1.5  # measured ranges that a window may have
_DECIDED = 6  # of BIC, strong evidence by Kass & Raftery, J. Am. Stat. Assoc. 90:773 (1995)


_PROPORTION = {
    "step": "step of each pulse (c2c = step)",
    "additive": "step at mid-conductance, wherever the device is (c2c = additive)",
}


def models(fits: Fits) -> Table:
    """Every model's criteria and residuals, the best first.

    Args:
      fits: of the ramps.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("model", no_wrap=True)
    for title in ("k", "ΔBIC", "ΔAIC", "rms, %", "corr.", "c2c", "levels"):
        table.add_column(title, justify="right", no_wrap=True)
    best = fits.best
    for fit in fits.fits:
        rms = " / ".join(f"{100 * value:.2f}" for value in fit.rms.values())
        if not fit.converged:
            table.add_row(fit.model, str(fit.n_parameters), "no fit", "", rms)
            continue
        table.add_row(
            fit.model,
            str(fit.n_parameters),
            f"{fit.bic - best.bic:.0f}",
            f"{fit.aic - best.aic:.0f}",
            rms,
            f"{fit.autocorrelation:+.2f}",
            f"{fit.device.sigma_c2c:.3g}",
            f"{fit.levels:.0f}",
        )
    return table


def parameters(fit: Fit) -> Table:
    """One model's parameters with their standard errors and 95 % intervals.

    Args:
      fit: of one model.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for title in ("parameter", "value", "standard error", "95 %", "unit"):
        table.add_column(title, no_wrap=title != "unit")
    for name, value, error, unit in fit.parameters:
        low, high = fit.intervals[name]
        by = f"± {error:.2g}" if np.isfinite(error) else "at its limit"
        between = f"{low:.4g} to {high:.4g}" if np.isfinite(error) else ""
        table.add_row(name, f"{value:.5g}", by, between, unit)
    shown = [name for name, *_ in fit.parameters]
    for name in (name for name in fit.intervals if name not in shown):
        table.add_row(name, "0", "left out", f"0 to {fit.intervals[name][1]:.4g}")
    return table


def sentences(fits: Fits) -> list[str]:
    """What was chosen and by how much, and what a reader should know.

    Args:
      fits: of the ramps.
    """
    best, ramps = fits.best, fits.ramps
    said = list(ramps.notes)
    said += _choice(fits) if len(fits.fits) > 1 else [f"{best.model} is fitted"]
    if best.undetermined:
        said.append(
            f"{best.model} is not determined by these data: {', '.join(best.undetermined)} at a "
            "limit, or unknown to a factor of ten; take a simpler model, or measure what tells it"
        )
    ends = best.intervals
    if endless := [name for name, (_, high) in ends.items() if np.isinf(high)]:
        said.append(f"the data give no upper limit (95 %) of {', '.join(endless)}")
    if type(best.device).remembers_pulses() and not ramps.repeats:
        said.append(
            "one ramp a direction: what the device remembers cannot be told from its conductance; "
            "repeat the ramps"
        )
    others = [f for f in fits.fits if f.converged and f.device.c2c != best.device.c2c]
    names = ", ".join(fit.model for fit in others)
    said.append(
        f"c2c noise is in proportion to the {_PROPORTION.get(best.device.c2c, best.device.c2c)}"
        + (f"; that of {names} is {others[0].device.c2c}" if others else "")
    )
    said += _window(fits)
    covered = best.coverage(ramps)
    if min(covered.values()) < _HELD:
        shares = " and ".join(f"{100 * share:.0f} % {way}" for way, share in covered.items())
        said.append(f"the 90 % band holds {shares} of the readings: the model misses something")
    said.append(f"readings tell {best.levels:.0f} levels apart (95 %)")
    if best.device.polarity == "up":
        said.append(
            "depression by pulses was not measured: a device of polarity = up, which only a RESET "
            "depresses; train it in pairs (cell.kind = refresh_pair)"
        )
    elif np.all(ramps.sign < 0):
        said.append("potentiation was not measured: that of this device is the model's default")
    n_devices, reach = len(np.unique(ramps.device)), float(best.estimate.reach.max())
    if reach > SDS:
        said.append(
            f"standard errors are by the scatter of {n_devices} devices where that says more: "
            f"their 95 % intervals reach up to {reach:.3g} of them"
        )
    if n_devices < 3:
        said.append("fewer than three devices: no device-to-device spread; set sigma_d2d yourself")
    if abs(best.autocorrelation) > 0.1:
        said.append(
            f"successive errors correlate by {best.autocorrelation:+.2f}: the device remembers "
            "something that this model does not"
        )
    if caveat := best.device.fit_hints().caveat:
        said.append(caveat)
    return said


def _choice(fits: Fits) -> list[str]:
    """Which model was chosen, and why not another."""
    best = fits.best
    rivals = [fit for fit in fits.fits[1:] if fit.converged]
    if not rivals:
        return [f"{best.model} is chosen: the others have no fit"]
    rival = min(rivals, key=lambda fit: fit.bic)
    if fits.margin >= _DECIDED:
        return [f"{best.model} is chosen by BIC, by {fits.margin:.0f} before {rival.model}"]
    if fits.margin >= 0:
        return [
            f"{best.model} is chosen by BIC, by {fits.margin:.0f} before {rival.model}",
            f"less than {_DECIDED}: the data do not decide between the two",
        ]
    why = (
        f"predicts the mean ramps worse ({100 * rival.misfit:.2g} against "
        f"{100 * best.misfit:.2g} % of the window)"
        if not rival.undetermined or best.undetermined
        else f"is not determined by these data ({', '.join(rival.undetermined)})"
    )
    return [f"{best.model} is chosen: {rival.model}, of lower BIC by {-fits.margin:.0f}, {why}"]


def _window(fits: Fits) -> list[str]:
    """The device's window, and where it is beyond what was measured."""
    low, high = fits.best.window
    extent = high - low
    if fits.ramps.normalised:
        unknown = "; on/off and Gmax are not known: on_off is a default, give yours (--on-off)"
        return ["readings are weights" + unknown * fits.on_off_is_unknown]
    said = [f"window {low:.4g} S to {high:.4g} S, on/off {high / low:.3g}"]
    seen = float(np.nanmin(fits.ramps.conductance)), float(np.nanmax(fits.ramps.conductance))
    if extent > _FAR * (seen[1] - seen[0]):
        said.append(
            f"that is far beyond what was measured, {seen[0]:.4g} to {seen[1]:.4g} S: an "
            "extrapolation of the model"
        )
    return said
