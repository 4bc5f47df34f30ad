"""Inference in the spike domain: a spiking network, or the analog one, all weights on devices."""

import dataclasses
from collections.abc import Mapping as Table
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from memjax import random
from memjax.crossbar import PROGRAMMING, Programming
from memjax.crossbar.mapping import Mapping
from memjax.devices import Device
from memjax.errors import UserError
from memjax.experiments.base import Column, Experiment, Objective, Report
from memjax.experiments.device_copies import device_copies
from memjax.experiments.images import Images, Labelled, labelled
from memjax.experiments.sections import choice, part
from memjax.experiments.spike_inference_sections import InferenceNetwork, InferenceTraining
from memjax.experiments.spike_networks import (
    AT_ONCE,
    analog_answers,
    calibrated,
    softmax_layer,
    spiking_answers,
)
from memjax.experiments.spiking import Spiking
from memjax.experiments.spiking_sections import NormADTraining, SpikingNetwork
from memjax.experiments.writers import WRITERS, NoDevice, programming_notes, written_by
from memjax.pytree import params, static
from memjax.spiking import edge_kernels

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
    device: Device | NoDevice = choice("model", "none", WRITERS)
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
        analog, bias = softmax_layer(data, self.train)
        return Trained(data, *(np.asarray(w) for w in (state.weights, analog, bias)))

    def digest(self, data: Trained) -> str:
        """A fingerprint of the images and of the trained layers."""
        return data.labelled.digest() + super().digest((data.outputs, data.analog, data.bias))

    def check(self) -> None:
        """Weights must be of one slice, and what is pulsed be there."""
        written_by(self.programming, self.device)
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
        found = programming_notes(
            self.programming,
            self.device,
            self.mapping,
            swept,
            section="programming",
            holder="mapping",
        )
        if "spiking" not in networks and any(calibrations):
            found.append("calibration has no effect here: the analog network has no thresholds")
        elif "model.network" in swept:
            found.append(f"the float baseline is that of the {self.model.network} network")
        return found

    def columns(self, data: Trained) -> dict[str, Column]:
        """The accuracy."""
        del data
        return {"test_accuracy": Column(("stage",), "1", "test accuracy")}

    def objective(self, data: Trained) -> Objective:
        """The accuracy on the test set."""
        return Objective("test_accuracy", "higher", (0.0, 1.0), 1.0 / data.n_classes)

    def size(self, data: Trained) -> int:
        """Neurons of some images, none of which lanes share."""
        return len(data.outputs) * AT_ONCE

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
                copies = calibrated(copies, kernels, some, self.model.dt)
            answers = spiking_answers(copies, outputs, x, self.model.dt)
        else:
            answers = analog_answers(copies, outputs, jnp.asarray(data.bias), x)
        return {"test_accuracy": jnp.mean((answers == y).astype(jnp.float32))}

    def _held(self, which: int, key_data: Array, w: Array) -> Array:
        """What devices hold of a matrix."""
        mapping, devices = self.mapping, self.model.kernel_devices
        if which == _OUTPUTS:
            devices = self.model.output_devices
            if self.model.output_percentile is not None:
                mapping = dataclasses.replace(mapping, percentile=self.model.output_percentile)
        stream = random.fold_in(key_data, which)
        programming = written_by(self.programming, self.device)
        return device_copies(mapping, programming, stream, w, devices)
