r"""The weakest device that still reaches a target accuracy, from a fraction of a sweep's lanes.

Along one axis of the grid (say ``sigma_c2c``) and for every combination of the other axes, where
does the accuracy cross the target? Only lanes near that level set tell, so a model picks them.

With a the accuracy of a lane and x its cell's coordinates, each in [0, 1] (by logarithm where all
values are positive and spread over a decade, by rank otherwise, names one-hot),

    z = log(a / (1 - a)) = f(x) + e,    f ~ GP(mean, s^2 Matern_3/2(x, x')),    e ~ N(0, noise)

e is what seeds do: z has about the same spread at 95 % as at 20 %, which accuracies have not. The
next lanes are those of highest

    straddle(x) = 3 sd(x) - |mean(x) - logit(target)|

where the model is unsure and close to the target (Bryan et al. use 1.96; 3 measured better here).
A batch is picked lane by lane; each takes its mean as told (kriging believer), so that sd shrinks
around it and mean stays. A cell's first seed comes first, another only where sd is still large.

Why not Optuna, Hyperoptax, Ax or BoTorch: they look for an optimum, not for a level set, and the
last two need torch. Why not bisection in every combination: it believes every noisy lane, asks one
lane at a time, and learns nothing from a combination about its neighbour.

References:
    B. Bryan et al., Active learning for identifying function threshold boundaries, NIPS 18 (2005);
    A. Gotovos et al., Active learning for level set estimation, IJCAI (2013); D. Ginsbourger et
    al., Kriging is well-suited to parallelize optimization (2010), the kriging believer.
"""

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr
from scipy.linalg import solve_triangular
from scipy.special import expit, logit
from scipy.stats import qmc
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from threadpoolctl import threadpool_limits

from memjax.data import Dataset
from memjax.errors import UserError
from memjax.sweep import lanes as lane_table
from memjax.sweep import store
from memjax.sweep.axes import Axis
from memjax.sweep.effects import text
from memjax.sweep.engine import TRAINED, Trainer, use_all_cores
from memjax.sweep.progress import Progress, Tally
from memjax.sweep.run import load_named
from memjax.sweep.sections import suggest
from memjax.sweep.spec import Spec

Evaluate = Callable[[np.ndarray], np.ndarray]
"""``evaluate(lane numbers) -> final test accuracies``."""

RESULTS = "search.zarr"
PICTURE = "search.png"

BUDGET = (32, 1_000)  # lanes of a default one
MOST_LANES = 2_000  # the model's cost grows with their cube
MOST_CELLS = 50_000  # of the grid: the model predicts each one
SURE = 0.95  # of every combination's answer, and a search ends at half its budget or later
_ROUNDS = 8  # batches in a budget, the first two of them spread over the grid
_KAPPA = 3.0  # straddle's standard deviations
_DRAWS = 1000  # of a combination's accuracies along the axis
_NOISE = 0.01  # the least that seeds do to log-odds, of their variance: few lanes may show none
_EDGE = 0.005  # accuracies closer to 0 or 1 count as this close


