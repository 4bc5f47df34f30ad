"""A multilayer perceptron that learns to classify: pure functions, an epoch a scan."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float32

from memjax import random
from memjax.cells import CELLS, Cell
from memjax.crossbar import InSituArray, array_dense
from memjax.devices import MODELS, Device
from memjax.errors import UserError
from memjax.experiments import classifier_notes, diagnosis, update_probe
from memjax.experiments.base import Column, Coordinate, Experiment, Objective, Report, Stages
from memjax.experiments.classifier_sections import Evaluation, Training
from memjax.experiments.idle_array import idle
from memjax.experiments.images import Images, Labelled, Samples, check_batch, labelled
from memjax.experiments.layer_arrays import LayerArray, layer_arrays
from memjax.experiments.learning import device_update, epochs
from memjax.experiments.meter import NO_METERS, Meters, metered
from memjax.experiments.perceptron import (
    LOSSES,
    Dense,
    Perceptron,
    apply_network,
    init_network,
    plain_dense,
)
from memjax.experiments.sections import choice, part
from memjax.experiments.update_probe import Probed
from memjax.experiments.writing_notes import rows_unwritten
from memjax.nn import pulsed_dense, read_noise
from memjax.pulses import SCHEMES, OuterProduct, Scheme
from memjax.pytree import params
from memjax.updates import ALGORITHMS, Algorithm, delivered_counts, readout


class State(NamedTuple):
    """A lane between two epochs.

    Attributes:
      params: the network's weights, as the devices hold them.
      opt_state: the optimiser's state.
      wanted: with diagnostics, pulses that gradient descent has wanted of each layer: the sum of
        ``|learning_rate gradient| / pulse size``; else ``None``.
      before: with diagnostics, devices by their conductance before training, layer by layer.
    """

    params: Any
    opt_state: Any
    wanted: Float32[Array, " layers"] | None = None
    before: Float32[Array, "layers bins"] | None = None


_INIT, _ORDER, _PULSES, _WRITE, _READ, _TEST, _PROBE, _ARRAY = range(8)


@params
class Classifier(Experiment):
    """A multilayer perceptron trained by pulses, sample by sample or batch by batch.

    Its reference is the same network in floating point, trained by gradient descent.

    Attributes:
      pulses: an outer product's or an element-wise scheme; ``None``: floating-point SGD.
    """

    device: Device = choice("model", "ConstantStep", MODELS)
    cell: Cell = choice("kind", "reference", CELLS)
    pulses: OuterProduct | Scheme | None = choice("scheme", "coincidence", SCHEMES)
    algorithm: Algorithm = choice("algorithm", "sgd", ALGORITHMS, section="train")
    train: Training = part(Training)
    model: Perceptron = part(Perceptron)
    array: InSituArray = part(InSituArray)
    data: Images = part(Images)
    evaluation: Evaluation = part(Evaluation, section="evaluate")

    def load(self, given: Any = None) -> Labelled:
        """The data set, every image a row; the test images also under every corruption."""
        dataset = self.data.load(given).flat()
        return labelled(dataset, self.evaluation.apply(dataset.x_test))

    def digest(self, data: Labelled) -> str:
        """A fingerprint of the data, whatever their name and corruptions."""
        return data.digest()

    def check(self) -> None:
        """The algorithm must run on the device and the cell, the array be one that is trained."""
        if self.pulses is None:
            return
        self.algorithm.check(self.device, self.cell)
        self.array.check(self.device, self.cell)
        if self.array.acts and getattr(self.algorithm, "gamma", None) is not None:
            raise UserError("array: gamma makes a weight of two arrays; one is read: leave it out")
        fast_rate = getattr(self.algorithm, "fast_rate", None)
        if self.train.output_learning_rate is not None and fast_rate is not None:
            raise UserError(
                "train.output_learning_rate: fast_rate is the rate of all layers; leave one out"
            )
        if self._trains() is not None and getattr(self.algorithm, "steps", "mean") == "own":
            raise UserError(
                "train.steps = 'own' is of pulses drawn weight by weight; coincidences have the "
                "mean step: take another scheme, or leave steps out"
            )

    def check_data(self, data: Labelled) -> None:
        """A batch must be there."""
        check_batch(data, self.train.batch_size)
        drawn, batch = self.train.epoch_samples, self.train.batch_size
        if drawn is not None and drawn < batch:
            raise UserError(
                f"train.epoch_samples = {drawn} are less than one batch of {batch}; give more, or "
                "lower train.batch_size"
            )

    def reference(self) -> "Classifier":
        """The network in floating point."""
        rate = self.train.baseline_learning_rate
        train = self.train
        if rate is not None:
            train = dataclasses.replace(train, learning_rate=rate, output_learning_rate=None)
        evaluation = dataclasses.replace(self.evaluation, diagnostics=False, confusion=False)
        return dataclasses.replace(
            self, pulses=None, train=train, evaluation=evaluation, array=InSituArray()
        )

    def notes(self, axes: Sequence[Mapping[str, list[Any]]], data: Any = None) -> list[str]:
        """What could mislead (``memjax.experiments.classifier_notes``)."""
        found = classifier_notes.notes(self, axes)
        found += [f"array.{sentence}" for sentence in idle(self.array, axes)]
        if data is not None and self.pulses is not None:
            sizes = self._sizes(data)
            weights: list[Any] = [
                {"kernel": np.broadcast_to(0.0, (into, out))}
                | ({"bias": np.zeros(out)} if self.model.bias else {})
                for into, out in itertools.pairwise(sizes)
            ]
            found += rows_unwritten(self, weights, data)
        return found

    def facts(self, data: Labelled) -> dict[str, Any]:
        """The data set's name and number of classes."""
        return {"dataset": data.name, "n_classes": data.n_classes}

    def stages(self) -> Stages:
        """Epochs, from 1."""
        return epochs(self.train.epochs)

    def objective(self, data: Labelled) -> Objective:
        """The accuracy on the test set."""
        return Objective("test_accuracy", "higher", (0.0, 1.0), 1.0 / data.n_classes)

    def columns(self, data: Labelled) -> dict[str, Column]:
        """Accuracy and loss by epoch; corruptions and diagnostics after the last."""
        found = {
            "test_accuracy": Column(("epoch",), "1", "test accuracy"),
            "train_loss": Column(
                ("epoch",), "nat" if self.train.loss == "cross_entropy" else "1", "training loss"
            ),
        }
        if data.corrupted is not None:
            found["corrupted_accuracy"] = Column(
                ("corruption",), "1", "test accuracy on corrupted images"
            )
        if self.evaluation.confusion:
            found["confusion"] = Column(
                ("label", "answer"), "images", "test images by class and answer"
            )
        return found | (diagnosis.COLUMNS if self.evaluation.diagnostics else {})

    def coords(self, data: Labelled) -> dict[str, Coordinate]:
        """Corruptions; layers from 1, and bins of conductance."""
        found: dict[str, Coordinate] = {}
        if data.corrupted is not None:
            found["corruption"] = Coordinate(self.evaluation.names(), long_name="noise on images")
        if self.evaluation.confusion:
            classes = np.arange(data.n_classes)
            found["label"] = Coordinate(classes, long_name="class of the image")
            found["answer"] = Coordinate(classes, long_name="answer of the network")
        if self.evaluation.diagnostics:
            found |= diagnosis.coords(len(self.model.hidden) + 1)
        return found

    def size(self, data: Labelled) -> int:
        """Weights and biases."""
        sizes, bias = self._sizes(data), int(self.model.bias)
        return sum((rows + bias) * columns for rows, columns in itertools.pairwise(sizes))

    def init(self, key_data: Array, data: Labelled) -> State:
        """A network with its weights programmed."""
        weights = init_network(random.fold_in(key_data, _INIT), self._sizes(data), self.model)
        rates = self._layer_rates(jnp.zeros((), jnp.int32), len(weights))
        opt_state = self._optimizer(key_data, rates).init(weights)
        if self.pulses is None:
            return State(weights, opt_state)
        state = State(readout(opt_state, weights), opt_state)
        if not self.evaluation.diagnostics:
            return state
        wanted = jnp.zeros(len(weights))
        before = diagnosis.diagnose(state.params, opt_state, wanted)["conductance"]
        return state._replace(wanted=wanted, before=before)

    def advance(
        self, state: State, key_data: Array, stage: Array, data: Labelled
    ) -> tuple[State, Report]:
        """One pass over the training set in a new random order, less a last partial batch."""
        train, batch = data.train, self.train.batch_size
        epoch_stream = random.fold_in(random.fold_in(key_data, _ORDER), stage)
        order = self._order(random.fold_in(epoch_stream, 0), train.x.shape[0])
        batches = order[: order.shape[0] // batch * batch].reshape(-1, batch)
        learning_rates = self._layer_rates(stage, len(state.params))
        optimizer = self._optimizer(key_data, learning_rates)
        largest = jnp.zeros(len(state.params)) if self._tells_largest() else None

        def step(carry: tuple[Any, ...], now: tuple[Array, Array]) -> tuple[tuple[Any, ...], Array]:
            weights, opt_state, wanted = carry
            number, chosen = now
            stream = random.fold_in(random.fold_in(epoch_stream, 1), number)

            rates = self._rates(learning_rates, opt_state, weights)
            arrays = self._arrays(key_data, opt_state, weights)

            def loss_of(weights: Any, meters: Meters) -> Array:
                dense = self._dense(stream, rates, arrays, meters)
                logits = apply_network(weights, train.x[chosen], dense, self.model.activation)
                return LOSSES[self.train.loss](logits, train.y[chosen])

            meters = Meters(None if wanted is None else jnp.zeros_like(wanted), largest)
            of_both = jax.value_and_grad(loss_of, argnums=(0, 1))
            loss, (grads, seen) = of_both(weights, meters)
            if wanted is not None:
                size = self.cell.pulse_size(self.device)
                wanted = wanted + seen.total * (jnp.stack(rates) / size)
            told = {}
            if seen.largest is not None:
                tops = zip(seen.largest, weights, strict=True)
                told["largest"] = [dict.fromkeys(layer, top) for top, layer in tops]
            updates, opt_state = optimizer.update(grads, opt_state, weights, **told)
            return (optax.apply_updates(weights, updates), opt_state, wanted), loss

        numbers = jnp.arange(batches.shape[0])
        carry = (state.params, state.opt_state, state.wanted)
        (weights, opt_state, wanted), losses = jax.lax.scan(step, carry, (numbers, batches))
        finite = jnp.all(jnp.isfinite(losses))
        finite &= jnp.all(jnp.stack([jnp.all(jnp.isfinite(w)) for w in jax.tree.leaves(weights)]))
        state = State(weights, opt_state, wanted, state.before)
        return state, {"train_loss": jnp.mean(losses), "finite": finite}

    def evaluate(
        self, state: State, key_data: Array, stage: Array, data: Labelled, *, last: bool
    ) -> Report:
        """The accuracy on the test set; corruptions and diagnostics after the last epoch."""
        stream = random.fold_in(random.fold_in(key_data, _TEST), stage + 1)
        arrays = self._arrays(key_data, state.opt_state, state.params)
        found = {"test_accuracy": self._accuracy(state, arrays, stream, data.test)}
        if last and self.evaluation.confusion:
            answers = self._answers(state, arrays, stream, data.test)
            none = jnp.zeros((data.n_classes, data.n_classes))
            found["confusion"] = none.at[data.test.y, answers].add(1.0)
        if last and data.corrupted is not None:
            found["corrupted_accuracy"] = jax.lax.map(
                lambda x: self._accuracy(state, arrays, stream, Samples(x, data.test.y)),
                data.corrupted,
            )
        if last and state.wanted is not None:
            now = diagnosis.diagnose(state.params, state.opt_state, state.wanted)
            found["conductance_after"] = now.pop("conductance")
            found |= now
            found["follows_updates"] = jnp.float32(not self.algorithm.wants_gradients)
            found["only_trained"] = jnp.float32(not self.cell.refreshes)
            found["pairs"] = diagnosis.pairs(state.params, state.opt_state, len(state.wanted))
            found |= diagnosis.response(self.device)
            probed = self._probe(state, key_data, stage, data)
            found["update_pairs"], found["update_errors"] = probed
            if state.before is not None:
                found["conductance_before"] = state.before
        return found

    def _probe(self, state: State, key_data: Array, stage: Array, data: Labelled) -> Probed:
        """What the devices would make of the next few updates, which no lane keeps."""
        batch, samples = self.train.batch_size, data.train.x.shape[0]
        learning_rates = self._layer_rates(stage, len(state.params))
        pulse = self.cell.pulse_size(self.device)
        optimizer = self._optimizer(key_data, learning_rates)
        streams = random.fold_in(key_data, _PROBE)

        def step(carry: tuple[Any, ...], number: Array) -> tuple[tuple[Any, ...], None]:
            weights, opt_state, probed = carry
            chosen = (number * batch + jnp.arange(batch)) % samples
            x, y = data.train.x[chosen], data.train.y[chosen]

            def loss_of(weights: Any, dense: Dense) -> Array:
                logits = apply_network(weights, x, dense, self.model.activation)
                return LOSSES[self.train.loss](logits, y)

            rates = self._rates(learning_rates, opt_state, weights)
            arrays = self._arrays(key_data, opt_state, weights)
            exact = jax.grad(lambda weights: loss_of(weights, plain_dense))(weights)
            dense = self._dense(random.fold_in(streams, number), rates, arrays)
            grads = jax.grad(lambda weights: loss_of(weights, dense))(weights)
            opt_state = diagnosis.without_choppers(opt_state)
            updates, after = optimizer.update(grads, opt_state, weights)
            changed = optax.apply_updates(weights, updates)
            wanted = [
                jax.tree.map(lambda g, rate=rate: -rate * g / pulse, of_layer)
                for of_layer, rate in zip(exact, rates, strict=True)
            ]
            ends = (diagnosis.driven(*now) for now in ((weights, opt_state), (changed, after)))
            realised = jax.tree.map(lambda old, new: (new - old) / pulse, *ends)
            return (changed, after, update_probe.seen(probed, wanted, realised)), None

        carry = (state.params, state.opt_state, update_probe.nothing(len(state.params)))
        (_, _, probed), _ = jax.lax.scan(step, carry, jnp.arange(update_probe.UPDATES))
        return probed

    def _order(self, stream: Array, samples: int) -> Array:
        """The samples of an epoch, one after another."""
        if (drawn := self.train.epoch_samples) is None:
            return jnp.argsort(random.bits(stream, (samples,)))
        u = random.uniform(stream, (drawn,))
        return jnp.minimum((u * samples).astype(jnp.int32), samples - 1)

    def _layer_rates(self, stage: Array, layers: int) -> list[Any]:
        """The learning rate of each layer; one object where they are alike."""
        train = self.train
        decay = train.learning_rate_decay ** stage.astype(jnp.float32)
        rates = [train.learning_rate * decay] * layers
        if train.output_learning_rate is not None:
            rates[-1] = train.output_learning_rate * decay
        return rates

    def _sizes(self, data: Labelled) -> tuple[int, ...]:
        """Units of every layer, the input first."""
        return (data.n_features, *self.model.hidden, data.n_classes)

    def _accuracy(self, state: State, arrays: Any, stream: Array, test: Samples) -> Array:
        answers = self._answers(state, arrays, stream, test)
        return jnp.mean((answers == test.y).astype(jnp.float32))

    def _answers(self, state: State, arrays: Any, stream: Array, test: Samples) -> Array:
        dense = self._dense(stream, [self.train.learning_rate] * len(state.params), arrays)
        logits = apply_network(state.params, jnp.asarray(test.x), dense, self.model.activation)
        return jnp.argmax(logits, axis=1)

    def _trains(self) -> OuterProduct | None:
        """The trains whose coincidences layers deliver in place of gradients, if they do."""
        if isinstance(self.pulses, OuterProduct) and not self.algorithm.wants_gradients:
            return self.pulses
        return None

    def _tells_largest(self) -> bool:
        """Whether the algorithm scales itself by gradients that only the layers see."""
        return self._trains() is not None and self.algorithm.constant_rate(1.0) is None

    def _rates(self, learning_rates: list[Any], opt_state: Any, weights: list[Any]) -> list[Any]:
        """The rate at which each layer's gradients are to become pulses."""
        if self.pulses is None:
            return learning_rates
        if self.train.output_learning_rate is not None:  # the algorithm has no rate of its own
            return [self.algorithm.constant_rate(rate) for rate in learning_rates]
        _, state = opt_state
        rates = self.algorithm.rates(learning_rates[0], state, self.pulses.most)
        return [layer["kernel"] for layer in rates] if _is_tree(rates) else [rates] * len(weights)

    def _arrays(
        self, key_data: Array, opt_state: Any, weights: list[Any]
    ) -> list[LayerArray] | None:
        """Each layer's, where products go through arrays."""
        if self.pulses is None or not self.array.acts:
            return None
        stream = random.fold_in(key_data, _ARRAY)
        return layer_arrays(self.array, self.device, self.cell, opt_state, weights, stream)

    def _optimizer(
        self, key_data: Array, learning_rates: list[Any]
    ) -> optax.GradientTransformationExtraArgs:
        descent = optax.sgd(learning_rates[0])
        if self.train.output_learning_rate is not None:
            descent = optax.stateless(
                lambda grads, _: [
                    jax.tree.map(lambda g, rate=rate: -rate * g, layer)
                    for layer, rate in zip(grads, learning_rates, strict=True)
                ]
            )
        if self.pulses is None:
            return optax.with_extra_args_support(descent)
        counted = self._trains() is not None
        update = device_update(
            self,
            random.fold_in(key_data, _WRITE),
            learning_rates[0],
            counted=counted,
            diagnostics=self.evaluation.diagnostics,
        )
        return optax.chain(delivered_counts() if counted else descent, update)

    def _dense(
        self,
        stream: Array,
        rates: list[Any],
        arrays: list[LayerArray] | None,
        meters: Meters = NO_METERS,
    ) -> Dense:
        """How layers multiply, and what they deliver backwards, also to ``meters``."""

        def dense(number: int, x: Array, layer: dict[str, Array]) -> Array:
            own = random.fold_in(stream, number)
            kernel, bias, pulses = layer["kernel"], layer.get("bias"), self._trains()
            rate = rates[number] / self.cell.pulse_size(self.device)
            if arrays is not None:
                forward, backward = arrays[number]
                y = array_dense(
                    x,
                    kernel,
                    bias,
                    forward=forward,
                    backward=backward,
                    stream=random.fold_in(own, _ARRAY),
                    rate=rate,
                    pulses=pulses,
                )
            elif pulses is not None:
                own_pulses = random.fold_in(own, _PULSES)
                y = pulsed_dense(x, kernel, bias, stream=own_pulses, rate=rate, pulses=pulses)
            else:
                y = plain_dense(number, x, layer)
            of_layer = meters.of_layer(number)
            y = metered(y, jax.lax.stop_gradient(x), of_layer, has_bias=bias is not None)
            if self.pulses is None or self.device.sigma_read is None:
                return y
            noise = read_noise(
                random.fold_in(own, _READ),
                x,
                kernel,
                bias,
                device=self.device,
                cell=self.cell,
            )
            return y + noise

        return dense


def _is_tree(rates: Any) -> bool:
    return not jax.tree_util.all_leaves([rates])
