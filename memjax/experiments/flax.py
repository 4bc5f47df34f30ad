"""Anybody's Flax model, NNX or Linen, trained on memristive devices."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array

from memjax import random
from memjax.cells import CELLS, Cell
from memjax.devices import MODELS, Device
from memjax.errors import UserError
from memjax.experiments import flax_checks, flax_notes, own_code
from memjax.experiments.base import Column, Experiment, Objective, Report, Stages
from memjax.experiments.convolutions import as_products
from memjax.experiments.flax_checks import abstract, on_devices
from memjax.experiments.flax_sections import (
    FLOAT_OPTIMIZERS,
    FlaxTraining,
    FloatOptimizer,
    Metrics,
    Network,
)
from memjax.experiments.images import Images, Labelled, check_batch, labelled
from memjax.experiments.learning import (
    at_baseline_rate,
    device_update,
    elementwise_schemes,
    epochs,
)
from memjax.experiments.pieces import in_pieces
from memjax.experiments.sections import Open, choice, part
from memjax.experiments.writing_notes import rows_unwritten
from memjax.nn import read
from memjax.pulses import SCHEMES, OuterProduct, Scheme
from memjax.pytree import params, static
from memjax.updates import ALGORITHMS, Algorithm, readout

_LOWER = {"error", "loss", "rmse", "mse", "mae", "perplexity"}
_AT_ONCE = 256  # test samples that a lane looks at


class State(NamedTuple):
    """A lane between two epochs; arrays by their paths in the model.

    Attributes:
      on_devices: weights, as the devices hold them.
      in_float: the other weights.
      others: all other arrays of the model: statistics, counters, carries.
      devices: the pulsed optimiser's state.
      float_state: the other optimiser's.
    """

    on_devices: dict[str, Array]
    in_float: dict[str, Array]
    others: dict[str, Array]
    devices: Any
    float_state: Any


_INIT, _ORDER, _WRITE, _READ, _CALL, _TEST = range(6)


@params
class Flax(Experiment):
    """Anybody's Flax model, trained batch by batch, its weights on devices.

    The model is a class or a function that makes an ``nnx.Module`` or a ``linen.Module``, called
    with the ``[model.arguments]``, and with ``rngs`` where it takes that. Weights whose path
    matches ``model.memristive`` are on devices, trained by the algorithm's pulses; all others are
    trained in floating point. Each forward pass, of training and of the test, reads the devices
    anew (``memjax.nn.read``). A lane's reference is the same model in floating point, the weights
    that were on devices trained by SGD at ``baseline_learning_rate``, or else ``learning_rate``.

    Attributes:
      pulses: an element-wise scheme, or ``None`` for floating point.
      call, loss, metrics: in place of what the sections name: Python objects.

    Example:
      >>> from flax import linen
      >>> from memjax.experiments.flax import Flax
      >>> from memjax.sweep import Spec, run
      >>> def perceptron(units):
      ...     return linen.Sequential([lambda x: x.reshape(len(x), -1), linen.Dense(units)])
      >>> train = {"epochs": 1, "float_optimizer": {"name": "sgd"}}
      >>> raw = {"seeds": 1, "model": {"arguments": {"units": 10}}, "train": train}
      >>> run(Spec.from_dict(raw, experiment=Flax(call=perceptron))).test_accuracy.dims
      ('seed', 'epoch')
    """

    device: Device = choice("model", "ConstantStep", MODELS)
    cell: Cell = choice("kind", "reference", CELLS)
    pulses: OuterProduct | Scheme | None = choice("scheme", "bernoulli", SCHEMES)
    algorithm: Algorithm = choice("algorithm", "sgd", ALGORITHMS, section="train")
    train: FlaxTraining = part(FlaxTraining)
    float_optimizer: FloatOptimizer = part(FloatOptimizer, section="train.float_optimizer")
    model: Network = part(Network)
    arguments: Open = part(Open, section="model.arguments")
    data: Images = part(Images)
    evaluation: Metrics = part(Metrics, section="evaluate")
    call: Any = static(default=None, doc="the model's class or function", hidden=True)
    loss: Any = static(default=None, doc="of outputs and labels", hidden=True)
    metrics: Any = static(default=None, doc="of outputs and labels", hidden=True)

    def load(self, given: Any = None) -> Labelled:
        """The data set; grey images get a channel, ``[n, height, width, 1]``."""
        dataset = self.data.load(given)
        if dataset.x_train.ndim == 3:
            dataset = dataclasses.replace(
                dataset, x_train=dataset.x_train[..., None], x_test=dataset.x_test[..., None]
            )
        return labelled(dataset, [])

    def digest(self, data: Labelled) -> str:
        """A fingerprint of the data, whatever their name."""
        return data.digest()

    def check(self) -> None:
        """The model's file must be there, and the algorithm run on the device and the cell."""
        if isinstance(self.pulses, OuterProduct):
            raise UserError(
                f"{type(self.pulses).__name__}: needs layers that count trains, and a model of "
                f"yours has others; take one of {elementwise_schemes()}"
            )
        if self.pulses is not None:
            self.algorithm.check(self.device, self.cell)
        self._functions()

    def check_data(self, data: Labelled) -> None:
        """The model must take the data, the loss be a number, metrics a dict of numbers."""
        check_batch(data, self.train.batch_size)
        self._weights(data)
        self._check_loss(data)
        self._test(data)

    def sources(self) -> list[str]:
        """Texts of the model, the loss and the metrics."""
        named = (
            (self.call, self.model.flax),
            (self.loss, self.train.loss),
            (self.metrics, self.evaluation.metrics),
        )
        found = [
            _source(own) if own is not None else own_code.source(name)
            for own, name in named
            if own is not None or name
        ]
        return list(dict.fromkeys(found))

    def reference(self) -> "Flax":
        """The model in floating point."""
        return dataclasses.replace(self, pulses=None, train=at_baseline_rate(self.train))

    def notes(self, axes: Sequence[Mapping[str, list[Any]]], data: Any = None) -> list[str]:
        """What could mislead (``memjax.experiments.flax_notes``)."""
        initial, chosen = ({}, {}) if data is None else self._initial(data)
        found = flax_notes.notes(self, axes, initial, chosen)
        if initial and self.pulses is not None:
            held = {name: w for name, w in initial.items() if chosen[name]}
            found += rows_unwritten(self, held, data)
        return found

    def facts(self, data: Labelled) -> dict[str, Any]:
        """The data set's name and number of classes, and which weights are on devices."""
        weights = self._weights(data)
        return {
            "dataset": data.name,
            "n_classes": data.n_classes,
            "memristive": [name for name, is_on_devices in weights.items() if is_on_devices],
        }

    def stages(self) -> Stages:
        """Epochs, from 1."""
        return epochs(self.train.epochs)

    def objective(self, data: Labelled) -> Objective:
        """The first metric on the test set."""
        name = self._test(data)[0]
        is_accuracy = name == "accuracy"
        better = self.evaluation.better
        if better == "by_name":
            better = "lower" if _LOWER & set(name.lower().split("_")) else "higher"
        guess = self.evaluation.guess
        if guess is None and is_accuracy:
            guess = 1.0 / data.n_classes
        if guess is None:
            raise UserError(
                f"Metrics: guess is missing: give evaluate.guess, what chance gets of {name}"
            )
        bounds = (0.0, 1.0) if is_accuracy else None
        return Objective(f"test_{name}", better, bounds, guess)  # type: ignore[arg-type]

    def columns(self, data: Labelled) -> dict[str, Column]:
        """Metrics and loss by epoch."""
        metrics = {
            f"test_{name}": Column(("epoch",), "1", f"test {name.replace('_', ' ')}")
            for name in self._test(data)
        }
        return metrics | {"train_loss": Column(("epoch",), "1", "training loss")}

    def size(self, data: Labelled) -> int:
        """Numbers of a lane's state, or a quarter of the largest array of a forward pass.

        Of a small CNN a lane takes the same time at widths of 4 to 64, and 1.7 times that alone.
        """
        x = abstract(data.train.x, self.train.batch_size)
        return max(super().size(data), flax_checks.largest(*self.maker(), x) // 4)

    def init(self, key_data: Array, data: Labelled) -> State:
        """A model with its weights programmed."""
        key = random.as_key(random.fold_in(key_data, _INIT))
        weights, others = self.flax_model().init(key, data.train.x[: self.train.batch_size])
        chosen = on_devices(weights, self.model.memristive)
        held = {name: w for name, w in weights.items() if chosen[name]}
        in_float = {name: w for name, w in weights.items() if not chosen[name]}
        pulsed, digital = self._optimizers(key_data, jnp.ones(()))
        devices, float_state = pulsed.init(held), digital.init(in_float)
        if self.pulses is not None:
            held = readout(devices, held)
        return State(held, in_float, others, devices, float_state)

    def advance(
        self, state: State, key_data: Array, stage: Array, data: Labelled
    ) -> tuple[State, Report]:
        """One pass over the training set in a new random order, less a last partial batch."""
        train, batch = data.train, self.train.batch_size
        samples = train.x.shape[0]
        epoch_stream = random.fold_in(random.fold_in(key_data, _ORDER), stage)
        order = jnp.argsort(random.bits(random.fold_in(epoch_stream, 0), (samples,)))
        batches = order[: samples // batch * batch].reshape(-1, batch)
        decay = self.train.learning_rate_decay ** stage.astype(jnp.float32)
        pulsed, digital = self._optimizers(key_data, jnp.asarray(decay))
        loss_of = self._loss()

        def step(state: State, numbered: tuple[Array, Array]) -> tuple[State, Array]:
            number, chosen = numbered
            stream = random.fold_in(random.fold_in(epoch_stream, 1), number)

            def loss(held: Any, in_float: Any) -> tuple[Array, Any]:
                now = state._replace(on_devices=held, in_float=in_float)
                outputs, others = self._apply(now, stream, train.x[chosen], training=True)
                return loss_of(outputs, train.y[chosen]), others

            of_both = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)
            (value, others), grads = of_both(state.on_devices, state.in_float)
            changes, devices = pulsed.update(grads[0], state.devices, state.on_devices)
            held = optax.apply_updates(state.on_devices, changes)
            changes, float_state = digital.update(grads[1], state.float_state, state.in_float)
            in_float = optax.apply_updates(state.in_float, changes)
            return State(held, in_float, others, devices, float_state), value

        numbers = jnp.arange(batches.shape[0])
        state, losses = jax.lax.scan(step, state, (numbers, batches))
        weights = jax.tree.leaves((state.on_devices, state.in_float))
        finite = jnp.all(jnp.isfinite(losses))
        finite &= jnp.all(jnp.stack([jnp.all(jnp.isfinite(w)) for w in weights]))
        return state, {"train_loss": jnp.mean(losses).astype(jnp.float32), "finite": finite}

    def evaluate(
        self, state: State, key_data: Array, stage: Array, data: Labelled, *, last: bool
    ) -> Report:
        """The metrics of the test set."""
        del last
        stream = random.fold_in(random.fold_in(key_data, _TEST), stage + 1)
        found = self._metrics()(
            self._outputs(state, stream, jnp.asarray(data.test.x)), jnp.asarray(data.test.y)
        )
        return {f"test_{name}": jnp.asarray(value, jnp.float32) for name, value in found.items()}

    def _apply(self, state: State, stream: Array, x: Array, *, training: bool) -> tuple[Any, Any]:
        """The outputs of a batch by the weights as one read sees them; the model's other arrays."""
        seen = state.on_devices
        if self.pulses is not None:
            own = random.fold_in(stream, _READ)
            seen = read(own, seen, device=self.device, cell=self.cell)
        key = random.as_key(random.fold_in(stream, _CALL))
        apply = as_products(functools.partial(self.flax_model().apply, training=training))
        return apply(seen | state.in_float, state.others, x, key)

    def _outputs(self, state: State, stream: Array, x: Array) -> Any:
        """The outputs of the test set, piece by piece."""

        def some(number: Any, x: Array) -> Any:
            return self._apply(state, random.fold_in(stream, number), x, training=False)[0]

        return in_pieces(some, x, _AT_ONCE)

    def _optimizers(self, key_data: Array, decay: Array) -> tuple[Any, Any]:
        """Of the weights on devices, and of the others, at their rates times ``decay``."""
        digital = FLOAT_OPTIMIZERS[self.float_optimizer.name](
            self.float_optimizer.learning_rate * decay
        )
        learning_rate = self.train.learning_rate * decay
        descent = optax.sgd(learning_rate)
        if self.pulses is None:
            return descent, digital
        update = device_update(self, random.fold_in(key_data, _WRITE), learning_rate)
        return optax.chain(descent, update), digital

    def _functions(self) -> tuple[Any, Any, Any]:
        """The model's maker, the loss and the metrics; the latter None where they are memjax's."""
        if self.call is None and not self.model.flax:
            raise UserError('Network: flax is missing; name your model, flax = "my_cnn.py:CNN"')
        call = own_code.function(self.model.flax) if self.call is None else self.call
        own = (self.loss, self.train.loss), (self.metrics, self.evaluation.metrics)
        others = [own_code.function(name) if one is None and name else one for one, name in own]
        for one, name in zip(others, ("loss", "metrics"), strict=True):
            if one is not None and not callable(one):
                raise UserError(f"{name}: {one!r} is no function of outputs and labels")
        flax_checks.made(call, self.arguments.entries)
        return call, *others

    def maker(self) -> tuple[Any, flax_checks.Arguments]:
        """What makes the model: its class or function, and the arguments of the call."""
        return self._functions()[0], self.arguments.entries

    def flax_model(self) -> Any:
        """The model, as pure functions of its arrays."""
        return flax_checks.made(*self.maker())

    def _loss(self) -> Callable[[Any, Array], Array]:
        return self._functions()[1] or _cross_entropy

    def _metrics(self) -> Callable[[Any, Array], Mapping[str, Any]]:
        return self._functions()[2] or _accuracy

    def _weights(self, data: Labelled) -> dict[str, bool]:
        """Every weight, and whether it is on devices; raises ``UserError`` where that cannot be."""
        batch = abstract(data.train.x, self.train.batch_size)
        weights, _ = flax_checks.traced(*self.maker(), batch)
        return flax_checks.check_weights(weights, self.model.memristive)

    def _check_loss(self, data: Labelled) -> None:
        """Raises ``UserError`` where the loss is no number."""
        (call, own, _), batch = self._functions(), self.train.batch_size
        _, outputs = flax_checks.traced(*self.maker(), abstract(data.train.x, batch))
        if own is None:
            flax_checks.check_scores(call, outputs, batch, data, "train.loss")
        flax_checks.check_loss(self._loss(), outputs, abstract(data.train.y, batch))

    def _test(self, data: Labelled) -> tuple[str, ...]:
        """The names of the metrics; raises ``UserError`` where they are no numbers."""
        (call, _, own), x = self._functions(), abstract(data.test.x)
        labels = abstract(data.test.y)
        names = flax_checks.metric_names(*self.maker(), self._metrics(), x, labels)
        if own is None:
            _, outputs = flax_checks.traced(*self.maker(), x)
            flax_checks.check_scores(call, outputs, len(data.test.x), data, "evaluate.metrics")
        return names

    def _initial(self, data: Labelled) -> tuple[dict[str, np.ndarray], dict[str, bool]]:
        """The weights of a model as it is made, and which of them are on devices."""
        x = jnp.asarray(data.train.x[: self.train.batch_size])
        weights, _ = jax.jit(self.flax_model().init)(random.as_key(jnp.zeros(2, jnp.uint32)), x)
        return {name: np.asarray(w) for name, w in weights.items()}, on_devices(
            weights, self.model.memristive
        )


def _cross_entropy(outputs: Array, labels: Array) -> Array:
    """Mean cross-entropy of scores (logits) with integer labels."""
    scores = jax.nn.log_softmax(outputs.astype(jnp.float32))
    return -jnp.mean(jnp.take_along_axis(scores, labels[:, None], axis=1))


def _accuracy(outputs: Array, labels: Array) -> dict[str, Array]:
    """The share of samples whose largest score is that of their class."""
    right = jnp.argmax(outputs, axis=1) == labels
    return {"accuracy": jnp.mean(right.astype(jnp.float32))}


def _source(own: Any) -> str:
    """The text of an object's class or function."""
    kind = own if isinstance(own, type) or inspect.isroutine(own) else type(own)
    extra = "" if kind is own else repr(own)
    try:
        return inspect.getsource(kind) + extra
    except (OSError, TypeError):  # typed into an interpreter
        return repr(own)
