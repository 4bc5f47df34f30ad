"""The weakest device that still reaches a target, from a fraction of a sweep's lanes.

Along one axis of the grid (say ``sigma_c2c``) and for every combination of the other axes, where
does the objective cross the target? Only lanes near that level set tell, so a model picks them
(``memjax.sweep.search.level_set``).

Why not Optuna, Hyperoptax, Ax or BoTorch: they look for an optimum, not for a level set, and the
last two need torch. Why not bisection in every combination: it believes every noisy lane, asks one
lane at a time, and learns nothing from a combination about its neighbour.
"""

import contextlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from memjax.errors import UserError, mend, suggest
from memjax.experiments import own_code
from memjax.sweep.analysis.objective import Objective, attributes
from memjax.sweep.analysis.results import FRACTION, text
from memjax.sweep.engine.progress import Progress, Tally
from memjax.sweep.run import job
from memjax.sweep.search.level_set import Grid, LevelSet, is_numeric
from memjax.sweep.search.memory import Evaluate, objective_of, trained_once
from memjax.sweep.spec import grid as lane_table
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store import directory as store
from memjax.sweep.store.label import axis_coords
from memjax.sweep.store.lock import exclusive

RESULTS = "search.zarr"

BUDGET = (32, 1_000)  # lanes of a default one
MOST_LANES = 2_000  # the model's cost grows with their cube
MOST_CELLS = 50_000  # of the grid: the model predicts each one
SURE = 0.95  # of every combination's answer, and a search ends at half its budget or later
_OWN = {
    *("weakest", "crossing", "low", "high", "probability", "within_one", "passes", "next_fails"),
    *("never", "always", "trained", "expected", "lane", "lane_value"),
}
_ROUNDS = 8  # batches in a budget, the first two of them spread over the grid


