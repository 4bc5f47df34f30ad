"""The figures of the study ernoult2019, with the published medians as points.

    memjax sweep sweeps/ernoult2019.toml --data-dir DIR --out R/ernoult2019
    memjax sweep sweeps/ernoult2019_beta.toml --data-dir DIR --out R/ernoult2019_beta
    python sweeps/ernoult2019.py R

Draws ``R/ernoult2019.png`` of what is there, a panel a study: test error against pulse width, beta,
sigma_intra and sigma_inter, the running error of the last epoch, as the paper's is, with the range
over seeds, and prints it beside what is published.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from memjax.palette import COLOURS
from memjax.sweep.store import directory as store

R_GRID = (5, 10, 20, 50, 100, 250, 500, 1e3, 5e3, 1e4, 5e4, 1e5)
CST = (56.7, 25.3, 14.9, 9.1, 7.4, 6.95, 6.85, 6.39, 8.2, 9.8, 22, 34.9)
RPROP = (12.6, 8.9, 6.9, 6.04, 6.1, 6.65, 6.55, 6.46, 8.8, 10.3, 23, 36)
CHAINS_20 = (55.8, 30.1, 16.5, 12.5, 10.8, 8.3, 7.4, 7.0, 6.7, 7.5, 13.5, 22.7)
BETAS = (0.005, 1, 2, 3, 5)
Curve = dict[float, float]
PUBLISHED: dict[str, dict[str, Curve]] = {
    "levels": {
        "Cst": dict(zip(R_GRID, CST, strict=True)),
        "RProp": dict(zip(R_GRID, RPROP, strict=True)),
    },
    "chains_r": {"Cst, 20 chains": dict(zip(R_GRID, CHAINS_20, strict=True))},
    "beta": {"Cst": dict(zip(BETAS, (6.3, 9.76, 12.11, 15.04, 21.66), strict=True))},
    "chains": {"Cst, 20 chains": dict(zip(BETAS, (6.72, 7.74, 9.29, 10.6, 13.13), strict=True))},
    "diffusion": {"Cst": {0.03: 16.51}},
    "sigma_d2d": {},
}
"""Medians of test errors in %; but for those against r, at the best r."""
PANELS = (
    ("ernoult2019", "levels", "pulses from Gmin to Gmax, r = dt_max / dt0"),
    ("ernoult2019_beta", "beta", "non-linearity β"),
    ("ernoult2019_chains", "chains", "non-linearity β, 20 chains"),
    ("ernoult2019_intra", "diffusion", "σ_intra (fractions of Gmax − Gmin)"),
    ("ernoult2019_inter", "sigma_d2d", "σ_inter: sd of ln C between devices"),
)
NAMES = {"manhattan": "Cst", "rprop": "RProp"}


def curves(results: xr.Dataset, along: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The values along an axis and the errors in %, ``[values, seeds]``, a curve an algorithm."""
    errors = 100.0 * results.running_error
    x = np.asarray(results["beta" if along == "chains" else along].values, float)
    (axis,) = set(errors.dims) - {"algorithm", "seed"}
    if "algorithm" not in errors.dims:
        label = "Cst, 20 chains" if along == "chains" else "Cst"
        return {label: (x, errors.transpose(axis, "seed").values)}
    return {
        NAMES[name]: (x, errors.sel(algorithm=name).transpose(axis, "seed").values)
        for name in results.algorithm.values
    }


def panel(axes: Any, results: xr.Dataset, along: str, label: str) -> None:
    """One study: lines for medians over seeds, bars from the least to the largest."""
    published = PUBLISHED[along]
    for number, (name, (x, errors)) in enumerate(curves(results, along).items()):
        order, colour = np.argsort(x), COLOURS[number]
        x, errors = x[order], errors[order]
        middle = np.median(errors, axis=1)
        bars = np.abs(np.stack([errors.min(axis=1), errors.max(axis=1)]) - middle)
        axes.errorbar(x, middle, bars, color=colour, marker="o", ms=4, capsize=2, label=name)
        theirs = published.get(name, {})
        if theirs:
            axes.plot(*zip(*theirs.items(), strict=True), "x", color=colour, ms=7, mew=1.6)
        for value, error in zip(x, middle, strict=True):
            told = theirs.get(float(value))
            beside = "" if told is None else f"   published {told}"
            print(f"{label:45} {name:15} {value:8g} {error:6.2f} %{beside}")
    if published:
        axes.plot([], [], "x", color="0.3", ms=7, mew=1.6, label="published medians")
    axes.axhline(
        100.0 * float(results.baseline_running_error.median()),
        color="0.4",
        ls="--",
        lw=1,
        label="floating point",
    )
    axes.set(xlabel=label, ylabel="test error (%)", ylim=(0, None))
    if along != "beta" and along != "chains":
        axes.set_xscale("log")
    axes.legend(frameon=False, fontsize="small")


def main() -> None:
    """Draws and prints what there is."""
    folder = Path(sys.argv[1])
    there = [one for one in PANELS if (folder / one[0] / "results.zarr").exists()]
    if not there:
        sys.exit(f"{folder}: no results of ernoult2019 there; run the sweeps first")
    figure = Figure(figsize=(4.4 * min(len(there), 3), 3.4 * -(-len(there) // 3)))
    figure.set_layout_engine("constrained")
    grid = figure.subplots(-(-len(there) // 3), min(len(there), 3), squeeze=False).ravel()
    for axes, (name, along, label) in zip(grid, there, strict=False):
        panel(axes, store.load(folder / name), along, label)
    for axes in grid[len(there) :]:
        axes.axis("off")
    figure.savefig(folder / "ernoult2019.png", dpi=150)


if __name__ == "__main__":
    main()
