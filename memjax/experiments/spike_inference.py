"""Inference in the spike domain: a spiking network, or the analog one, all weights on devices."""

import dataclasses
from collections.abc import Mapping as Table
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array

from memjax import random
from memjax.crossbar import PROGRAMMING, Programming
from memjax.crossbar.mapping import Mapping
from memjax.errors import UserError
from memjax.experiments.base import Column, Experiment, Objective, Report
from memjax.experiments.device_copies import device_copies
from memjax.experiments.images import Images, Labelled, labelled
from memjax.experiments.sections import choice, part
from memjax.experiments.spike_inference_sections import InferenceNetwork, InferenceTraining
from memjax.experiments.spiking import Spiking
from memjax.experiments.spiking_sections import NormADTraining, SpikingNetwork
from memjax.pytree import params, static
from memjax.spiking import (
    LIF,
    answer,
    byte_tables,
    compete,
    copies_fire,
    edge_kernels,
    lif_trains,
    unpacked,
)
from memjax.spiking.encode import as_bytes

_AT_ONCE = 10
_BATCH = 32
_THRESHOLDS = tuple(float(x) for x in np.exp(np.linspace(-0.5, 0.5, 11)))
"""Of neurons that are calibrated, in units of their own."""
_KERNELS, _OUTPUTS = range(2)


class Trained(NamedTuple):
    """What all lanes share.

    Attributes:
      labelled: the images.
      outputs: trained weights of the spiking outputs, in nA.
      analog, bias: of the softmax layer.
    """

    labelled: Labelled
    outputs: Any
    analog: Any
    bias: Any

    @property
    def n_classes(self) -> int:
        """Of the data."""
        return self.labelled.n_classes


