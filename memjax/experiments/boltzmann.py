"""A discriminative Boltzmann machine that learns by contrastive divergence, an epoch a scan."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float32

from memjax import random
from memjax.boltzmann import DRBM, UNITS, Logistic, counts
from memjax.cells import CELLS, Cell
from memjax.devices import MODELS, Device
from memjax.experiments import boltzmann_notes
from memjax.experiments.base import Column, Experiment, Objective, Report, Stages
from memjax.experiments.boltzmann_sections import ContrastiveDivergence, Layers
from memjax.experiments.images import Images, Labelled, check_batch, labelled
from memjax.experiments.learning import at_baseline_rate, device_update, epochs
from memjax.experiments.pieces import in_pieces
from memjax.experiments.sections import choice, part
from memjax.experiments.writing_notes import rows_unwritten
from memjax.nn import read
from memjax.pulses import SCHEMES, OuterProduct, Scheme
from memjax.pytree import params
from memjax.updates import ALGORITHMS, Algorithm, delivered_counts, readout

_AT_ONCE = 250  # test samples that a lane looks at
_INIT, _ORDER, _WRITE, _READ, _TEST, _CHAINS, _PULSES = range(7)


class State(NamedTuple):
    """A lane between two epochs.

    Attributes:
      params: weights and biases, as the devices hold them.
      opt_state: the optimiser's state.
      chains: hidden units of persistent chains, a column each; else ``None``.
    """

    params: dict[str, Array]
    opt_state: Any
    chains: Float32[Array, "hidden chains"] | None


@params
class Boltzmann(Experiment):
    """A discriminative restricted Boltzmann machine, all weights and biases on devices.

    Each batch is compared with chains that start from it, or go on; what they differ by is written
    by the algorithm's pulses. Grey pixels are probabilities, drawn anew in every chain and at each
    test. Its reference is the same machine in floating point, by gradient descent with momentum.

    Attributes:
      pulses: an outer product's or an element-wise scheme; ``None``: floating point.
    """

    device: Device = choice("model", "Ernoult", MODELS)
    cell: Cell = choice("kind", "differential", CELLS)
    pulses: OuterProduct | Scheme | None = choice("scheme", "bernoulli", SCHEMES)
    algorithm: Algorithm = choice("algorithm", "manhattan", ALGORITHMS, section="train")
    train: ContrastiveDivergence = part(ContrastiveDivergence)
    model: Layers = part(Layers)
    units: Logistic = choice("kind", "logistic", UNITS)
    data: Images = part(Images)

    def load(self, given: Any = None) -> Labelled:
        """The data set, every image a row."""
        return labelled(self.data.load(given).flat(), [])

    def digest(self, data: Labelled) -> str:
        """A fingerprint of the data, whatever their name."""
        return data.digest()

    def check(self) -> None:
        """The algorithm and the cell must run on the device."""
        if self.pulses is not None:
            self.algorithm.check(self.device, self.cell)

    def check_data(self, data: Labelled) -> None:
        """A batch must be there."""
        check_batch(data, self.train.batch_size)

    def reference(self) -> "Boltzmann":
        """The machine in floating point."""
        train = at_baseline_rate(self.train)
        return dataclasses.replace(self, pulses=None, units=Logistic(), train=train)

    def notes(self, axes: Sequence[Mapping[str, list[Any]]], data: Any = None) -> list[str]:
        """What could mislead (``memjax.experiments.boltzmann_notes``)."""
        found = boltzmann_notes.notes(self, axes)
        if data is not None and self.pulses is not None:
            shapes = jax.eval_shape(lambda: self.machine(data).init(jax.random.key(0)))
            found += rows_unwritten(self, shapes, data)
        return found

    def facts(self, data: Labelled) -> dict[str, Any]:
        """The data set's name and number of classes."""
        return {"dataset": data.name, "n_classes": data.n_classes}

    def stages(self) -> Stages:
        """Epochs, from 1."""
        return epochs(self.train.epochs)

    def objective(self, data: Labelled) -> Objective:
        """The error on the test set."""
        return Objective("test_error", "lower", (0.0, 1.0), 1.0 - 1.0 / data.n_classes)

    def columns(self, data: Labelled) -> dict[str, Column]:
        """Errors by epoch; of the last one also that on the way, which the paper has."""
        del data
        return {
            "test_error": Column(("epoch",), "1", "test error"),
            "running_error": Column(
                (), "1", "test error, some images after each update of the last epoch"
            ),
            "reconstruction_error": Column(
                ("epoch",), "1", "share of pixels that chains end otherwise than they start"
            ),
        }

    def machine(self, data: Labelled) -> DRBM:
        """The machine, whose functions take ``State.params``.

        Args:
          data: of whose images and classes it has a unit each.
        """
        return DRBM(
            visible=data.n_features,
            classes=data.n_classes,
            hidden=self.model.hidden,
            expected=self.model.expected,
            products=self.train.products,
            units=self.units,
        )

    def init(self, key_data: Array, data: Labelled) -> State:
        """A machine with its weights programmed."""
        machine = self.machine(data)
        key = random.as_key(random.fold_in(key_data, _INIT))
        weights = machine.init(key, self.model.init_sd)
        opt_state = self._optimizer(key_data, jnp.ones(())).init(weights)
        if self.pulses is not None:
            weights = readout(opt_state, weights)
        chains = None
        if self.train.persistent:
            key = random.as_key(random.fold_in(key_data, _CHAINS))
            chains = machine.init_chains(key, self.train.batch_size * self.train.chains).T
        return State(weights, opt_state, chains)

    def advance(
        self, state: State, key_data: Array, stage: Array, data: Labelled
    ) -> tuple[State, Report]:
        """One pass over the training set in a new random order, less a last partial batch."""
        train, batch, machine = data.train, self.train.batch_size, self.machine(data)
        samples, tests = len(train.y), len(data.test.y)
        epoch_stream = random.fold_in(random.fold_in(key_data, _ORDER), stage)
        order = jnp.argsort(random.bits(random.fold_in(epoch_stream, 0), (samples,)))
        batches = order[: samples // batch * batch].reshape(-1, batch)
        decay = jnp.asarray(self.train.learning_rate_decay) ** stage.astype(jnp.float32)
        optimizer = self._optimizer(key_data, decay)
        some = max(1, tests // len(batches))
        test_stream = random.fold_in(epoch_stream, 2)
        is_last = stage == self.train.epochs - 1

        def wrong_of(number: Array, weights: Any) -> Array:
            images = (number * some + jnp.arange(some)) % tests
            own = random.fold_in(test_stream, number)
            return jnp.mean(self._wrong(machine, weights, own, images, data))

        def step(state: State, now: tuple[Array, Array]) -> tuple[State, tuple[Array, Array]]:
            number, chosen = now
            stream = random.fold_in(random.fold_in(epoch_stream, 1), number)
            seen = self._read(stream, state.params)
            of_batch = (jnp.asarray(train.x)[chosen], jnp.asarray(train.y)[chosen])
            wanted, differs, chains = self._contrast(
                machine, seen, of_batch, state.chains, stream, decay
            )
            updates, opt_state = optimizer.update(wanted, state.opt_state, state.params)
            weights = optax.apply_updates(state.params, updates)
            wrong = jax.lax.cond(is_last, wrong_of, lambda *_: jnp.float32(0.0), number, weights)
            return State(weights, opt_state, chains), (differs, wrong)

        numbers = jnp.arange(len(batches))
        state, (differs, wrong) = jax.lax.scan(step, state, (numbers, batches))
        finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(w)) for w in state.params.values()]))
        report = {"reconstruction_error": jnp.mean(differs), "running_error": jnp.mean(wrong)}
        return state, report | {"finite": finite}

    def evaluate(
        self, state: State, key_data: Array, stage: Array, data: Labelled, *, last: bool
    ) -> Report:
        """The error on the whole test set."""
        del last
        machine = self.machine(data)
        stream = random.fold_in(random.fold_in(key_data, _TEST), stage + 1)

        def some(number: Any, images: Array) -> Array:
            return self._wrong(machine, state.params, random.fold_in(stream, number), images, data)

        return {"test_error": jnp.mean(in_pieces(some, jnp.arange(len(data.test.y)), _AT_ONCE))}

    def _wrong(
        self, machine: DRBM, weights: Any, stream: Array, images: Array, data: Labelled
    ) -> Array:
        """1 for each of these test images that is taken for another class, else 0."""
        x, y = (jnp.asarray(of)[images] for of in data.test)
        v = (random.uniform(random.fold_in(stream, 0), x.shape) < x).astype(jnp.float32)
        answers = machine.classify(self._read(random.fold_in(stream, 1), weights), v)
        return (answers != y).astype(jnp.float32)

    def _read(self, stream: Array, weights: Any) -> Any:
        """The weights as one read of their devices sees them."""
        if self.pulses is None:
            return weights
        own = random.fold_in(stream, _READ)
        return read(own, weights, device=self.device, cell=self.cell)

    def _contrast(
        self, machine: DRBM, seen: Any, batch: Any, chains: Any, stream: Array, decay: Array
    ) -> tuple[Any, Array, Any]:
        """The gradient, or the pulses that trains on rows and columns deliver in its place.

        Also the share of pixels that chains end otherwise, and persistent chains.
        """
        own, train = random.fold_in(stream, _CHAINS), self.train
        steps, each = train.cd_steps, train.chains
        if chains is None and not self._counts():
            return *machine.contrast(seen, batch, own, steps, each), None
        if chains is None:
            phases = machine.phases(seen, batch, own, steps, each)
        else:
            phases, chains = machine.persistent_phases(seen, batch, chains, own, steps, each)
        wanted = machine.gradient(phases)
        if isinstance(self.pulses, OuterProduct) and self._counts():
            rate = train.learning_rate * decay / self.cell.pulse_size(self.device)
            wanted = counts(machine, phases, random.fold_in(stream, _PULSES), self.pulses, rate)
        return wanted, phases.difference(), chains

    def _counts(self) -> bool:
        """Whether trains of an outer product deliver pulses in place of gradients."""
        return isinstance(self.pulses, OuterProduct) and not self.algorithm.wants_gradients

    def _optimizer(self, key_data: Array, decay: Array) -> Any:
        rate = self.train.learning_rate * decay
        if self.pulses is None:
            descent = optax.chain(optax.trace(self.train.baseline_momentum), optax.scale(-rate))
            return optax.with_extra_args_support(descent)
        counted = self._counts()
        update = device_update(self, random.fold_in(key_data, _WRITE), rate, counted=counted)
        return optax.chain(delivered_counts() if counted else optax.scale(-rate), update)
