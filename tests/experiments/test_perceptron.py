"""The network against NumPy and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.experiments.perceptron import (
    ACTIVATIONS,
    apply_network,
    cross_entropy,
    init_network,
    plain_dense,
)

NUMPY = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
}
STREAM = random.stream(jax.random.key(3))


def test_weights_are_uniform_within_the_fan_in():
    sizes = (100, 50, 10)
    layers = init_network(STREAM, sizes)
    assert [layer["kernel"].shape for layer in layers] == [(100, 50), (50, 10)]
    for rows, layer in zip(sizes[:-1], layers, strict=True):
        scaled = np.asarray(layer["kernel"]).ravel() * np.sqrt(rows)
        assert np.abs(scaled).max() <= 1
        # mean 0 and variance 1/3, within 4 standard errors (of the variance: sqrt(4/45/n))
        assert abs(scaled.mean()) < 4 * np.sqrt(1 / 3 / scaled.size)
        assert abs(scaled.var() - 1 / 3) < 4 * np.sqrt(4 / 45 / scaled.size)
        assert not layer["bias"].any()


def test_layers_and_streams_draw_weights_of_their_own():
    first, second = (layer["kernel"] for layer in init_network(STREAM, (20, 20, 20)))
    other = init_network(random.fold_in(STREAM, 1), (20, 20))[0]["kernel"]
    for a, b in ((first, second), (first, other)):
        assert abs(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1]) < 4 / 20


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_scores_are_numpys(activation):
    rng = np.random.default_rng(0)
    layers = init_network(STREAM, (6, 5, 4, 3))
    for layer in layers:
        layer["bias"] = jnp.asarray(rng.normal(size=layer["bias"].shape), jnp.float32)
    x = rng.normal(size=(7, 6)).astype(np.float32)
    expected = x.astype(float)
    for number, layer in enumerate(layers):
        expected = expected @ np.asarray(layer["kernel"], float) + np.asarray(layer["bias"], float)
        if number < 2:
            expected = NUMPY[activation](expected)
    found = apply_network(layers, jnp.asarray(x), plain_dense, activation)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_layers_are_numbered_and_the_last_has_no_activation():
    seen = []

    def dense(number, x, layer):
        seen.append(number)
        return x - 1.0

    found = apply_network(init_network(STREAM, (2, 2, 2)), jnp.zeros((1, 2)), dense, "relu")
    assert seen == [0, 1]
    assert found.tolist() == [[-1.0, -1.0]]


def test_cross_entropy_is_numpys_and_its_gradient_softmax_less_labels():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(5, 4)).astype(np.float32) * 3
    labels = np.array([0, 3, 1, 1, 2], np.int32)
    p = np.exp(logits.astype(float))
    p /= p.sum(1, keepdims=True)
    expected = -np.log(p[np.arange(5), labels]).mean()
    loss, grad = jax.value_and_grad(cross_entropy)(jnp.asarray(logits), jnp.asarray(labels))
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(grad, (p - np.eye(4)[labels]) / 5, atol=1e-6)


def test_cross_entropy_of_a_guess_and_of_large_scores():
    labels = jnp.zeros(3, jnp.int32)
    assert float(cross_entropy(jnp.zeros((3, 8)), labels)) == pytest.approx(np.log(8), rel=1e-6)
    assert float(cross_entropy(jnp.full((3, 8), 1e30), labels)) == pytest.approx(np.log(8))
