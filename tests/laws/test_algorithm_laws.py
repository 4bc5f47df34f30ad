"""Laws that every learning algorithm must hold: Optax's and Flax's own, and ``readout``'s."""

import dataclasses
import functools
from typing import Any, NamedTuple

import flax.linen
import flax.training.train_state
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from memjax.cells import CELLS
from memjax.devices import MODELS
from memjax.updates import ALGORITHMS, readout
from reference.trees import avals, bits, distance

RANGE = 0.5
NOISY = {"levels": 41.0, "sigma_c2c": 0.3, "sigma_d2d": 0.2, "sigma_up_down": 0.1}
ULP = float(np.spacing(np.float32(RANGE)))
"""One unit in the last place of the largest weight."""
LETTERS = {
    "tiki_taka": {"gamma": 0.5, "transfer_rate": 0.5, "with_reset": 0.5},
    "tiki_taka_v2": {"transfer_rate": 0.5, "transfer_every": 2, "forget": True, "zero_shift": 2},
    "chopped_tiki_taka": {
        "transfer_rate": 0.5,
        "flip_probability": 0.3,
        "sigma_transfer": 0.01,
        "buffer_momentum": 0.1,
    },
    "agad": {
        "transfer_rate": 0.5,
        "chop_every": 2.0,
        "gamma": 0.25,
        "zero_shift": 2,
        "fast_rate": 0.2,
        "auto_scale": True,
    },
}
"""Parameters that make every branch of an algorithm run within a few updates."""
PLAIN = {"with_reset": None, "zero_shift": 0}
SOME = ["rprop", "mixed_precision", "agad"]
"""One algorithm for each kind of state: for the slower laws."""
ALIKE = ["tiki_taka_v2", "chopped_tiki_taka"]
"""Their state is part of AGAD's."""
KINDS = {"vector": {"rule": "at_random"}}
"""Rows are pulsed at fixed intervals, so that devices cannot take turns by the count of updates."""
of = pytest.mark.parametrize


def make(name: str, device: str = "SoftBounds", cell: str = "reference", **options: Any) -> Any:
    algorithm = ALGORITHMS[name](**LETTERS.get(name, {}))
    cells = CELLS[cell](weight_range=RANGE, **KINDS.get(cell, {}))
    if cells.refreshes:  # fires no pulses beside those of updates
        algorithm = dataclasses.replace(
            algorithm, **{k: v for k, v in PLAIN.items() if hasattr(algorithm, k)}
        )
    return algorithm.transform(
        MODELS[device](**NOISY),
        key=jax.random.key(3),
        cell=cells,
        memristive="*",
        **algorithm.rate_options(1.0),
        **options,
    )


def compiled(tx: Any) -> Any:
    """The transform with what calls ``init`` op by op served by one program."""
    return optax.GradientTransformationExtraArgs(jax.jit(tx.init), tx.update)


def params() -> dict[str, Any]:
    w = jnp.linspace(-0.4, 0.4, 12, dtype=jnp.float32).reshape(3, 4)
    return {
        "dense": {"bias": jnp.full(4, 0.1, jnp.float32), "kernel": w},
        "gain": jnp.float32(0.25),
    }


def wish() -> Any:
    """Changes of about a pulse, of both signs."""
    return jax.tree.map(lambda w: 0.03 * jnp.round(2.5 * jnp.cos(40.0 * w)), params())


class Case(NamedTuple):
    tx: optax.GradientTransformationExtraArgs
    state: Any
    step: Any
    traces: list[int]


def case(name: str, device: str = "SoftBounds", cell: str = "reference") -> Case:
    """A transform, its first state and one jitted step of it, whose traces are counted."""
    return _case(name, device, cell)


@functools.cache
def _case(name: str, device: str, cell: str) -> Case:
    tx = make(name, device, cell)
    traces = [0]

    @jax.jit
    def step(params, state, wanted):
        traces[0] += 1
        updates, state = tx.update(wanted, state, params)
        return optax.apply_updates(params, updates), state

    return Case(tx, jax.jit(tx.init)(params()), step, traces)


# --- Optax's common laws ---------------------------------------------------------------------


