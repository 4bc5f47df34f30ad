"""Variance decomposition of a finished sweep: Sobol indices of the final objective, by ANOVA."""

import itertools
import math

import numpy as np
import pandas as pd
import xarray as xr

from memjax.errors import UserError
from memjax.sweep.analysis.results import axes, final, shares_random_numbers

LEVEL = 0.95
"""Of the intervals."""

_SEED = 20260101  # of the bootstrap's generator: the same result twice
_AT_ONCE = 2_000_000  # lanes redrawn at a time: 16 MB

_ROUNDING = 1e-20  # a variance that equal numbers may round to, in squares of the largest

Subset = tuple[int, ...]


def sobol_indices(ds: xr.Dataset, *, resamples: int | None = None) -> pd.DataFrame:
    r"""Shares out the variance of the final objective among axes and their interactions.

    With f(x) the expected final objective of a cell x of the grid, every cell equally likely, f
    splits in one way only into parts f_u, one for each set u of axes, whose averages over any axis
    of u are 0 (functional ANOVA; Sobol 1993). With D_u = E[f_u^2], the noise
    sigma^2 = E[Var(y | x)] of a lane's objective y over seeds, and Var(y) = sum_u D_u + sigma^2,

        first-order   S_i  = D_i / Var(y)                    axis i alone
        second-order  S_ij = D_ij / Var(y)                   beyond S_i and S_j
        total         ST_i = sum of D_u over all u with i in it / Var(y)
        noise              = sigma^2 / Var(y)                the seeds; in none of the others

    All S_u and noise sum to 1. ST_i = S_i where an axis does not interact; an axis of ST_i = 0 may
    be fixed anywhere. They describe this grid: a wider range of values gives an axis a larger
    share. A failed lane counts as a guess, see ``memjax.sweep.analysis.results.final``.

    A sweep holds the full grid, so the averages are sums over it and nothing is sampled: the
    estimators of Saltelli et al. (2010), which SALib has, are for functions that can only be called
    at drawn points. The tests use SALib, and its functions of known indices, as a check.

    The means over S seeds carry noise, which gives the D_u of M cells df_u sigma^2 / (M S) too much
    on average, df_u being the product of (size - 1) over u. From the mean squares of the ANOVA,

        D_u = df_u (MS_u - MS_error) / (M S),    sigma^2 = MS_error,

    which are unbiased, also where the noise differs from cell to cell. Where lanes share their
    random numbers (``common_random_numbers``), those of one seed are not independent, and
    MS_(u x seed) stands for MS_error in D_u. An index is clipped at 0, a total index at its
    first-order one; ``variance`` is not clipped. With one seed nothing is corrected: noise counts
    as interactions.

    The intervals (95 %) are percentiles of a bootstrap over seeds: each cell's deviations from its
    mean are redrawn with replacement (whole seeds, with common random numbers), times
    sqrt(S / (S - 1)), and added to means whose effects have the variances D_u above, by a NumPy
    generator of a fixed seed. They tell what other seeds would give, not what another grid would;
    with two seeds they are too narrow (docs/sensitivity.md).

    Args:
      ds: a sweep's result, see ``memjax.sweep.run.run``.
      resamples: of the bootstrap. Default: 1000, of more than 200,000 lanes fewer, at least 100.

    Returns:
      A row an index. Columns: ``kind`` (first, total, second, noise), ``parameter``, ``other`` (of
      a pair, else empty), ``index``, ``low`` and ``high`` (NaN with one seed), ``variance`` (the
      numerator, in squared units of the objective). Axes of one value have no rows. ``attrs`` holds
      ``lanes``, ``seeds``, ``variance`` (of y) and ``resamples``.

    Raises:
      UserError: no axis has two values, or a lane has no final value though its status is 0.

    Example:
      >>> y = xr.DataArray([[[0.5], [0.5]], [[0.9], [0.9]]], dims=("levels", "seed", "time_s"))
      >>> data = {"error": y, "status": y[..., 0] < 0}
      >>> said = {"objective": "error", "better": "lower", "guess": 1.0, "stage": "time_s"}
      >>> frame = sobol_indices(xr.Dataset(data, {"levels": [4, 32], "time_s": [1.0]}, said))
      >>> frame[["kind", "parameter", "index"]].round(3).values.tolist()
      [['first', 'levels', 1.0], ['total', 'levels', 1.0], ['noise', 'seed', 0.0]]

    References:
      I. M. Sobol, Sensitivity estimates for nonlinear mathematical models, Math. Modelling
      Comput. Experiment 1 (1993) 407-414, and Math. Comput. Simulation 55 (2001) 271-280;
      A. Saltelli et al., Comput. Phys. Commun. 181 (2010) 259-270 (total index); R. A. Fisher,
      Statistical Methods for Research Workers (1925), ch. VII, and D. C. Montgomery, Design and
      Analysis of Experiments, ch. 5 and 13 (mean squares and their expectations).
    """
    lanes = final(ds)
    lanes = lanes.isel({a: 0 for a in axes(ds) if ds.sizes[a] == 1}, drop=True)
    names = [str(dim) for dim in lanes.dims if dim != "seed"]
    if not names:
        raise UserError("no axis has two or more values: there is no variance to share out")
    values = lanes.transpose("seed", *names).values
    least = _ROUNDING * float(np.square(values).max())
    seeds, shared = len(values), shares_random_numbers(ds)
    subsets = _subsets(len(names))
    cells = values.mean(0)
    residuals = values - cells
    variances, noise = _estimate(cells[None], residuals[None], subsets, shared)
    labels, rows = _rows(names, subsets)
    index = _indices(rows, variances, noise, least)[:, 0]
    low = high = np.full(len(index), np.nan)
    drawn = 0
    if seeds > 1:
        drawn = resamples or max(100, min(1000, 200_000_000 // values.size))
        world = _shrunk(cells, variances[:, 0], subsets)
        noisy = residuals * math.sqrt(seeds / (seeds - 1))
        rng = np.random.default_rng(_SEED)
        redrawn = (
            _estimate(*_redraw(world, noisy, size, shared, rng), subsets, shared)
            for size in _batches(drawn, values.size)
        )
        others = [_indices(rows, *estimates, least) for estimates in redrawn]
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


def by_kind(
    indices: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.Series]:
    """First-order and total indices by parameter, in one order; pairs, largest first; noise.

    Args:
      indices: see ``sobol_indices``.

    Returns:
      First-order and total indices, largest total index first; second-order ones, largest first;
      the row of the noise.
    """
    kinds = {str(kind): part for kind, part in indices.groupby("kind")}
    order = kinds["total"].sort_values("index", ascending=False, kind="stable")["parameter"]
    first, total = (kinds[kind].set_index("parameter").loc[order] for kind in ("first", "total"))
    pairs = kinds.get("second", indices.iloc[:0])
    pairs = pairs.sort_values("index", ascending=False, kind="stable")
    return first, total, pairs, kinds["noise"].iloc[0]


def _subsets(count: int) -> list[Subset]:
    """Every set of axes but the empty one, smaller ones first."""
    sizes = range(1, count + 1)
    return [u for size in sizes for u in itertools.combinations(range(count), size)]


def _effects(cells: np.ndarray, count: int) -> dict[Subset, np.ndarray]:
    """The parts f_u of arrays over the grid (its axes last), of size 1 along other axes."""
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


def _indices(
    rows: np.ndarray, variances: np.ndarray, noise: np.ndarray, least: float
) -> np.ndarray:
    """The clipped indices (rows and noise, batch); 0 where the variance is less than the least."""
    count = len(variances).bit_length()  # 2^n - 1 sets of n axes
    total = variances.sum(0) + noise
    summed = np.maximum(np.concatenate([rows @ variances, noise[None]]), 0.0)
    summed[count : 2 * count] = np.maximum(summed[count : 2 * count], summed[:count])
    return summed / np.where(total > least, total, np.inf)


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
