"""Which parameter matters? The variance of the final accuracy, shared out among a sweep's axes."""

import contextlib
import tomllib

import numpy as np
import pandas as pd
import xarray as xr

from memjax.errors import UserError


def axes(ds: xr.Dataset) -> list[str]:
    """Names the swept axes: every dimension of the accuracy but `seed` and `epoch`."""
    return [str(dim) for dim in ds["test_accuracy"].dims if dim not in ("seed", "epoch")]


def chance(ds: xr.Dataset) -> float:
    """Returns the accuracy of guessing, 1 / `n_classes`."""
    return 1.0 / int(ds.attrs["n_classes"])


def failed(ds: xr.Dataset) -> xr.DataArray:
    """Marks the lanes (axes..., seed) that went non-finite."""
    return ds["status"] != 0


def accuracy(ds: xr.Dataset) -> xr.DataArray:
    """Returns the accuracy (axes..., seed, epoch), failed lanes at chance once they are NaN."""
    scores = ds["test_accuracy"].astype(float)
    return scores.where(scores.notnull() | ~failed(ds), chance(ds))


def final_accuracy(ds: xr.Dataset) -> xr.DataArray:
    """Returns the accuracy after the last epoch (axes..., seed), failed lanes at chance.

    A network on a device that diverges can only guess. Leaving such lanes out would flatter the
    settings that break most of them, so they stay, at 1 / `n_classes`.

    Raises:
        UserError: A lane has no final accuracy although its status is 0.
    """
    scores = accuracy(ds).isel(epoch=-1, drop=True).where(~failed(ds), chance(ds))
    missing = int(scores.isnull().sum())
    if missing:
        raise UserError(
            f"{missing} of {scores.size} lanes have no final accuracy though their status is 0: "
            "run the sweep to its end, or select the finished lanes"
        )
    return scores


def main_effects(ds: xr.Dataset) -> pd.DataFrame:
    r"""Shares out the variance of the final test accuracy: which parameter matters?

    A balanced analysis of variance. With y the final accuracy of a lane (a fraction), every cell
    of the grid (one value of each axis) holding the same number of seeds, and averages E and
    variances Var taken over all N lanes of the grid (divisor N),

        share(axis)  = Var(E[y | axis]) / Var(y)                              main effect
        interactions = Var(E[y | cell]) / Var(y) - sum of share(axis)
        seeds        = E[Var(y | cell)] / Var(y)

    which sum to 1 (to 0 if no lane differs from another). They describe this grid: a wider range
    of values gives an axis a larger share. Of pure seed noise an axis of k values gets (k - 1) /
    (N - 1) on average, and with S seeds interactions get about 1 / S, all of it for S = 1: noise
    cannot be told from interactions without repetition. A failed lane (status other than 0) counts
    at chance, see `final_accuracy`.

    Args:
        ds: A sweep's result: `test_accuracy` (axes..., seed, epoch), `status` (axes..., seed), and
            the attribute `n_classes`.

    Returns:
        A row a parameter, largest share first, then the rows `interactions` and `seeds`. Columns:
        `share`; the coordinates `worst` and `best`; `worst_accuracy` and `best_accuracy`, the mean
        accuracies there over everything else (fractions). `attrs` holds the numbers of `lanes` and
        of `failed` ones.

    Raises:
        UserError: A lane has no final accuracy although its status is 0.

    >>> y = xr.DataArray([[[0.5], [0.5]], [[0.9], [0.9]]], dims=("levels", "seed", "epoch"))
    >>> data = {"test_accuracy": y, "status": y[..., 0] < 0}
    >>> ds = xr.Dataset(data, {"levels": [4, 32]}, {"n_classes": 10})
    >>> main_effects(ds)["share"].round(3).to_dict()
    {'levels': 1.0, 'interactions': 0.0, 'seeds': 0.0}

    References:
        R. A. Fisher, Statistical Methods for Research Workers (1925), ch. VII; D. C. Montgomery,
        Design and Analysis of Experiments, ch. 5 (factorial designs). The shares are eta squared.
    """
    final = final_accuracy(ds)
    cells = final.mean("seed")
    # Asked of the extremes because the variance of equal numbers may round to more than nothing.
    total = float(final.var()) if final.max() > final.min() else np.inf
    rows = [_main_effect(cells.mean([d for d in cells.dims if d != a]), total) for a in axes(ds)]
    rows.sort(key=lambda row: -row["share"])
    mains = sum(row["share"] for row in rows)
    rest = {
        "interactions": max(0.0, float(cells.var()) / total - mains),
        "seeds": float(final.var("seed").mean()) / total,
    }
    rows += [{"parameter": name, "share": share} for name, share in rest.items()]
    columns = ["parameter", "share", "worst", "best", "worst_accuracy", "best_accuracy"]
    frame = pd.DataFrame(
        {c: pd.Series([r.get(c) for r in rows], dtype=_DTYPES.get(c, float)) for c in columns}
    ).set_index("parameter")
    frame.attrs = {"lanes": final.size, "failed": int(failed(ds).sum())}
    return frame


_DTYPES = {"parameter": object, "worst": object, "best": object}


def _main_effect(means: xr.DataArray, total: float) -> dict:
    """Makes an axis' row of `main_effects` from its marginal means (a one-dimensional array)."""
    (axis,) = means.dims
    values = means[axis].values.tolist()
    worst, best = int(means.values.argmin()), int(means.values.argmax())
    return {
        "parameter": str(axis),
        "share": float(means.var()) / total,
        "worst": values[worst],
        "best": values[best],
        "worst_accuracy": float(means[worst]),
        "best_accuracy": float(means[best]),
    }


def best_cell(ds: xr.Dataset) -> xr.DataArray:
    """Returns the final accuracies (seed,) of the cell of highest mean, with its coordinates."""
    final = final_accuracy(ds)
    return final.isel(final.mean("seed").argmax(axes(ds))) if axes(ds) else final


def zipped(ds: xr.Dataset, axis: str) -> list[str]:
    """Names the parameters that vary together along an axis, as its specification orders them.

    They are its non-index coordinates, which a store gives back in any order.
    """
    found = [str(n) for n, c in ds.coords.items() if c.dims == (axis,) and n != axis]
    written: list[str] = []
    with contextlib.suppress(tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError):
        written = list(tomllib.loads(ds.attrs["spec"])["axes"][axis])
    return sorted(found, key=lambda name: written.index(name) if name in written else len(written))


def is_numeric(ds: xr.Dataset, axis: str) -> bool:
    """Tells whether an axis is one number varied, not names nor a zipped group of parameters."""
    return np.issubdtype(ds[axis].dtype, np.number) and not zipped(ds, axis)


def heading(ds: xr.Dataset, axis: str) -> str:
    """Names an axis; a numbered zipped group with its parameters: `material (levels, on_off)`."""
    shown = _shown(ds, axis)
    return axis if shown == [axis] else f"{axis} ({', '.join(shown)})"


def labels(ds: xr.Dataset, axis: str) -> list[str]:
    """Writes an axis' values; of a numbered zipped group, its parameters' values: `32, 10`."""
    rows = zip(*(ds[name].values.tolist() for name in _shown(ds, axis)), strict=True)
    return [", ".join(text(value) for value in row) for row in rows]


def text(value: object) -> str:
    """Writes one coordinate value."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _shown(ds: xr.Dataset, axis: str) -> list[str]:
    numbered = np.issubdtype(ds[axis].dtype, np.number)
    return (zipped(ds, axis) if numbered else []) or [axis]
