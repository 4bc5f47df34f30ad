"""A trained Flax model on arrays: programmed in every lane, evaluated at every time."""

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from memjax import crossbar, random
from memjax.crossbar import (
    CIRCUITS,
    DRIFTS,
    PROGRAMMING,
    AnalogModel,
    Cells,
    Circuits,
    Drift,
    Faults,
    NoCircuits,
    Programming,
    WriteVerify,
    model_cost,
)
from memjax.crossbar.batch_norm import adapted
from memjax.crossbar.programmed import check_wires
from memjax.crossbar.programmed_weights import paths_on_arrays
from memjax.devices import Device
from memjax.errors import UserError
from memjax.experiments import flax_checks, inference_notes
from memjax.experiments.base import Column, Coordinate, Experiment, Objective, Report, Stages
from memjax.experiments.flax import Flax
from memjax.experiments.flax_sections import Network
from memjax.experiments.float_training import FloatTraining, Forward, forward, trained
from memjax.experiments.images import Images, Labelled, check_batch
from memjax.experiments.inference_costs import COSTS, PARTS, WRITING, layer_costs, writing_of
from memjax.experiments.inference_sections import ArrayWires, Times, TrainedNetwork
from memjax.experiments.pieces import in_pieces
from memjax.experiments.sections import Open, choice, part
from memjax.experiments.weights_file import read_weights
from memjax.experiments.writers import WRITERS, NoDevice, written_by
from memjax.pytree import params, static

_PROGRAM, _READ, _TRAIN = range(3)
_ADAPTED = 100
"""Training images whose mean and variance are one estimate of batch norm's."""
_COSTED = 100
"""Test images whose inputs of layers say what products cost."""


class Trained(NamedTuple):
    """What all lanes share.

    Attributes:
      labelled: the data.
      weights: the trained parameters by path.
      others: what else the model holds.
    """

    labelled: Labelled
    weights: dict[str, Any]
    others: dict[str, Any]

    @property
    def n_classes(self) -> int:
        """Of the data."""
        return self.labelled.n_classes


class Lane(NamedTuple):
    """A lane between two times.

    Attributes:
      crossbars: what was programmed, by use.
      weights, others: of a network of its own, as of ``Trained``; else empty.
    """

    crossbars: Any
    weights: dict[str, Any]
    others: dict[str, Any]


