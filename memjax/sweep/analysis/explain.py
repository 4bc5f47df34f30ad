"""How well a lane does, in words, and what stands in its way."""

import math
import re
from typing import Any

import numpy as np
import xarray as xr

from memjax.errors import UserError, suggest
from memjax.sweep.analysis.diagnoses import has_counts, obstacles
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
      lane: its number, row by row and seeds last; or ``"levels=8,seed=0"``, a number by as many
        digits as ``explain`` tells; without one, the worst, those that failed first.

    Raises:
      UserError: there is no such lane.

    Example:
      >>> ds = xr.Dataset({"status": (("width_s", "seed"), [[0, 0], [0, 0]])},
      ...                 {"width_s": [1e-9, 5e-9], "seed": [0, 1]})
      >>> find(ds, "width_s=5e-9,seed=1") == find(ds, "3") == {"width_s": 1, "seed": 1}
      True
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
    named: dict[str, int] = {}
    for pair in re.split(",(?=[^,=]*=)", lane):  # a value may have a comma
        name, text = (part.strip() for part in pair.partition("=")[::2])
        if name not in status.dims:
            raise UserError(
                f"lane {lane}: {name!r} is no axis; {suggest(name, [str(d) for d in status.dims])}"
            )
        if name in named:
            raise UserError(f"lane {lane}: {name} is given twice; give it once")
        index = _index(results[name].values, text)
        if index is None:
            known = ", ".join(str(value) for value in results[name].values)
            raise UserError(f"lane {lane}: {name} = {text!r} is not on the axis; there are {known}")
        named[name] = index
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

    Example:
      >>> y = xr.DataArray([[[0.2]], [[0.9]]], dims=("levels", "seed", "time_s"))
      >>> said = {"objective": "error", "better": "lower", "guess": 1.0, "stage": "time_s"}
      >>> coords = {"levels": [32, 4], "seed": [0], "time_s": [1.0]}
      >>> ds = xr.Dataset({"error": y, "status": y[..., 0] < 0}, coords, said)
      >>> print(*explain(ds), sep="\\n")
      Lane 1: levels = 4, seed = 0.
      It does better than the guess: 0.9, guess 1 (lower is better).
      Nothing else was counted.
    """
    place = find(results, lane)
    about, along = objective(results), stage(results)
    told = results[about.column].isel(place).astype(float)
    status = int(results["status"].isel(place))
    said = [_name(results, place)]
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
    if not has_counts(results):
        hint = "; run with --set evaluate.diagnostics=true" if along.is_training else ""
        return [*said, f"Nothing else was counted{hint}."]
    if _part_lost(about, reached, _reference(results)) < FEW:
        return [*said, "It loses so little that nothing stands in its way."]
    found = obstacles(results, place)
    if at_guess:
        found += [f"Of the sweep: {note}." for note in strings(results.attrs.get("notes"))]
    return [*said, *(found or ["Nothing that was counted stands in its way."])]


def _index(values: np.ndarray, text: str) -> int | None:
    """Of the value that is written so, else of the nearest that rounds to it in seven digits."""
    names = [str(value) for value in values]
    if text in names:
        return names.index(text)
    try:
        numbers, wanted = values.astype(float), float(text)
    except ValueError:
        return None
    is_near = np.isclose(numbers, wanted, rtol=1e-6, atol=0.0)
    return int(np.where(is_near, abs(numbers - wanted), np.inf).argmin()) if is_near.any() else None


def _errors(results: xr.Dataset) -> list[str]:
    return strings(results.attrs.get("errors")) or ["no error was kept"]


def _name(results: xr.Dataset, place: dict[str, int]) -> str:
    """A lane by its number and its coordinates."""
    number = np.ravel_multi_index(tuple(place.values()), results["status"].shape)
    told = [f"{name} = {_found_again(results[name].values[at])}" for name, at in place.items()]
    return f"Lane {number}: {', '.join(told)}."


def _found_again(value: Any) -> str:
    """A coordinate in as many digits as ``_index`` compares."""
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
