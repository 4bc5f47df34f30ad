"""What experiments that train on devices share: their stages, their baseline's rate, the update."""

import dataclasses
from typing import Any, TypeVar

import optax

from memjax import random
from memjax.experiments.base import Stages
from memjax.pulses import SCHEMES

_Training = TypeVar("_Training")


def epochs(number: int) -> Stages:
    """Epochs of training, from 1.

    Args:
      number: how many.
    """
    return Stages("epoch", tuple(range(1, number + 1)), long_name="epochs of training")


def at_baseline_rate(train: _Training) -> _Training:
    """A training at the rate of the network in floating point, where that is another.

    Args:
      train: params with a ``learning_rate`` and a ``baseline_learning_rate``.
    """
    rate = train.baseline_learning_rate  # type: ignore[attr-defined]
    return train if rate is None else dataclasses.replace(train, learning_rate=rate)  # type: ignore[type-var]


def elementwise_schemes() -> str:
    """The names of schemes that draw pulses weight by weight."""
    return ", ".join(name for name, kind in SCHEMES.items() if hasattr(kind, "draw"))


def device_update(
    experiment: Any,
    stream: random.Stream,
    learning_rate: Any,
    *,
    counted: bool = False,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """The experiment's algorithm on its devices, the last link of a chain.

    Args:
      experiment: with a ``device``, ``cell``, ``algorithm`` and ``pulses``.
      stream: random stream of all that devices draw.
      learning_rate: that the chain before it applies.
      counted: whether layers have made pulses already.
      options: what else ``Algorithm.bare`` takes.
    """
    algorithm = experiment.algorithm
    makes_pulses = not (counted or algorithm.wants_gradients)
    return algorithm.bare(
        experiment.device,
        key=random.as_key(stream),
        cell=experiment.cell,
        pulses=experiment.pulses if makes_pulses else None,
        **algorithm.rate_options(learning_rate),
        **options,
    )
