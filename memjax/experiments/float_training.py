"""A model's training in floating point, before it is on arrays: plain, or aware of what they do."""

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from memjax import random
from memjax.crossbar import AnalogModel, IdleOption, WeightNoise, clip_weights
from memjax.crossbar.analog_model import StaysDigital
from memjax.crossbar.programmed_weights import held_weights
from memjax.errors import UserError
from memjax.experiments.convolutions import as_products
from memjax.experiments.flax_sections import FLOAT_OPTIMIZERS
from memjax.experiments.images import Samples
from memjax.pytree import Leaf, param, params, static

Forward = Callable[[Any, Any, Any, Any], tuple[Any, Any]]
"""``of_batch(weights, others, x, key)``: scores of a batch, and what else the model then holds."""

_AWARE = ("noise", "drop_connect", "clip_sd")


@params
class FloatTraining:
    """How the model is trained in floating point: once for all lanes, unless each has its own."""

    epochs: int = static(default=10, doc="passes over the training set", at_least=1, swept=False)
    batch_size: int = static(default=32, doc="samples an update", at_least=1, swept=False)
    optimizer: str = static(
        default="adam", doc="of the weights", choices=tuple(FLOAT_OPTIMIZERS), swept=False
    )
    learning_rate: Leaf = param(default=0.001, doc="step of the optimiser", at_least=0, swept=False)
    learning_rate_decay: Leaf = param(
        default=1.0, doc="factor on the rate after each epoch", more_than=0, swept=False
    )
    noise: Leaf | None = param(
        default=None,
        doc="sd of the noise that weights on arrays have in training, drawn anew each update",
        unit="of the largest weight",
        at_least=0,
    )
    noise_kind: str = static(
        default="additive",
        doc="additive, of one sd for all weights; multiplicative, w (1 + noise xi)",
        choices=("additive", "multiplicative"),
        swept=False,
    )
    noise_per: str = static(
        default="layer",
        doc="what the largest weight is of: the layer or a column",
        choices=("layer", "column"),
        swept=False,
    )
    drop_connect: Leaf | None = param(
        default=None,
        doc="probability that a weight on an array is 0 in an update",
        at_least=0,
        less_than=1,
    )
    clip_sd: Leaf | None = param(
        default=None,
        doc="weights on arrays are clipped to so many sd of their layer after each update",
        unit="sd",
        more_than=0,
    )
    through_array: bool = static(
        default=False,
        doc="each lane trains through its own array: programmed anew for each update, converters "
        "and noise of products included",
    )
    each_lane: bool = static(
        default=False,
        doc="each lane trains a network of its own, or goes on with weights that are read; noise, "
        "drop_connect and clip_sd may then be axes",
        swept=False,
    )

    @property
    def is_in_lanes(self) -> bool:
        """Whether lanes train, each its own network."""
        return self.each_lane or self.through_array

    @property
    def is_aware(self) -> bool:
        """Whether weights on arrays are treated otherwise than others."""
        return any(getattr(self, name) is not None for name in _AWARE)

    @property
    def weight_noise(self) -> WeightNoise | None:
        """The noise on weights, if there is any."""
        if self.noise is None and self.drop_connect is None:
            return None
        return WeightNoise(
            sigma=0.0 if self.noise is None else self.noise,
            kind=self.noise_kind,
            per=self.noise_per,
            drop_connect=0.0 if self.drop_connect is None else self.drop_connect,
        )

    def check_axes(self) -> None:
        """Raises ``UserError`` where an axis varies one network that all lanes share."""
        for name in _AWARE:
            if np.ndim(getattr(self, name)) and not self.is_in_lanes:
                raise UserError(
                    f"train: {name} is an axis, and all lanes share one network; let each train "
                    "its own: train.each_lane = true"
                )

    def idle(self, *, reads: str) -> list[str]:
        """What is said to no effect, a sentence an option.

        Args:
          reads: the file that weights are read from, or nothing.
        """
        is_trained = self.is_in_lanes or not reads
        found = [
            f"{name} has no effect: weights are read; go on training them by each_lane = true"
            for name in _AWARE
            if getattr(self, name) is not None and not is_trained
        ]
        if self.noise is None:
            given = {"noise_kind": self.noise_kind, "noise_per": self.noise_per}
            plain = {"noise_kind": "additive", "noise_per": "layer"}
            names = [name for name in given if given[name] != plain[name]]
            return found + [f"{name} has no effect: there is no noise" for name in names]
        if self.noise_kind == "multiplicative" and self.noise_per != "layer":
            found.append("noise_per has no effect: multiplicative noise knows no largest weight")
        return found

    def optimiser(self, steps: int, on_arrays: tuple[str, ...]) -> optax.GradientTransformation:
        """Of the weights.

        Args:
          steps: updates an epoch.
          on_arrays: paths of the weights that are clipped.
        """

        def rate(update: Any) -> Any:
            epoch = jnp.floor(update / steps)
            return self.learning_rate * jnp.power(self.learning_rate_decay, epoch)

        tx = FLOAT_OPTIMIZERS[self.optimizer](rate)
        if self.clip_sd is None:
            return tx
        return optax.chain(
            tx, clip_weights(self.clip_sd, memristive=lambda path, w: path in on_arrays)
        )


