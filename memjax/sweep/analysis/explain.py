"""How well a lane does, in words, and what stands in its way."""

import math
import re
from typing import Any

import numpy as np
import xarray as xr

from memjax.errors import UserError, suggest
from memjax.sweep.analysis.diagnoses import are_told, obstacles
from memjax.sweep.analysis.objective import Objective
from memjax.sweep.analysis.results import (
    baseline,
    baseline_name,
    objective,
    stage,
    strings,
)

FEW = 0.05
"""A lane that loses less than this part of the objective's range has nothing to explain."""

_DIGITS = 19  # that the number of a lane never has


def find(results: xr.Dataset, lane: str | None = None) -> dict[str, Any]:
    """The coordinates of a lane.

    Args:
      results: of a sweep.
      lane: its number, row by row and seeds last; or ``"levels=8,seed=0"``; without one, the worst,
        those that failed first.

    Raises:
      UserError: there is no such lane.
    """
    status = results["status"]
    if lane is None:
        about = objective(results)
        last = about.gain(results[about.column].isel({stage(results).dim: -1}).astype(float))
        return {str(k): int(v) for k, v in last.fillna(-np.inf).argmin(status.dims).items()}  # type: ignore[union-attr]
    if re.fullmatch("-?[0-9]+", lane):
        number = int(lane) if len(lane) < _DIGITS else -1
        if not 0 <= number < status.size:
            shown = lane if len(lane) < _DIGITS else f"{lane[:_DIGITS]}..."
            raise UserError(f"lane {shown}: there are {status.size} lanes, 0 to {status.size - 1}")
        place = np.unravel_index(number, status.shape)
        return dict(zip(map(str, status.dims), map(int, place), strict=True))
    given = dict(pair.partition("=")[::2] for pair in lane.split(","))
    named = {}
    for name, text in given.items():
        name = name.strip()
        if name not in status.dims:
            raise UserError(
                f"lane {lane}: {name!r} is no axis; {suggest(name, [str(d) for d in status.dims])}"
            )
        values = results[name].values
        there = [k for k, value in enumerate(values) if _same(value, text.strip())]
        if not there:
            known = ", ".join(str(value) for value in values)
            raise UserError(f"lane {lane}: {name} = {text!r} is not on the axis; there are {known}")
        named[name] = there[0]
    for dim, size in status.sizes.items():
        if dim not in named and size > 1 and dim != "seed":
            raise UserError(f"lane {lane}: say {dim} too, or give the lane's number")
    return {str(dim): named.get(str(dim), 0) for dim in status.dims}


def explain(results: xr.Dataset, lane: str | None = None) -> list[str]:
    """What can be said of a lane, the most important first.

    Args:
      results: of a sweep, best with ``[evaluate] diagnostics = true``.
      lane: as of ``find``.

    Returns:
      Sentences: which lane, how well it does, and what stands in its way.

    Raises:
      UserError: there is no such lane.
    """
    place = find(results, lane)
    about, along = objective(results), stage(results)
    told = results[about.column].isel(place).astype(float)
    status = int(results["status"].isel(place))
    said = [_which(results, place)]
    if status == 2:
        return [*said, f"It could not be run: {'; '.join(_errors(results))}."]
    reached = float(told.isel({along.dim: -1}))
    at_guess = bool(about.is_at_guess(reached, _reference(results)))
    said.append(_how_well(results, about, reached, at_guess))
    if status:
        stages = int(np.isfinite(told.values).sum())
        when = along.text(results[along.dim].values[min(stages, told.size - 1)])
        remedy = "; lower train.learning_rate" if along.is_training else ""
        return [*said, f"It went non-finite in {when}{remedy}."]
    if not are_told(results):
        hint = "; run with --set evaluate.diagnostics=true" if along.is_training else ""
        return [*said, f"Nothing else was counted{hint}."]
    if _part_lost(about, reached, _reference(results)) < FEW:
        return [*said, "It loses so little that nothing stands in its way."]
    found = obstacles(results, place)
    if at_guess:
        found += [f"Of the sweep: {note}." for note in strings(results.attrs.get("notes"))]
    return [*said, *(found or ["Nothing that was counted stands in its way."])]


def _same(value: Any, text: str) -> bool:
    try:
        return bool(np.isclose(float(value), float(text), rtol=1e-6))
    except ValueError:
        return str(value) == text


def _errors(results: xr.Dataset) -> list[str]:
    return strings(results.attrs.get("errors")) or ["no error was kept"]


def _which(results: xr.Dataset, place: dict[str, int]) -> str:
    number = np.ravel_multi_index(tuple(place.values()), results["status"].shape)
    told = [f"{name} = {_found_again(results[name].values[at])}" for name, at in place.items()]
    return f"Lane {number}: {', '.join(told)}."


def _found_again(value: Any) -> str:
    """A coordinate in as many digits as ``_same`` compares."""
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _reference(results: xr.Dataset) -> float | None:
    reference = baseline(results)
    return None if reference is None else float(reference.mean())


def _how_well(results: xr.Dataset, about: Objective, reached: float, at_guess: bool) -> str:
    is_training = stage(results).is_training
    verdict = "It learns" if is_training else f"It does better than the {about.guess_name}"
    if at_guess:
        verdict = f"It is at {about.guess_name}"
        if not is_training:
            verdict = f"It does no better than the {about.guess_name}"
    facts = [about.text(reached), f"{about.guess_name} {about.text(about.guess, form='.3g')}"]
    reference = _reference(results)
    if reference is not None:
        facts.append(f"{baseline_name(results)} {about.text(reference)}")
    lower = " (lower is better)" if about.better == "lower" else ""
    return f"{verdict}: {', '.join(facts)}{lower}."


def _part_lost(about: Objective, reached: float, reference: float | None) -> float:
    """What the reference has more, in parts of the objective's range; NaN without a reference."""
    if reference is None:
        return math.nan
    low, high = about.bounds or (0.0, about.gainable(reference))
    return about.gain(reference - reached) / (high - low) if high > low else math.nan
