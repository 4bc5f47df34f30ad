"""Laws that every update must hold: devices x cells x pulse schemes, and Optax's own."""

import functools
import itertools
import operator
from typing import Any, NamedTuple

import flax.linen
import flax.training.train_state
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from jaxtyping import TypeCheckError

import memjax
from memjax import random
from memjax.cells import CELLS, Cell
from memjax.devices import MODELS, ConstantStep
from memjax.errors import UserError
from memjax.pulses import SCHEMES, Coincidence, Counts, Scheme
from memjax.updates import OnDevicesState, PulsedUpdateState, pulsed_update, readout
from memjax.updates.leaf_names import leaf_names
from reference.families import FAMILIES
from reference.trees import avals, bits, distance

RANGE = 0.5
NOISY = {"levels": 40.0, "sigma_c2c": 0.5, "sigma_d2d": 0.3, "sigma_up_down": 0.1, "sigma_g": 0.02}
ULP = float(np.spacing(np.float32(RANGE)))
"""One unit in the last place of the largest weight."""

PULSES = {name: make() for name, make in SCHEMES.items() if name != "truncated"}
PULSES = {name: pulses for name, pulses in PULSES.items() if isinstance(pulses, Scheme)}
PULSES["delivered"] = None
"""Truncated pulses differ from deterministic ones in a rounding alone; Counts need no scheme."""
_BY_ONE = ("reference", "differential")
"""The cells whose devices take an update's pulses alone: tried with everything else."""
REGISTRY = [
    (device, cell, [*PULSES][(i + j) % len(PULSES)])
    for i, device in enumerate(MODELS)
    for j, cell in enumerate(CELLS)
]
"""Every device with every cell; every cell, and every family of devices, with every scheme."""
_SLOW = [
    *itertools.product(FAMILIES, _BY_ONE),
    ("ConstantStep", "refresh_pair"),
    ("SoftBounds", "vector"),
    ("PhaseChange", "refresh_pair"),
    ("PhaseChange", "vector"),
]
COMPILED = [
    (device, cell, pulses)
    for (device, cell), pulses in zip(_SLOW, itertools.cycle(PULSES), strict=False)
]
"""A device of each family with every cell of one and some of several, all schemes among them."""
assert {cell for _, cell, _ in COMPILED} == CELLS.keys()
DIAGONAL = [COMPILED[i] for i in (0, 3, 4, 12, 13)]
BOTH_CELLS = COMPILED[:2]
of = pytest.mark.parametrize


def params() -> dict[str, Any]:
    w = jnp.linspace(-0.4, 0.4, 12, dtype=jnp.float32).reshape(3, 4)
    return {"dense": {"kernel": w}, "gain": jnp.float32(0.25)}


class Case(NamedTuple):
    """A transform, its first state, and its steps as one program, whose traces are counted."""

    tx: optax.GradientTransformationExtraArgs
    state: OnDevicesState
    steps: Any
    traces: list[int]
    wanted: Any

    def step(self, params, state, wanted):
        """The first of the steps."""
        return self.steps(params, state, wanted, 1)[:2]


def compiled(tx: Any) -> Any:
    """The transform with what calls ``init`` op by op served by one program."""
    return optax.GradientTransformationExtraArgs(jax.jit(tx.init), tx.update)


def build(device: str, cell: str, pulses: str) -> tuple[Any, Any, list[int], Any]:
    tx = pulsed_update(
        MODELS[device](**NOISY),
        key=jax.random.key(3),
        cell=CELLS[cell](weight_range=RANGE),
        pulses=PULSES[pulses],
        memristive="*",
    )
    traces = [0]

    @jax.jit
    def steps(params, state, wanted, number):
        """Some updates, up and down; and the largest weight and gap to the readout on the way."""
        traces[0] += 1

        def body(step, carry):
            params, state, largest, gap = carry
            sign = jnp.where(step % 100 < 47, 1.0, -1.0)
            updates, state = tx.update(jax.tree.map(lambda w: sign * w, wanted), state, params)
            params = optax.apply_updates(params, updates)
            largest = jnp.maximum(largest, optax.tree.max(jax.tree.map(jnp.abs, params)))
            gaps = jax.tree.map(lambda a, b: jnp.abs(a - b), params, readout(state, params))
            return params, state, largest, jnp.maximum(gap, optax.tree.max(gaps))

        return jax.lax.fori_loop(0, number, body, (params, state, *jnp.zeros(2)))

    wanted = jax.tree.map(lambda w: jnp.round(4.0 * jnp.cos(40.0 * w)), params())
    as_given = Counts if pulses == "delivered" else lambda n: 0.04 * n
    wanted = jax.tree.map(as_given, wanted)
    return tx, steps, traces, wanted