@params
class SpikeInference(Experiment):
    """Both networks of 12 fixed kernels, each copy of a kernel on devices of its own.

    The spiking outputs are trained by NormAD, the softmax layer of the analog network by Adam, both
    once and in floating point. A lane programs 8,112 x 9 kernel weights and 8,112 x 10 outputs'
    with errors of its own. The two networks are an axis, ``network = ["spiking", "analog"]``; with
    ``common_random_numbers = ["network"]`` they are on the same devices. The reference is the
    network in floating point.

    Source of the question: Kulkarni, Babu & Rajendran, EANN (2018).
    """

    mapping: Mapping = part(Mapping)
    programming: Programming = choice("error", "exact", PROGRAMMING)
    model: InferenceNetwork = part(InferenceNetwork)
    train: InferenceTraining = part(InferenceTraining)
    data: Images = part(Images)
    is_digital: bool = static(default=False, doc="whether nothing is on devices", hidden=True)

    def load(self, given: Any = None) -> Trained:
        """The images, and the two output layers, trained."""
        dataset = self.data.load(given)
        network = Spiking(
            model=SpikingNetwork(dt=self.model.dt),
            train=NormADTraining(
                epochs=self.train.epochs, learning_rate=np.float32(self.train.learning_rate)
            ),
        ).reference()
        spikes = network.load(dataset)
        words, advance = jnp.zeros(2, jnp.uint32), jax.jit(network.advance)
        state = network.init(words, spikes)
        for epoch in range(self.train.epochs):
            state, _ = advance(state, words, jnp.int32(epoch), spikes)
        data = labelled(dataset, [])
        analog, bias = _softmax_layer(data, self.train)
        return Trained(data, *(np.asarray(w) for w in (state.weights, analog, bias)))

    def digest(self, data: Trained) -> str:
        """A fingerprint of the images and of the trained layers."""
        return data.labelled.digest() + super().digest((data.outputs, data.analog, data.bias))

    def check(self) -> None:
        """Weights must be of one slice."""
        if self.mapping.slices > 1 or self.mapping.significance is not None:
            raise UserError("Mapping: slices and significance are of no use here; leave them out")

    def check_data(self, data: Trained) -> None:
        """There must be images to calibrate on."""
        there = len(data.labelled.train.x)
        if self.model.calibration > there:
            raise UserError(
                f"model: calibration = {self.model.calibration} is more than the {there} training "
                "images; lower it"
            )

    def reference(self) -> "SpikeInference":
        """The network in floating point."""
        return dataclasses.replace(self, is_digital=True)

    def notes(self, axes: Sequence[Table[str, list[Any]]], data: Any = None) -> list[str]:
        """What has no effect."""
        del data
        swept = {name: values for axis in axes for name, values in axis.items()}
        networks = swept.get("model.network", [self.model.network])
        calibrations = swept.get("model.calibration", [self.model.calibration])
        if "spiking" not in networks and any(calibrations):
            return ["calibration has no effect here: the analog network has no thresholds"]
        if "model.network" in swept:
            return [f"the float baseline is that of the {self.model.network} network"]
        return []

    def columns(self, data: Trained) -> dict[str, Column]:
        """The accuracy."""
        del data
        return {"test_accuracy": Column(("stage",), "1", "test accuracy")}

    def objective(self, data: Trained) -> Objective:
        """The accuracy on the test set."""
        return Objective("test_accuracy", "higher", (0.0, 1.0), 1.0 / data.n_classes)

    def size(self, data: Trained) -> int:
        """Neurons of some images, none of which lanes share."""
        return len(data.outputs) * _AT_ONCE

    def evaluate(
        self, state: Any, key_data: Array, stage: Array, data: Trained, *, last: bool
    ) -> Report:
        """Programs all weights, and answers."""
        del state, stage, last
        kernels = jnp.asarray(edge_kernels().reshape(-1, 9))
        _, rows, columns = data.labelled.test.x.shape
        copies = jnp.broadcast_to(kernels[:, None, None], (len(kernels), rows - 2, columns - 2, 9))
        spiking = self.model.network == "spiking"
        outputs = jnp.asarray(data.outputs if spiking else data.analog)
        if not self.is_digital:
            flat = self._held(_KERNELS, key_data, copies.reshape(-1, 9).T)
            copies = flat.T.reshape(copies.shape)
            outputs = self._held(_OUTPUTS, key_data, outputs)
        x, y = jnp.asarray(data.labelled.test.x), jnp.asarray(data.labelled.test.y)
        if spiking:
            if self.model.calibration and not self.is_digital:
                some = jnp.asarray(data.labelled.train.x[: self.model.calibration])
                copies = _calibrated(copies, kernels, some, self.model.dt)
            answers = _spiking_answers(copies, outputs, x, self.model.dt)
        else:
            answers = _analog_answers(copies, outputs, jnp.asarray(data.bias), x)
        return {"test_accuracy": jnp.mean((answers == y).astype(jnp.float32))}

    def _held(self, which: int, key_data: Array, w: Array) -> Array:
        """What devices hold of a matrix."""
        mapping, devices = self.mapping, self.model.kernel_devices
        if which == _OUTPUTS:
            devices = self.model.output_devices
            if self.model.output_percentile is not None:
                mapping = dataclasses.replace(mapping, percentile=self.model.output_percentile)
        stream = random.fold_in(key_data, which)
        return device_copies(mapping, self.programming, stream, w, devices)


def _pieces(x: Array) -> Array:
    """Images as bytes, some at a time; black ones fill the last piece."""
    pixels = jnp.round(x * 255.0).astype(jnp.uint8)
    short = -len(x) % _AT_ONCE
    return jnp.pad(pixels, [(0, short), (0, 0), (0, 0)]).reshape(-1, _AT_ONCE, *x.shape[1:])


