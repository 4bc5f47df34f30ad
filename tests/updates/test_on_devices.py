"""What a model's params and gradients may be, and what is told of them."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from optax import contrib

import memjax
from memjax import DevicesWarning, UserError
from memjax.cells import DifferentialPair, ReferenceCell
from memjax.devices import ConstantStep, SoftBounds
from memjax.pulses import Counts
from reference.trees import bits

KEY = jax.random.key(0)
FINE = ConstantStep(levels=2**16 + 1)


class Normed(nnx.Module):
    def __init__(self, rngs):
        self.conv = nnx.Conv(1, 4, (3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(4, rngs=rngs)
        self.out = nnx.Linear(4, 2, rngs=rngs)

    def __call__(self, x):
        return self.out(self.norm(self.conv(x)).mean((1, 2)))


def test_the_recipe_leaves_a_model_as_it_is_at_learning_rate_0():
    """No norm is halved and no kernel clipped, whose largest weight is beyond 0.5 here."""
    net = Normed(nnx.Rngs(0))
    optimizer = nnx.Optimizer(net, memjax.memristive_sgd(0.0, SoftBounds(), key=KEY), wrt=nnx.Param)
    before = nnx.as_pure(nnx.state(net, nnx.Param))
    assert float(jnp.abs(net.out.kernel[...]).max()) > 0.5
    optimizer.update(net, jax.tree.map(jnp.ones_like, nnx.state(net, nnx.Param)))
    after = nnx.as_pure(nnx.state(net, nnx.Param))
    assert bits(after) == bits(before)


def test_biases_and_scales_are_trained_in_floating_point():
    tx = memjax.memristive_sgd(0.1, ConstantStep(), key=KEY)
    p = {"norm": {"scale": jnp.ones(3)}, "out": {"bias": jnp.ones(3), "kernel": jnp.ones((2, 3))}}
    updates, s = tx.update(jax.tree.map(jnp.ones_like, p), tx.init(p), p)
    assert bits([updates["norm"]["scale"], updates["out"]["bias"]]) == bits([jnp.full(3, -0.1)] * 2)
    assert [jnp.shape(x) for x in jax.tree.leaves(s[-1].omega)] == [()], "one array on devices"
    held = memjax.readout(s, optax.apply_updates(p, updates))
    assert bits(held["norm"]) == bits({"scale": jnp.ones(3) - 0.1})


@pytest.mark.parametrize(
    ("memristive", "chosen"),
    [
        (None, ["a/kernel", "b/kernel"]),
        ("*", ["a/bias", "a/kernel", "b/kernel"]),
        ("a/*", ["a/bias", "a/kernel"]),
        (["b/*", "*bias"], ["a/bias", "b/kernel"]),
        (lambda path, w: w.shape == (3, 2), ["b/kernel"]),
    ],
)
def test_what_is_on_devices_is_chosen_by_path(memristive, chosen):
    p = {
        "a": {"bias": jnp.zeros(3), "kernel": jnp.zeros((2, 3))},
        "b": {"kernel": jnp.zeros((3, 2))},
    }
    tx = memjax.pulsed_update(ConstantStep(), key=KEY, memristive=memristive)
    s = tx.init(p)
    found = ["/".join(key.key for key in path) for path, _ in jax.tree.leaves_with_path(s.omega)]
    assert found == chosen


@pytest.mark.parametrize(
    ("memristive", "params", "told"),
    [
        (
            "conv*",
            {"out": jnp.zeros((2, 2))},
            "memristive = 'conv\\*' matches no weight; there are out",
        ),
        (None, {"bias": jnp.zeros(2)}, "no weight is on devices, of bias; give memristive"),
        (None, {"ids": jnp.array([7, 8])}, "ids is int32: no conductance is such a number"),
        (None, {"z": jnp.array([1j])}, "z is complex64: no conductance"),
        ("*", {"h": jnp.zeros(2, jnp.bfloat16)}, "h is bfloat16: .*keep float32 masters"),
    ],
)
def test_what_no_device_can_hold_is_refused(memristive, params, told):
    tx = memjax.memristive_sgd(0.1, ConstantStep(), key=KEY, memristive=memristive)
    with pytest.raises(UserError, match=f"PulsedSGD: {told}") as error:
        tx.init(params)
    assert "\n" not in str(error.value)


W = {"a": {"kernel": jnp.zeros((2, 3))}, "b": jnp.zeros((2, 2))}


@pytest.mark.parametrize(
    ("grads", "told"),
    [
        ({"a": {"kernel": None}, "b": W["b"]}, "a/kernel is on devices and has no gradient"),
        (
            {"a": {"kernel": jnp.zeros((3, 2))}, "b": W["b"]},
            r"a/kernel has shape \(3, 2\), its weights",
        ),
        ({"a": W["a"]}, "the gradients lack b; give a tree like params"),
        ({**W, "c": jnp.zeros(2)}, "the gradients have c, which params lack"),
    ],
)
def test_gradients_unlike_the_params_are_refused_with_their_path(grads, told):
    tx = memjax.pulsed_update(ConstantStep(), key=KEY)
    with pytest.raises(UserError, match=told) as error:
        tx.update(grads, tx.init(W), W)
    assert "\n" not in str(error.value)


def test_params_of_another_tree_are_refused():
    p = {"a": jnp.zeros((2, 2)), "b": jnp.zeros((2, 2))}
    tx = memjax.pulsed_update(ConstantStep(), key=KEY)
    s, less = tx.init(p), {"a": p["a"]}
    for use in (lambda: memjax.readout(s, less), lambda: tx.update(less, s, less)):
        with pytest.raises(UserError, match=r"another tree than init .* on devices are a, b"):
            use()


def test_counts_of_what_is_not_on_devices_are_refused():
    tx = memjax.pulsed_update(ConstantStep(), key=KEY)
    p = {"bias": jnp.zeros(3), "kernel": jnp.zeros((2, 3))}
    counts = jax.tree.map(lambda w: Counts(jnp.ones_like(w)), p)
    with pytest.raises(UserError, match=r'bias gets the counts .* give memristive = "\*"'):
        tx.update(counts, tx.init(p), p)


@pytest.mark.parametrize("cell", [ReferenceCell(), DifferentialPair()])
def test_what_is_no_number_is_not_written_and_told(cell):
    tx = memjax.pulsed_update(FINE, key=KEY, cell=cell)
    p = {"w": jnp.zeros((1, 4))}
    wanted = {"w": jnp.array([[jnp.nan, 1e-3, jnp.inf, -jnp.inf]])}
    s = tx.init(p)
    with pytest.warns(DevicesWarning, match="nan or infinite are not written"):
        updates, after = tx.update(wanted, s, p)
    for changes, state in ((updates, after), jax.jit(tx.update)(wanted, s, p)):
        assert np.all(np.isfinite(changes["w"])) and not np.any(changes["w"][0, [0, 2, 3]])
        assert float(changes["w"][0, 1]) > 0 and int(state.not_finite) == 1
    _, later = jax.jit(tx.update)(p, after, optax.apply_updates(p, updates))
    assert int(later.not_finite) == 1 and int(later.moved) == 0


def test_weights_beyond_the_range_are_told_once_with_their_share():
    p = {"a": jnp.array([[0.1, 0.7], [0.2, -0.9]]), "b": jnp.zeros((2, 2))}
    tx = memjax.pulsed_update(ConstantStep(), key=KEY)
    with pytest.warns(DevicesWarning, match=r"clipped by the first update: a \(50.0%\); give"):
        tx.init(p)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for weight_range in ("fit", 1.0):
            memjax.pulsed_update(ConstantStep(), key=KEY, weight_range=weight_range).init(p)


def test_a_read_noise_that_nothing_draws_is_told():
    p = {"w": jnp.zeros((2, 2))}
    with pytest.warns(DevicesWarning, match="sigma_read acts where weights are read"):
        memjax.memristive_sgd(0.1, ConstantStep(sigma_read=0.1), key=KEY).init(p)
    memjax.memristive_sgd(0.1, ConstantStep(sigma_read=0.0), key=KEY).init(p)
    memjax.coincidence_sgd(ConstantStep(sigma_read=0.1), key=KEY).init(p)  # its layers draw it


def test_a_noisy_programming_without_a_noise_is_told():
    p = {"w": jnp.zeros((2, 2))}
    with pytest.warns(DevicesWarning, match='"noisy" has no effect without sigma_write'):
        memjax.memristive_sgd(0.1, ConstantStep(programming="noisy"), key=KEY).init(p)
    fine = ConstantStep(programming="noisy", sigma_write=0.1)
    memjax.memristive_sgd(0.1, fine, key=KEY).init(p)


@pytest.mark.parametrize(
    "around",
    [
        lambda tx: optax.chain(tx, optax.add_decayed_weights(-0.01)),
        lambda tx: optax.chain(tx, optax.ema(0.9)),
        lambda tx: optax.chain(tx, optax.sgd(0.1)),
        lambda tx: contrib.schedule_free(tx, 0.1),
    ],
    ids=["decay", "ema", "sgd", "schedule_free"],
)
@pytest.mark.parametrize("cell", [None, DifferentialPair()])
def test_what_moves_weights_besides_is_found(around, cell):
    p = {"w": jnp.full((2, 2), 0.125)}
    tx = around(memjax.memristive_sgd(0.1, ConstantStep(levels=33), key=KEY, cell=cell))
    s, update = tx.init(p), jax.jit(tx.update)
    for _ in range(3):
        with jax.numpy_dtype_promotion("standard"):  # ema divides by a power of a count
            updates, s = update({"w": p["w"] - 0.3}, s, p)
        p = optax.apply_updates(p, updates)
    (found,) = [
        one
        for one in jax.tree.leaves(s, is_leaf=lambda node: hasattr(node, "moved"))
        if hasattr(one, "moved")
    ]
    assert int(found.moved) > 0
    for told in (lambda: memjax.readout(s, p), lambda: tx.update(p, s, p)):
        with pytest.raises(UserError, match="w is not what the last update left"):
            told()


def test_without_a_watch_nothing_is_compared():
    tx = memjax.memristive_sgd(0.1, ConstantStep(levels=33), key=KEY, watch=False)
    p = {"w": jnp.zeros((2, 2))}
    s = tx.init(p)
    assert s[-1].digests is None
    _, s = tx.update(p, s, {"w": jnp.ones((2, 2))})
    assert memjax.readout(s, p) is not None


def test_sam_and_lookahead_keep_the_state():
    """They select between states by arithmetic, which no typed key would bear."""
    p = {"w": jnp.zeros((2, 2))}
    base = memjax.memristive_sgd(0.1, ConstantStep(levels=33), key=KEY)
    ascent = optax.chain(contrib.normalize(), optax.sgd(0.05))
    sam = contrib.sam(base, ascent, sync_period=2)
    with jax.numpy_dtype_promotion("standard"):
        updates, _ = sam.update({"w": p["w"] + 1}, sam.init(p), p)
    assert np.all(np.isfinite(updates["w"]))
    ahead = optax.lookahead(base, sync_period=3, slow_step_size=0.5)
    both = optax.LookaheadParams.init_synced(p)
    with jax.numpy_dtype_promotion("standard"):  # it multiplies by a bool
        updates, _ = ahead.update({"w": p["w"] + 1}, ahead.init(both), both)
    assert np.all(updates.fast["w"] < 0)


def test_rows_that_wait_long_for_their_turn_are_told():
    p = {"out": {"kernel": jnp.zeros((784, 2))}}
    with pytest.warns(DevicesWarning, match=r"the last row of out/kernel is first .* update 4,312"):
        memjax.agad(0.1, ConstantStep(), key=KEY).init(p)
    memjax.tiki_taka_v2(0.1, ConstantStep(), key=KEY).init(p)  # 392 updates a pass
    memjax.agad(0.1, ConstantStep(), key=KEY, transfer_every=0.1).init(p)


def test_biases_and_scales_of_stacked_layers_and_heads_stay_in_floating_point():
    norm = {"bias": jnp.ones((3, 4)), "scale": jnp.ones((3, 4))}
    p = {"layers": {"kernel": jnp.ones((3, 4, 4)), **norm}}
    s = memjax.memristive_sgd(0.1, ConstantStep(), key=KEY).init(p)
    assert [path[-1].key for path, _ in jax.tree.leaves_with_path(s[-1].omega)] == ["kernel"]


@pytest.mark.parametrize("wrong", [jnp.nan, jnp.inf])
def test_initial_weights_that_are_no_numbers_are_refused(wrong):
    p = {"w": jnp.zeros((2, 2)).at[0, 0].set(wrong)}
    with pytest.raises(UserError, match="w begins with nan or inf; mend the model"):
        memjax.memristive_sgd(0.1, ConstantStep(), key=KEY).init(p)


def test_once_moved_a_readout_says_so_for_good():
    tx = memjax.memristive_sgd(0.1, ConstantStep(levels=33), key=KEY)
    update, p = jax.jit(tx.update), {"w": jnp.full((2, 2), 0.25)}
    _, s = update(p, tx.init(p), {"w": p["w"] / 2})
    updates, s = update(p, s, p)
    for _ in range(2):
        p = optax.apply_updates(p, updates)
        updates, s = update(p, s, p)
    p = optax.apply_updates(p, updates)
    for of in (memjax.readout, memjax.conductances):
        with pytest.raises(UserError, match="updates found weights that something else had moved"):
            of(s, p)


@pytest.mark.parametrize("around", [lambda tx: optax.MultiSteps(tx, 3), lambda tx: tx])
def test_zeros_of_either_sign_and_denormals_are_alike(around):
    """An update of 0 makes one of the other."""
    w = jnp.full((4, 4), 0.1).at[0, 0].set(-0.0).at[1, 1].set(1e-40)
    tx = around(memjax.pulsed_update(ConstantStep(), key=KEY))
    p = {"w": w}
    s = tx.init(p)
    with jax.numpy_dtype_promotion("standard"):
        updates, s = jax.jit(tx.update)({"w": jnp.zeros_like(w)}, s, p)
    memjax.readout(s, optax.apply_updates(p, updates))


def test_a_state_of_variants_is_read_out_under_vmap():
    p, keys = {"w": jnp.zeros((2, 2))}, jax.random.split(KEY, 3)
    init = lambda key: memjax.pulsed_update(ConstantStep(), key=key).init(p)  # noqa: E731
    states = jax.vmap(init)(keys)
    assert jax.vmap(memjax.readout, (0, None))(states, p)["w"].shape == (3, 2, 2)
    with pytest.raises(UserError, match="of several variants; call readout under vmap"):
        memjax.readout(states, p)


@pytest.mark.parametrize("recipe", [memjax.agad, memjax.tiki_taka_v2, memjax.mixed_precision])
def test_an_empty_array_is_no_trouble(recipe):
    tx = recipe(0.1, ConstantStep(levels=33), key=KEY)
    p = {"none": jnp.zeros((0, 3)), "w": jnp.zeros((2, 2))}
    updates, _ = tx.update(p, tx.init(p), p)
    assert updates["none"].shape == (0, 3)
