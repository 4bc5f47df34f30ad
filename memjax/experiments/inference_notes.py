"""What a person should know before reading the results of a sweep of arrays."""

import copy
import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from memjax.crossbar import Array, Circuits, Drift

Swept = Mapping[str, list[Any]]


def notes(experiment: Any, axes: Sequence[Swept], *, has_statistics: bool) -> list[str]:
    """Options without effect.

    Args:
      experiment: of the sweep's first lane, an ``Inference``.
      axes: as of ``Experiment.notes``.
      has_statistics: whether the model has batch norm, as far as is known.
    """
    array, evaluation, train = experiment.array, experiment.evaluation, experiment.train
    found = [f"array.{sentence}" for sentence in _idle(array, axes)]
    found += [f"train.{sentence}" for sentence in train.idle(reads=experiment.model.weights)]
    if evaluation.adapt_images and not has_statistics:
        found.append("evaluate.adapt_images has no effect: the model has no batch norm")
    if evaluation.compensation and type(experiment.drift) is Drift:
        found.append("evaluate.compensation has no effect: nothing drifts (array.drift)")
    if evaluation.calibration != type(evaluation)().calibration and not array.is_calibrated:
        found.append("evaluate.calibration has no effect: no range of the array is calibrated")
    if isinstance(experiment.cost, Circuits):
        swept = {name for axis in axes for name in axis}
        found += [
            f"cost: without array.{name} these converters cost nothing"
            for name in ("dac_bits", "adc_bits")
            if getattr(array, name) is None and f"array.{name}" not in swept
        ]
    return found


def _idle(array: Array, axes: Sequence[Swept]) -> list[str]:
    """What is said of an array to no effect in any lane: a number that is swept counts as its
    largest."""
    swept = {
        name.removeprefix("array."): values if isinstance(values[0], str) else [max(values)]
        for axis in axes
        for name, values in axis.items()
        if name.removeprefix("array.") in {field.name for field in dataclasses.fields(array)}
    }
    found = []
    for values in itertools.product(*swept.values()):
        lane = copy.copy(array)  # of lanes one by one each is checked; of the largest together none
        for name, value in zip(swept, values, strict=True):
            object.__setattr__(lane, name, value)
        found.append(lane.idle())
    return [sentence for sentence in found[0] if all(sentence in other for other in found)]
