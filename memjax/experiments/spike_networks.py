"""Both networks of spike-domain inference: their answers, thresholds, and the softmax layer."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array

from memjax.experiments.images import Labelled
from memjax.experiments.spike_inference_sections import InferenceTraining
from memjax.spiking import (
    LIF,
    answer,
    byte_tables,
    compete,
    copies_fire,
    edge_kernels,
    lif_trains,
    slide,
    unpacked,
)

AT_ONCE = 10
"""Images of a piece."""

_BATCH = 32
_THRESHOLDS = tuple(float(x) for x in np.exp(np.linspace(-0.5, 0.5, 11)))
"""Of neurons that are calibrated, in units of their own."""


def _as_bytes(x: Array) -> Array:
    return jnp.round(x * 255.0).astype(jnp.uint8)


def _pieces(x: Array) -> Array:
    """Images as bytes, some at a time; black ones fill the last piece."""
    short = -len(x) % AT_ONCE
    return jnp.pad(_as_bytes(x), [(0, short), (0, 0), (0, 0)]).reshape(-1, AT_ONCE, *x.shape[1:])


def spiking_answers(copies: Array, outputs: Array, x: Array, dt: float) -> Array:
    """The most active output of each image.

    Args:
      copies: kernel weights of each hidden neuron, ``[kernels, rows, columns, 9]``.
      outputs: weights of the outputs, in nA.
      x: images in [0, 1].
      dt: the step, in ms.
    """
    trains = lif_trains(dt)
    table, steps = byte_tables(trains, dt)

    def of_image(bits: Array) -> Array:
        drive = unpacked(bits.T, len(trains)).T @ outputs
        return answer(compete(drive, dt).spikes)[0]

    def of_some(pixels: Array) -> Array:
        bits = copies_fire(pixels, table, steps, copies, dt, LIF())
        return jax.lax.map(of_image, bits.swapaxes(0, 1))

    return jax.lax.map(of_some, _pieces(x)).reshape(-1)[: len(x)]


def calibrated(copies: Array, kernels: Array, x: Array, dt: float) -> Array:
    """Kernel copies over the thresholds at which their neurons fire as often as they should.

    A threshold of theta times its own is a current of one over theta.

    Args:
      copies: kernel weights of each hidden neuron, as devices hold them.
      kernels: those that are wanted.
      x: images to calibrate on.
      dt: the step, in ms.
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
    return jax.nn.relu(slide(copies, x) / 5.0).reshape(len(x), -1)


def analog_answers(copies: Array, outputs: Array, bias: Array, x: Array) -> Array:
    """The largest score of each image.

    Args:
      copies, x: as of ``spiking_answers``.
      outputs, bias: of the softmax layer.
    """

    def of_some(pixels: Array) -> Array:
        scores = _features(copies, pixels.astype(jnp.float32) / 255.0) @ outputs + bias[None]
        return jnp.argmax(scores, axis=1)

    return jax.lax.map(of_some, _pieces(x)).reshape(-1)[: len(x)]


def softmax_layer(data: Labelled, train: InferenceTraining) -> tuple[Array, Array]:
    """The analog network's outputs, trained in floating point by Adam.

    Args:
      data: the images.
      train: how.
    """
    x, y = _as_bytes(jnp.asarray(data.train.x)), jnp.asarray(data.train.y)
    kernels = jnp.asarray(edge_kernels().reshape(-1, 9))
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
