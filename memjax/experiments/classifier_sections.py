"""Sections of a classifier's specification: how it is trained, and what is asked of it."""

from memjax.experiments.corruption import Corruptions
from memjax.experiments.perceptron import LOSSES
from memjax.pytree import Leaf, param, params, static


@params
class GradientDescent:
    """Gradient descent, epoch by epoch."""

    epochs: int = static(
        default=10,
        doc="passes over the training set",
        at_least=1,
        at_most=100_000,
        swept=False,
        adds_stages=True,
    )
    batch_size: int = static(default=1, doc="samples an update", at_least=1)
    learning_rate: Leaf = param(default=0.1, doc="step of gradient descent", at_least=0)
    learning_rate_decay: Leaf = param(
        default=1.0, doc="factor on the rate after each epoch", more_than=0
    )
    baseline_learning_rate: Leaf | None = param(
        default=None,
        doc="step of the floating-point network, where it has another",
        at_least=0,
        swept=False,
    )


@params
class Training(GradientDescent):
    """Gradient descent of a multilayer perceptron."""

    loss: str = static(
        default="cross_entropy",
        doc="cross_entropy of a softmax, or squared_error of a sigmoid a class",
        choices=tuple(LOSSES),
    )
    output_learning_rate: Leaf | None = param(
        default=None, doc="step of the last layer, where it has another", at_least=0
    )
    epoch_samples: int | None = static(
        default=None,
        doc="samples an epoch, drawn with replacement; None: each one once",
        at_least=1,
        swept=False,
    )


@params
class Evaluation(Corruptions):
    """What is asked at the end of training: corrupted images, confusions, what pulses did."""

    diagnostics: bool = static(default=False, doc="count what pulses do", swept=False)
    confusion: bool = static(
        default=False, doc="count test images by their class and the answer", swept=False
    )
