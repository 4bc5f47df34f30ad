"""What a person should know before reading the results of a sweep of Boltzmann machines."""

from collections.abc import Sequence
from typing import Any

from memjax.experiments.base import Swept
from memjax.experiments.classifier_notes import device_notes


def notes(boltzmann: Any, axes: Sequence[Swept]) -> list[str]:
    """One line for each thing that could mislead.

    Args:
      boltzmann: a ``Boltzmann``, as the sections say.
      axes: as of ``Experiment.notes``.
    """
    swept = {name: values for axis in axes for name, values in axis.items()}
    found = [*device_notes(boltzmann, axes), _rate(boltzmann, swept), _baseline(boltzmann, swept)]
    return [note for note in found if note]


def _rate(boltzmann: Any, swept: Swept) -> str:
    """A learning rate for algorithms that heed signs alone."""
    if not boltzmann.algorithm.wants_gradients or "train.algorithm" in swept:
        return ""
    idle = [name for name in ("learning_rate", "learning_rate_decay") if f"train.{name}" in swept]
    if not idle:
        return ""
    name = type(boltzmann.algorithm).__name__
    return f"{idle[0]} has no effect here: {name} heeds the gradient's sign alone"


def _baseline(boltzmann: Any, swept: Swept) -> str:
    fixed = {
        f"{section}.{name}": getattr(of, name)
        for section, of, names in (
            ("train", boltzmann.train, "batch_size chains cd_steps persistent"),
            ("model", boltzmann.model, "hidden init_sd expected"),
        )
        for name in names.split()
    }
    told = ", ".join(f"{n.partition('.')[2]} = {fixed[n]}" for n in swept if n in fixed)
    return f"the float baseline does not follow the axes: it is trained at {told}" if told else ""
