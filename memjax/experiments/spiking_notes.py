"""What a person should know before reading the results of a sweep of spiking networks."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from memjax.experiments.classifier_notes import device_notes
from memjax.experiments.writing_notes import rows_unwritten

_NARROW = 2.0
"""nA; published weights have a standard deviation of 1.5 and reach 9.4."""


def notes(spiking: Any, axes: Sequence[Mapping[str, list[Any]]], data: Any) -> list[str]:
    """One line for each thing that could mislead.

    Args:
      spiking: a ``Spiking``, as the sections say.
      axes, data: as of ``Experiment.notes``.
    """
    swept = {name: values for axis in axes for name, values in axis.items()}
    found = device_notes(spiking, axes)
    narrowest = min(swept.get("cell.weight_range", [spiking.cell.weight_range]))
    if narrowest < _NARROW:
        found.append(
            f"cell.weight_range = {narrowest:g} is in nA here, and weights of up to 10 nA are "
            "wanted; give 5 or 10"
        )
    if "train.learning_rate" in swept or "train.halve_every" in swept:
        train = spiking.train
        found.append(
            "the float baseline does not follow the axes: it is trained at learning_rate = "
            f"{train.learning_rate:g}, halve_every = {train.halve_every:g}"
        )
    if data is not None and spiking.pulses is not None:
        neurons = data.train.hidden[0].neurons
        found += rows_unwritten(spiking, np.broadcast_to(0.0, (neurons, data.n_classes)), data)
    return found