@own_code.pinned()
def search(
    spec: Spec,
    target: float,
    along: str | None = None,
    *,
    lanes: int | None = None,
    out: str | Path | None = None,
    dataset: Any = None,
    objective: Objective | None = None,
    evaluate: Evaluate | None = None,
    batch: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Finds the weakest value on one axis that reaches a target, for all combinations of the rest.

    Every answer is about the grid: what the mean objective over the sweep's seeds would say if all
    its lanes were trained. It reaches the target if it is at least that, or, where lower is better,
    at most that; a lane that failed counts as a guess. Lanes that were trained are the sweep's own,
    to rounding. Which end of the axis is weak is learned. Of two crossings the one nearer the weak
    end counts.

    Args:
      spec: the sweep.
      target: of the final objective, in its units; within its bounds.
      along: the axis; without one the axis of noise (``sigma_...``), if there is one only.
      lanes: the most to train; without it a tenth of the sweep's, between 32 and 1,000.
      out: a directory for ``search.zarr``; without one nothing is written. Lanes are kept there as
        they are trained: neither a search that goes on, nor one of another target, nor one after
        the whole sweep trains a lane again.
      dataset: data in place of what the specification names.
      objective: what ``evaluate`` tells; without one, a fraction of which more is better.
      evaluate: trains lanes in place of this process: the final objective of lane numbers.
      batch: lanes asked for at once, for ``evaluate``; without it an eighth of ``lanes``.
      progress: ``progress(lanes done, lanes in all)``.

    Returns:
      A dimension for each other axis. Values on the axis: ``weakest``, the grid's weakest that
      reaches the target (NaN: none does); ``crossing``, interpolated between it and the next;
      ``low`` and ``high``, the 90 % interval of that (NaN: none need reach it). Probabilities:
      ``probability`` that the grid says ``weakest`` too, ``within_one`` that it does give or take a
      step; ``passes`` that this value reaches the target, ``next_fails`` that the next weaker does
      not (1 at the axis's end); ``never`` and ``always`` that none and that the weakest reaches it.
      ``trained``: lanes of a combination. With the axis, too: ``expected``, the objective
      by the model. Over ``lane``, the numbers of those trained: ``lane_value``. Attributes describe
      the objective as results do, of which ``lane_value`` is the column.

    Raises:
      UserError: a target that no lane reaches, an axis that cannot be searched, too few lanes.
    """
    names = {name for axis in spec.axes for name in (axis.name, *axis.columns)}
    for name in sorted(names & _OWN):
        raise UserError(
            f"{spec.name}: a search has something named {name} itself; give the axis another name, "
            "or run the whole sweep"
        )
    grid = Grid(spec, choose_axis(spec, along))
    budget = _budget(grid, lanes)
    todo = None
    if evaluate is None:
        todo = job(spec, dataset)
        objective = objective_of(todo)
    objective = objective or FRACTION
    _check_target(objective, target)
    directory = None if out is None else Path(out)
    tally = Tally(progress, budget)
    with contextlib.ExitStack() as held:
        if directory is not None:
            held.enter_context(exclusive(directory))
        chunk = batch = batch or max(1, round(budget / _ROUNDS))
        if todo is not None:
            trained = trained_once(todo, budget / _ROUNDS, tally, directory)
            evaluate, chunk = held.enter_context(trained)
            batch = chunk * max(1, round(batch / chunk))
        assert evaluate is not None
        model = LevelSet(grid, objective, target)
        answers = _learn(model, _guessing(evaluate, objective), budget, batch, chunk)
        results = _label(grid, model, answers, objective, target)
        is_reached = objective.gain(model.values).max() >= objective.gain(target)
        if not np.isfinite(results["weakest"]).any() and not is_reached:
            raise UserError(_unreached(model, objective, target))
        if directory is not None:
            _write(results, directory)
    return results


def _check_target(objective: Objective, target: float) -> None:
    if objective.bounds is None:
        if not math.isfinite(target):
            raise UserError(f"--target {target:g}: must be a finite number")
        return
    low, high = objective.bounds
    if not low < target < high:
        form = "; give 0.9 for 90 %" if objective.as_percent else ""
        what = objective.label or "the objective"
        raise UserError(f"--target {target:g}: {what} is between {low:g} and {high:g}{form}")


def _guessing(evaluate: Evaluate, objective: Objective) -> Evaluate:
    """The same, with lanes that failed at the guess."""

    def evaluate_all(lanes: np.ndarray) -> np.ndarray:
        values = np.asarray(evaluate(lanes), float)
        return np.where(np.isfinite(values), values, objective.guess)

    return evaluate_all


def _learn(
    model: LevelSet, evaluate: Evaluate, budget: int, batch: int, chunk: int
) -> dict[str, np.ndarray]:
    """Asks for lanes until the model is sure, or the budget is spent; its last answers."""
    asked = model.grid.spread(min(budget, max(2 * batch, _least(model.grid))))
    with threadpool_limits(1, "blas"):  # small matrices; and the sums do not depend on the cores
        while len(asked):
            model.tell(asked, evaluate(asked))
            answers = model.answers()
            if answers["probability"].min() >= SURE and 2 * len(model.lanes) >= budget:
                break
            asked = model.ask(min(batch, budget - len(model.lanes)), chunk)
    return answers


def _unreached(model: LevelSet, objective: Objective, target: float) -> str:
    best = int(objective.gain(model.values).argmax())
    values = lane_table.parameter_values(model.grid.spec, model.lanes[[best]])
    where = ", ".join(f"{name} {text(column[0])}" for name, column in values.items())
    return (
        f"--target {target:g}: none of {len(model.lanes)} lanes reaches it, and the model "
        f"expects none to; the best has {model.values[best]:.4g} at {where}; "
        f"{'lower' if objective.better == 'higher' else 'raise'} it"
    )


def _write(results: xr.Dataset, directory: Path) -> None:
    try:
        store.write(results, directory / RESULTS)
    except OSError as error:
        raise UserError(
            f"{directory}: cannot be written: {error.strerror or error}; {mend(error)}"
        ) from None


def choose_axis(spec: Spec, along: str | None) -> str:
    """The axis to go along: the one named, or the only axis of noise."""
    able = [axis.name for axis in spec.axes if is_numeric(axis) and axis.size > 1]
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


def _budget(grid: Grid, lanes: int | None) -> int:
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


def _least(grid: Grid) -> int:
    """Lanes that a first fit needs: two for each of the model's parameters."""
    return 2 * (grid.x.shape[1] + 2)


def _label(
    grid: Grid,
    model: LevelSet,
    answers: dict[str, np.ndarray],
    objective: Objective,
    target: float,
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
    along = grid.axis.name
    coords = {n: coord for n, coord in axis_coords(grid.spec).items() if coord[0] in dims}
    coords[along] = (along, grid.values, axis_coords(grid.spec)[along][2])
    variables: dict[str, Any] = {n: (dims, a.reshape(shape)) for n, a in answers.items()}
    about = {"units": objective.units, "long_name": objective.label}
    expected = model.gain.values(model.mean[grid.lines]).reshape(*shape, -1)
    variables["expected"] = ([*dims, along], expected, about)
    variables["lane_value"] = ("lane", model.values, about)
    return xr.Dataset(
        variables,
        coords | {"lane": model.lanes},
        {
            "name": grid.spec.name,
            "target": target,
            "along": along,
            "weaker": "larger" if larger else "smaller",
            "lanes": len(model.lanes),
            "lanes_of_grid": lane_table.count(grid.spec),
            "spec": grid.spec.to_toml(),
        }
        | attributes(objective._replace(column="lane_value")),
    )
