"""What a person should know before reading the results of a sweep of his own model."""

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from memjax.experiments.base import Swept
from memjax.experiments.classifier_notes import device_notes

_CLIPPED = 0.02  # of a weight array


def notes(
    experiment: Any,
    axes: Sequence[Swept],
    initial: Mapping[str, np.ndarray],
    chosen: Mapping[str, bool],
) -> list[str]:
    """One line for each thing that could mislead.

    Args:
      experiment: of the sweep's first lane, a ``Flax``.
      axes: as of ``Experiment.notes``.
      initial: weights of the model as it is made, by their paths.
      chosen: whether each is on devices.
    """
    swept = {name: values for axis in axes for name, values in axis.items()}
    found = [
        *device_notes(experiment, axes),
        _clipped(experiment, swept, initial, chosen),
        _read_exactly(experiment, swept),
        _redundant(experiment, initial),
        _useless_optimizer(swept, chosen),
        _baseline(experiment, swept),
    ]
    return [note for note in found if note]


def _clipped(
    experiment: Any,
    swept: Swept,
    initial: Mapping[str, np.ndarray],
    chosen: Mapping[str, bool],
) -> str:
    if not initial:
        return ""
    limit = float(min(swept.get("cell.weight_range", [experiment.cell.weight_range])))
    shares = {n: float(np.mean(np.abs(w) > limit)) for n, w in initial.items() if chosen[n]}
    worst = max(shares, key=lambda name: shares[name])
    if shares[worst] < _CLIPPED:
        return ""
    largest = max(float(np.abs(initial[name]).max()) for name in shares)
    return (
        f"cell.weight_range = {limit:g} clips {100 * shares[worst]:.0f} % of the initial weights "
        f"of {worst}; raise it (the largest weight is {largest:.2g}), or let the model begin with "
        "smaller ones"
    )


def _read_exactly(experiment: Any, swept: Swept) -> str:
    own = experiment.device.sigma_read
    if "device.sigma_read" in swept or own is None or float(own) > 0:
        return ""
    return "device.sigma_read = 0 is no read noise, and costs the time of one; leave it out"


def _redundant(experiment: Any, initial: Mapping[str, np.ndarray]) -> str:
    patterns = experiment.model.memristive
    for number, pattern in enumerate(patterns):
        others = [*patterns[:number], *patterns[number + 1 :]]
        own = [name for name in initial if fnmatch.fnmatchcase(name, pattern)]
        if initial and all(any(fnmatch.fnmatchcase(n, other) for other in others) for n in own):
            return (
                f"the pattern {pattern!r} of model.memristive has no effect: others match all that "
                "it matches"
            )
    return ""


def _useless_optimizer(swept: Swept, chosen: Mapping[str, bool]) -> str:
    own = [name for name in swept if name.startswith("train.float_optimizer.")]
    if not own or not all(chosen.values()):
        return ""
    return f"{own[0]} has no effect: every weight is on devices"


def _baseline(experiment: Any, swept: Swept) -> str:
    fixed: dict[str, Any] = {
        "train.batch_size": experiment.train.batch_size,
        "train.learning_rate": experiment.train.learning_rate,
        "train.float_optimizer.name": experiment.float_optimizer.name,
        "train.float_optimizer.learning_rate": experiment.float_optimizer.learning_rate,
    }
    arguments = dict(experiment.arguments.entries)
    fixed |= {f"model.arguments.{name}": value for name, value in arguments.items()}
    shared = [name for name in swept if name in fixed]
    if not shared:
        return ""
    told = ", ".join(f"{name.rpartition('.')[2]} = {fixed[name]}" for name in shared)
    return f"the float baseline does not follow the axes: it is trained at {told}"
