"""An experiment's reports are the columns that it names: said before any work."""

import math
from typing import Any

import jax
import numpy as np

from memjax.errors import UserError
from memjax.experiments.base import FINITE, Experiment
from memjax.pytree import as_arrays


def check_reports(experiment: Experiment, data: Any) -> dict[str, tuple[int, ...]]:
    """Traces a lane, without running it, and compares what it reports with what it names.

    Args:
      experiment: of one lane.
      data: what lanes share.

    Returns:
      The shape of every report.

    Raises:
      UserError: a report of another name or shape than ``columns`` says, or an objective that is no
        number a stage or whose guess is not finite.
    """
    name, stages = type(experiment).__name__, experiment.stages()
    columns, objective = experiment.columns(data), experiment.objective(data)
    if not stages.values:
        raise UserError(f"{name}: stages has no values; give it at least one")
    if objective.column not in columns or columns[objective.column].dims != (stages.dim,):
        raise UserError(
            f"{name}: the objective {objective.column!r} must be a column whose only dimension is "
            f"{stages.dim!r}; columns names {', '.join(columns) or 'none'}"
        )
    if not math.isfinite(objective.guess):
        raise UserError(
            f"{name}: the objective's guess is {objective.guess}; give a finite number, what a "
            "failed lane counts as"
        )
    found = _reports(experiment, data)
    sizes = {dim: len(where.values) for dim, where in experiment.coords(data).items()}
    for column, (dims, _, _) in columns.items():
        if column not in found:
            raise UserError(f"{name}: columns names {column!r}, which nothing reports")
        own = [dim for dim in dims if dim != stages.dim]
        if stages.dim in dims and dims[0] != stages.dim:
            raise UserError(f"{name}: {column}: the dimension {stages.dim!r} must be the first")
        if len(own) != len(found[column]):
            raise UserError(
                f"{name}: {column} is reported in shape {found[column]}, and its dimensions are "
                f"{dims}; a report leaves out {stages.dim!r}"
            )
        for dim, size in zip(own, found[column], strict=True):
            if sizes.get(dim, size) != size:
                raise UserError(
                    f"{name}: {column} has {size} along {dim!r}, for which coords has {sizes[dim]}"
                )
    for reported in found.keys() - columns.keys() - {FINITE}:
        raise UserError(f"{name}: reports {reported!r}, which columns does not name")
    return found


def _reports(experiment: Experiment, data: Any) -> dict[str, tuple[int, ...]]:
    """The shapes of all that a lane reports."""

    def lane(experiment: Experiment, words: Any, stage: Any, data: Any) -> Any:
        state = experiment.init(words, data)
        state, of_the_way = experiment.advance(state, words, stage, data)
        return of_the_way | experiment.evaluate(state, words, stage, data, last=True)

    words, stage = jax.ShapeDtypeStruct((2,), np.uint32), jax.ShapeDtypeStruct((), np.int32)
    found = jax.eval_shape(lane, as_arrays(experiment), words, stage, data)
    return {name: report.shape for name, report in found.items()}
