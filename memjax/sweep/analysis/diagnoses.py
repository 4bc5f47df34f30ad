"""What stands in a lane's way, by what was counted of its pulses and devices.

Columns are found by their names, and must have the dimension ``layer`` where a sentence is about
one. Two of them tell what counts do not, and rules that need them say nothing without:
``follows_updates`` is 1 where the pulses of every update are to be what a gradient wants of it,
``only_trained`` is 1 where nothing but training moves devices.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr

MANY = 0.5
"""A layer is told to be saturated when more of its devices are near a bound."""

COARSE = 100.0
"""A step is told to be coarse when it is more than so many mean wanted updates."""

DEAF = 0.1
"""Updates are told to be lost when less than this part of what was wanted is fired."""

FAR = 0.1
"""Conductances are told to have moved when their mean moved by more of the range."""


def has_counts(results: xr.Dataset) -> bool:
    """Whether anything was counted that a rule is about."""
    return any(_has(results, needs) for needs, _ in _RULES)


def obstacles(results: xr.Dataset, place: dict[str, int]) -> list[str]:
    """Sentences on what stands in a lane's way.

    Args:
      results: of a sweep, with diagnostics.
      place: the lane, by its indices along the axes and ``seed``.
    """
    here = results.isel(place)
    return [sentence for needs, rule in _RULES if _has(here, needs) for sentence in rule(here)]


_OF_A_LANE = ("updates", "follows_updates", "only_trained")


def _has(results: xr.Dataset, needs: tuple[str, ...]) -> bool:
    """Whether there are such columns, those that are not of a whole lane by layer."""
    return all(
        name in results and (name in _OF_A_LANE or "layer" in results[name].dims) for name in needs
    )


def _layers(values: xr.DataArray) -> list[tuple[object, float]]:
    """Layers, and their values, of those that have any."""
    names = values["layer"].values if "layer" in values.coords else range(1, values.size + 1)
    return [(k, float(v)) for k, v in zip(names, values.values, strict=True) if np.isfinite(v)]


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
    if here.follows_updates != 1:
        return []
    two = "fast_pulses" in here and bool(np.isfinite(here.fast_pulses).all())
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
    """Conductances that all went one way, and that no bound has stopped."""
    if here.only_trained != 1:
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
        if abs(by) > FAR
    ]


_RULES: tuple[tuple[tuple[str, ...], Callable[[xr.Dataset], list[str]]], ...] = (
    (("saturated",), _saturation),
    (("fast_saturated",), _fast_saturation),
    (("pulses", "wanted_pulses", "follows_updates"), _lost_updates),
    (("update_snr",), _noise),
    (("wanted_pulses", "updates"), _coarse_steps),
    (("conductance_before", "conductance_after", "saturated", "only_trained"), _drift),
)
"""The columns that each needs, in the order in which they are told."""
