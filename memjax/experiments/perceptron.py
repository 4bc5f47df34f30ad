"""The multilayer perceptron that sweeps train: plain functions over a list of layers."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32

from memjax import random
from memjax.pytree import Leaf, param, params, static

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
}
"""Hidden activations by their name in a sweep's ``[model] activation``."""


@params
class Perceptron:
    """The network."""

    hidden: tuple[int, ...] = static(
        default=(32,), doc="units of the hidden layers", each={"at_least": 1, "at_most": 2**20}
    )
    activation: str = static(
        default="sigmoid", doc="of the hidden layers", choices=tuple(ACTIVATIONS)
    )
    bias: bool = static(default=True, doc="a bias a unit, one more row of its layer")
    init_range: Leaf | None = param(
        default=None,
        doc="largest initial weight; None: 1 / sqrt(inputs of the layer)",
        unit="weight units",
        at_least=0,
    )
    init_levels: int | None = static(
        default=None,
        doc="initial weights are so many equally spaced ones; None: any",
        at_least=2,
    )


_PLAIN = Perceptron()

Layer = dict[str, Array]
Dense = Callable[[int, Array, Layer], Array]
"""``dense(layer number, inputs, layer) -> outputs``: how a layer multiplies."""


def init_network(
    stream: random.Stream, sizes: Sequence[int], model: Perceptron = _PLAIN
) -> list[Layer]:
    """Kernels uniform in ``+-1 / sqrt(fan_in)``, or as the model says; biases, if any, 0.

    Args:
      stream: random stream of the initial weights.
      sizes: units of every layer, the input first (static).
      model: which initial weights, and whether there are biases.
    """
    layers = []
    for number, (rows, columns) in enumerate(itertools.pairwise(sizes)):
        u = random.uniform(random.fold_in(stream, number), (rows, columns))
        if (levels := model.init_levels) is not None:
            u = jnp.floor(u * levels) / (levels - 1)
        largest = rows**-0.5 if model.init_range is None else model.init_range
        layers.append({"kernel": (2.0 * u - 1.0) * largest})
        if model.bias:
            layers[-1]["bias"] = jnp.zeros(columns)
    return layers


def apply_network(
    layers: list[Layer], x: Float32[Array, "batch features"], dense: Dense, activation: str
) -> Float32[Array, "batch classes"]:
    """Class scores (logits) of a batch.

    Args:
      layers: weights.
      x: inputs.
      dense: how a layer multiplies.
      activation: a key of ``ACTIVATIONS`` (static).
    """
    for number, layer in enumerate(layers):
        x = dense(number, x, layer)
        if number < len(layers) - 1:
            x = ACTIVATIONS[activation](x)
    return x


def plain_dense(number: int, x: Array, layer: Layer) -> Array:
    """``x W + b`` in floating point."""
    del number
    y = x @ layer["kernel"]
    return y + layer["bias"][None, :] if "bias" in layer else y


def cross_entropy(logits: Float32[Array, "batch classes"], labels: Array) -> Any:
    """Mean cross-entropy of a batch."""
    scores = jax.nn.log_softmax(logits)
    picked = jax.nn.one_hot(labels, logits.shape[1], dtype=scores.dtype)
    return -jnp.mean(jnp.sum(scores * picked, axis=1))


def squared_error(logits: Float32[Array, "batch classes"], labels: Array) -> Any:
    """Mean over a batch of ``sum over the classes of (t - sigmoid(logit))^2``, t 1 or 0."""
    outputs = jax.nn.sigmoid(logits)
    targets = jax.nn.one_hot(labels, logits.shape[1], dtype=outputs.dtype)
    return jnp.mean(jnp.sum((targets - outputs) ** 2, axis=1))


LOSSES = {"cross_entropy": cross_entropy, "squared_error": squared_error}
"""Losses by their name in a sweep's ``[train] loss``."""
