"""Recipes, what they remember, and what they refuse."""

import dataclasses
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jaxtyping import TypeCheckError

import memjax
from memjax.cells import DifferentialPair, RefreshPair, VectorCell
from memjax.devices import ConstantStep, PowerStep
from memjax.pulses import Bernoulli, Binomial, ClippedPulses
from memjax.pytree import check, params
from memjax.updates import (
    ALGORITHMS,
    MixedPrecision,
    PulsedSGD,
    TikiTaka,
    TikiTakaV2,
    in_situ,
    pulse_width,
    sign_pulses,
    whole_pulses,
)

KEY = jax.random.key(0)


@pytest.mark.parametrize("name", list(ALGORITHMS))
def test_arrays_a_weight_are_as_stated(name):
    """Arrays of a weight's shape in the whole optimiser state and the params."""
    tx = in_situ(ALGORITHMS[name](), 0.1, ConstantStep(), key=KEY)
    p = {"w": jnp.zeros((5, 7))}
    state, after = jax.eval_shape(lambda p: (s := tx.init(p), tx.update(p, s, p)[1]), p)
    for s in (state, after):
        shapes = [jnp.shape(leaf) for leaf in jax.tree.leaves((s, p))]
        assert shapes.count((5, 7)) == ALGORITHMS[name].arrays
        rest = [shape for shape in shapes if shape != (5, 7) and np.prod(shape) > 2]
        assert all(shape == (1, 5) for shape in rest), "the others are scalars, or one a row"


def test_gamma_costs_tiki_taka_an_array():
    p = {"w": jnp.zeros((5, 7))}
    s = jax.eval_shape(TikiTaka(gamma=0.5).transform(ConstantStep(), key=KEY).init, p)
    assert [jnp.shape(x) for x in jax.tree.leaves((s, p))].count((5, 7)) == TikiTaka.arrays + 1


@pytest.mark.parametrize("name", list(ALGORITHMS))
def test_a_recipe_is_in_situ_with_its_algorithm(name):
    letters = {
        "rprop": {"shrink": 0.5},
        "mixed_precision": {"epsilon": 0.5},
        "agad": {"gamma": 0.1},
    }
    mine, options = letters.get(name, {}), {"key": KEY, "cell": DifferentialPair()}
    device = ConstantStep(levels=65)
    recipe = {"sgd": memjax.memristive_sgd}.get(name) or getattr(memjax, name)
    rate = () if name in ("manhattan", "rprop") else (0.5,)
    p = {"w": jnp.linspace(-0.2, 0.2, 6).reshape(2, 3)}
    one, other = (
        recipe(*rate, device, **options, **mine),
        in_situ(ALGORITHMS[name](**mine), *(rate or (1.0,)), device, **options),
    )
    same = [jax.jit(lambda tx=tx: tx.update(p, tx.init(p), p)[0]["w"])() for tx in (one, other)]
    assert np.array_equal(*same)


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "sgd"])
def test_a_recipes_signature_states_its_algorithms_parameters(name):
    """And their defaults; a whole number that is static has none, or Optax would inject it."""
    signature = inspect.signature(getattr(memjax, name)).parameters
    assert all(p.kind is not p.VAR_KEYWORD for p in signature.values())
    for field in dataclasses.fields(ALGORITHMS[name]):
        stated = signature[field.name].default
        is_number = not isinstance(field.default, bool) and field.metadata.get("static")
        assert stated == (None if is_number else field.default)


@pytest.mark.parametrize("name", [n for n in ALGORITHMS if hasattr(ALGORITHMS[n], "on_read")])
@pytest.mark.parametrize("cell", [None, VectorCell()])
@pytest.mark.parametrize("g_ref", [0, 1.0])
def test_a_fast_array_of_one_sign_is_refused_with_what_would_work(name, cell, g_ref):
    device = ConstantStep(g_ref=g_ref)
    with pytest.raises(memjax.UserError) as error:
        in_situ(ALGORITHMS[name](), 0.1, device, key=KEY, cell=cell)
    said = str(error.value)
    assert "\n" not in said and said.startswith(f"{ALGORITHMS[name].__name__}: ")
    assert "take RefreshPair() or DifferentialPair(), or another g_ref" in said
    in_situ(ALGORITHMS[name](), 0.1, device, key=KEY, cell=RefreshPair())