@functools.cache
def case(device: str, cell: str, pulses: str) -> Case:
    tx, steps, traces, wanted = build(device, cell, pulses)
    return Case(tx, jax.jit(tx.init)(params()), steps, traces, wanted)


# --- devices x cells x pulse schemes ---------------------------------------------------------


@of("name", REGISTRY)
def test_the_state_is_a_fixed_point_of_types_under_update_and_cond(name):
    """So under ``scan`` too, and a second update never recompiles; extra args are swallowed."""
    tx, _, _, wanted = build(*name)

    update = jax.jit(functools.partial(tx.update, no_such_argument=1))

    def run(flag, p):
        s = tx.init(p)
        updates, once = update(wanted, s, p)
        skip = lambda: (jax.tree.map(jnp.zeros_like, p), s)  # noqa: E731
        _, maybe = jax.lax.cond(flag, lambda: update(wanted, s, p), skip)
        return p, updates, s, once, maybe

    p, updates, *states = jax.eval_shape(run, True, params())
    assert avals(updates) == avals(p)
    assert all(avals(s) == avals(states[0]) for s in states)


@of("name", COMPILED)
def test_a_second_update_does_not_recompile(name):
    made = case(*name)
    s, before, wanted = made.state, made.traces[0], made.wanted
    p1, s1 = made.step(params(), s, wanted)
    p2, s2 = made.step(p1, s1, wanted)
    assert made.traces[0] - before <= 1
    assert avals(s) == avals(s1) == avals(s2) and int(s2.inner_state.count) == 2
    assert distance(p1, params()) > 0 and avals(p2) == avals(params())


@of("name", DIAGONAL)
def test_map_params_finds_the_cells(name):
    tx, s, *_ = case(*name)
    same = optax.tree.map_params(tx, lambda leaf: leaf, s)
    assert jax.tree.structure(same) == jax.tree.structure(s) and bits(same) == bits(s)
    none = optax.tree.map_params(tx, jnp.zeros_like, s)
    assert all(not np.any(leaf) for leaf in jax.tree.leaves(none.inner_state.cells))
    assert bits(none.inner_state.device) == bits(s.inner_state.device)


@of("name", COMPILED)
def test_ten_thousand_steps_keep_params_at_the_readout_and_within_the_range(name):
    _, state, steps, _, wanted = case(*name)
    p, s, largest, gap = steps(params(), state, wanted, 10_000)
    assert int(s.inner_state.count) == 10_000
    assert float(gap) <= 2 * ULP
    assert float(largest) <= RANGE + ULP
    assert distance(readout(s, p), jax.tree.map(lambda w: jnp.clip(w, -RANGE, RANGE), p)) <= 2 * ULP
    assert all(bool(jnp.all(jnp.isfinite(w))) for w in jax.tree.leaves(p))


@of("name", COMPILED)
def test_a_zero_update_leaves_the_bits_of_the_weights_that_the_devices_hold(name):
    made = case(*name)
    zero = jax.tree.map(jnp.zeros_like, made.wanted)
    p, s = made.step(params(), made.state, made.wanted)
    p, s = made.step(readout(s, p), s, zero)  # by the same program, which may round as it will
    q, t = made.step(p, s, zero)
    assert bits(q) == bits(p) and bits(t.inner_state.cells) == bits(s.inner_state.cells)


@of("name", COMPILED)
def test_the_same_key_repeats_bit_for_bit_and_another_does_not(name):
    made = case(*name)
    state, step, wanted = made.state, made.step, made.wanted
    once = step(params(), state, wanted)
    again = step(params(), state, wanted)
    assert bits(once) == bits(again)
    inner = state.inner_state
    other = state._replace(inner_state=inner._replace(key=random.stream(jax.random.key(4))))
    assert bits(step(params(), other, wanted)[0]) != bits(once[0])
    later = state._replace(inner_state=inner._replace(count=jnp.int32(9)))
    assert bits(step(params(), later, wanted)[0]) != bits(once[0])


