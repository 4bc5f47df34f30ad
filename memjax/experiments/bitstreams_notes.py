"""What a person should know before reading the results of a sweep of bitstreams."""

from collections.abc import Sequence
from typing import Any

from memjax.bitstreams import ENCODERS, Drive
from memjax.experiments.base import Swept


def notes(experiment: Any, axes: Sequence[Swept]) -> list[str]:
    """Options without effect in any lane.

    Args:
      experiment: a ``Bitstreams``, as the sections say.
      axes: as of ``Experiment.notes``.
    """
    swept = {name: values for axis in axes for name, values in axis.items()}

    def all_of(name: str) -> set[Any]:
        """The values that lanes have."""
        section, _, key = name.rpartition(".")
        owner = experiment if section == "study" else getattr(experiment, section)
        return set(swept.get(name, [getattr(owner, key)]))

    def idle(name: str, usual: Any, why: str) -> list[str]:
        return [f"{name} has no effect: {why}"] if all_of(name) != {usual} else []

    found: list[str] = []
    modulates = all_of("pulse.modulates")
    if modulates == {"amplitude"}:
        found += idle("pulse.amplitude", Drive().amplitude, "the amplitude carries the probability")
    if modulates == {"width"}:
        found += idle("pulse.width", Drive().width, "the width carries the probability")
    varies = all_of("device.sigma_v0_c2c") | all_of("device.sigma_tau0_c2c")
    if varies <= {None, 0}:
        found += idle("device.rho", None, "nothing spreads from cycle to cycle (sigma_..._c2c)")
    if "mux" not in all_of("study.gate"):
        found += idle("study.select", type(experiment)().select, "only gate = 'mux' selects")
    encoders = all_of("study.encoder")
    if not any(ENCODERS[name].delays for name in encoders):
        found += idle("study.later", 1, "only encoder = 'delayed' delays")
    correlations = {ENCODERS[name].correlation for name in encoders}
    if all_of("study.gate") == {"divide"} and correlations != {1}:
        found.append(
            "gate = 'divide' divides only where encoder = 'shared'; of independent streams what "
            "comes out, and is compared, is x"
        )
    return found
