"""Sections of a Boltzmann machine's specification: its size, how it is trained."""

from memjax.experiments.classifier_sections import GradientDescent
from memjax.pytree import Leaf, param, params, static


@params
class Layers:
    """The machine: a visible unit a pixel and a class, and hidden units."""

    hidden: int = static(default=300, doc="hidden units", at_least=1, at_most=2**20)
    init_sd: Leaf | None = param(
        default=None,
        doc="sd of initial weights; None: uniform within sqrt(1 / largest layer)",
        unit="weight units",
        at_least=0,
    )
    expected: bool = static(
        default=False, doc="take P(h | v) in gradients in place of samples of h"
    )


@params
class ContrastiveDivergence(GradientDescent):
    """Contrastive divergence, epoch by epoch."""

    batch_size: int = static(default=100, doc="samples an update", at_least=1)
    chains: int = static(default=1, doc="chains of each sample", at_least=1, at_most=10_000)
    cd_steps: int = static(default=1, doc="steps of Gibbs sampling, k", at_least=1, at_most=100_000)
    persistent: bool = static(
        default=False, doc="let chains go on from where the last update left them"
    )
    products: str = static(
        default="float32",
        doc="weights in products: as they are, or as two 16-bit halves, good to 2**-16 of each",
        choices=("float32", "halves"),
    )
    baseline_momentum: Leaf = param(
        default=0.9,
        doc="of the floating-point machine's gradient descent",
        at_least=0,
        less_than=1,
        swept=False,
    )
