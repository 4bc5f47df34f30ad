"""What a person should know before reading the results of a sweep of classifiers."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from memjax.cells import ReferenceCell
from memjax.experiments.base import Swept
from memjax.pulses import clipping


def notes(classifier: Any, axes: Sequence[Swept]) -> list[str]:
    """One line for each thing that could mislead.

    Args:
      classifier: a ``Classifier``, as the sections say.
      axes: as of ``Experiment.notes``.
    """
    swept = {name: values for axis in axes for name, values in axis.items()}
    own = _baseline(classifier, swept)
    return [*device_notes(classifier, axes), *([own] if own else [])]


def device_notes(trained: Any, axes: Sequence[Swept]) -> list[str]:
    """What could mislead whatever is trained: axes of devices, cells and pulses.

    Args:
      trained: an experiment with a device, a cell and pulses, as the sections say.
      axes: as of ``Experiment.notes``.
    """
    swept = {name: values for axis in axes for name, values in axis.items()}
    found = [
        _inert_on_off(trained, swept),
        _inert_programming(trained, swept),
        _one_signed(trained, swept),
        _potentiation_only(trained, axes, swept),
        _clipped_trains(trained, swept),
    ]
    return [note for note in found if note]


def _inert_on_off(classifier: Any, swept: Swept) -> str:
    felt = ("sigma_g", "sigma_read", "sigma_bounds")
    is_felt = getattr(classifier, "array", None) is not None and (
        classifier.array.acts or any(name.startswith("array.") for name in swept)
    )
    is_felt |= any(
        f"device.{name}" in swept or getattr(classifier.device, name) is not None for name in felt
    )
    if "device.on_off" not in swept or is_felt:
        return ""
    return (
        "on_off has no effect here: noise in proportion to the step cancels it; set "
        "device.sigma_g or device.sigma_read"
    )


def _inert_programming(classifier: Any, swept: Swept) -> str:
    device = classifier.device
    is_noisy = "noisy" in swept.get("device.programming", [device.programming])
    sigmas = swept.get("device.sigma_write", [device.sigma_write])
    if not is_noisy or any(sigma is not None for sigma in sigmas):
        return ""
    return 'programming = "noisy" has no effect here: its noise is device.sigma_write; set it'


def _one_signed(classifier: Any, swept: Swept) -> str:
    """A reference at a bound: weights of one sign."""
    own = "reference" if isinstance(classifier.cell, ReferenceCell) else ""
    kinds = swept.get("cell.kind", [own])
    references = swept.get("device.g_ref", [classifier.device.g_ref])
    if "reference" not in kinds or not any(g in (0, 1) for g in references):
        return ""
    return (
        "with g_ref at a bound a reference cell holds weights of one sign only; take cell.kind = "
        '"differential"'
    )


def _potentiation_only(classifier: Any, axes: Sequence[Swept], swept: Swept) -> str:
    """Levels that are swept where depression has its own, which do not move with them."""
    own = swept.get("device.levels_down", [getattr(classifier.device, "levels_down", None)])
    together = any({"device.levels", "device.levels_down"} <= axis.keys() for axis in axes)
    if "device.levels" not in swept or together or all(value is None for value in own):
        return ""
    return "levels varies potentiation only: depression keeps its own levels_down"


def _clipped_trains(classifier: Any, swept: Swept) -> str:
    """Fewer pulses than the largest update wants, ``rate / pulse_size`` at |x d| = 1."""

    def of(name: str, own: Any) -> list[Any]:
        return [value for value in swept.get(name, [own]) if value is not None]

    device, cell, scheme = classifier.device, classifier.cell, classifier.pulses
    if classifier.algorithm.wants_gradients:
        return ""
    device = dataclasses.replace(device, levels=max(of("device.levels", device.levels)))
    weight_range = min(of("cell.weight_range", cell.weight_range))
    cell = dataclasses.replace(cell, weight_range=weight_range)
    limits = {
        key: min(of(f"pulses.{key}", getattr(scheme, key)))
        for key in ("length", "max_pulses")
        if hasattr(scheme, key)
    }
    rate = max(
        rate
        for name in ("learning_rate", "output_learning_rate")
        for rate in of(f"train.{name}", getattr(classifier.train, name, None))
    )
    return clipping(float(rate / cell.pulse_size(device)), dataclasses.replace(scheme, **limits))


def _baseline(classifier: Any, swept: Swept) -> str:
    train, model = classifier.train, classifier.model
    fixed = {
        f"{section}.{name}": getattr(of, name)
        for section, of, names in (
            ("train", train, "batch_size learning_rate output_learning_rate loss"),
            ("model", model, "activation bias init_range init_levels"),
        )
        for name in names.split()
    }
    shared = [name for name in swept if name in fixed]
    if not shared:
        return ""
    told = ", ".join(f"{name.partition('.')[2]} = {fixed[name]}" for name in shared)
    return f"the float baseline does not follow the axes: it is trained at {told}"
