"""The transform itself: what one update does, and what it says to mistakes."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import memjax
from memjax.cells import DifferentialPair
from memjax.devices import ConstantStep, SoftBounds
from memjax.pulses import Counts, Deterministic

KEY = jax.random.key(0)


def first(tx, wanted, params):
    """The first update and the state before and after it, by one program."""

    def run(wanted, params):
        state = tx.init(params)
        return *tx.update(wanted, state, params), state

    updates, after, before = jax.jit(run)(wanted, params)
    return updates, before, after


def test_a_constant_step_device_moves_by_whole_pulses():
    tx = memjax.pulsed_update(ConstantStep(levels=11), key=KEY, pulses=Deterministic())
    params = {"w": jnp.array([0.0, 0.1, -0.45, 0.3])}
    wanted = {"w": jnp.array([0.14, -0.26, -0.2, 0.04])}  # a pulse is 0.1; the range is +-0.5
    updates, _, state = first(tx, wanted, params)
    assert np.allclose(optax.apply_updates(params, updates)["w"], [0.1, -0.2, -0.5, 0.3])
    assert int(state.inner_state.count) == 1


def test_weights_out_of_range_are_programmed_to_its_edge():
    tx = memjax.pulsed_update(ConstantStep(), key=KEY)
    params = {"w": jnp.array([2.0, -2.0, 0.25])}
    updates, state, _ = first(tx, {"w": jnp.zeros(3)}, params)
    assert memjax.readout(state, params)["w"].tolist() == [0.5, -0.5, 0.25]
    assert optax.apply_updates(params, updates)["w"].tolist() == [0.5, -0.5, 0.25]


@pytest.mark.parametrize("cell", [None, DifferentialPair()])
def test_write_noise_is_redrawn_each_update_and_only_where_pulses_fire(cell):
    device = ConstantStep(levels=101, sigma_c2c=0.5)
    tx = memjax.pulsed_update(device, key=KEY, cell=cell)
    params = {"w": jnp.zeros(1000)}
    n = {"w": Counts(jnp.where(jnp.arange(1000) < 500, 4.0, 0.0))}
    update = jax.jit(tx.update)
    one, state = update(n, jax.jit(tx.init)(params), params)
    second, _ = update(n, state, optax.apply_updates(params, one))
    fired, still = one["w"][:500], one["w"][500:]
    assert not np.any(still) and not np.array_equal(fired, second["w"][:500])
    devices = 1 if cell is None else 2  # a pair's two half steps have their own noise
    sd = 0.01 * 0.5 * (4 / devices) ** 0.5
    assert abs(float(jnp.mean(fired)) - 0.04) < 5 * sd / 500**0.5
    assert abs(float(jnp.std(fired)) / sd - 1) < 0.15


def test_exact_noise_is_another_draw_of_the_same_spread():
    device = ConstantStep(levels=101, sigma_c2c=0.5)
    params, n = {"w": jnp.zeros(2000)}, {"w": Counts(jnp.ones(2000))}

    def change(exact):
        tx = memjax.pulsed_update(device, key=KEY, exact_noise=exact)
        return first(tx, n, params)[0]["w"]

    fast, exact = change(False), change(True)
    assert not np.array_equal(fast, exact)
    assert abs(float(jnp.std(fast) / jnp.std(exact)) - 1) < 0.1


def test_readout_finds_the_state_in_a_chain_and_gives_a_pairs_exact_weights():
    tx = optax.chain(
        optax.scale(-0.1),
        memjax.pulsed_update(SoftBounds(sigma_c2c=1.0), key=KEY, cell=DifferentialPair()),
    )
    params = {"w": jnp.linspace(-0.4, 0.4, 9, dtype=jnp.float32)}
    updates, _, state = first(tx, {"w": jnp.ones(9)}, params)
    plus, minus = state[1].inner_state.cells.conductances
    held = memjax.readout(state, optax.apply_updates(params, updates))
    assert np.array_equal(held["w"], jnp.float32(0.5) * (plus["w"] - minus["w"]))
    assert np.allclose(optax.apply_updates(params, updates)["w"], held["w"], atol=6e-8)


def test_mistakes_are_said_in_one_line():
    tx = memjax.pulsed_update(ConstantStep(), key=KEY)
    params = {"w": jnp.zeros(2)}
    with pytest.raises(memjax.UserError, match="update needs params"):
        tx.update(params, tx.init(params))
    with pytest.raises(memjax.UserError, match="the state is none of devices"):
        memjax.readout(optax.sgd(0.1).init(params), params)


def test_memristive_sgd_follows_a_schedule_and_momentum():
    fine = {
        "device": ConstantStep(levels=2**20),
        "key": KEY,
        "pulses": Deterministic(max_pulses=2**20),
    }
    params, grads = {"w": jnp.zeros(1)}, {"w": jnp.ones(1)}
    for rate, momentum, total in (
        (optax.linear_schedule(0.1, 0.0, 2), None, 0.1 + 0.05),
        (0.1, 0.5, 0.1 + 0.15),
    ):
        tx = memjax.memristive_sgd(rate, momentum=momentum, **fine)
        p, s, update = params, jax.jit(tx.init)(params), jax.jit(tx.update)
        for _ in range(2):
            updates, s = update(grads, s, p)
            p = optax.apply_updates(p, updates)
        assert float(p["w"][0]) == pytest.approx(-total, abs=2e-6)


def test_coincidence_sgd_descends_by_the_counts_it_is_given():
    tx = memjax.coincidence_sgd(ConstantStep(levels=11), key=KEY)
    params = {"w": jnp.zeros(3)}
    updates, *_ = first(tx, {"w": jnp.array([1.0, 0.0, -2.0])}, params)
    assert np.allclose(updates["w"], [-0.1, 0.0, 0.2])