@pytest.mark.parametrize(
    ("rate", "where"),
    [
        (-0.1, "learning_rate = -0.1 must be at least 0"),
        (float("nan"), "learning_rate = nan must be finite"),
        (optax.linear_schedule(0.1, -0.2, 50), r"at update 100 = -0.2\d* must be at least 0"),
        (optax.constant_schedule(-1.0), "at update 0 = -1.0 must be at least 0"),
        (lambda count: 0.1 - 1e-6 * count, r"at update 1000000 = -0.\d* must be at least 0"),
        (lambda count: 0.1 / jnp.log1p(count), "at update 0 = inf must be finite"),
        (lambda count: "0.1", "at update 0 = '0.1' must be a number"),
    ],
)
def test_a_rate_that_climbs_or_is_none_is_refused_when_built(rate, where):
    with pytest.raises(memjax.UserError, match=where):
        memjax.agad(rate, ConstantStep(), key=KEY)


@pytest.mark.parametrize("momentum", [1.0, -0.1, float("nan")])
def test_a_momentum_that_runs_away_is_refused(momentum):
    with pytest.raises(memjax.UserError, match=r"momentum = .* must be"):
        memjax.memristive_sgd(0.1, ConstantStep(), key=KEY, momentum=momentum)


def test_a_rate_that_is_traced_or_0_is_let_through():
    def run(rate):
        tx = memjax.tiki_taka(rate, ConstantStep(), key=KEY)
        p = jnp.zeros((2, 2))
        return tx.update(p, tx.init(p), p)[0]

    assert jax.eval_shape(run, jnp.float32(-1.0)).shape == (2, 2)
    memjax.agad(0.0, ConstantStep(), key=KEY)


def test_other_mistakes_say_what_would_work():
    with pytest.raises((memjax.UserError, TypeCheckError), match=r"PulsedSGD|algorithm"):
        in_situ("agad", 0.1, ConstantStep(), key=KEY)
    with pytest.raises(memjax.UserError, match="chop_every = 0 must be at least 1"):
        memjax.agad(0.1, ConstantStep(), key=KEY, chop_every=0)
    with pytest.raises(memjax.UserError, match="transfer_every = 0 must be more than 0"):
        memjax.tiki_taka(0.1, ConstantStep(), key=KEY, transfer_every=0)
    with pytest.raises(memjax.UserError, match="flip_probability = 2 must be at most 1"):
        memjax.chopped_tiki_taka(0.1, ConstantStep(), key=KEY, flip_probability=2)
    with pytest.raises(memjax.UserError, match=r"take one of ConstantStep, .*Ernoult"):
        memjax.rprop(PowerStep(), key=KEY)
    with pytest.raises(TypeError, match="unexpected keyword argument 'chop_evry'"):
        memjax.agad(0.1, ConstantStep(), key=KEY, chop_evry=5)
    with pytest.raises(TypeError, match="unexpected keyword argument 'learning_rate'"):
        memjax.manhattan(ConstantStep(), key=KEY, learning_rate=0.1)
    with pytest.raises(memjax.UserError, match=r"MixedPrecision: pulses = .* leave it out"):
        in_situ(MixedPrecision(), 0.1, ConstantStep(), key=KEY, pulses=Bernoulli())
    with pytest.raises((memjax.UserError, TypeCheckError), match="slow_device"):
        memjax.tiki_taka(0.1, ConstantStep(), key=KEY, slow_device="EpiRAM")
    for link in (whole_pulses, sign_pulses, pulse_width):
        with pytest.raises(memjax.UserError, match=f"{link.__name__}: .* = 0 must be more than 0"):
            link(0)


@pytest.mark.parametrize("rate", [jnp.bfloat16(0.1), np.float32(0.1), jnp.array(0.1), 1])
def test_any_number_is_a_rate(rate):
    if isinstance(rate, jax.Array):
        memjax.agad(rate, ConstantStep(levels=jnp.asarray(64, jnp.bfloat16)), key=KEY)
    memjax.agad(lambda count: rate, ConstantStep(), key=KEY)


@pytest.mark.parametrize("rate", [np.array(1j), KEY, "0.1"])
def test_what_is_no_number_is_no_rate(rate):
    with pytest.raises((memjax.UserError, TypeCheckError), match=r"number|learning_rate"):
        memjax.agad(rate, ConstantStep(), key=KEY)


@pytest.mark.parametrize("rate", [0.0, -0.1])
@pytest.mark.parametrize("recipe", [memjax.manhattan, memjax.rprop])
def test_signs_need_a_rate_above_0(recipe, rate):
    """A rate of 0 would take every sign away, and no pulse be fired."""
    with pytest.raises(memjax.UserError, match=r"float_learning_rate = .* must be more than 0"):
        recipe(ConstantStep(), key=KEY, float_learning_rate=rate)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"transfer_every": jnp.float32(2.0)}, r'static_args = ."transfer_every"'),
        ({"zero_shift": True}, "zero_shift = True must be whole"),
        ({"forget": "no"}, "forget = 'no' must be True or False"),
        ({"fast_rate": 1.0, "auto_scale": 1}, "auto_scale = 1 must be True or False"),
    ],
)
def test_what_fixes_a_program_is_a_python_value(wrong, told):
    rule = TikiTakaV2()
    for name, value in wrong.items():  # behind the back of the tests' type checks
        object.__setattr__(rule, name, value)
    with pytest.raises(memjax.UserError, match=told):
        check(rule)