def forward(
    train: FloatTraining,
    apply: Callable[..., tuple[Any, Any]],
    analog: AnalogModel,
    like: Any,
    *,
    on_arrays: tuple[str, ...],
    is_in_lane: bool,
) -> Forward:
    """A model's forward pass in training, through its noisy weights and its array.

    Args:
      train: how it is trained.
      apply: the model's own forward pass.
      analog: the model on its arrays, in evaluation.
      like: an input, for its shape.
      on_arrays: paths of the weights that have noise.
      is_in_lane: whether it is mapped over lanes; through the array only then.
    """
    noise = train.weight_noise

    def plain(weights: Any, others: Any, x: Any, key: Any) -> tuple[Any, Any]:
        return apply(weights, others, x, key, training=True)

    side_by_side = as_products(plain) if is_in_lane or train.is_aware else plain

    def on_array(weights: Any, others: Any, x: Any, stream: Any, key: Any) -> tuple[Any, Any]:
        now = analog.replace(weights=weights, others=others, stream=random.fold_in(stream, 0))
        if analog.array.is_matrix:
            return side_by_side(held_weights(now, like), others, x, key)

        def function(weights: Any, others: Any, x: Any, words: Any) -> tuple[Any, Any]:
            return plain(weights, others, x, random.as_key(words))

        now = dataclasses.replace(now, function=function)
        return now(x, random.fold_in(stream, 2), key=random.as_key(random.fold_in(stream, 1)))

    def of_batch(weights: Any, others: Any, x: Any, key: Any) -> tuple[Any, Any]:
        stream = random.stream(key)
        if noise is not None:
            own = random.as_key(random.fold_in(stream, 0))
            weights = noise(weights, own, memristive=lambda path, w: path in on_arrays)
        if not (is_in_lane and train.through_array):
            return side_by_side(weights, others, x, key)
        with warnings.catch_warnings():
            for told in (IdleOption, StaysDigital):  # at programming for good
                warnings.simplefilter("ignore", told)
            return on_array(weights, others, x, random.fold_in(stream, 1), key)

    return of_batch


def trained(
    train: FloatTraining,
    of_batch: Forward,
    weights: Any,
    others: Any,
    samples: Samples,
    key: Any,
    *,
    on_arrays: tuple[str, ...] = (),
    is_traced: bool = False,
) -> tuple[Any, Any, Any]:
    """A model after its training, with the losses of its last epoch.

    Args:
      train: how.
      of_batch: the model's forward pass in training.
      weights: by path, as they begin.
      others: what else the model holds, likewise.
      samples: what it is trained on.
      key: of the order of the samples, and of what forward draws.
      on_arrays: paths of the weights that are clipped.
      is_traced: whether this is part of a program: epochs are then a loop of it.
    """
    x, y = jnp.asarray(samples.x), jnp.asarray(samples.y)
    steps = len(x) // train.batch_size
    tx = train.optimiser(steps, on_arrays)

    def step(carry: Any, now: Any) -> tuple[Any, Any]:
        weights, others, state = carry
        chosen, key = now

        def loss(weights: Any) -> tuple[Any, Any]:
            scores, after = of_batch(weights, others, x[chosen], key)
            each = optax.softmax_cross_entropy_with_integer_labels(scores, y[chosen])
            return jnp.mean(each), after

        (value, after), grads = jax.value_and_grad(loss, has_aux=True)(weights)
        updates, state = tx.update(grads, state, weights)
        return (optax.apply_updates(weights, updates), after, state), value

    @jax.jit
    def epoch(carry: Any, key: Any) -> tuple[Any, Any]:
        order = jax.random.permutation(key, len(x))[: steps * train.batch_size]
        order = order.reshape(steps, train.batch_size)
        return jax.lax.scan(step, carry, (order, jax.random.split(key, steps)))

    carry = (weights, others, tx.init(weights))
    if is_traced:
        numbers = jnp.arange(train.epochs)
        carry, losses = jax.lax.scan(
            lambda carry, number: epoch(carry, jax.random.fold_in(key, number)), carry, numbers
        )
        return carry[0], carry[1], losses[-1]
    for number in range(train.epochs):
        carry, losses = epoch(carry, jax.random.fold_in(key, number))
    return carry[0], carry[1], losses