@of(
    "name,cell",
    [
        *((name, "reference") for name in ALGORITHMS),
        *((name, "differential") for name in ALGORITHMS if name not in ALIKE),
        *(("agad", cell) for cell in CELLS if cell not in ("reference", "differential")),
    ],
)
def test_the_state_is_a_fixed_point_of_types_under_update_scan_and_cond(name, cell):
    """Extra args are swallowed; physics is float32."""
    tx = make(name, cell=cell)
    update = jax.jit(functools.partial(tx.update, no_such_argument=1))

    def run(flag, p):
        s, wanted = tx.init(p), jax.tree.map(jnp.ones_like, p)
        updates, once = update(wanted, s, p)
        skip = lambda: (jax.tree.map(jnp.zeros_like, p), s)  # noqa: E731
        _, maybe = jax.lax.cond(flag, lambda: update(wanted, s, p), skip)
        return p, updates, readout(s, p), s, once, maybe

    p, updates, held, *states = jax.eval_shape(run, True, params())
    assert avals(updates) == avals(p) == avals(held)
    assert all(avals(s) == avals(states[0]) for s in states)
    floats = [x for x in jax.tree.leaves(states[0]) if jnp.issubdtype(x.dtype, jnp.floating)]
    assert all(leaf.dtype == jnp.float32 for leaf in floats)


@of("name", list(ALGORITHMS))
def test_a_second_update_does_not_recompile_and_one_key_repeats_bit_for_bit(name):
    _, state, step, traces = case(name)
    before, wanted = traces[0], wish()
    p, s = params(), state
    for _ in range(4):
        p, s = step(p, s, wanted)
    assert traces[0] - before <= 1 and avals(s) == avals(state)
    assert distance(p, params()) > 0
    q, t = params(), state
    for _ in range(4):
        q, t = step(q, t, wanted)
    assert bits((q, t)) == bits((p, s))


@of("name", SOME)
def test_another_key_deals_other_noise(name):
    _, state, step, _ = case(name)
    algorithm = ALGORITHMS[name](**LETTERS.get(name, {}))
    others = algorithm.transform(
        MODELS["SoftBounds"](**NOISY),
        key=jax.random.key(4),
        cell=CELLS["reference"](),
        memristive="*",
        **algorithm.rate_options(1.0),
    )
    p, s, q, t = params(), state, params(), jax.jit(others.init)(params())
    wanted = wish()
    for _ in range(30):
        (p, s), (q, t) = step(p, s, wanted), step(q, t, wanted)
    assert distance(p, q) > 1e-4


@of("name", list(ALGORITHMS))
def test_map_params_finds_what_is_shaped_like_the_params(name):
    tx, s, *_ = case(name)
    same = optax.tree.map_params(tx, lambda leaf: leaf, s)
    assert jax.tree.structure(same) == jax.tree.structure(s) and bits(same) == bits(s)
    sevens = optax.tree.map_params(tx, lambda leaf: jnp.full_like(leaf, 7.0), s)
    found = [np.asarray(x) for x in jax.tree.leaves(optax.tree.unwrap_random_key_data(sevens))]
    assert all(np.all(x == 7.0) for x in found if x.shape in ((4,), (3, 4)))
    assert {x.shape for x in found if np.all(x == 7.0)} >= {(), (4,), (3, 4)}


@of(
    "name,device,cell",
    [
        *((name, "SoftBounds", "reference") for name in ALGORITHMS),
        ("rprop", "ConstantStep", "differential"),
        ("agad", "ConstantStep", "refresh_pair"),
        ("mixed_precision", "ConstantStep", "refresh_pair"),
        ("tiki_taka", "ConstantStep", "vector"),
    ],
)
def test_params_are_the_readout_after_many_updates(name, device, cell):
    """A hundred updates that turn now and then: at the readout, finite and within the range."""
    _, state, step, _ = case(name, device, cell)
    up = wish()
    down = jax.tree.map(jnp.negative, up)
    p, s = params(), state
    for number in range(100):
        p, s = step(p, s, up if number % 40 < 22 else down)
    gamma = LETTERS.get(name, {}).get("gamma", 0.0)
    assert distance(p, readout(s, p)) <= 4 * ULP
    assert distance(p, params()) > 0.01
    assert all(np.all(np.isfinite(w)) for w in jax.tree.leaves(p))
    assert max(float(jnp.max(jnp.abs(w))) for w in jax.tree.leaves(p)) <= (1 + gamma) * RANGE + ULP


