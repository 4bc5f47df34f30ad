r"""A model of the objective over a sweep's grid that asks for lanes near a target.

With y the objective of a lane, z its gain (`Gain`), and x its cell's coordinates, each in [0, 1]
(by logarithm where all values are positive and spread over a decade, by rank otherwise, names
one-hot),

    z = f(x) + e,    f ~ GP(mean, s^2 Matern_3/2(x, x')),    e ~ N(0, noise)

e is what seeds do. Within bounds lo and hi z is the log-odds of p = (y - lo) / (hi - lo), whose
spread is about the same at p = 0.95 as at 0.2, which that of p is not; without bounds z = y. Where
lower is better z is the negative of that. The next lanes are those of highest

    straddle(x) = 3 sd(x) - |mean(x) - z of the target|

where the model is unsure and close to the target (Bryan et al. use 1.96; 3 measured better here).
A batch is picked lane by lane; each takes its mean as told (kriging believer), so that sd shrinks
around it and mean stays. A cell's first seed comes first, another only where sd is still large.

References:
    B. Bryan et al., Active learning for identifying function threshold boundaries, NIPS 18 (2005);
    A. Gotovos et al., Active learning for level set estimation, IJCAI (2013); D. Ginsbourger et
    al., Kriging is well-suited to parallelize optimization (2010), the kriging believer.
"""

import math
import warnings
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import expit, logit
from scipy.stats import qmc
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from memjax.sweep.analysis.objective import Objective
from memjax.sweep.spec import grid as lane_table
from memjax.sweep.spec.axes import Axis
from memjax.sweep.spec.spec import Spec

_KAPPA = 3.0  # straddle's standard deviations
_DRAWS = 1000  # of a combination's gains along the axis
_NOISE = 0.01  # the least that seeds do to gains, of their variance: few lanes may show none
_EDGE = 0.005  # parts of the way between bounds that are closer to an end count as this close