@params
class Inference(Experiment):
    """A model that was trained once, or read, on arrays of devices, over time.

    Every number of ``[array]`` may be an axis: converters, levels, tiles, errors, faults, drift,
    wires. A lane programs the model's matrices with errors of its own and is evaluated at each of
    the times. Its reference is the model in floating point.

    Example:
      >>> from flax import linen
      >>> from memjax.experiments.inference import Inference
      >>> from memjax.sweep import Spec, run
      >>> def perceptron():
      ...     return linen.Sequential([lambda x: x.reshape(len(x), -1), linen.Dense(10)])
      >>> train = {"epochs": 1, "optimizer": "sgd"}
      >>> raw = {"seeds": 1, "axes": {"adc_bits": [4, 8]}, "train": train}
      >>> run(Spec.from_dict(raw, experiment=Inference(call=perceptron))).test_accuracy.dims
      ('adc_bits', 'seed', 'time_s')
    """

    array: crossbar.Array = part(crossbar.Array)
    programming: Programming = choice("error", "exact", PROGRAMMING, section="array.programming")
    device: Device | NoDevice = choice("model", "none", WRITERS)
    faults: Faults = part(Faults, section="array.faults")
    drift: Drift = choice("kind", "none", DRIFTS, section="array.drift")
    wires: ArrayWires = part(ArrayWires, section="array.wires")
    cost: NoCircuits = choice("circuits", "none", CIRCUITS)
    model: TrainedNetwork = part(TrainedNetwork)
    arguments: Open = part(Open, section="model.arguments")
    train: FloatTraining = part(FloatTraining)
    data: Images = part(Images)
    evaluation: Times = part(Times, section="evaluate")
    call: Any = static(default=None, doc="the model's class or function", hidden=True)
    is_digital: bool = static(default=False, doc="whether nothing is on arrays", hidden=True)

    def load(self, given: Any = None) -> Trained:
        """The data, and the model's weights: read, or trained in floating point."""
        network = self._network()
        labelled, made = network.load(given), network.flax_model()
        key = jax.random.key(_TRAIN)
        weights, others = jax.jit(made.init)(key, labelled.train.x[:1])
        self._check_layers(Trained(labelled, weights, others))
        if self.model.weights:
            floats = {name: x for name, x in others.items() if x.dtype == jnp.float32}
            found = read_weights(self.model.weights, weights | floats)
            weights = {name: found[name] for name in weights}
            others = others | {name: found[name] for name in floats}
        else:
            weights, others = self._shared(made, weights, others, labelled, key)
        as_numpy = lambda arrays: {name: np.asarray(x) for name, x in sorted(arrays.items())}  # noqa: E731
        return Trained(labelled, as_numpy(weights), as_numpy(others))

    def _check_layers(self, data: Trained) -> None:
        """Each pattern must name products: found before a training, by shapes alone."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # told when it is programmed
            analog = self._analog(jnp.zeros(2, jnp.uint32), data)
            jax.eval_shape(analog.program, data.labelled.train.x[:1])

    def digest(self, data: Trained) -> str:
        """A fingerprint of the data and of the model that was trained or read."""
        return data.labelled.digest() + super().digest((data.weights, data.others))

    def check(self) -> None:
        """The model's file must be there, wires fit, and axes be those of lanes."""
        self._network().check()
        if (wires := self.wires.made()) is not None:
            check_wires(self.array, wires)
        if self.evaluation.compensation and self.array.mapping == "offset":
            raise UserError(
                "evaluate: compensation: mapping = 'offset' subtracts a number that does not drift;"
                " take pairs or mapping = 'unit_column'"
            )
        written_by(self.programming, self.device)
        if self.train.through_array and self.array.is_calibrated:
            raise UserError(
                "train: through_array takes no calibrated range, which needs a trained network; "
                "give array.adc_range and array.input_scale others"
            )
        self.train.check_axes()

    def check_data(self, data: Trained) -> None:
        """A batch must be there, and images to adapt to."""
        check_batch(data.labelled, self.train.batch_size)
        there = len(data.labelled.train.x)
        asked = {"adapt_images": self.evaluation.adapt_images}
        if self.evaluation.calibration != Times().calibration:
            asked["calibration"] = self.evaluation.calibration
        for name, images in asked.items():
            if images > there:
                raise UserError(
                    f"evaluate: {name} = {images} is more than the {there} training images; "
                    "lower it"
                )

    def sources(self) -> list[str]:
        """The text of the model."""
        return self._network().sources()

    def reference(self) -> "Inference":
        """The model in floating point."""
        return dataclasses.replace(self, is_digital=True)

    def notes(self, axes: Sequence[Mapping[str, list[Any]]], data: Any = None) -> list[str]:
        """Options without effect."""
        has_statistics = data is None or bool(self._statistics(data))
        return inference_notes.notes(self, axes, has_statistics=has_statistics)

    def stages(self) -> Stages:
        """Times since programming."""
        return Stages("time_s", self.evaluation.times, "s", "time since programming")

    def columns(self, data: Trained) -> dict[str, Column]:
        """The accuracy at each time, and what an inference costs at the last one."""
        del data
        accuracy = {"test_accuracy": Column(("time_s",), "1", "test accuracy")}
        if self._tells_writing:
            accuracy |= WRITING
        return accuracy | (COSTS if self._is_costed else {})

    def coords(self, data: Trained) -> dict[str, Coordinate]:
        """Layers, and parts of their energy."""
        if not self._is_costed:
            return {}
        return {
            "layer": Coordinate(self._layers(data), "", "parameters on arrays"),
            "part": Coordinate(list(PARTS), "", "what takes the energy"),
        }

    def objective(self, data: Trained) -> Objective:
        """The accuracy on the test set."""
        return Objective("test_accuracy", "higher", (0.0, 1.0), 1.0 / data.n_classes)

    def size(self, data: Trained) -> int:
        """A quarter of the largest array of a forward pass."""
        network = self._network()
        test = data.labelled.test.x
        x = flax_checks.abstract(test, min(self.evaluation.batch_size, len(test)))
        return max(super().size(data), flax_checks.largest(*network.maker(), x) // 4)

    def init(self, key_data: Array, data: Trained) -> Any:
        """The arrays, programmed."""
        if self.is_digital:
            return Lane({}, {}, {})
        data = self._own(key_data, data)
        own = (data.weights, data.others) if self.train.is_in_lanes else ({}, {})
        some = self.evaluation.calibration if self.array.is_calibrated else 1
        x = jnp.asarray(data.labelled.train.x[:some])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", crossbar.IdleOption)  # notes tell of them
            analog = self._analog(key_data, data)
            if not self.array.is_calibrated:
                analog = analog.replace(wires=None)  # they act on what has drifted: at each time
            analog = analog.program(x)
        return Lane(analog.crossbars, *own)

    def evaluate(
        self, state: Any, key_data: Array, stage: Array, data: Trained, *, last: bool
    ) -> Report:
        """The accuracy at a time, and at the last what an inference costs."""
        if state.weights:
            data = data._replace(weights=state.weights, others=state.others)
        analog = self._analog(key_data, data)
        function, stream = analog.function, random.fold_in(key_data, _READ)
        if not self.is_digital:
            times = jnp.asarray(self.evaluation.times, jnp.float32)
            analog = analog.replace(crossbars=state.crossbars).at(times[stage])
            if names := self._statistics(data):
                analog = self._adapted(analog, names, random.fold_in(stream, stage), data)

        def some(number: Any, x: Array) -> Array:
            if self.is_digital:
                return function(analog.weights, analog.others, x)
            own = random.fold_in(random.fold_in(stream, stage), number)
            return analog(x, key=random.as_key(own))

        test = data.labelled.test
        outputs = in_pieces(some, jnp.asarray(test.x), self.evaluation.batch_size)
        right = jnp.mean((jnp.argmax(outputs, axis=1) == test.y).astype(jnp.float32))
        report = {"test_accuracy": jnp.where(jnp.all(jnp.isfinite(outputs)), right, jnp.nan)}
        if last and self._tells_writing:
            report |= writing_of([state.crossbars[name] for name in sorted(state.crossbars)])
        if last and self._is_costed:
            assert isinstance(self.cost, Circuits)
            key = random.as_key(random.fold_in(random.fold_in(stream, stage), -1))
            costs = model_cost(analog, jnp.asarray(test.x[:_COSTED]), circuits=self.cost, key=key)
            report |= layer_costs([costs[name] for name in sorted(costs)])
        return report

    def _statistics(self, data: Trained) -> frozenset[str]:
        """The running statistics that are estimated again."""
        if not self.evaluation.adapt_images:
            return frozenset()
        return self._network().flax_model().statistics(data.others)

    def _adapted(
        self, analog: AnalogModel, names: frozenset[str], stream: random.Stream, data: Trained
    ) -> AnalogModel:
        made, images = self._network().flax_model(), self.evaluation.adapt_images

        def training(weights: Any, others: Any, x: Array) -> dict[str, Array]:
            after = made.apply(weights, others, x, jax.random.key(_TRAIN), training=True)[1]
            return {name: after[name] for name in names}

        x = jnp.asarray(data.labelled.train.x[:images])
        batch = min(images, _ADAPTED)
        key = random.as_key(random.fold_in(stream, -2))
        return adapted(analog, training, names, x, batch, key)

    @property
    def _tells_writing(self) -> bool:
        return isinstance(self.programming, WriteVerify) and not self.is_digital

    @property
    def _is_costed(self) -> bool:
        return isinstance(self.cost, Circuits) and not self.is_digital

    def _layers(self, data: Trained) -> list[str]:
        """The names of what is on arrays."""
        key_data = jax.ShapeDtypeStruct((2,), np.uint32)
        return sorted(jax.eval_shape(self.init, key_data, data).crossbars)

    def _network(self) -> Flax:
        """The model's experiment in floating point."""
        return Flax(
            pulses=None,
            model=Network(flax=self.model.flax),
            arguments=self.arguments,
            data=self.data,
            call=self.call,
        )

    def _shared(self, made: Any, weights: Any, others: Any, data: Labelled, key: Any) -> Any:
        """A model after its training for all lanes, always from the same key."""
        train = self.train
        if train.is_in_lanes:  # what others are compared with
            train = dataclasses.replace(train, noise=None, drop_connect=None, clip_sd=None)
        of_batch, on_arrays = self._forward(train, made, Trained(data, weights, others))
        weights, others, losses = trained(
            train, of_batch, weights, others, data.train, key, on_arrays=on_arrays
        )
        if not bool(jnp.all(jnp.isfinite(losses))):
            raise UserError(
                "train: the training in floating point is not finite; lower its learning_rate"
            )
        return weights, others

    def _own(self, key_data: Array, data: Trained) -> Trained:
        """What a lane shares with none where lanes train: its own network."""
        if not self.train.is_in_lanes:
            return data
        made, key = self._network().flax_model(), random.as_key(random.fold_in(key_data, _TRAIN))
        x, weights, others = data.labelled.train.x, data.weights, data.others
        if not self.model.weights:
            weights, others = made.init(key, jnp.asarray(x[:1]))
        of_batch, on_arrays = self._forward(
            self.train, made, data._replace(weights=weights, others=others), is_in_lane=True
        )
        weights, others, _ = trained(
            self.train,
            of_batch,
            weights,
            others,
            data.labelled.train,
            jax.random.fold_in(key, 0),
            on_arrays=on_arrays,
            is_traced=True,
        )
        return data._replace(weights=weights, others=others)

    def _forward(
        self, train: FloatTraining, made: Any, data: Trained, *, is_in_lane: bool = False
    ) -> tuple[Forward, tuple[str, ...]]:
        """The scores of a batch in training, and the paths of the weights on arrays."""
        like = jnp.zeros((1, *data.labelled.train.x.shape[1:]), jnp.float32)
        analog = self._analog(jnp.zeros(2, jnp.uint32), data)
        on_arrays = paths_on_arrays(analog, like) if train.is_aware else ()
        return forward(
            train, made.apply, analog, like, on_arrays=on_arrays, is_in_lane=is_in_lane
        ), on_arrays

    def _analog(self, key_data: Array, data: Trained) -> AnalogModel:
        """The model, yet to be programmed."""
        made = self._network().flax_model()

        def function(weights: dict[str, Array], others: dict[str, Array], x: Array) -> Any:
            key = jax.random.key(0)  # no dropout in evaluation
            return made.apply(weights, others, x, key, training=False)[0]

        cells = Cells(
            programming=written_by(self.programming, self.device),
            faults=self.faults,
            drift=self.drift,
            compensation=self.evaluation.compensation,
        )
        return AnalogModel(
            array=self.array,
            cells=cells,
            weights=data.weights,
            others=data.others,
            stream=random.fold_in(key_data, _PROGRAM),
            wires=self.wires.made(),
            function=function,
            layers=self.model.layers,
        )