def search(
    spec: Spec,
    target: float,
    along: str | None = None,
    *,
    lanes: int | None = None,
    out: str | Path | None = None,
    dataset: Dataset | None = None,
    evaluate: Evaluate | None = None,
    batch: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Finds the weakest value on one axis that reaches a target, for all combinations of the rest.

    Every answer is about the grid: what the mean accuracy over the sweep's seeds would say if all
    its lanes were trained. Lanes that were trained are the sweep's own, to the last bit. Which end
    of the axis is weak is learned. Of two crossings the one nearer the weak end counts.

    Args:
      spec: the sweep.
      target: final test accuracy, a fraction.
      along: the axis; without one the axis of noise (``sigma_...``), if there is one only.
      lanes: the most to train; without it a tenth of the sweep's, between 32 and 1,000.
      out: a directory for ``search.zarr`` and ``search.png``; without one nothing is written.
      dataset: data in place of what the specification names.
      evaluate: trains lanes in place of this process: final accuracies of lane numbers.
      batch: lanes asked for at once, for ``evaluate``; without it an eighth of ``lanes``.
      progress: ``progress(lanes done, lanes in all)``.

    Returns:
      A dimension for each other axis. Values on the axis: ``weakest``, the grid's weakest that
      reaches the target (NaN: none does); ``crossing``, interpolated between it and the next;
      ``low`` and ``high``, the 90 % interval of that (NaN: none need reach it). Probabilities:
      ``probability`` that the grid says ``weakest`` too, ``within_one`` that it does give or take a
      step; ``passes`` that this value reaches the target, ``next_fails`` that the next weaker does
      not (1 at the axis's end); ``never`` and ``always`` that none and that the weakest reaches it.
      ``trained``: lanes of a combination. With the axis, too: ``accuracy``, the model's. Over
      ``lane``, the numbers of those trained: ``lane_accuracy``.

    Raises:
      UserError: a target that no lane reaches, an axis that cannot be searched, too few lanes.
    """
    if not 0 < target < 1:
        raise UserError(f"--target {target:g}: an accuracy is between 0 and 1; give 0.9 for 90 %")
    grid = Grid(spec, choose_axis(spec, along))
    budget = _budget(grid, lanes)
    directory = None if out is None else _writable(Path(out))
    tally = Tally(progress, budget)
    chunk = batch = batch or max(1, round(budget / _ROUNDS))
    if evaluate is None:
        evaluate, chunk = _training(spec, dataset, budget, tally)
        batch = chunk * max(1, round(batch / chunk))
    model = LevelSet(grid, target)
    asked = grid.spread(min(budget, max(2 * batch, _least(grid))))
    with threadpool_limits(1, "blas"):  # small matrices; and the sums do not depend on the cores
        while len(asked):
            model.tell(asked, np.asarray(evaluate(asked), float))
            answers = model.answers()
            if answers["probability"].min() >= SURE and 2 * len(model.lanes) >= budget:
                break
            asked = model.ask(min(batch, budget - len(model.lanes)), chunk)
    results = _label(grid, model, answers, target)
    best = int(model.accuracies.argmax())
    if not np.isfinite(results["weakest"]).any() and model.accuracies[best] < target:
        values = lane_table.parameter_values(spec, model.lanes[[best]])
        where = ", ".join(f"{name} {text(column[0])}" for name, column in values.items())
        raise UserError(
            f"--target {target:g}: none of {len(model.lanes)} lanes reaches it, and the model "
            f"expects none to; the best has {model.accuracies[best]:.3f} at {where}; lower it"
        )
    if directory is not None:
        from memjax.sweep.search_plot import figure  # matplotlib, for those who want pictures

        try:
            store.write(results, directory / RESULTS)
            figure(results).savefig(directory / PICTURE, dpi=150)
        except OSError as error:
            raise UserError(
                f"{directory}: cannot be written: {error.strerror or error}; make room there"
            ) from None
    return results


def choose_axis(spec: Spec, along: str | None) -> str:
    """The axis to go along: the one named, or the only axis of noise."""
    able = [axis.name for axis in spec.axes if _is_numeric(axis) and axis.size > 1]
    if not able:
        raise UserError(
            f"{spec.name}: has no axis to go along: none of one number that varies; add one, such "
            "as sigma_c2c = [0, 1, 2]"
        )
    if along is None:
        noises = [name for name in able if name.startswith("sigma_")]
        if len(noises) == 1:
            return noises[0]
        raise UserError(
            f"{spec.name}: {'several axes' if noises else 'no axis'} of noise (sigma_...); choose "
            f"one with --along: {', '.join(noises or able)}"
        )
    if along not in able:
        axis = next((axis for axis in spec.axes if axis.name == along), None)
        if axis is None:
            what = f"no such axis; {suggest(along, able)}"
        elif axis.size == 1:
            what = f"has one value only; give it more, or choose of {', '.join(able)}"
        else:
            several = axis.zipped and axis.names is None
            kind = "several parameters that move together" if several else "names"
            what = f"is an axis of {kind}, of no order; choose of {', '.join(able)}"
        raise UserError(f"--along {along}: {what}")
    return along


def _budget(grid: "Grid", lanes: int | None) -> int:
    total = lane_table.count(grid.spec)
    if len(grid.x) > MOST_CELLS:
        raise UserError(
            f"{grid.spec.name}: {len(grid.x)} combinations are too many for the model; at most "
            f"{MOST_CELLS}: leave out some values"
        )
    if lanes is None:
        return min(total, int(np.clip(total // 10, *BUDGET)))
    if lanes < min(total, _least(grid)):
        raise UserError(f"--lanes {lanes}: too few to learn from; give at least {_least(grid)}")
    if lanes > MOST_LANES:
        raise UserError(f"--lanes {lanes}: too many for the model; give at most {MOST_LANES}")
    return min(total, lanes)


def _least(grid: "Grid") -> int:
    """Lanes that a first fit needs: two for each of the model's parameters."""
    return 2 * (grid.x.shape[1] + 2)


def _writable(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        trial = directory / f".{RESULTS}.partial"
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise UserError(
            f"{directory}: cannot be written: {error.strerror or error}; give another --out"
        ) from None
    return directory


def _training(
    spec: Spec, dataset: Dataset | None, budget: int, tally: Tally
) -> tuple[Evaluate, int]:
    """What trains lanes on this process's devices, and how many at once."""
    use_all_cores()
    dataset = (load_named(spec) if dataset is None else dataset).flat()
    if (size := spec.sections["train"]["batch_size"]) > len(dataset.x_train):
        raise UserError(
            f"{dataset.name}: {len(dataset.x_train)} training samples are less than one batch of "
            f"{size}; lower train.batch_size"
        )
    trainer = Trainer(spec, dataset)
    if spec.sections["engine"]["width"] is None:  # a chunk is not to be more than a batch
        share = max(1.0, budget / _ROUNDS / len(jax.local_devices()))
        trainer.width = min(trainer.width, 2 ** round(math.log2(share)))
    groups = lane_table.static_groups(spec)

    def evaluate(numbers: np.ndarray) -> np.ndarray:
        final = np.full(len(numbers), 1 / dataset.n_classes)
        for group in groups:
            here = np.flatnonzero(np.isin(numbers, group))
            if len(here):
                columns = trainer.lanes(numbers[here], tally.add)
                trained = columns["status"] == TRAINED  # others can only guess
                final[here[trained]] = columns["test_accuracy"][trained, -1]
        return final

    return evaluate, trainer.width * len(jax.local_devices())


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


def _is_numeric(axis: Axis) -> bool:
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
    if not _is_numeric(axis):
        return np.eye(axis.size) / math.sqrt(2)  # any two are 1 apart
    values = np.asarray(axis.columns[axis.name], float)
    places = np.log(values) if _is_logarithmic(values) else np.argsort(np.argsort(values))
    return ((places - places.min()) / np.ptp(places))[:, None]


class LevelSet:
    """A Gaussian process over a grid's cells that asks for lanes near the target.

    Attributes:
      lanes: told so far, and their ``accuracies``.
      mean: of the log-odds of the accuracy in every cell, and their ``variance`` without seeds'.
    """

    def __init__(self, grid: Grid, target: float):
        """Knows nothing yet."""
        self.grid = grid
        self.goal = float(logit(target))
        self.edge = min(_EDGE, target / 4, (1 - target) / 4)
        self.lanes, self.accuracies = np.empty(0, int), np.empty(0)
        columns = grid.x.shape[1]
        self._kernel = ConstantKernel(1.0, (0.05, 50)) * Matern([1.0] * columns, (0.2, 10), nu=1.5)
        self._kernel += WhiteKernel(0.05, (_NOISE, 1))

    def tell(self, lanes: np.ndarray, accuracies: np.ndarray) -> None:
        """Learns the accuracies of lanes."""
        starts = 0 if len(self.lanes) else 2  # later fits begin where the one before ended
        self.lanes = np.concatenate([self.lanes, lanes])
        self.accuracies = np.concatenate([self.accuracies, accuracies])
        x, z = self.grid.x[self.lanes // self.grid.spec.seeds], self._log_odds(self.accuracies)
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
        """Whether accuracy falls along the axis, on average over combinations."""
        steps = np.arange(len(self.grid.values))
        return bool((self.mean[self.grid.lines] @ (steps - steps.mean())).sum() <= 0)

    def answers(self) -> dict[str, np.ndarray]:
        """For every combination, the places of ``search``'s values along the axis, and the rest.

        Log-odds along the axis are drawn from the posterior as the grid would have them: seeds that
        are known as they are, the others with noise. A place counts from the strong end: p in
        [i, i + 1) where i is the weakest value that passes, -1 if none does.
        """
        lines = self.grid.lines if self.larger_is_weaker() else self.grid.lines[:, ::-1]
        normal = np.random.default_rng(0).standard_normal((lines.shape[1], _DRAWS))
        seeds, used = self.grid.spec.seeds, self.used()
        sums = np.bincount(self.lanes // seeds, self.accuracies, len(used))
        known = self._log_odds(sums / np.maximum(used, 1))
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

    def _log_odds(self, accuracies: np.ndarray) -> np.ndarray:
        return logit(np.clip(accuracies, self.edge, 1 - self.edge))

    def _prior(self, some: Any, others: Any) -> np.ndarray:
        return self._scale**2 * self._kernel.k1(self.grid.x[some], self.grid.x[others])


def _along(margin: np.ndarray) -> dict[str, float]:
    """One combination's answer; ``[draws, values]`` above the target, from the strong end on."""
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


def _label(
    grid: Grid, model: LevelSet, answers: dict[str, np.ndarray], target: float
) -> xr.Dataset:
    """The answers by name."""
    larger = model.larger_is_weaker()
    dims = [axis.name for axis in grid.others]
    shape = [axis.size for axis in grid.others]

    def value(places: np.ndarray) -> np.ndarray:
        return grid.value(places if larger else len(grid.values) - 1 - places)

    for name in ("weakest", "crossing", "strong", "weak"):
        answers[name] = np.where(answers[name] < 0, np.nan, value(answers[name]))
    ends = answers.pop("strong"), answers.pop("weak")
    answers["low"], answers["high"] = ends if larger else ends[::-1]
    used = model.used()[grid.lines]
    answers["trained"] = used.sum(1)
    coords: dict[str, Any] = {axis.name: np.asarray(axis.labels()) for axis in grid.others}
    for axis in grid.others:
        if axis.zipped and axis.names is None:
            coords |= {p: (axis.name, np.asarray(v)) for p, v in axis.columns.items()}
    along = grid.axis.name
    variables: dict[str, Any] = {n: (dims, a.reshape(shape)) for n, a in answers.items()}
    accuracy = expit(model.mean[grid.lines]).reshape(*shape, -1)
    variables["accuracy"] = ([*dims, along], accuracy)
    variables["lane_accuracy"] = ("lane", model.accuracies)
    return xr.Dataset(
        variables,
        coords | {along: grid.values, "lane": model.lanes},
        {
            "name": grid.spec.name,
            "target": target,
            "along": along,
            "weaker": "larger" if larger else "smaller",
            "lanes": len(model.lanes),
            "lanes_of_grid": lane_table.count(grid.spec),
            "spec": grid.spec.to_toml(),
        },
    )
