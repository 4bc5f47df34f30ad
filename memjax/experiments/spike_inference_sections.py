"""Sections of spike-domain inference: which network, how its weights are copied and calibrated."""

from memjax.pytree import Leaf, param, params, static


@params
class InferenceNetwork:
    """The network whose every kernel copy and output weight is on a device."""

    network: str = static(
        default="spiking",
        doc="spiking, or analog: the same kernels, ReLU in place of neurons, a softmax layer",
        choices=("spiking", "analog"),
    )
    dt: float = static(default=0.5, doc="time step in ms", more_than=0, swept=False)
    kernel_devices: int = static(
        default=1, doc="devices whose mean is a kernel's weight", at_least=1, at_most=64
    )
    output_devices: int = static(
        default=1, doc="devices whose mean is an output's weight", at_least=1, at_most=64
    )
    calibration: int = static(
        default=0,
        doc="training images on which each hidden neuron's threshold is set so that it fires as "
        "often as it should",
        at_least=0,
    )
    output_percentile: Leaf | None = param(
        default=None,
        doc="of the outputs' weight limit, as mapping.percentile; weights beyond are clipped",
        more_than=0,
    )


@params
class InferenceTraining:
    """The training in floating point, once for all lanes."""

    epochs: int = static(default=3, doc="of NormAD", at_least=1, swept=False)
    learning_rate: Leaf = param(default=0.2, doc="r of NormAD", unit="nA", at_least=0, swept=False)
    analog_epochs: int = static(default=4, doc="of the softmax layer", at_least=1, swept=False)
    analog_rate: Leaf = param(
        default=0.001, doc="step of Adam, of the softmax layer", at_least=0, swept=False
    )
