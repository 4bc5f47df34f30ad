"""A spiking network trained by NormAD, its output weights on memristive devices."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float32

from memjax import random
from memjax.cells import CELLS, Cell
from memjax.devices import MODELS, Device
from memjax.errors import DataError, UserError
from memjax.experiments.base import Column, Experiment, Objective, Report, Stages
from memjax.experiments.images import Images
from memjax.experiments.learning import (
    at_baseline_rate,
    device_update,
    elementwise_schemes,
    epochs,
)
from memjax.experiments.sections import choice, part
from memjax.experiments.spiking_data import SpikingData, SpikingSamples, spiking_data
from memjax.experiments.spiking_notes import notes
from memjax.experiments.spiking_sections import NormADTraining, SpikingNetwork
from memjax.nn import read
from memjax.pulses import SCHEMES, OuterProduct, Scheme
from memjax.pytree import params
from memjax.spiking import (
    LIF,
    Image,
    answer,
    backwards,
    check_attainable,
    compete,
    desired_train,
    first_rows,
    is_row_by_row,
    put_first,
    unpacked,
    update_rows,
)
from memjax.updates import ALGORITHMS, Algorithm, readout


class State(NamedTuple):
    """A lane between two epochs.

    Attributes:
      weights: from hidden neurons to outputs in nA, as the devices hold them.
      opt_state: the optimiser's state.
    """

    weights: Float32[Array, "neurons outputs"]
    opt_state: Any


_WRITE, _READ, _TEST = range(3)


@params
class Spiking(Experiment):
    """Grey images as trains, a fixed hidden layer, and outputs that learn by NormAD on devices.

    Weights are currents in nA, and ``cell.weight_range`` with them. The hidden layer is simulated
    once and shared by all lanes (``memjax.spiking.encode``). All lanes see the images in the same
    order, and begin with weights of 0, so that seeds differ by what devices draw. The reference is
    the same network in floating point.

    Attributes:
      pulses: an element-wise scheme, or ``None`` for floating point.
      neuron: the outputs.

    Source: Kulkarni & Rajendran, Neural Networks 103:118 (2018).
    """

    device: Device = choice("model", "ConstantStep", MODELS)
    cell: Cell = choice("kind", "reference", CELLS)
    pulses: OuterProduct | Scheme | None = choice("scheme", "bernoulli", SCHEMES)
    algorithm: Algorithm = choice("algorithm", "sgd", ALGORITHMS, section="train")
    train: NormADTraining = part(NormADTraining)
    model: SpikingNetwork = part(SpikingNetwork)
    neuron: LIF = part(LIF)
    data: Images = part(Images)

    def load(self, given: Any = None) -> SpikingData:
        """The data set as hidden spikes."""
        return spiking_data(
            self.data.load(given),
            self._dts,
            code=self.model.code,
            duration=self.model.duration,
            scheme=self.neuron.scheme,
        )

    def digest(self, data: SpikingData) -> str:
        """A fingerprint of spikes and labels."""
        return data.digest()

    def check(self) -> None:
        """Times must fit the step, and the algorithm the device and the cell."""
        model = self.model
        check_attainable(self.neuron, model.dt, model.period)
        desired_train(model.dt, model.duration, model.start, model.period)
        if model.dts and model.dt not in model.dts:
            raise UserError(f"SpikingNetwork: dt = {model.dt} must be one of dts = {model.dts}")
        if isinstance(self.pulses, OuterProduct):
            raise UserError(
                f"{type(self.pulses).__name__}: NormAD's change of weights is no single outer "
                f"product; take one of {elementwise_schemes()}"
            )
        if self.pulses is not None:
            self.algorithm.check(self.device, self.cell)

    def check_data(self, data: SpikingData) -> None:
        """Hidden spikes must be of this step."""
        steps = data.train.hidden[self._which].steps
        if steps != round(self.model.duration / self.model.dt):
            raise DataError(
                f"{data.name}: hidden spikes have {steps} steps, which are not of model.dt = "
                f"{self.model.dt:g}; where dt is an axis, list all its values in model.dts"
            )

    def reference(self) -> "Spiking":
        """The network in floating point."""
        return dataclasses.replace(self, pulses=None, train=at_baseline_rate(self.train))

    def notes(self, axes: Sequence[Mapping[str, list[Any]]], data: Any = None) -> list[str]:
        """What could mislead (``memjax.experiments.spiking_notes``)."""
        return notes(self, axes, data)

    def facts(self, data: SpikingData) -> dict[str, Any]:
        """The data set's name and number of classes."""
        return {"dataset": data.name, "n_classes": data.n_classes}

    def stages(self) -> Stages:
        """Epochs, from 1."""
        return epochs(self.train.epochs)

    def objective(self, data: SpikingData) -> Objective:
        """The accuracy on the test set."""
        return Objective("test_accuracy", "higher", (0.0, 1.0), 1.0 / data.n_classes)

    def columns(self, data: SpikingData) -> dict[str, Column]:
        """Accuracies and errors by epoch."""
        del data
        return {
            "test_accuracy": Column(("epoch",), "1", "test accuracy"),
            "test_ties": Column(("epoch",), "1", "test images with several most active outputs"),
            "train_accuracy": Column(("epoch",), "1", "accuracy on images before they are learnt"),
            "spike_errors": Column(
                ("epoch",), "1/image", "spikes of an image missing, or not wanted, in training"
            ),
        }

    def size(self, data: SpikingData) -> int:
        """Currents of the outputs during an image.

        Weights are more, but a lane touches few of them at an image, and what lanes share costs the
        less a lane the more lanes there are.
        """
        return data.train.hidden[self._which].steps * data.n_classes

    def init(self, key_data: Array, data: SpikingData) -> State:
        """Weights of 0, programmed."""
        weights = jnp.zeros((data.train.hidden[self._which].neurons, data.n_classes))
        opt_state = self._optimizer(key_data, jnp.float32(0)).init(weights)
        return State(weights if self.pulses is None else readout(opt_state, weights), opt_state)

    def advance(
        self, state: State, key_data: Array, stage: Array, data: SpikingData
    ) -> tuple[State, Report]:
        """One pass over the training set."""
        samples = data.train
        hidden, y = samples.hidden[self._which], jnp.asarray(samples.y)
        optimizer = self._optimizer(key_data, stage)
        stream = random.fold_in(random.fold_in(key_data, _READ), stage)
        model, norms = self.model, jnp.asarray(hidden.inverse_norms)
        wanted = jnp.asarray(desired_train(model.dt, model.duration, model.start, model.period))
        alone = self.pulses is None or is_row_by_row(self.algorithm, self.cell, self.device)

        def learn(state: State, number: Array) -> tuple[State, tuple[Array, Array]]:
            image = hidden.image(number)
            fires = self._fires(state.weights, image, random.fold_in(stream, number), hidden.steps)
            own = jax.nn.one_hot(y[number], data.n_classes, dtype=jnp.float32)
            error = wanted[:, None] * own[None] - fires.astype(jnp.float32)
            filtered = backwards(error * norms[number][:, None], model.dt)

            def gradient(bits: Array) -> Array:
                change = -(unpacked(bits, hidden.steps) @ filtered)
                return put_first(jnp.zeros((hidden.most, data.n_classes)), change)

            weights, opt_state = update_rows(
                optimizer,
                first_rows(gradient, image.active, image.bits),
                state.opt_state,
                state.weights,
                image.rows,
                alone=alone,
            )
            is_right = answer(fires)[0] == y[number]
            return State(weights, opt_state), (is_right, jnp.sum(jnp.abs(error)))

        state, (right, errors) = jax.lax.scan(learn, state, self._order(stage, len(hidden)))
        return state, {
            "train_accuracy": jnp.mean(right.astype(jnp.float32)),
            "spike_errors": jnp.mean(errors),
            "finite": jnp.all(jnp.isfinite(state.weights)),
        }

    def evaluate(
        self, state: State, key_data: Array, stage: Array, data: SpikingData, *, last: bool
    ) -> Report:
        """The accuracy on the test set, and how often outputs tie."""
        del last
        stream = random.fold_in(random.fold_in(key_data, _TEST), stage)
        answers, ties = self.answers(state.weights, data.test, stream)
        right = (answers == jnp.asarray(data.test.y)).astype(jnp.float32)
        return {
            "test_accuracy": jnp.mean(right),
            "test_ties": jnp.mean(ties.astype(jnp.float32)),
        }

    def answers(
        self, weights: Array, samples: SpikingSamples, stream: random.Stream
    ) -> tuple[Array, Array]:
        """The most active output of each image, and whether others are as active.

        Args:
          weights: in nA, as devices hold them.
          samples: the images.
          stream: of the noise of reading.
        """
        hidden = samples.hidden[self._which]

        def of_image(number: Array) -> tuple[Array, Array]:
            own = random.fold_in(stream, number)
            return answer(self._fires(weights, hidden.image(number), own, hidden.steps))

        return jax.lax.map(of_image, jnp.arange(len(hidden)))

    @property
    def _dts(self) -> tuple[float, ...]:
        return self.model.dts or (self.model.dt,)

    @property
    def _which(self) -> int:
        """The place of this lane's step among those whose spikes are there."""
        return self._dts.index(self.model.dt)

    def _fires(self, weights: Array, image: Image, stream: random.Stream, steps: int) -> Array:
        """The outputs' spikes at an image, by weights as one read of their devices sees them."""
        some = weights.at[image.rows].get(mode="clip")
        if self.pulses is not None:
            some = read(stream, some, device=self.device, cell=self.cell)

        def drive(bits: Array, some: Array) -> Array:
            return unpacked(bits, steps).T @ some

        driven = first_rows(drive, image.active, image.bits, some)
        model = self.model
        return compete(driven, model.dt, self.neuron, lateral=model.lateral).spikes

    def _order(self, stage: Array, images: int) -> Array:
        """The images of an epoch, one after another: those of all lanes, which share spikes."""
        if self.train.order_seed is None:
            return jnp.arange(images)
        key = jax.random.fold_in(jax.random.key(self.train.order_seed), stage)
        return jax.random.permutation(key, images)

    def _optimizer(self, key_data: Array, stage: Array) -> optax.GradientTransformationExtraArgs:
        """Descent by what NormAD wants, on devices or in floating point."""
        halvings = jnp.floor(stage.astype(jnp.float32) / self.train.halve_every)
        learning_rate = self.train.learning_rate * 0.5**halvings
        descent = optax.sgd(learning_rate)
        if self.pulses is None:
            return optax.with_extra_args_support(descent)
        update = device_update(self, random.fold_in(key_data, _WRITE), learning_rate)
        return optax.chain(descent, update)
