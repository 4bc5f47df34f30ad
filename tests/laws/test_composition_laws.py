"""Laws of what others put around the transforms: exact where devices are.

Ideal devices of 33 levels hold multiples of 1/32, and nothing else: so must every model, whatever
wraps the transform, and ``readout`` must say the same.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from optax import contrib

import memjax
from memjax.cells import CELLS
from memjax.devices import ConstantStep
from memjax.updates import readout
from reference.trees import bits, distance

KEY = jax.random.key(0)
IDEAL = ConstantStep(levels=33)
of_cell = pytest.mark.parametrize("cell", ["reference", "differential"])


def sgd(cell: str, **options: Any) -> Any:
    return memjax.memristive_sgd(0.1, IDEAL, key=KEY, cell=CELLS[cell](weight_range=0.5), **options)


def on_grid(tree: Any) -> bool:
    return all(np.array_equal(np.round(32 * w), 32 * w) for w in map(np.asarray, tree))


def labels(params: Any) -> Any:
    return {"dense": "memristive", "out": "float"}


def injected(cell: str) -> Any:
    make = optax.inject_hyperparams(memjax.memristive_sgd)
    return make(0.1, device=IDEAL, key=KEY, cell=CELLS[cell](weight_range=0.5))


AROUND = {
    "nothing": sgd,
    "multi_steps": lambda cell: optax.MultiSteps(sgd(cell), 3),
    "masked": lambda cell: optax.chain(
        optax.masked(sgd(cell), {"dense": True, "out": False}),
        optax.masked(optax.sgd(0.1), {"dense": False, "out": True}),
    ),
    "partition": lambda cell: optax.partition(
        {"memristive": sgd(cell), "float": optax.adam(0.1)}, labels
    ),
    "inject_hyperparams": injected,
    "apply_if_finite": lambda cell: optax.apply_if_finite(sgd(cell), 3),
}


@pytest.mark.parametrize("around", list(AROUND))
@of_cell
def test_every_weight_is_one_that_devices_hold(around, cell):
    tx = AROUND[around](cell)
    kernel = jnp.linspace(-12, 12, 12, dtype=jnp.float32).round().reshape(3, 4) / 32
    p = {"dense": {"kernel": kernel, "bias": jnp.ones(4)}, "out": {"kernel": kernel.T}}
    start = p

    @jax.jit
    def step(p, s):
        grads = jax.grad(lambda p: sum(jnp.sum((w - 0.3) ** 2) for w in jax.tree.leaves(p)))(p)
        with jax.numpy_dtype_promotion("standard"):  # MultiSteps divides by an integer
            updates, s = tx.update(grads, s, p)
        return optax.apply_updates(p, updates), s

    with jax.numpy_dtype_promotion("standard"):
        s = jax.jit(tx.init)(p)
    for _ in range(6):
        p, s = step(p, s)
    assert bits(readout(s, p)) == bits(p)
    assert on_grid([p["dense"]["kernel"]]) and distance(p, start) > 0
    assert on_grid([p["out"]["kernel"]]) or around in ("masked", "partition")
    assert not on_grid([p["dense"]["bias"]]), "a bias stays in floating point"


class Tied(nnx.Module):
    """One kernel, read twice."""

    def __init__(self, rngs):
        self.one = nnx.Linear(4, 4, rngs=rngs)
        self.two = nnx.Linear(4, 4, rngs=rngs)
        self.two.kernel = self.one.kernel

    def __call__(self, x):
        return self.two(nnx.relu(self.one(x)))


@nnx.split_rngs(splits=3)
@nnx.vmap(in_axes=0)
def three(rngs):
    return nnx.Linear(4, 4, rngs=rngs)


class Layers(nnx.Module):
    """Three layers as one, with a leading axis, scanned."""

    def __init__(self, rngs):
        self.layers = three(rngs)

    def __call__(self, x):
        @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
        def layer(x, layer):
            return nnx.relu(layer(x))

        return layer(x, self.layers)


class Adapted(nnx.Module):
    """A kernel that stays, and two of low rank."""

    def __init__(self, rngs):
        self.out = nnx.LoRALinear(4, 4, lora_rank=2, rngs=rngs)

    def __call__(self, x):
        return self.out(x)


@of_cell
def test_sam_comes_back_to_what_devices_hold_but_for_its_rounding(cell):
    """It finds the weights again as ``p + (c - p + u)``: no watch would pass that."""
    ascent = optax.chain(contrib.normalize(), optax.sgd(0.05))
    tx = contrib.sam(sgd(cell, watch=False), ascent, sync_period=2)
    p = {"w": jnp.linspace(-12, 12, 12, dtype=jnp.float32).round().reshape(3, 4) / 32}
    s, update = tx.init(p), jax.jit(tx.update)
    for _ in range(6):
        with jax.numpy_dtype_promotion("standard"):  # it multiplies by a bool
            updates, s = update({"w": p["w"] - 0.3}, s, p)
        p = optax.apply_updates(p, updates)
    assert np.allclose(32 * p["w"], np.round(32 * p["w"]), atol=1e-5)
    assert distance(readout(s, p), p) < 1e-6


@pytest.mark.parametrize(
    ("make", "wrt"), [(Tied, nnx.Param), (Layers, nnx.Param), (Adapted, nnx.LoRAParam)]
)
@of_cell
def test_nnx_models_hold_what_devices_hold(make, wrt, cell):
    net = make(nnx.Rngs(0))
    rounded = jax.tree.map(
        lambda w: jnp.round(32 * jnp.clip(w, -0.5, 0.5)) / 32, nnx.state(net, wrt)
    )
    nnx.update(net, rounded)
    optimizer = nnx.Optimizer(net, sgd(cell), wrt=wrt)
    x = jnp.linspace(-1, 1, 12, dtype=jnp.float32).reshape(3, 4)
    before = nnx.as_pure(nnx.state(net, wrt))

    @nnx.jit
    def step(net, optimizer):
        def loss(net):
            with jax.numpy_rank_promotion("allow"):  # Flax adds biases so
                return jnp.sum((net(x) - 1.0) ** 2)

        optimizer.update(net, nnx.grad(loss, argnums=nnx.DiffState(0, wrt))(net))

    for _ in range(3):
        step(net, optimizer)
    after = nnx.as_pure(nnx.state(net, wrt))
    assert distance(after, before) > 0
    kernels = [w for path, w in jax.tree.leaves_with_path(after) if "bias" not in str(path)]
    assert kernels and on_grid(kernels)
    held = readout(nnx.as_pure(optimizer.opt_state), after)
    assert bits(held) == bits(after)
