"""Variance decomposition of a finished sweep: Sobol indices of the final accuracy, by ANOVA."""

import itertools
import math
import tomllib
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from rich.console import Group
from rich.table import Table
from rich.text import Text

from memjax.errors import UserError
from memjax.sweep.analysis.effects import axes, final_accuracy, heading

LEVEL = 0.95
"""Of the intervals."""

_SEED = 20260101  # of the bootstrap's generator: the same result twice
_MOST_PAIRS = 8  # shown; the table in Python and the CSV file have all
_AT_ONCE = 2_000_000  # accuracies redrawn at a time: 16 MB

Subset = tuple[int, ...]


def sobol_indices(ds: xr.Dataset, *, resamples: int | None = None) -> pd.DataFrame:
    r"""Shares out the variance of the final test accuracy among axes and their interactions.

    With f(x) the expected final accuracy (a fraction) of a cell x of the grid, every cell equally
    likely, f splits in one way only into parts f_u, one for each set u of axes, whose averages over
    any axis of u are 0 (functional ANOVA; Sobol 1993). With D_u = E[f_u^2], the noise
    sigma^2 = E[Var(y | x)] of a lane's accuracy y over seeds, and Var(y) = sum_u D_u + sigma^2,

        first-order   S_i  = D_i / Var(y)                    axis i alone
        second-order  S_ij = D_ij / Var(y)                   beyond S_i and S_j
        total         ST_i = sum of D_u over all u with i in it / Var(y)
        noise              = sigma^2 / Var(y)                the seeds; in none of the others

    All S_u and noise sum to 1. ST_i = S_i where an axis does not interact; an axis of ST_i = 0 may
    be fixed anywhere. They describe this grid: a wider range of values gives an axis a larger
    share. A failed lane counts at chance, see `memjax.sweep.analysis.effects.final_accuracy`.

    A sweep holds the full grid, so the averages are sums over it and nothing is sampled: the
    estimators of Saltelli et al. (2010), which SALib has, are for functions that can only be called
    at drawn points. The tests use SALib, and its functions of known indices, as a check.

    The means over S seeds carry noise, which gives the D_u of M cells df_u sigma^2 / (M S) too much
    on average, df_u being the product of (size - 1) over u. From the mean squares of the ANOVA,

        D_u = df_u (MS_u - MS_error) / (M S),    sigma^2 = MS_error,

    which are unbiased, also where the noise differs from cell to cell. Where the specification has
    `common_random_numbers`, lanes of one seed are not independent, and MS_(u x seed) stands for
    MS_error in D_u. An index is clipped at 0, a total index at its first-order one; `variance` is
    not clipped. With one seed nothing is corrected: noise counts as interactions.

    The intervals (95 %) are percentiles of a bootstrap over seeds: each cell's deviations from its
    mean are redrawn with replacement (whole seeds, with common random numbers), times
    sqrt(S / (S - 1)), and added to means whose effects have the variances D_u above, by a NumPy
    generator of a fixed seed. They tell what other seeds would give, not what another grid would;
    with two seeds they are too narrow (docs/sensitivity.md).

    Args:
        ds: A sweep's result: `test_accuracy` (axes..., seed, epoch), `status` (axes..., seed), and
            the attribute `n_classes`.
        resamples: Of the bootstrap. Default: 1000, of more than 200,000 lanes fewer, at least 100.

    Returns:
        A row an index. Columns: `kind` (first, total, second, noise), `parameter`, `other` (of a
        pair, else empty), `index`, `low` and `high` (NaN with one seed), `variance` (the numerator,
        a squared fraction). Axes of one value have no rows. `attrs` holds `lanes`, `seeds`,
        `variance` (of y) and `resamples`.

    Raises:
        UserError: No axis has two values, or a lane has no final accuracy though its status is 0.

    >>> y = xr.DataArray([[[0.5], [0.5]], [[0.9], [0.9]]], dims=("levels", "seed", "epoch"))
    >>> data = {"test_accuracy": y, "status": y[..., 0] < 0}
    >>> frame = sobol_indices(xr.Dataset(data, {"levels": [4, 32]}, {"n_classes": 10}))
    >>> frame[["kind", "parameter", "index"]].round(3).values.tolist()
    [['first', 'levels', 1.0], ['total', 'levels', 1.0], ['noise', 'seed', 0.0]]

    References:
        I. M. Sobol, Sensitivity estimates for nonlinear mathematical models, Math. Modelling
        Comput. Experiment 1 (1993) 407-414, and Math. Comput. Simulation 55 (2001) 271-280;
        A. Saltelli et al., Comput. Phys. Commun. 181 (2010) 259-270 (total index); R. A. Fisher,
        Statistical Methods for Research Workers (1925), ch. VII, and D. C. Montgomery, Design and
        Analysis of Experiments, ch. 5 and 13 (mean squares and their expectations).
    """
    final = final_accuracy(ds)
    final = final.isel({a: 0 for a in axes(ds) if ds.sizes[a] == 1}, drop=True)
    names = [str(dim) for dim in final.dims if dim != "seed"]
    if not names:
        raise UserError("no axis has two or more values: there is no variance to share out")
    values = final.transpose("seed", *names).values
    seeds, shared = len(values), _shares_random_numbers(ds)
    subsets = _subsets(len(names))
    cells = values.mean(0)
    residuals = values - cells
    variances, noise = _estimate(cells[None], residuals[None], subsets, shared)
    labels, rows = _rows(names, subsets)
    index = _indices(rows, variances, noise)[:, 0]
    low = high = np.full(len(index), np.nan)
    drawn = 0
    if seeds > 1:
        drawn = resamples or max(100, min(1000, 200_000_000 // values.size))
        world = _shrunk(cells, variances[:, 0], subsets)
        noisy = residuals * math.sqrt(seeds / (seeds - 1))
        rng = np.random.default_rng(_SEED)
        others = [
            _indices(rows, *_estimate(*_redraw(world, noisy, size, shared, rng), subsets, shared))
            for size in _batches(drawn, values.size)
        ]
        tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
        low, high = np.quantile(np.concatenate(others, axis=1), tails, axis=1)
    else:
        index[-1] = np.nan
    frame = pd.DataFrame(labels, columns=["kind", "parameter", "other"])
    numerators = [*(rows @ variances[:, 0]), noise[0] if seeds > 1 else np.nan]
    frame = frame.assign(index=index, low=low, high=high, variance=numerators)
    total = float(variances.sum() + noise[0])
    frame.attrs = {"lanes": values.size, "seeds": seeds, "variance": total, "resamples": drawn}
    return frame


def _shares_random_numbers(ds: xr.Dataset) -> bool:
    return bool(tomllib.loads(ds.attrs.get("spec", "")).get("common_random_numbers"))


def _subsets(count: int) -> list[Subset]:
    """Every set of axes but the empty one, smaller ones first."""
    sizes = range(1, count + 1)
    return [u for size in sizes for u in itertools.combinations(range(count), size)]


def _effects(cells: np.ndarray, count: int) -> dict[Subset, np.ndarray]:
    """The parts f_u of arrays over the grid (its `count` axes last), of size 1 along other axes."""
    parts: dict[Subset, np.ndarray] = {(): cells}
    for axis in range(count):
        split = {}
        for u, part in parts.items():
            split[u] = part.mean(axis - count, keepdims=True)
            split[(*u, axis)] = part - split[u]
        parts = split
    return parts


def _powers(cells: np.ndarray, subsets: list[Subset]) -> np.ndarray:
    """The mean squares over the grid of every part of arrays (..., grid): (subsets, ...)."""
    count = len(subsets[-1])
    grid = tuple(range(-count, 0))
    parts = _effects(cells, count)
    return np.stack([np.square(parts[u]).mean(grid) for u in subsets])


def _estimate(
    cells: np.ndarray, residuals: np.ndarray, subsets: list[Subset], shared: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The unbiased D_u (subsets, batch) and sigma^2 (batch,).

    Args:
      cells: means over seeds (batch, grid).
      residuals: deviations from them (batch, seed, grid).
      subsets: the sets of axes.
      shared: whether lanes of one seed share their random numbers.
    """
    seeds, grid = residuals.shape[1], cells.shape[1:]
    found = _powers(cells, subsets)
    if seeds == 1:
        return found, np.zeros(len(cells))
    noise = np.square(residuals).reshape(len(cells), -1).sum(1) / ((seeds - 1) * math.prod(grid))
    if shared:
        return found - _powers(residuals, subsets).sum(-1) / (seeds * (seeds - 1)), noise
    freedom = np.array([math.prod(grid[i] - 1 for i in u) for u in subsets])
    return found - np.outer(freedom / math.prod(grid), noise / seeds), noise


def _rows(names: list[str], subsets: list[Subset]) -> tuple[list[tuple[str, str, str]], np.ndarray]:
    """What each index is of, and which D_u it sums (rows but the last, which is noise's)."""
    places = range(len(names))
    pairs = list(itertools.combinations(places, 2))
    sums = [[u == (i,) for u in subsets] for i in places]
    sums += [[i in u for u in subsets] for i in places]
    sums += [[u == pair for u in subsets] for pair in pairs]
    labels = [("first", name, "") for name in names] + [("total", name, "") for name in names]
    labels += [("second", names[i], names[j]) for i, j in pairs]
    return [*labels, ("noise", "seed", "")], np.array(sums, float)


def _indices(rows: np.ndarray, variances: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The clipped indices (rows and noise, batch); 0 where nothing varies."""
    count = len(variances).bit_length()  # 2^n - 1 sets of n axes
    total = variances.sum(0) + noise
    summed = np.maximum(np.concatenate([rows @ variances, noise[None]]), 0.0)
    summed[count : 2 * count] = np.maximum(summed[count : 2 * count], summed[:count])
    return summed / np.where(total > 1e-20, total, np.inf)  # below: rounding of equal numbers


def _shrunk(cells: np.ndarray, variances: np.ndarray, subsets: list[Subset]) -> np.ndarray:
    """The means over seeds (grid) with every part scaled to its unbiased variance."""
    parts = _effects(cells, cells.ndim)
    world = np.zeros_like(cells)
    for u, wanted in zip(subsets, variances, strict=True):
        has = float(np.square(parts[u]).mean())
        world += parts[u] * math.sqrt(max(float(wanted), 0.0) / has if has > 0 else 0.0)
    return world


def _redraw(
    world: np.ndarray, noisy: np.ndarray, size: int, shared: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Means (size, grid) and deviations (size, seed, grid) of sweeps with redrawn seeds."""
    seeds = len(noisy)
    if shared:
        drawn = noisy[rng.integers(seeds, size=(size, seeds))]
    else:
        which = rng.integers(seeds, size=(size, *noisy.shape))
        drawn = np.take_along_axis(noisy[None], which, axis=1)
    means = drawn.mean(1)
    return world + means, drawn - means[:, None]


def _batches(total: int, lanes: int) -> list[int]:
    size = max(1, _AT_ONCE // lanes)
    return [min(size, total - done) for done in range(0, total, size)]


def summary(ds: xr.Dataset, indices: pd.DataFrame) -> Group:
    """Tabulates Sobol indices, to print with `rich` in 80 columns.

    Args:
        ds: A sweep's result.
        indices: Of it, see `sobol_indices`.

    Returns:
        A row a parameter, largest total index first: first-order and total index (%) with their
        95 % intervals; then the largest second-order ones; in words the seeds' share.
    """
    first, total, pairs, noise = _parts(indices)
    table = Table(title=Text(f"{ds.attrs.get('name', 'sweep')}: share of the variance"))
    table.add_column("parameter")
    for name in ("first-order S (alone)", "total ST (with interactions)"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in total.index:
        table.add_row(Text(heading(ds, name)), _cell(first.loc[name]), _cell(total.loc[name]))
    tables: list[Any] = [table]
    if len(pairs):
        more = f" (largest {_MOST_PAIRS} of {len(pairs)})" if len(pairs) > _MOST_PAIRS else ""
        table = Table(title=Text(f"interactions of two{more}"))
        table.add_column("parameters")
        table.add_column("second-order Sij", justify="right", no_wrap=True)
        for row in pairs.head(_MOST_PAIRS).to_dict("records"):
            table.add_row(Text(f"{row['parameter']} × {row['other']}"), _cell(row))
        tables.append(table)
    seeds = indices.attrs["seeds"]
    lines = [
        f"seeds (noise): {_cell(noise)} of the variance of a lane; {seeds} seeds a cell",
        "(95 % intervals: bootstrap over seeds; indices corrected for seed noise)",
    ]
    if seeds == 1:
        lines = ["one seed: noise counts as interactions, no intervals; take seeds = 3 or more"]
    return Group(*tables, *(Text(line) for line in lines))


def _cell(row: Any) -> str:
    shown = f"{100 * row['index']:.1f} %"
    if np.isnan(row["low"]):
        return shown
    return f"{shown} ({100 * row['low']:.1f} – {100 * row['high']:.1f})"


def _parts(indices: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.Series]:
    """First-order and total indices by parameter, in one order; pairs, largest first; noise."""
    kinds = {str(kind): part for kind, part in indices.groupby("kind")}
    order = kinds["total"].sort_values("index", ascending=False, kind="stable")["parameter"]
    first, total = (kinds[kind].set_index("parameter").loc[order] for kind in ("first", "total"))
    pairs = kinds.get("second", indices.iloc[:0])
    pairs = pairs.sort_values("index", ascending=False, kind="stable")
    return first, total, pairs, kinds["noise"].iloc[0]


def sensitivity_figure(ds: xr.Dataset, indices: pd.DataFrame) -> Any:
    """Draws first-order and total indices as bars with their intervals, and pairs below.

    Args:
        ds: A sweep's result.
        indices: Of it, see `sobol_indices`.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure

    from memjax.sweep.show.panels import COLOURS, legend

    first, total, pairs, noise = _parts(indices)
    pairs = pairs.head(_MOST_PAIRS)
    several = not np.isnan(noise["low"])
    heights = [len(total) + 1.0] + ([0.6 * len(pairs) + 0.6] if len(pairs) else [])
    figure = Figure(figsize=(7.5, 1.9 + 0.55 * sum(heights)), layout="constrained")
    how = "95 % intervals over seeds" if several else "one seed: noise counts as interactions"
    name = ds.attrs.get("name", "sweep")
    figure.suptitle(f"{name}\nSobol indices of the final accuracy ({how})", fontsize=11)
    panels = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights).ravel()
    ax, places = panels[0], np.arange(len(total))
    _bars(ax, places - 0.2, first, COLOURS[0], "first-order S (alone)")
    _bars(ax, places + 0.2, total, COLOURS[1], "total ST (with interactions)")
    names = [heading(ds, str(name)) for name in total.index]
    if several:
        _bars(ax, np.array([len(total)]), noise.to_frame().T, "grey", "seeds (noise)")
        names.append("seeds")
    ax.set_yticks(np.arange(len(names)), names)
    if len(pairs):
        texts = [f"{row['parameter']} × {row['other']}" for row in pairs.to_dict("records")]
        _bars(panels[1], np.arange(len(pairs)), pairs, COLOURS[2], "second-order Sij (pair)")
        panels[1].set_yticks(np.arange(len(pairs)), texts)
        panels[1].set_title("second-order Sij: interactions of two, beyond each alone", fontsize=10)
    for panel in panels:
        panel.invert_yaxis()
        panel.set_xlim(left=0)
        panel.grid(axis="x", alpha=0.3)
        panel.set_axisbelow(True)
        panel.set_xlabel("share of the variance (%)")
    legend(figure, ax, "outside lower center", ncols=3)
    return figure


def _bars(ax: Any, places: np.ndarray, rows: pd.DataFrame, colour: str, name: str) -> None:
    """Draws a row of bars (%), each with its interval and value."""
    index, low, high = (100 * rows[c].to_numpy(float) for c in ("index", "low", "high"))
    ax.barh(places, index, height=0.38, color=colour, label=name)
    ends = np.fmax(index, high)
    if not np.isnan(low).all():
        errors = np.maximum([index - low, high - index], 0.0)
        ax.errorbar(index, places, xerr=errors, fmt="none", ecolor="black", capsize=2, lw=1)
    for place, end, value in zip(places, ends, index, strict=True):
        where = {"xytext": (4, 0), "textcoords": "offset points", "va": "center", "fontsize": 8}
        ax.annotate(f"{value:.1f}", (end, place), **where)
    ax.set_xlim(right=max(1.12 * ends.max(), ax.get_xlim()[1], 0.1))