# --- devices x cells -------------------------------------------------------------------------


@of("name", DIAGONAL)
def test_lanes_of_a_vmap_over_device_and_key_are_those_of_a_loop(name):
    device, cell, _ = name
    made = case(*name)
    step, wanted = made.step, made.wanted
    levels = jnp.array([8.0, 200.0])
    keys = jax.random.split(jax.random.key(0), 2)

    @jax.jit
    def init(levels, key):
        made = MODELS[device](**NOISY | {"levels": levels})
        of_cell = CELLS[cell](weight_range=RANGE)
        return pulsed_update(made, key=key, cell=of_cell, memristive="*").init(params())

    states = jax.vmap(init)(levels, keys)
    after, _ = jax.vmap(step, (None, 0, None))(params(), states, wanted)
    lanes = [jax.tree.map(operator.itemgetter(lane), after) for lane in range(2)]
    for lane in range(2):
        alone, _ = step(params(), init(levels[lane], keys[lane]), wanted)
        assert distance(lanes[lane], alone) <= 4 * ULP
    assert distance(*lanes) > 0.01


@of("name", DIAGONAL[:2])
def test_own_bounds_and_stuck_devices_hold_their_weights(name):
    device, cell, _ = name
    made = MODELS[device](**NOISY, sigma_bounds=0.2, stuck=0.4)
    tx = pulsed_update(made, key=jax.random.key(1), cell=CELLS[cell](weight_range=RANGE))
    p = {"w": jnp.linspace(-0.4, 0.4, 400, dtype=jnp.float32)}

    @jax.jit
    def run(p):
        def body(carry, sign):
            q, s = carry
            updates, s = tx.update({"w": jnp.full(400, 0.1) * sign}, s, q)
            return (optax.apply_updates(q, updates), s), None

        s = tx.init(p)
        return readout(s, p), *jax.lax.scan(body, (p, s), jnp.array([1.0, -1.0, 1.0]))[0]

    start, q, s = run(p)
    assert distance(q, readout(s, q)) <= 2 * ULP
    fixed = jnp.abs(q["w"] - start["w"]) <= 2 * ULP
    both = 0.4 if cell == "reference" else 0.4**2  # a pair moves while one of its devices does
    assert abs(float(jnp.mean(fixed.astype(jnp.float32))) - both) < 0.1


@of("dtype", ["bfloat16", "float16", "int32", "bool", "complex64"])
def test_weights_on_devices_are_float32_or_refused(dtype):
    tx = pulsed_update(ConstantStep(), key=jax.random.key(0))
    p = {"dense": {"kernel": jnp.zeros((2, 2), dtype), "bias": jnp.zeros(2, dtype)}}
    remedy = "keep float32 masters" if "float" in dtype else "leave it out by memristive"
    with pytest.raises(UserError, match=f"pulsed_update: dense/kernel is {dtype}: .*{remedy}"):
        tx.init(p)
    p["dense"]["kernel"] = jnp.zeros((2, 2))  # what is in floating point is of any type
    updates, _ = tx.update(p, tx.init(p), p)
    assert avals(updates["dense"]["bias"]) == avals(p["dense"]["bias"])


@of("name", BOTH_CELLS)
def test_physics_is_float32(name):
    s = jax.eval_shape(case(*name).tx.init, params()).inner_state
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves((s.device, s.cell, s.cells)))


# --- Optax's and Flax's wrappers -------------------------------------------------------------