@of("name", list(ALGORITHMS))
def test_a_partition_leaves_the_other_weights_alone_and_deals_its_own_the_same(name):
    tx = make(name, "ConstantStep")
    groups = {"memristive": tx, "float": optax.scale(-0.5)}
    parts = optax.partition(groups, {"dense": "memristive", "gain": "float"})
    p, wanted = params(), wish()

    @jax.jit
    def both():
        dense = {"dense": p["dense"]}
        alone, _ = tx.update({"dense": wanted["dense"]}, tx.init(dense), dense)
        updates, s = parts.update(wanted, parts.init(p), p)
        return alone, updates, s

    alone, updates, s = both()
    assert distance(updates["dense"], alone["dense"]) <= 2 * ULP
    assert bits(updates["gain"]) == bits(-0.5 * wanted["gain"])
    q = optax.apply_updates(p, updates)
    assert distance(q, readout(s, q)) <= 4 * ULP


@of("name", ["rprop", "tiki_taka"])
def test_a_mask_passes_the_other_gradients_on(name):
    masked = optax.masked(make(name, "ConstantStep"), {"dense": True, "gain": False})
    p = params()
    updates, s = jax.jit(lambda: masked.update(wish(), masked.init(p), p))()
    assert bits(updates["gain"]) == bits(wish()["gain"])
    q = optax.apply_updates(p, updates)
    assert distance(q, readout(s, q)) <= 4 * ULP


@of("name", list(ALGORITHMS))
def test_params_without_leaves_are_no_trouble(name):
    tx = make(name)
    for empty in ({}, {"dense": None}, ()):
        s = tx.init(empty)
        updates, after = tx.update(empty, s, empty)
        assert updates == empty and avals(after) == avals(s)
        assert readout(s, empty) == empty


@of("name", ["mixed_precision", "agad"])
def test_multi_steps_fires_once_in_k_with_the_mean(name):
    tx, state, step, _ = case(name)
    multi = optax.MultiSteps(tx, every_k_schedule=2)

    @jax.jit
    def update(wanted, s, p):
        with jax.numpy_dtype_promotion("standard"):  # MultiSteps divides by an integer
            return multi.update(wanted, s, p)

    p, s = params(), jax.jit(multi.init)(params())
    for mini in range(2):
        updates, s = update(wish(), s, p)
        p = optax.apply_updates(p, updates)
        if not mini:
            assert bits(p) == bits(params())
    assert distance(p, step(params(), state, wish())[0]) <= 4 * ULP
    assert distance(p, readout(s, p)) <= 4 * ULP


@of("name", ["rprop", "agad"])
def test_lanes_of_a_vmap_over_device_and_key_are_those_of_a_loop(name):
    *_, step, _ = case(name)
    levels = jnp.array([20.0, 60.0])
    keys = jax.random.split(jax.random.key(0), 2)

    @jax.jit
    def init(levels, key):
        made = MODELS["SoftBounds"](**NOISY | {"levels": levels})
        algorithm = ALGORITHMS[name](**LETTERS.get(name, {}))
        tx = algorithm.transform(
            made,
            key=key,
            cell=CELLS["reference"](),
            memristive="*",
            **algorithm.rate_options(1.0),
        )
        return tx.init(params())

    lanes = jax.jit(jax.vmap(init))(levels, keys)
    p = jax.tree.map(lambda w: jnp.stack([w, w]), params())
    many_steps, wanted = jax.jit(jax.vmap(step, (0, 0, None))), wish()
    for _ in range(6):
        p, lanes = many_steps(p, lanes, wanted)
    for lane in range(2):
        q, s = params(), init(levels[lane], keys[lane])
        for _ in range(6):
            q, s = step(q, s, wanted)
        assert distance(jax.tree.map(lambda w, lane=lane: w[lane], p), q) <= 8 * ULP
    assert distance(*(jax.tree.map(lambda w, lane=lane: w[lane], p) for lane in (0, 1))) > 1e-3


@of("name", SOME)
def test_an_eager_state_may_be_donated(name):
    """It shares no buffer with itself, with the transform or with the user's key."""
    key = jax.random.key(0)
    algorithm = ALGORITHMS[name](**LETTERS.get(name, {}))
    tx = algorithm.transform(MODELS["ConstantStep"](), key=key, **algorithm.rate_options(1.0))
    p = {"w": jnp.zeros(3)}
    step = jax.jit(tx.update, donate_argnums=1)
    for _ in range(2):
        _, state = step(p, tx.init(p), p)
        jax.block_until_ready(state)
    assert jax.random.bits(key).shape == ()