class Grid:
    """The cells of a sweep (its lanes less the seeds), as the model sees them.

    Attributes:
      x: coordinates, ``[cells, columns]``, each within 0 and 1.
      group: of each cell, the number of the compilation that it belongs to.
      lines: cells along the axis by ascending value, ``[combinations, values]``.
      values: on the axis, ascending.
    """

    def __init__(self, spec: Spec, along: str):
        """Lays the cells out."""
        self.spec = spec
        names = [axis.name for axis in spec.axes]
        self.axis = spec.axes[names.index(along)]
        self.others = [axis for axis in spec.axes if axis.name != along]
        self.sizes = [axis.size for axis in spec.axes]
        places = np.indices(self.sizes).reshape(len(names), -1)
        self.x = np.concatenate(
            [_coordinates(a)[p] for a, p in zip(spec.axes, places, strict=True)], 1
        )
        self.group = np.zeros(len(self.x), int)
        for number, group in enumerate(lane_table.static_groups(spec)):
            self.group[group // spec.seeds] = number
        values = np.asarray(self.axis.columns[along], float)
        cells = np.moveaxis(np.arange(len(self.x)).reshape(self.sizes), names.index(along), -1)
        self.lines = cells.reshape(-1, len(values))[:, np.argsort(values)]
        self.values = np.sort(values)

    def lane(self, cell: int, used: int) -> int:
        """The next lane of a cell of which so many are used; neighbours begin at other seeds."""
        return cell * self.spec.seeds + (cell + used) % self.spec.seeds

    def spread(self, count: int) -> np.ndarray:
        """Lanes spread evenly over the grid (scrambled Sobol points): where a search begins."""
        sobol = qmc.Sobol(len(self.sizes), rng=np.random.default_rng(self.spec.root_seed))
        points = sobol.random_base2(math.ceil(math.log2(8 * count)))
        places = np.minimum((points * self.sizes).astype(int), np.array(self.sizes) - 1)
        cells = np.ravel_multi_index(tuple(places.T), self.sizes)
        cells = list(dict.fromkeys([*cells.tolist(), *range(len(self.x))]))
        lanes = (self.lane(cell, used) for used in range(self.spec.seeds) for cell in cells)
        return np.array([lane for lane, _ in zip(lanes, range(count), strict=False)])

    def value(self, place: np.ndarray) -> np.ndarray:
        """The value at a place along the axis, 0 the smallest's, between two of them too."""
        steps = np.arange(len(self.values))
        if _is_logarithmic(self.values):
            return np.exp(np.interp(place, steps, np.log(self.values)))
        return np.interp(place, steps, self.values)


def is_numeric(axis: Axis) -> bool:
    """Whether an axis is one number that varies."""
    values = axis.columns.get(axis.name, [""])
    return not axis.zipped and axis.names is None and all(type(v) in (int, float) for v in values)


def _is_logarithmic(values: np.ndarray) -> bool:
    """Whether values are all positive and spread over a decade."""
    return bool(values.min() > 0 and values.max() >= 10 * values.min())


def _coordinates(axis: Axis) -> np.ndarray:
    """Where an axis's points lie for the model, ``[points, columns]``; none if it has one only."""
    if axis.size == 1:
        return np.empty((1, 0))
    if not is_numeric(axis):
        return np.eye(axis.size) / math.sqrt(2)  # any two are 1 apart
    values = np.asarray(axis.columns[axis.name], float)
    places = np.log(values) if _is_logarithmic(values) else np.argsort(np.argsort(values))
    return ((places - places.min()) / np.ptp(places))[:, None]


class Gain:
    """The scale on which an objective is modelled: unbounded, and more is better."""

    def __init__(self, objective: Objective, target: float):
        """Of an objective, which a target in its units is to be told apart on."""
        self.sign = float(objective.gain(1.0))
        self.bounds = objective.bounds
        if self.bounds is not None:
            part = self._part(target)
            self.edge = min(_EDGE, part / 4, (1 - part) / 4)
        self.goal = float(self.of(target))

    def of(self, values: Any) -> Any:
        """The gain of a value of the objective, or of an array of them."""
        if self.bounds is None:
            return self.sign * values
        return self.sign * logit(np.clip(self._part(values), self.edge, 1 - self.edge))

    def values(self, gains: np.ndarray) -> np.ndarray:
        """The values of the objective that have these gains."""
        if self.bounds is None:
            return self.sign * gains
        low, high = self.bounds
        return low + (high - low) * expit(self.sign * gains)

    def _part(self, values: Any) -> Any:
        low, high = self.bounds or (0.0, 1.0)
        return (values - low) / (high - low)


class LevelSet:
    """A Gaussian process over a grid's cells that asks for lanes near the target.

    Attributes:
      lanes: told so far, and their ``values`` of the objective.
      mean: of the gain in every cell, and its ``variance`` without seeds'.
      gain: the scale.
    """

    def __init__(self, grid: Grid, objective: Objective, target: float):
        """Knows nothing yet."""
        self.grid = grid
        self.gain = Gain(objective, target)
        self.goal = self.gain.goal
        self.lanes, self.values = np.empty(0, int), np.empty(0)
        columns = grid.x.shape[1]
        self._kernel = ConstantKernel(1.0, (0.05, 50)) * Matern([1.0] * columns, (0.2, 10), nu=1.5)
        self._kernel += WhiteKernel(0.05, (_NOISE, 1))

    def tell(self, lanes: np.ndarray, values: np.ndarray) -> None:
        """Learns the final objective of lanes."""
        starts = 0 if len(self.lanes) else 2  # later fits begin where the one before ended
        self.lanes = np.concatenate([self.lanes, lanes])
        self.values = np.concatenate([self.values, values])
        x, z = self.grid.x[self.lanes // self.grid.spec.seeds], self.gain.of(self.values)
        centre, self._scale = z.mean(), z.std() or 1.0
        process = GaussianProcessRegressor(
            self._kernel, n_restarts_optimizer=starts, random_state=0
        )
        with warnings.catch_warnings():  # a length at its bound: an axis without effect
            warnings.simplefilter("ignore", ConvergenceWarning)
            process.fit(x, (z - centre) / self._scale)
        self._kernel = process.kernel_
        self.noise = self._scale**2 * self._kernel.k2.noise_level
        across = self._kernel.k1(x, self.grid.x)
        self.mean = centre + self._scale * (process.alpha_.ravel() @ across)
        self._rows = self._scale * solve_triangular(process.L_, across, lower=True)
        prior = self._scale**2 * self._kernel.k1.diag(self.grid.x)
        self.variance = np.maximum(prior - (self._rows**2).sum(0), 1e-12)

    def ask(self, count: int, chunk: int) -> np.ndarray:
        """The next lanes to train; a chunk of them shares a compilation while it can."""
        variance, used, known = self.variance.copy(), self.used(), len(self._rows)
        rows = np.concatenate([self._rows, np.empty((count, len(variance)))])
        asked: list[int] = []
        cell = 0
        while len(asked) < count:
            free = used < self.grid.spec.seeds
            alike = free & (self.grid.group == self.grid.group[cell])
            if len(asked) % chunk and alike.any():
                free = alike
            straddle = _KAPPA * np.sqrt(variance) - np.abs(self.mean - self.goal)
            cell = int(np.where(free, straddle, -np.inf).argmax())
            asked.append(self.grid.lane(cell, int(used[cell])))
            used[cell] += 1
            told = rows[:known]
            shared = self._prior([cell], slice(None))[0] - told[:, cell] @ told
            rows[known] = shared / math.sqrt(variance[cell] + self.noise)
            variance = np.maximum(variance - rows[known] ** 2, 1e-12)
            known += 1
        return np.array(asked, int)

    def larger_is_weaker(self) -> bool:
        """Whether the gain falls along the axis, on average over combinations."""
        steps = np.arange(len(self.grid.values))
        return bool((self.mean[self.grid.lines] @ (steps - steps.mean())).sum() <= 0)

    def answers(self) -> dict[str, np.ndarray]:
        """For every combination, the places of ``search``'s values along the axis, and the rest.

        Gains along the axis are drawn from the posterior as the grid would have them: seeds that
        are known as they are, the others with noise. A place counts from the strong end: p in
        [i, i + 1) where i is the weakest value that passes, -1 if none does.
        """
        lines = self.grid.lines if self.larger_is_weaker() else self.grid.lines[:, ::-1]
        normal = np.random.default_rng(0).standard_normal((lines.shape[1], _DRAWS))
        seeds, used = self.grid.spec.seeds, self.used()
        sums = np.bincount(self.lanes // seeds, self.values, len(used))
        known = self.gain.of(sums / np.maximum(used, 1))
        found: dict[str, list[Any]] = {}
        for line in lines:
            left = 1 - used[line] / seeds
            mean = left * self.mean[line] + (1 - left) * known[line]
            spread = self._prior(line, line) - self._rows[:, line].T @ self._rows[:, line]
            spread = spread * np.outer(left, left) + np.diag(left * self.noise / seeds + 1e-9)
            margin = (mean[:, None] + np.linalg.cholesky(spread) @ normal - self.goal).T
            for name, value in _along(margin).items():
                found.setdefault(name, []).append(value)
        return {name: np.array(values) for name, values in found.items()}

    def used(self) -> np.ndarray:
        """How many lanes of each cell were told."""
        return np.bincount(self.lanes // self.grid.spec.seeds, minlength=len(self.grid.x))

    def _prior(self, some: Any, others: Any) -> np.ndarray:
        return self._scale**2 * self._kernel.k1(self.grid.x[some], self.grid.x[others])


def _along(margin: np.ndarray) -> dict[str, float]:
    """One combination's answer; gains over the target's, ``[draws, values]``, strong end first."""
    draws, values = margin.shape
    passed = margin >= 0
    weakest = np.where(passed.any(1), values - 1 - passed[:, ::-1].argmax(1), -1)
    rows = np.arange(draws)
    here, after = margin[rows, weakest], margin[rows, np.minimum(weakest + 1, values - 1)]
    inside = (weakest >= 0) & (weakest < values - 1)
    part = np.divide(here, here - after, out=np.zeros(draws), where=inside)
    low, middle, high = np.quantile(weakest + part, [0.05, 0.5, 0.95], method="nearest")
    answer = int(np.floor(middle))
    return {
        "weakest": float(answer),
        "crossing": middle,
        "strong": low,
        "weak": high,
        "probability": np.mean(weakest == answer),
        "within_one": np.mean(abs(weakest - answer) <= 1),
        "passes": passed[:, answer].mean() if answer >= 0 else np.nan,
        "next_fails": 1 - passed[:, answer + 1].mean() if answer < values - 1 else 1.0,
        "never": np.mean(weakest == -1),
        "always": np.mean(weakest == values - 1),
    }