@of("name", BOTH_CELLS)
def test_noise_belongs_to_a_weights_path(name):
    """A layer more, a mask or a partition deals no other weight's noise and devices anew.

    Op by op, without ``jit``: a fused program may round differently from another. All weights have
    one shape, so that each operation is compiled once.
    """
    tx = case(*name).tx
    p = {"dense": {"kernel": jnp.full(2, 0.1), "bias": jnp.full(2, 0.2)}, "gain": jnp.full(2, 0.3)}
    wanted = jax.tree.map(lambda leaf: 0.1 * leaf, p)

    def step(tx, p, wanted):
        updates, s = tx.update(wanted, tx.init(p), p)
        return updates, s, optax.apply_updates(p, updates)

    dense, _, _ = step(tx, p, wanted)
    more, new = {"a_new_layer": jnp.full(2, 0.4), **p}, {"a_new_layer": jnp.zeros(2), **wanted}
    after, _, _ = step(tx, more, new)
    assert bits({k: after[k] for k in p}) == bits(dense)

    updates, s, q = step(optax.masked(tx, {"dense": True, "gain": False}), p, wanted)
    assert isinstance(s.inner_state.inner_state.cells.devices[0].g_max["gain"], optax.MaskedNode)
    assert bits(updates["dense"]) == bits(dense["dense"])
    assert bits(updates["gain"]) == bits(wanted["gain"]), "masked passes a masked gradient on"
    assert distance(readout(s, q), q) <= 2 * ULP

    groups = {"memristive": tx, "float": optax.scale(-0.5)}
    parts = optax.partition(groups, {"dense": "memristive", "gain": "float"})
    updates, s, q = step(parts, p, wanted)
    assert bits(updates["dense"]) == bits(dense["dense"])
    assert bits(updates["gain"]) == bits(-0.5 * wanted["gain"])
    assert distance(readout(s, q), q) <= 2 * ULP
    assert avals(jax.eval_shape(parts.update, wanted, s, p)[1]) == avals(
        jax.eval_shape(parts.init, p)
    )


def test_two_devices_in_one_partition_are_read_out_together():
    key = jax.random.key(0)
    pair, one = (cell(weight_range=RANGE) for cell in (CELLS["differential"], CELLS["reference"]))
    groups = {
        "dense": pulsed_update(MODELS["SoftBounds"](**NOISY), key=key, cell=pair),
        "gain": pulsed_update(MODELS["ConstantStep"](levels=8), key=key, cell=one),
    }
    tx = optax.partition(groups, {"dense": "dense", "gain": "gain"})
    p = params()
    updates, s = jax.jit(lambda p: tx.update(jax.tree.map(jnp.ones_like, p), tx.init(p), p))(p)
    p = optax.apply_updates(p, updates)
    assert distance(p, readout(s, p)) <= 2 * ULP
    with pytest.raises(memjax.UserError, match="none of devices"):
        readout(optax.sgd(0.1).init(p), p)


@of("name", BOTH_CELLS)
def test_multi_steps_fires_once_in_k_with_the_mean(name):
    made = case(*name)
    state, step, wanted = made.state, made.step, made.wanted
    multi = optax.MultiSteps(made.tx, every_k_schedule=3)

    @jax.jit
    def update(wanted, s, p):
        with jax.numpy_dtype_promotion("standard"):  # MultiSteps divides by an integer
            return multi.update(wanted, s, p)

    p, s = params(), jax.jit(multi.init)(params())
    for mini in range(3):
        updates, s = update(wanted, s, p)
        p = optax.apply_updates(p, updates)
        if mini < 2:
            assert bits(p) == bits(params())
    assert int(s.inner_opt_state.inner_state.count) == 1
    assert distance(p, step(params(), state, wanted)[0]) <= 4 * ULP
    assert distance(p, readout(s, p)) <= 2 * ULP


@of("static_args", [(), ("key",)])
def test_inject_hyperparams_changes_the_rate_without_a_new_compilation(static_args):
    """A typed key may be injected, or static; the device stays out of it and in our state."""
    device, key = MODELS["ConstantStep"](levels=2**16 + 1), jax.random.key(0)
    make = optax.inject_hyperparams(memjax.memristive_sgd, static_args=static_args)
    pulses = SCHEMES["bernoulli"](max_pulses=2**20)
    tx = make(learning_rate=0.1, device=device, key=key, pulses=pulses)
    p, grads = {"w": jnp.array([0.1, -0.2])}, {"w": jnp.array([1.0, -0.5])}
    s = jax.jit(tx.init)(p)
    update = jax.jit(tx.update)
    slow, t = update(grads, s, p)
    plain = memjax.memristive_sgd(0.1, device, key=key, pulses=pulses)
    alone, _ = jax.jit(lambda p: plain.update(grads, plain.init(p), p))(p)
    assert distance(slow, alone) <= 1.1 / 2**16
    fast, _ = update(grads, optax.tree.set(s, learning_rate=jnp.float32(0.2)), p)
    assert distance(jax.tree.map(lambda u: 2.0 * u, slow), fast) <= 3 / 2**16
    assert avals(s) == avals(t) and update._cache_size() == 1


