"""Why a lane does not learn, in words: what was measured of it, and what would help."""

import tomllib
from typing import Any

import numpy as np
import xarray as xr

from memjax.errors import UserError, suggest

MANY = 0.5
"""A layer is told to be saturated when more of its devices are near a bound."""

COARSE = 100.0
"""A step is told to be coarse when it is more than so many mean wanted updates."""

DEAF = 0.1
"""Updates are told to be lost when less than this part of what was wanted is fired."""


FEW = 0.05
"""A lane that is this close to floating point has nothing to explain."""

_COUNTS_OTHERWISE = ("mixed_precision", "manhattan", "rprop")
"""Algorithms that do not try to fire what a gradient wants at each update."""


def find(results: xr.Dataset, lane: str | None = None) -> dict[str, Any]:
    """The coordinates of a lane.

    Args:
      results: of a sweep.
      lane: its number, row by row and seeds last; or ``"levels=8,seed=0"``; without one, the lane
        of the lowest accuracy.

    Raises:
      UserError: there is no such lane.
    """
    last = results.test_accuracy.isel(epoch=-1).fillna(-1.0)
    if lane is None:
        return {str(k): int(v) for k, v in last.argmin(last.dims).items()}  # type: ignore[union-attr]
    if lane.lstrip("-").isdigit():
        if not 0 <= int(lane) < last.size:
            raise UserError(f"lane {lane}: there are {last.size} lanes, 0 to {last.size - 1}")
        return dict(zip(last.dims, map(int, np.unravel_index(int(lane), last.shape)), strict=True))
    given = dict(pair.partition("=")[::2] for pair in lane.split(","))
    place = {}
    for name, text in given.items():
        name = name.strip()
        if name not in last.dims:
            raise UserError(
                f"lane {lane}: {name!r} is no axis; {suggest(name, [str(d) for d in last.dims])}"
            )
        values = results[name].values
        there = [k for k, value in enumerate(values) if _same(value, text.strip())]
        if not there:
            known = ", ".join(str(value) for value in values)
            raise UserError(f"lane {lane}: {name} = {text!r} is not on the axis; there are {known}")
        place[name] = there[0]
    for name, size in last.sizes.items():
        if name not in place and size > 1 and name != "seed":
            raise UserError(f"lane {lane}: say {name} too, or give the lane's number")
    return {str(name): place.get(str(name), 0) for name in last.dims}


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
    here = results.isel(place)
    said = [_which(results, place), _how_well(here)]
    if int(here.status):
        epoch = int(np.isfinite(here.test_accuracy.values).sum()) + 1
        return [*said, f"It went non-finite in epoch {epoch}; lower train.learning_rate."]
    if "saturated" not in results:
        return [*said, "Nothing else was counted; run with --set evaluate.diagnostics=true."]
    if _points_lost(here) < FEW:
        return [*said, "It loses so little that nothing stands in its way."]
    found = [sentence for rule in _RULES for sentence in rule(here)]
    if "at chance" in said[1]:
        found += [f"Of the sweep: {note}." for note in results.attrs.get("notes", [])]
    return [*said, *(found or ["Nothing that was counted stands in its way."])]


def _same(value: Any, text: str) -> bool:
    try:
        return bool(np.isclose(float(value), float(text), rtol=1e-6))
    except ValueError:
        return str(value) == text


def _which(results: xr.Dataset, place: dict[str, int]) -> str:
    number = np.ravel_multi_index(tuple(place.values()), results.test_accuracy.isel(epoch=-1).shape)
    told = [f"{name} = {results[name].values[at]}" for name, at in place.items()]
    return f"Lane {number}: {', '.join(told)}."


def _how_well(here: xr.Dataset) -> str:
    accuracy = 100 * float(here.test_accuracy[-1])
    chance = 100 / here.attrs["n_classes"]
    baseline = 100 * float(here.baseline_accuracy.isel(epoch=-1).mean())
    verdict = "It is at chance" if not accuracy > 1.5 * chance else "It learns"
    return f"{verdict}: {accuracy:.1f} %, chance {chance:.0f} %, floating point {baseline:.1f} %."


