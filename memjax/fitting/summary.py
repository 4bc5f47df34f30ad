"""Fits on a terminal: a model a row, then the best one's parameters."""

import numpy as np
from rich import box
from rich.table import Table

from memjax.fitting.result import Fit, Fits

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
        shown = f"± {error:.2g}" if np.isfinite(error) else "at its limit"
        between = f"{low:.4g} to {high:.4g}" if np.isfinite(error) else ""
        table.add_row(name, f"{value:.5g}", shown, between, unit)
    for name in fit.intervals.keys() - {name for name, *_ in fit.parameters}:
        table.add_row(name, "0", "left out", f"0 to {fit.intervals[name][1]:.4g}")
    return table


def sentences(fits: Fits) -> list[str]:
    """What was chosen and by how much, and what a reader should know.

    Args:
      fits: of the ramps.
    """
    best = fits.best
    said = [f"{best.model} is chosen by BIC" if len(fits.fits) > 1 else f"{best.model} is fitted"]
    if np.isfinite(fits.margin) and fits.fits[1].converged:
        said[0] += f", by {fits.margin:.0f} before {fits.fits[1].model}"
        if fits.margin < _DECIDED:
            said.append(f"less than {_DECIDED}: the data do not decide between the two")
    said.append(
        f"c2c noise is in proportion to the {_PROPORTION.get(best.device.c2c, best.device.c2c)}"
    )
    low, high = best.window
    said.append(f"window {low:.4g} S to {high:.4g} S, on/off {high / low:.3g}")
    said.append(f"readings tell {best.levels:.0f} levels apart (95 %)")
    if len(np.unique(fits.ramps.device)) < 3:
        said.append("fewer than three devices: no device-to-device spread; set sigma_d2d yourself")
    if abs(best.autocorrelation) > 0.1:
        said.append(
            f"successive errors correlate by {best.autocorrelation:+.2f}: the device remembers "
            "something that this model does not"
        )
    if caveat := best.device.fit_hints().caveat:
        said.append(caveat)
    return said
