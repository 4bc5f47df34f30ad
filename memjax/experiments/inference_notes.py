"""What a person should know before reading the results of a sweep of arrays."""

from collections.abc import Sequence
from typing import Any

from memjax.crossbar import Circuits, Drift
from memjax.experiments.base import Swept
from memjax.experiments.idle_array import idle
from memjax.experiments.writers import programming_notes


def notes(experiment: Any, axes: Sequence[Swept], *, has_statistics: bool) -> list[str]:
    """Options without effect in any lane.

    Args:
      experiment: an ``Inference``, as the sections say.
      axes: as of ``Experiment.notes``.
      has_statistics: whether the model has batch norm, as far as is known.
    """
    array, evaluation, train = experiment.array, experiment.evaluation, experiment.train
    swept = {name: values for axis in axes for name, values in axis.items()}
    found = [f"array.{sentence}" for sentence in idle(array, axes)]
    if not any(name.startswith("train.") for name in swept):
        found += [f"train.{sentence}" for sentence in train.idle(reads=experiment.model.weights)]
    found += programming_notes(
        experiment.programming,
        experiment.device,
        array,
        swept,
        section="array.programming",
        holder="array",
    )
    if evaluation.adapt_images and not has_statistics:
        found.append("evaluate.adapt_images has no effect: the model has no batch norm")
    drifts = type(experiment.drift) is not Drift or "array.drift.kind" in swept
    if evaluation.compensation and not drifts:
        found.append("evaluate.compensation has no effect: nothing drifts (array.drift)")
    ranges = swept.keys() & {"array.adc_range", "array.input_scale"}
    is_calibrated = array.is_calibrated or bool(ranges)
    if evaluation.calibration != type(evaluation)().calibration and not is_calibrated:
        found.append("evaluate.calibration has no effect: no range of the array is calibrated")
    if isinstance(experiment.cost, Circuits):
        found += [
            f"cost: without array.{name} these converters cost nothing"
            for name in ("dac_bits", "adc_bits")
            if getattr(array, name) is None and f"array.{name}" not in swept
        ]
    return found
