"""Sections of a spiking network's specification: its times and codes, and how it is trained."""

from memjax.pytree import Leaf, param, params, static
from memjax.spiking import CODES


@params
class SpikingNetwork:
    """Pixels as trains, twelve 3 x 3 kernels, and outputs that inhibit one another."""

    dt: float = static(default=0.5, doc="time step in ms", more_than=0)
    dts: tuple[float, ...] = static(
        default=(),
        doc="steps for which hidden spikes are made, where dt is an axis",
        each={"more_than": 0},
        swept=False,
    )
    code: str = static(
        default="lif", doc="how a pixel's value becomes a train", choices=tuple(CODES), swept=False
    )
    duration: float = static(default=100.0, doc="of an image in ms", more_than=0, swept=False)
    start: float = static(default=10.0, doc="of the desired train in ms", at_least=0)
    period: float = static(default=3.5, doc="of the desired train in ms", more_than=0)
    lateral: Leaf = param(default=-1.0, doc="weight between outputs", unit="nA")


@params
class NormADTraining:
    """NormAD, image by image."""

    epochs: int = static(
        default=3,
        doc="passes over the training set",
        at_least=1,
        at_most=100_000,
        swept=False,
        adds_stages=True,
    )
    learning_rate: Leaf = param(default=0.2, doc="r of NormAD", unit="nA", at_least=0)
    halve_every: Leaf = param(
        default=3.0, doc="epochs after which the rate is halved, again and again", more_than=0
    )
    baseline_learning_rate: Leaf | None = param(
        default=None,
        doc="r of the floating-point network, where it has another",
        unit="nA",
        at_least=0,
        swept=False,
    )
    order_seed: int | None = static(
        default=None,
        doc="of the order of images, drawn anew each epoch and the same for all lanes; None: that "
        "of the data set",
        at_least=0,
    )

    @property
    def batch_size(self) -> int:
        """Images of an update."""
        return 1
