"""What machines have in common: chains, pieces of them, halves, trains, bad input."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import memjax
from memjax import random
from memjax.boltzmann import DRBM, RBM, Switch, counts
from memjax.boltzmann.weights import halves
from memjax.errors import UserError
from memjax.pulses import Coincidence

KEY = jax.random.key(0)
RBM_4_3 = RBM(visible=4, hidden=3)
X = jnp.array([[1.0, 0.0, 0.5, 0.2]] * 8)


def test_softplus_is_right_at_both_ends():
    """Of a machine without weights ``-F`` is that of its hidden unit's bias."""
    machine, none = (
        RBM(visible=1, hidden=1),
        {"kernel": jnp.zeros((1, 1)), "visible_bias": jnp.zeros(1)},
    )
    found = [
        -machine.free_energy(none | {"hidden_bias": jnp.array([bias])}, jnp.zeros((1, 1)))[0]
        for bias in (-100.0, -1.0, 0.0, 1.0, 100.0)
    ]
    np.testing.assert_allclose(found, [0.0, 0.31326166, 0.6931472, 1.3132616, 100.0], rtol=1e-6)


def test_halves_make_the_same_states_and_gradients():
    """2**-16 of a weight changes no sample of these."""
    w = random.normal(random.stream(KEY), (50, 3))
    upper, lower = jnp.split(halves(w).astype(jnp.float32), 2)
    np.testing.assert_allclose(upper + lower, w, rtol=2.0**-16)
    params = RBM_4_3.init(KEY, sd=1.0)
    plain = RBM_4_3.cd_gradient(params, X, KEY, steps=3, chains=2)
    found = RBM(visible=4, hidden=3, products="halves").cd_gradient(params, X, KEY, 3, 2)
    for name in plain:
        np.testing.assert_allclose(found[name], plain[name], atol=1e-6)


def test_many_chains_in_pieces_have_the_mean_of_many():
    """1,500 chains of 8 samples are some hundred pieces; an entry's sd is below 0.005."""
    params = RBM_4_3.init(KEY, sd=1.0)
    found = RBM_4_3.cd_gradient(params, X, KEY, chains=1500)
    batch = jnp.tile(X, (1500, 1))
    phases = RBM_4_3.phases(params, batch, random.stream(jax.random.key(1)), 1, 1)
    for name, value in RBM_4_3.gradient(phases).items():
        np.testing.assert_allclose(found[name], value, atol=0.03, err_msg=name)


def test_trains_deliver_the_gradient_on_average():
    """8,000 draws, each the sum of 16 samples' trains: an entry's sd is 0.03 pulses."""
    params = RBM_4_3.init(KEY, sd=1.0)
    phases = RBM_4_3.phases(params, X, random.stream(KEY), 1, 1)
    wanted = RBM_4_3.gradient(phases)
    streams = jax.vmap(lambda k: random.fold_in(random.stream(KEY), k))(jnp.arange(8000))
    delivered = jax.vmap(lambda s: counts(RBM_4_3, phases, s, Coincidence(), 4.0))(streams)
    for name, value in wanted.items():
        mean = delivered[name].mean(0)
        np.testing.assert_allclose(mean, 4.0 * value, atol=0.15, err_msg=name)
        assert np.array_equal(delivered[name], np.round(delivered[name]))


def test_a_gradient_feeds_transforms_of_devices():
    """Cst, RProp and stochastic pulses, biases on devices: the data's pattern is learnt."""
    device = memjax.devices.Ernoult(levels=50, beta=1.0)
    cell = memjax.cells.DifferentialPair(weight_range=3.0)
    x = jnp.tile(jnp.array([[1.0, 0.0, 1.0, 0.0]]), (20, 1))
    transforms = {
        "cst": memjax.manhattan(device, key=KEY, cell=cell, memristive="*"),
        "rprop": memjax.rprop(device, key=KEY, cell=cell, memristive="*"),
        "pulses": optax.chain(
            optax.sgd(0.2), memjax.pulsed_update(device, key=KEY, cell=cell, memristive="*")
        ),
    }
    for name, tx in transforms.items():
        params = RBM_4_3.init(KEY)

        def update(state, number, tx=tx):
            params, opt_state = state
            slope = RBM_4_3.cd_gradient(params, x, jax.random.fold_in(KEY, number), chains=2)
            change, opt_state = tx.update(slope, opt_state, params)
            return (optax.apply_updates(params, change), opt_state), None

        (params, _), _ = jax.lax.scan(update, (params, tx.init(params)), jnp.arange(60))
        wrong = RBM_4_3.free_energy(params, 1.0 - x[:1]) - RBM_4_3.free_energy(params, x[:1])
        assert wrong[0] > 2.0, name


def test_switches_follow_their_law():
    """A jitter flattens it; 40,000 draws, sd 0.0025."""
    drive = jnp.full((40_000,), 1.5)
    plain, noisy = Switch(), Switch(jitter=2.0)
    p = float(plain.probability(drive[:1])[0])
    assert plain.fire(random.stream(KEY), drive).mean() == pytest.approx(p, abs=0.01)
    assert noisy.fire(random.stream(KEY), drive).mean() < p - 0.1
    assert float(jax.grad(lambda x: plain.probability(x))(0.0)) == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda p: RBM_4_3.cd_gradient(p, X, KEY, steps=0), "steps = 0 must be at least 1"),
        (lambda p: RBM_4_3.cd_gradient(p, X, KEY, chains=0), "chains = 0 must be at least 1"),
        (lambda p: RBM_4_3.sample(p, X, KEY, steps=0), "steps = 0 must be at least 1"),
        (lambda p: RBM_4_3.pcd_gradient(p, X, jnp.ones((3, 3)), KEY), "no whole multiple"),
        (lambda p: RBM_4_3.cd_gradient(p, X[:, :3], KEY), "3 values.*4 visible units"),
        (lambda p: RBM_4_3.free_energy(p, X[:0]), "no sample"),
        (lambda p: DRBM(visible=4, classes=1), "classes = 1 must be at least 2"),
    ],
)
def test_bad_input_is_one_line(call, told):
    with pytest.raises(UserError, match=told) as error:
        call(RBM_4_3.init(KEY))
    assert "\n" not in str(error.value)