@of("name", ["mixed_precision", "agad"])
def test_adam_clipping_momentum_and_schedules_go_before_it(name):
    """They shape what is wanted: the chain's update is that of its last link on their output."""
    last = make(name, "ConstantStep")
    before = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.trace(0.9),
        optax.scale_by_adam(),
        optax.scale_by_learning_rate(optax.linear_schedule(0.05, 0.01, 3)),
    )
    chain = optax.chain(before, last)
    p = {"w": jnp.linspace(-0.2, 0.2, 6, dtype=jnp.float32).reshape(2, 3)}

    @jax.jit
    def step(p, s, t, u):
        grads = jax.tree.map(lambda w: jnp.cos(9 * w), p)
        updates, s = chain.update(grads, s, p)
        shaped, t = before.update(grads, t, p)
        alone, u = last.update(shaped, u, p)
        return optax.apply_updates(p, updates), optax.apply_updates(p, alone), s, t, u

    with jax.numpy_dtype_promotion("standard"):
        states = jax.jit(lambda p: [tx.init(p) for tx in (chain, before, last)])(p)
        for _ in range(3):
            p, q, *states = step(p, *states)
            assert distance(p, q) <= 4 * ULP
    assert distance(p, readout(states[0], p)) <= 4 * ULP


# --- Flax ------------------------------------------------------------------------------------


class CNN(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv = nnx.Conv(1, 2, (2, 2), rngs=rngs)
        self.out = nnx.Linear(2 * 3 * 3, 2, rngs=rngs)

    def __call__(self, x):
        return self.out(jax.nn.relu(self.conv(x)).reshape(x.shape[0], -1))


@of("name", list(ALGORITHMS))
def test_a_convolutional_nnx_network_trains(name):
    """Its state keeps its structure; for some, it is the run of plain Optax."""
    tx = compiled(optax.chain(optax.sgd(0.1), make(name, "ConstantStep")))
    x = jnp.linspace(0.0, 1.0, 18, dtype=jnp.float32).reshape(2, 3, 3, 1)
    net = CNN(nnx.Rngs(0))
    before = nnx.as_pure(nnx.state(net, nnx.Param))
    optimizer = nnx.Optimizer(net, tx, wrt=nnx.Param)
    structure = jax.tree.structure(optimizer.opt_state)
    traces = []

    @nnx.jit
    def step(net, optimizer):
        traces.append(1)
        with jax.numpy_rank_promotion("allow"):  # Flax adds a convolution's bias so
            grads = nnx.grad(lambda net: jnp.sum((net(x) - 1.0) ** 2))(net)
        optimizer.update(net, grads)
        return nnx.as_pure(nnx.state(grads, nnx.Param))

    steps = [step(net, optimizer) for _ in range(3)]
    assert jax.tree.structure(optimizer.opt_state) == structure
    assert len(traces) <= 2, "a second step recompiles"
    after = nnx.as_pure(nnx.state(net, nnx.Param))
    opt_state = nnx.as_pure(optimizer.opt_state)
    assert distance(after, before) > 0
    assert distance(after, readout(opt_state, after)) <= 4 * ULP
    if name in ("rprop", "agad"):
        update, plain, state = jax.jit(tx.update), before, tx.init(before)
        for grads in steps:
            updates, state = update(grads, state, plain)
            plain = optax.apply_updates(plain, updates)
        assert distance(after, plain) <= 8 * ULP


@of("name", ["rprop", "chopped_tiki_taka"])
def test_linens_train_state(name):
    model = flax.linen.Dense(2)
    x = jnp.ones((1, 3))
    weights = model.init(jax.random.key(0), x)["params"]
    tx = compiled(optax.chain(optax.sgd(0.1), make(name, "ConstantStep")))
    state = flax.training.train_state.TrainState.create(apply_fn=model.apply, params=weights, tx=tx)

    @jax.jit
    def step(state):
        loss = lambda params: jnp.sum(state.apply_fn({"params": params}, x) ** 2)  # noqa: E731
        return state.apply_gradients(grads=jax.grad(loss)(state.params))

    after = state
    for _ in range(4):
        after = step(after)
    assert jax.tree.structure(after) == jax.tree.structure(state) and int(after.step) == 4
    assert distance(after.params, readout(after.opt_state, after.params)) <= 4 * ULP
    assert distance(after.params, state.params) > 0
