"""The README's examples, each trained on the embedded digits for a few hundred steps.

Chance is 10 %; each asserts the accuracy on held-out digits that the README states.
"""

import flax.linen
import flax.training.train_state
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import memjax
from memjax.data.digits import load_digits

STEPS, BATCH = 300, 32
AT_LEAST = 0.88
"""Accuracy that each reaches; measured 0.925 to 0.953."""


# --- quoted by README.md ---------------------------------------------------------------------


class MLP(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.hidden = nnx.Linear(64, 32, rngs=rngs)
        self.out = nnx.Linear(32, 10, rngs=rngs)

    def __call__(self, x):
        return self.out(nnx.relu(self.hidden(x.reshape(-1, 64))))


class CNN(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(1, 16, (3, 3), rngs=rngs)
        self.out = nnx.Linear(4 * 4 * 16, 10, rngs=rngs)

    def __call__(self, x):
        x = nnx.max_pool(nnx.relu(self.conv(x[..., None])), (2, 2), strides=(2, 2))
        return self.out(x.reshape(-1, 4 * 4 * 16))


class LinenMLP(flax.linen.Module):
    @flax.linen.compact
    def __call__(self, x):
        x = flax.linen.relu(flax.linen.Dense(32)(x.reshape(-1, 64)))
        return flax.linen.Dense(10)(x)


def loss_fn(model, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()


@nnx.jit
def train_step(model, optimizer, x, y):
    optimizer.update(model, nnx.grad(loss_fn)(model, x, y))


def chain_example():
    device = memjax.devices.SoftBounds(levels=200, sigma_c2c=0.3, sigma_d2d=0.1)
    model = MLP(nnx.Rngs(0))
    tx = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.sgd(0.1, momentum=0.9),
        memjax.pulsed_update(device, key=jax.random.key(0), weight_range="fit"),  # the last link
    )
    return model, nnx.Optimizer(model, tx, wrt=nnx.Param)


def recipe_example():
    device = memjax.devices.ConstantStep(levels=64, sigma_c2c=0.3)
    model = MLP(nnx.Rngs(0))
    tx = memjax.memristive_sgd(0.2, device, key=jax.random.key(0))
    return model, nnx.Optimizer(model, tx, wrt=nnx.Param)


def cnn_example():
    device = memjax.devices.SoftBounds(levels=200, sigma_c2c=0.3)
    model = CNN(nnx.Rngs(0))
    pair = memjax.cells.DifferentialPair(weight_range=1.0)
    tx = memjax.memristive_sgd(0.2, device, key=jax.random.key(0), cell=pair)
    return model, nnx.Optimizer(model, tx, wrt=nnx.Param)


def linen_example():
    device = memjax.devices.ConstantStep(levels=64, sigma_c2c=0.3)
    model = LinenMLP()
    params = model.init(jax.random.key(0), jnp.zeros((1, 8, 8)))["params"]
    tx = memjax.memristive_sgd(0.2, device, key=jax.random.key(1))
    return flax.training.train_state.TrainState.create(apply_fn=model.apply, params=params, tx=tx)


@jax.jit
def linen_step(state, x, y):
    def loss_fn(params):
        logits = state.apply_fn({"params": params}, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    return state.apply_gradients(grads=jax.grad(loss_fn)(state.params))


def partition_example():
    device = memjax.devices.ConstantStep(levels=64, sigma_c2c=0.3)
    model = MLP(nnx.Rngs(0))
    tx = optax.partition(
        {
            "memristive": memjax.memristive_sgd(0.2, device, key=jax.random.key(0)),
            "float": optax.adam(1e-2),
        },
        nnx.State({"hidden": "memristive", "out": "float"}),
    )
    return model, nnx.Optimizer(model, tx, wrt=nnx.Param)


class PulsedMLP(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, **array):
        self.hidden = memjax.nn.PulsedLinear(64, 32, rngs=rngs, **array)
        self.out = memjax.nn.PulsedLinear(32, 10, rngs=rngs, **array)

    def __call__(self, x, rngs):
        return self.out(nnx.relu(self.hidden(x.reshape(-1, 64), rngs=rngs)), rngs=rngs)


def coincidence_example():
    device = memjax.devices.ConstantStep(levels=200, sigma_c2c=0.3, sigma_read=0.01)
    model = PulsedMLP(nnx.Rngs(0), device=device, learning_rate=0.3)
    tx = memjax.coincidence_sgd(device, key=jax.random.key(0))
    return model, nnx.Optimizer(model, tx, wrt=nnx.Param)


@nnx.jit
def coincidence_step(model, optimizer, rngs, x, y):
    def loss_fn(model, rngs):
        return optax.softmax_cross_entropy_with_integer_labels(model(x, rngs), y).mean()

    optimizer.update(model, nnx.grad(loss_fn)(model, rngs))


# --- what is asserted of them ----------------------------------------------------------------


@pytest.fixture(autouse=True)
def as_jax_comes():
    """Promotion as a user has it: Optax's Adam needs it."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@pytest.fixture(scope="module")
def digits():
    return load_digits()


def batches(digits):
    order = np.random.default_rng(0).integers(0, len(digits.x_train), (STEPS, BATCH))
    for chosen in order:
        yield jnp.asarray(digits.x_train[chosen]), jnp.asarray(digits.y_train[chosen])


def accuracy(logits, digits):
    return float(np.mean(np.argmax(np.asarray(logits), axis=1) == digits.y_test))


@pytest.mark.parametrize("example", [chain_example, recipe_example, cnn_example, partition_example])
def test_an_nnx_example_learns_the_digits(digits, example):
    model, optimizer = example()
    for x, y in batches(digits):
        train_step(model, optimizer, x, y)
    got = accuracy(model(jnp.asarray(digits.x_test)), digits)
    print(example.__name__, got)
    assert got > AT_LEAST
    weights = nnx.as_pure(nnx.state(model, nnx.Param))
    held = memjax.readout(nnx.as_pure(optimizer.opt_state), weights)
    assert jax.tree.all(jax.tree.map(lambda a, b: np.allclose(a, b, atol=2e-7), weights, held))


def test_the_linen_example_learns_the_digits(digits):
    state = linen_example()
    for x, y in batches(digits):
        state = linen_step(state, x, y)
    logits = state.apply_fn({"params": state.params}, jnp.asarray(digits.x_test))
    print("linen", accuracy(logits, digits))
    assert accuracy(logits, digits) > AT_LEAST


def test_the_coincidence_example_learns_the_digits(digits):
    model, optimizer = coincidence_example()
    rngs = nnx.Rngs(pulses=1)
    settings = nnx.as_pure(nnx.state(model, memjax.nn.Setting))
    for x, y in batches(digits):
        coincidence_step(model, optimizer, rngs, x, y)
    got = accuracy(model(jnp.asarray(digits.x_test), rngs), digits)
    print("coincidence", got)
    assert got > AT_LEAST
    after = nnx.as_pure(nnx.state(model, memjax.nn.Setting))
    assert jax.tree.all(jax.tree.map(np.array_equal, settings, after)), "settings are not trained"