def _spiking_answers(copies: Array, outputs: Array, x: Array, dt: float) -> Array:
    trains = lif_trains(dt)
    table, steps = byte_tables(trains, dt)

    def of_image(bits: Array) -> Array:
        drive = unpacked(bits.T, len(trains)).T @ outputs
        return answer(compete(drive, dt).spikes)[0]

    def of_some(pixels: Array) -> Array:
        bits = copies_fire(pixels, table, steps, copies, dt, LIF())
        return jax.lax.map(of_image, bits.swapaxes(0, 1))

    return jax.lax.map(of_some, _pieces(x)).reshape(-1)[: len(x)]


def _calibrated(copies: Array, kernels: Array, x: Array, dt: float) -> Array:
    """Kernel copies over the thresholds at which their neurons fire as often as they should.

    A threshold of theta times its own is a current of one over theta.
    """
    table, steps = byte_tables(lif_trains(dt), dt)

    def counts(weights: Array) -> Array:
        def of_some(pixels: Array) -> Array:
            bits = copies_fire(pixels, table, steps, weights, dt, LIF())
            return jnp.sum(jax.lax.population_count(bits).astype(jnp.int32), axis=(0, 1))

        return jnp.sum(jax.lax.map(of_some, _pieces(x)), axis=0)

    wanted = counts(kernels)
    thresholds = jnp.asarray(_THRESHOLDS)
    missed = jax.lax.map(lambda theta: jnp.abs(counts(copies / theta) - wanted), thresholds)
    near = jnp.abs(jnp.log(thresholds))[:, None]  # of equals the threshold that changes least
    best = jnp.argmin(missed.astype(jnp.float32) + 1e-3 * near, axis=0)
    return copies / thresholds[best].reshape(copies.shape[:-1])[..., None]


def _features(copies: Array, x: Array) -> Array:
    """``ReLU(K x) / 5`` of every place, ``[images, neurons]``."""
    height, width = (extent - 2 for extent in x.shape[1:])
    total: Any = 0.0
    for cell in range(9):
        row, column = divmod(cell, 3)
        window = x[:, None, row : row + height, column : column + width]
        total = total + copies[None, ..., cell] * window
    return jax.nn.relu(total / 5.0).reshape(len(x), -1)


def _analog_answers(copies: Array, outputs: Array, bias: Array, x: Array) -> Array:
    def of_some(pixels: Array) -> Array:
        scores = _features(copies, pixels.astype(jnp.float32) / 255.0) @ outputs + bias[None]
        return jnp.argmax(scores, axis=1)

    return jax.lax.map(of_some, _pieces(x)).reshape(-1)[: len(x)]


def _softmax_layer(data: Labelled, train: InferenceTraining) -> tuple[Array, Array]:
    """The analog network's outputs, trained in floating point."""
    x, y = jnp.asarray(as_bytes(np.asarray(data.train.x))), jnp.asarray(data.train.y)
    kernels = jnp.asarray(edge_kernels().reshape(-1, 9))[:, None, None]
    neurons = len(kernels) * (x.shape[1] - 2) * (x.shape[2] - 2)
    optimizer = optax.adam(float(train.analog_rate))
    layer = (jnp.zeros((neurons, data.n_classes)), jnp.zeros(data.n_classes))
    batch = min(_BATCH, len(x))

    def step(carry: Any, chosen: Array) -> tuple[Any, None]:
        layer, state = carry
        features = _features(kernels, x[chosen].astype(jnp.float32) / 255.0)

        def loss(layer: Any) -> Array:
            scores = features @ layer[0] + layer[1][None]
            return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(scores, y[chosen]))

        changes, state = optimizer.update(jax.grad(loss)(layer), state)
        return (optax.apply_updates(layer, changes), state), None

    @jax.jit
    def epoch(carry: Any, key: Array) -> Any:
        order = jax.random.permutation(key, len(x))[: len(x) // batch * batch]
        return jax.lax.scan(step, carry, order.reshape(-1, batch))[0]

    carry = (layer, optimizer.init(layer))
    with jax.numpy_dtype_promotion("standard"):  # as Optax does
        for number in range(train.analog_epochs):
            carry = epoch(carry, jax.random.key(number))
    return carry[0]