def test_a_rate_may_grow_beyond_all_training():
    memjax.agad(optax.exponential_decay(1e-5, 1, 1.05), ConstantStep(), key=KEY)


def test_the_defaults_of_every_recipe_may_be_injected():
    p = jnp.zeros((2, 2))
    for name in ALGORITHMS:
        recipe = memjax.memristive_sgd if name == "sgd" else getattr(memjax, name)
        rate = () if name in ("manhattan", "rprop") else (0.1,)
        tx = optax.inject_hyperparams(recipe)(*rate, device=ConstantStep(), key=KEY)
        assert jax.eval_shape(lambda tx=tx: tx.update(p, tx.init(p), p)[0]).shape == (2, 2)


def test_a_rate_may_be_injected():
    device, p = ConstantStep(levels=11), jnp.zeros((2, 2))
    tx = optax.inject_hyperparams(memjax.mixed_precision)(
        learning_rate=0.5, device=device, key=KEY, epsilon=1.0
    )
    s = tx.init(p)
    for rate, moved in ((0.5, 0.5), (0.0, 0.0)):
        s.hyperparams["learning_rate"] = jnp.float32(rate)
        change, s = tx.update(jnp.full_like(p, -1.0), s, p)
        np.testing.assert_allclose(change, moved, atol=1e-6)
        p = optax.apply_updates(p, change)


def test_a_subclass_may_take_more_and_pass_on_the_rest():
    @params
    class Doubled(TikiTaka):
        def build(self, device, *, boost=1.0, **options):
            assert boost == 2.0
            return super().build(device, **options)

    options = {"key": KEY, "boost": 2.0, "slow_device": ConstantStep()}
    in_situ(Doubled(), 0.1, ConstantStep(), **options)
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'bost'"):
        in_situ(Doubled(), 0.1, ConstantStep(), bost=2.0, **options)


@pytest.mark.parametrize(
    ("rate", "device", "pulses", "told"),
    [
        (0.1, ConstantStep(levels=465), None, None),  # 46.4 pulses: 1.5 times what fire
        (0.1, ConstantStep(levels=467), None, "want 47 pulses, and Bernoulli fires 31 at most"),
        (0.1, ConstantStep(levels=1e5), Bernoulli(max_pulses=2**14), None),
        (0.1, ConstantStep(levels=201), Binomial(), "want 20 .*Binomial fires 10 .*pulses.length"),
        (optax.linear_schedule(0.0, 1.0, 100), ConstantStep(levels=101), None, "want 100 pulses"),
        (optax.linear_schedule(0.0, 1.0, 1000), ConstantStep(levels=101), None, None),
        (jnp.array([0.1, 0.2]), ConstantStep(levels=jnp.array([2.0, 1001.0])), None, "want 200 "),
    ],
)
def test_pulses_that_clip_the_largest_updates_are_told(rate, device, pulses, told):
    if told is None:
        memjax.memristive_sgd(rate, device, key=KEY, pulses=pulses)
        return
    for make in (memjax.memristive_sgd, memjax.tiki_taka):
        with pytest.warns(ClippedPulses, match=told):
            make(rate, device, key=KEY, pulses=pulses)
    memjax.mixed_precision(rate, device, key=KEY)  # gathers what it cannot fire


def test_traced_rates_and_devices_are_not_judged():
    p = jnp.zeros(2)
    run = lambda rate, levels: memjax.memristive_sgd(  # noqa: E731
        rate, ConstantStep(levels=levels), key=KEY
    ).init(p)
    jax.eval_shape(run, 0.1, 1e6)


def test_pulsed_sgd_is_pulsed_update():
    device, p = ConstantStep(levels=11), jnp.zeros(3)
    ours = in_situ(PulsedSGD(), 0.5, device, key=KEY)
    plain = optax.chain(optax.sgd(0.5), memjax.pulsed_update(device, key=KEY))
    grads = jnp.array([0.1, -0.3, 0.05])
    change = lambda tx: jax.jit(lambda p: tx.update(grads, tx.init(p), p)[0])(p)  # noqa: E731
    assert np.array_equal(change(ours), change(plain))