class Net(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.layers = nnx.List(
            [
                nnx.Linear(3, 4, rngs=rngs, use_bias=False),
                nnx.Linear(4, 2, rngs=rngs, use_bias=False),
            ]
        )

    def __call__(self, x):
        first, second = self.layers
        return second(jax.nn.relu(first(x)))


@of("name", BOTH_CELLS)
def test_nnx_optimizer_keeps_the_state_and_deals_the_noise_of_plain_optax(name):
    tx = compiled(optax.chain(optax.sgd(0.1), case(*name).tx))
    net = Net(nnx.Rngs(0))
    before = nnx.as_pure(nnx.state(net, nnx.Param))
    optimizer = nnx.Optimizer(net, tx, wrt=nnx.Param)
    x = jnp.ones((5, 3))
    traces = []

    @nnx.jit
    def step(net, optimizer):
        traces.append(1)
        grads = nnx.grad(lambda net: jnp.sum(net(x) ** 2))(net)
        optimizer.update(net, grads)
        return nnx.as_pure(nnx.state(grads, nnx.Param))

    state = jax.tree.structure(optimizer.opt_state)
    plain_update = jax.jit(tx.update)
    plain_state, plain = tx.init(before), before
    for _ in range(2):
        grads = step(net, optimizer)
        assert jax.tree.structure(optimizer.opt_state) == state
        updates, plain_state = plain_update(grads, plain_state, plain)
        plain = optax.apply_updates(plain, updates)
    assert len(traces) <= 2, "a second step recompiles"
    after = nnx.as_pure(nnx.state(net, nnx.Param))
    opt_state = nnx.as_pure(optimizer.opt_state)
    inner = opt_state[-1].inner_state
    assert isinstance(inner, PulsedUpdateState) and int(inner.count) == 2
    assert isinstance(inner.device, MODELS[name[0]]) and isinstance(inner.cell, Cell)
    assert int(opt_state[-1].moved) == 0
    assert distance(after, plain) <= 4 * ULP and distance(after, before) > 0.01
    assert distance(after, readout(opt_state, after)) <= 2 * ULP


@of("name", BOTH_CELLS)
def test_linens_train_state(name):
    model = flax.linen.Dense(2)
    variables = model.init(jax.random.key(0), jnp.ones((1, 3)))
    tx = compiled(optax.chain(optax.sgd(0.1), case(*name).tx))
    state = flax.training.train_state.TrainState.create(
        apply_fn=model.apply, params=variables["params"], tx=tx
    )

    @jax.jit
    def step(state):
        loss = lambda params: jnp.sum(state.apply_fn({"params": params}, jnp.ones((1, 3))) ** 2)  # noqa: E731
        return state.apply_gradients(grads=jax.grad(loss)(state.params))

    after = step(step(state))
    assert jax.tree.structure(after) == jax.tree.structure(state) and int(after.step) == 2
    assert distance(after.params, readout(after.opt_state, after.params)) <= 2 * ULP
    assert distance(after.params, state.params) > 0.01


@of("cell", ["reference", "differential"])
def test_it_must_be_the_last_link(cell):
    """What comes after changes what the hardware did: an error, or under ``jit`` a counter."""
    assert "**last** link of a chain" in (pulsed_update.__doc__ or "")
    device, of_weights = MODELS["ConstantStep"](levels=5), CELLS[cell](weight_range=RANGE)
    tx = pulsed_update(device, key=jax.random.key(0), cell=of_weights)
    wanted = {"w": jnp.full(3, 0.25)}

    def twice(links, compile):
        chain = optax.chain(*links)
        update = jax.jit(chain.update) if compile else chain.update
        p = {"w": jnp.zeros(3)}
        s = chain.init(p)
        for _ in range(2):
            updates, s = update(wanted, s, p)
            p = optax.apply_updates(p, updates)
        return p, s

    for compile in (False, True):
        p, s = twice((tx,), compile)
        assert int(s[0].moved) == 0 and bits(readout(s, p)) == bits(p)
    p, s = twice((tx, optax.scale(0.5)), True)
    assert int(s[0].moved) == 1
    for told in (lambda: readout(s, p), lambda: twice((tx, optax.scale(0.5)), False)):
        with pytest.raises(UserError, match=r"w is not what the last update left.*the last link"):
            told()


# --- what an update does on average, and in the ideal limit ----------------------------------


@of("pulses", ["bernoulli", "binomial"])
@of("device,cell", [("ConstantStep", c) for c in CELLS] + [("SoftBounds", c) for c in CELLS])
def test_the_mean_change_is_the_wanted_one(device, cell, pulses):
    """``E[dw] = wanted`` over 4,000 keys, within 5 standard errors; write noise is on.

    A constant step is tried up to 3 pulses; soft bounds at mid-range, where one pulse is the
    nominal step, up to one pulse. A refresh pair starts with both devices there.
    """
    sub_pulse = device == "SoftBounds"
    made, of_weights = MODELS[device](levels=101.0, sigma_c2c=0.7), CELLS[cell](weight_range=RANGE)
    reach = 0.9 if sub_pulse else 3.0
    size = of_weights.pulse_size(made)
    wanted = {"w": jnp.linspace(-reach, reach, 8, dtype=jnp.float32) * size}
    scheme = SCHEMES[pulses](**({"length": 1} if sub_pulse and pulses == "binomial" else {}))
    tx = pulsed_update(made, key=jax.random.key(0), cell=of_weights, pulses=scheme)
    p = {"w": jnp.zeros(8)}

    @jax.jit
    def changes_of(keys):
        state = tx.init(p)
        s = state.inner_state
        middle = jax.tree.map(lambda g: jnp.full_like(g, 0.5), s.cells.conductances)
        s = s._replace(cells=s.cells._replace(conductances=middle))

        def change(key):
            now = state._replace(inner_state=s._replace(key=random.stream(key)))
            return tx.update(wanted, now, p)[0]["w"]

        return jax.vmap(change)(keys)

    changes = changes_of(jax.random.split(jax.random.key(7), 4000))
    error = jnp.mean(changes, axis=0) - wanted["w"]
    standard_error = jnp.std(changes, axis=0) / 4000**0.5
    assert float(jnp.max(jnp.abs(error) / standard_error)) < 5.0


SLOPES = jnp.linspace(0.0, 1.0, 512, dtype=jnp.float32)


def descent(tx: Any, steps: int) -> Any:
    """Where some steps down ``sum of a (w - target)^2 / 2`` lead; ``a`` are the slopes."""
    target = 0.4 * jnp.sin(jnp.arange(512.0))

    def body(carry, _):
        w, s = carry
        updates, s = tx.update(SLOPES * (w - target), s, w)
        return (optax.apply_updates(w, updates), s), None

    def run(w):
        return jax.lax.scan(body, (w, tx.init(w)), length=steps)[0][0]

    return jax.jit(run)(jnp.full(512, 0.1))


@functools.cache
def exact_descent(steps: int) -> Any:
    return descent(optax.sgd(0.1), steps)


def quadratic(pulses: Any, levels: float, cell: str, steps: int) -> Any:
    """Errors against ``optax.sgd``."""
    device = MODELS["ConstantStep"](levels=levels)
    ours = memjax.memristive_sgd(
        0.1, device, key=jax.random.key(0), cell=CELLS[cell](weight_range=RANGE), pulses=pulses
    )
    return descent(ours, steps) - exact_descent(steps)


@of("cell", list(CELLS))
def test_ideal_devices_with_rounded_pulses_are_sgd(cell):
    """A step is off by half a pulse at most, T steps by T/2 pulses, and by 1/(2 rate a) of one."""
    levels, steps = 2.0**16 + 1, 100
    size = 2 * RANGE / (levels - 1)
    scheme = SCHEMES["deterministic"](max_pulses=2**20)
    error = quadratic(scheme, levels, cell, steps)
    bound = size * jnp.minimum(steps / 2, 0.5 / jnp.maximum(0.1 * SLOPES, 1e-9))
    assert bool(jnp.all(jnp.abs(error) <= bound + 4 * steps * ULP))


@of("cell", list(CELLS))
def test_ideal_devices_with_stochastic_pulses_are_sgd(cell):
    """A step's error has sd half a pulse at most; T steps' errors add as squares.

    With 2^16 steps in the range, 100 updates: within 6 x 5 pulses, 4.6e-4 of a weight range of 0.5.
    """
    levels, steps = 2.0**16 + 1, 100
    size = 2 * RANGE / (levels - 1)
    error = quadratic(SCHEMES["bernoulli"](max_pulses=2**20), levels, cell, steps)
    assert float(jnp.max(jnp.abs(error))) <= 6 * 0.5 * steps**0.5 * size + 4 * steps * ULP
    assert float(jnp.sqrt(jnp.mean(error**2))) <= 0.5 * steps**0.5 * size


@of("length", [8, 32])
def test_layers_with_long_trains_on_ideal_devices_are_sgd(length):
    """``E[dw] = -rate x d^T``, with the trains' variance of ``m (1 - m / BL)`` pulses a step.

    So T steps are SGD's to a relative ``sqrt((1 - m / BL) / (T m))``: 2.2 % at m = 16 of 32 slots
    and T = 64. It falls with more steps or longer trains, not with more levels at the same m.
    """
    steps, keys, rows, columns = 64, 24, 6, 5
    device = MODELS["ConstantStep"](levels=2.0**20 + 1)
    cell = CELLS["reference"](weight_range=RANGE)
    size = 2 * RANGE / 2.0**20
    learning_rate = 0.5 * length * size
    pulses = Coincidence(length=length)
    tx = memjax.coincidence_sgd(device, key=jax.random.key(0), cell=cell)
    x = jnp.linspace(-1.0, 1.0, rows, dtype=jnp.float32)[None]
    d = jnp.linspace(1.0, -0.8, columns, dtype=jnp.float32)[None]
    p = jnp.zeros((rows, columns))

    @jax.jit
    @jax.vmap
    def run(key):
        def body(carry, step):
            w, s = carry
            stream = random.fold_in(random.stream(key), step)
            layer = functools.partial(
                memjax.nn.pulsed_dense, x, stream=stream, rate=learning_rate / size, pulses=pulses
            )
            grads = jax.grad(lambda w: jnp.sum(layer(w) * d))(w)
            updates, s = tx.update(grads, s, w)
            return (optax.apply_updates(w, updates), s), None

        return jax.lax.scan(body, (p, tx.init(p)), jnp.arange(steps))[0][0]

    weights = run(jax.random.split(jax.random.key(5), keys))
    sgd = -steps * learning_rate * x.T @ d
    m = 0.5 * length * jnp.abs(x.T @ d)[None]
    sd = size * jnp.sqrt(steps * m * (1 - m / length))
    z = (weights - sgd[None]) / sd
    assert float(jnp.max(jnp.abs(z))) < 5.0
    assert 0.8 < float(jnp.sqrt(jnp.mean(z**2))) < 1.2
    largest = weights[:, 0, 0]
    assert float(jnp.max(jnp.abs(largest / sgd[0, 0] - 1))) < 5 / (steps * length) ** 0.5


def test_a_path_has_one_name_in_variables_and_in_arrays():
    net = Net(nnx.Rngs(0))
    state = nnx.state(net, nnx.Param)
    assert leaf_names(state) == leaf_names(nnx.as_pure(state))
    assert len(set(leaf_names(state))) == 2


@of("device,cell", _SLOW)
def test_an_eager_state_may_be_donated(device, cell):
    """It shares no buffer with itself, with the transform or with the user's key."""
    key = jax.random.key(0)
    tx = pulsed_update(MODELS[device](), key=key, cell=CELLS[cell]())
    params = {"w": jnp.zeros(3)}
    taken = jax.jit(lambda state: jax.tree.map(jnp.copy, state), donate_argnums=0)
    for _ in range(2):
        state = tx.init(params)
        jax.block_until_ready(taken(state))
        assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state))
    assert jax.random.bits(key).shape == ()


@of("key", [jax.random.split(jax.random.key(0), 3), 0, None])
def test_a_key_that_is_not_one_key_is_refused(key):
    with pytest.raises((UserError, TypeCheckError)):
        pulsed_update(ConstantStep(), key=key)
