"""What the tables of a Flax model's sweep may say."""

from collections.abc import Callable
from typing import Any

import optax

from memjax.experiments.classifier_sections import GradientDescent
from memjax.pytree import Leaf, param, params, static

FLOAT_OPTIMIZERS: dict[str, Callable[..., optax.GradientTransformation]] = {
    "adam": optax.adam,
    "adamw": optax.adamw,
    "rmsprop": optax.rmsprop,
    "sgd": optax.sgd,
}
"""Optimisers of the weights in floating point by their name in ``train.float_optimizer``."""


def _function(doc: str) -> Any:
    """A function of the user's, by its name; no axis may vary it."""
    return static(default="", doc=doc, is_function=True, swept=False)


@params
class Network:
    """The model."""

    flax: str = _function("the class or function that makes the model, 'my_cnn.py:CNN'")
    memristive: tuple[str, ...] = static(
        default=(),
        doc="patterns of the paths of weights on devices; without, kernels of rank 2 or more",
        swept=False,
    )


@params
class FloatOptimizer:
    """How weights that are on no device are trained."""

    name: str = static(default="adam", doc="of the optimiser", choices=tuple(FLOAT_OPTIMIZERS))
    learning_rate: Leaf = param(default=0.001, doc="step of the float optimiser", at_least=0)


@params
class FlaxTraining(GradientDescent):
    """Gradient descent, epoch by epoch, batch by batch."""

    batch_size: int = static(default=32, doc="samples an update", at_least=1)
    loss: str = _function("function of outputs and labels, 'my_cnn.py:loss'; cross-entropy without")


@params
class Metrics:
    """What the test set tells."""

    metrics: str = _function(
        "function of outputs and labels, 'my_cnn.py:metrics'; accuracy without"
    )
    better: str = static(
        default="by_name",
        doc="which of two values of the first metric is better",
        choices=("by_name", "higher", "lower"),
        swept=False,
    )
    guess: float | None = static(
        default=None, doc="what chance gets of the first metric", swept=False
    )