def _points_lost(here: xr.Dataset) -> float:
    baseline = here.baseline_accuracy.isel(epoch=-1)
    return float(baseline.mean() - here.test_accuracy[-1])


def _chosen(here: xr.Dataset, section: str, parameter: str) -> str:
    """What a lane has of a choice that may be swept."""
    if parameter in here.coords:
        return str(here[parameter].values)
    return str(tomllib.loads(here.attrs["spec"])[section][parameter])


def _layers(values: xr.DataArray) -> list[tuple[int, float]]:
    """Layers, from 1, and their values, of those that have any."""
    return [(k, float(v)) for k, v in enumerate(values.values, 1) if np.isfinite(v)]


def _saturation(here: xr.Dataset) -> list[str]:
    return [
        f"{100 * part:.0f} % of layer {k} is saturated (more than {100 * MANY:.0f} % is much): its "
        "devices sit at a bound; raise cell.weight_range, lower train.learning_rate, or refresh."
        for k, part in _layers(here.saturated)
        if part > MANY
    ]


def _fast_saturation(here: xr.Dataset) -> list[str]:
    return [
        f"{100 * part:.0f} % of layer {k}'s fast array is saturated: it no longer sees gradients; "
        "lower train.learning_rate."
        for k, part in _layers(here.fast_saturated)
        if part > MANY
    ]


def _coarse_steps(here: xr.Dataset) -> list[str]:
    wanted = here.wanted_pulses / here.updates
    return [
        f"In layer {k} a step is {1 / mean:,.0f} x the mean wanted update (more than "
        f"{COARSE:.0f} x is coarse): few pulses decide; more levels, a smaller weight_range, or an "
        "algorithm that gathers updates (mixed_precision, agad)."
        for k, mean in _layers(wanted)
        if mean > 0 and 1 / mean > COARSE
    ]


def _lost_updates(here: xr.Dataset) -> list[str]:
    """Of the array that gradients drive: A, where there are two."""
    if _chosen(here, "train", "algorithm") in _COUNTS_OTHERWISE:
        return []
    two = bool(np.isfinite(here.fast_pulses).all())
    fired = here.fast_pulses if two else here.pulses
    kept = (fired / here.wanted_pulses).where(here.wanted_pulses > 0)
    return [
        f"Layer {k} fired {100 * part:.1f} % of the pulses that were wanted: the rest was clipped "
        "by short trains or rounded away; raise pulses.length, or take pulses.scheme = "
        '"bernoulli".'
        for k, part in _layers(kept)
        if part < DEAF
    ]


def _noise(here: xr.Dataset) -> list[str]:
    return [
        f"In layer {k} the noise of programming is {snr**-0.5:.1f} x its signal (more than 1 x is "
        "much): lower device.sigma_c2c; mixed_precision and agad fire fewer pulses."
        for k, snr in _layers(here.update_snr)
        if 0 < snr < 1
    ]


def _drift(here: xr.Dataset) -> list[str]:
    """Conductances that all went one way, and that no bound has stopped: a refresh's go up."""
    if _chosen(here, "cell", "kind") == "refresh_pair":
        return []
    g = here.conductance
    moves = [
        (h * g).sum("conductance") / h.sum("conductance")
        for h in (here.conductance_before, here.conductance_after)
    ]
    shift = (moves[1] - moves[0]).where(here.saturated <= MANY)
    return [
        f"Layer {k}'s conductances moved by {100 * by:+.0f} % of the range on average: steps up "
        "and down differ where the weight is 0; put device.g_ref at the symmetry point, or take "
        "agad."
        for k, by in _layers(shift)
        if abs(by) > 0.1
    ]


_RULES = (_saturation, _fast_saturation, _lost_updates, _noise, _coarse_steps, _drift)
"""In the order in which they are told."""
