"""Which parameter matters? The variance of the final objective, shared out among a sweep's axes."""

import numpy as np
import pandas as pd
import xarray as xr

from memjax.sweep.analysis.objective import BARELY, Objective
from memjax.sweep.analysis.results import axes, baseline, failed, final, objective


def main_effects(ds: xr.Dataset) -> pd.DataFrame:
    r"""Shares out the variance of the final objective: which parameter matters?

    A balanced analysis of variance. With y the final objective of a lane, every cell of the grid
    (one value of each axis) holding the same number of seeds, and averages E and variances Var
    taken over all N lanes of the grid (divisor N),

        share(axis)  = Var(E[y | axis]) / Var(y)                              main effect
        interactions = Var(E[y | cell]) / Var(y) - sum of share(axis)
        seeds        = E[Var(y | cell)] / Var(y)

    which sum to 1 (to 0 if no lane differs from another). They describe this grid: a wider range
    of values gives an axis a larger share. Of pure seed noise an axis of k values gets (k - 1) /
    (N - 1) on average, and with S seeds interactions get about 1 / S, all of it for S = 1: noise
    cannot be told from interactions without repetition. A failed lane (status other than 0) counts
    as a guess, see ``memjax.sweep.analysis.results.final``.

    Args:
      ds: a sweep's result, see ``memjax.sweep.run.run``.

    Returns:
      A row a parameter, largest share first, then the rows ``interactions`` and ``seeds``. Columns:
      ``share``; the coordinates ``worst`` and ``best``; ``worst_mean`` and ``best_mean``, the means
      of the objective there over everything else, in its units. ``attrs`` holds the numbers of
      ``lanes`` and of ``failed`` ones.

    Raises:
      UserError: a lane has no final value although its status is 0.

    Example:
      >>> y = xr.DataArray([[[0.5], [0.5]], [[0.9], [0.9]]], dims=("levels", "seed", "time_s"))
      >>> data = {"error": y, "status": y[..., 0] < 0}
      >>> said = {"objective": "error", "better": "lower", "guess": 1.0, "stage": "time_s"}
      >>> ds = xr.Dataset(data, {"levels": [4, 32], "time_s": [1.0]}, said)
      >>> main_effects(ds)[["share", "worst", "best"]].values.tolist()[0]
      [1.0, 32, 4]

    References:
      R. A. Fisher, Statistical Methods for Research Workers (1925), ch. VII; D. C. Montgomery,
      Design and Analysis of Experiments, ch. 5 (factorial designs). The shares are eta squared.
    """
    values, about = final(ds), objective(ds)
    cells = values.mean("seed")
    # Asked of the extremes because the variance of equal numbers may round to more than nothing.
    total = float(values.var()) if values.max() > values.min() else np.inf
    rows = [
        _main_effect(cells.mean([d for d in cells.dims if d != axis]), total, about)
        for axis in axes(ds)
    ]
    rows.sort(key=lambda row: -row["share"])
    mains = sum(row["share"] for row in rows)
    rest = {
        "interactions": max(0.0, float(cells.var()) / total - mains),
        "seeds": float(values.var("seed").mean()) / total,
    }
    rows += [{"parameter": name, "share": share} for name, share in rest.items()]
    columns = ["parameter", "share", "worst", "best", "worst_mean", "best_mean"]
    frame = pd.DataFrame(
        {c: pd.Series([r.get(c) for r in rows], dtype=_DTYPES.get(c, float)) for c in columns}
    ).set_index("parameter")
    frame.attrs = {"lanes": values.size, "failed": int(failed(ds).sum())}
    return frame


_DTYPES = {"parameter": object, "worst": object, "best": object}


def _main_effect(means: xr.DataArray, total: float, about: Objective) -> dict:
    """An axis' row of ``main_effects`` from its marginal means (a one-dimensional array)."""
    (axis,) = means.dims
    values, gain = means[axis].values.tolist(), about.gain(means.values)
    worst, best = int(gain.argmin()), int(gain.argmax())
    return {
        "parameter": str(axis),
        "share": float(means.var()) / total,
        "worst": values[worst],
        "best": values[best],
        "worst_mean": float(means[worst]),
        "best_mean": float(means[best]),
    }


def best_cell(ds: xr.Dataset) -> xr.DataArray:
    """The final objective (seed,) of the cell of the best mean, with its coordinates."""
    values = final(ds)
    if not axes(ds):
        return values
    return values.isel(objective(ds).gain(values.mean("seed")).argmax(axes(ds)))


def all_at_guess(ds: xr.Dataset) -> bool:
    """Whether no cell is clear of the guess: most are at it, and the best is not far from it.

    The best of many cells that guess is the luckiest, so it may be twice as far as what counts as
    the guess of a single one.
    """
    about, cells, reference = objective(ds), final(ds).mean("seed").values, baseline(ds)
    reached = None if reference is None else float(reference.mean())
    most = np.mean(about.is_at_guess(cells, reached)) > 0.5
    return bool(most and about.is_at_guess(cells, reached, 2 * BARELY).all())


def ranked(ds: xr.Dataset) -> list[str]:
    """The axes, most explanatory first."""
    return [name for name in main_effects(ds).index if name in axes(ds)]
