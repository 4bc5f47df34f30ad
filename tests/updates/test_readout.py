"""What the devices hold, in weights and in siemens, and what a read sees."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import memjax
from memjax.cells import CELLS, DifferentialPair
from memjax.devices import ConstantStep
from memjax.updates import TikiTaka

KEY = jax.random.key(0)
DEVICE = ConstantStep(levels=33, on_off=5.0, gmax=50e-6)
P = {"bias": jnp.ones(4), "kernel": jnp.linspace(-0.4, 0.4, 12, dtype=jnp.float32).reshape(3, 4)}


@pytest.mark.parametrize("cell", ["reference", "differential", "refresh_pair"])
@pytest.mark.parametrize("weight_range", [0.5, "fit"])
def test_weights_follow_from_conductances(cell, weight_range):
    made = CELLS[cell](weight_range=0.5)
    tx = memjax.pulsed_update(DEVICE, key=KEY, cell=made, weight_range=weight_range)
    s = tx.init(P)
    found = memjax.conductances(s, P)
    assert found["bias"] is None
    assert all(np.all((g >= 10e-6 * (1 - 1e-6)) & (g <= 50e-6)) for g in found["kernel"])
    per_siemens = float(s.omega["kernel"]) / 40e-6
    if cell == "reference":
        (g,) = found["kernel"]
        weights = 1.0 * (np.asarray(g) - 30e-6) * per_siemens
    else:
        plus, minus = found["kernel"]
        weights = made.weight_range * (np.asarray(plus) - np.asarray(minus)) * per_siemens
    np.testing.assert_allclose(weights, P["kernel"], atol=2e-6)


def test_two_arrays_give_both():
    s = TikiTaka(gamma=0.5).transform(DEVICE, key=KEY, cell=DifferentialPair()).init(P)
    c_plus, c_minus, a_plus, a_minus = memjax.conductances(s, P)["kernel"]
    assert np.any(c_plus != c_minus) and np.all(a_plus == a_minus)


def test_siemens_need_gmax():
    s = memjax.pulsed_update(ConstantStep(), key=KEY).init(P)
    with pytest.raises(memjax.UserError, match="gmax is not known"):
        memjax.conductances(s, P)


@pytest.mark.parametrize("of", [memjax.readout, memjax.conductances])
def test_a_state_without_devices_is_refused(of):
    with pytest.raises(memjax.UserError, match=f"{of.__name__}: the state is none of devices"):
        of(optax.sgd(0.1).init(P), P)


@pytest.mark.filterwarnings("ignore:.*sigma_read:memjax.DevicesWarning")
@pytest.mark.parametrize("on_off", [2.0, 100.0])
@pytest.mark.parametrize("weight_range", [0.5, "fit"])
def test_a_read_is_off_by_the_devices_noise(on_off, weight_range):
    """``sd = omega 2 R sigma (g + 1 / (on_off - 1))`` of 20,000 weights, within 5 errors."""
    device = ConstantStep(on_off=on_off, sigma_read=0.1)
    tx = memjax.pulsed_update(device, key=KEY, weight_range=weight_range)
    p = {"bias": jnp.ones(4), "kernel": jnp.full((200, 100), 0.3)}
    s = tx.init(p)
    seen = jax.jit(memjax.read)(s, p, jax.random.key(1))
    omega = float(s.omega["kernel"])
    expected = omega * 0.1 * (0.5 + 0.3 / omega + 1 / (on_off - 1))
    assert abs(float(seen["kernel"].std()) / expected - 1) < 5 / np.sqrt(2 * 20_000)
    assert abs(float(seen["kernel"].mean()) - 0.3) < 5 * expected / np.sqrt(20_000)
    assert np.array_equal(seen["bias"], p["bias"])
    other = memjax.read(s, p, jax.random.key(2))
    assert not np.array_equal(other["kernel"], seen["kernel"])


@pytest.mark.filterwarnings("ignore:.*sigma_read:memjax.DevicesWarning")
@pytest.mark.parametrize("cell", list(CELLS))
def test_gradients_pass_a_read(cell):
    made = CELLS[cell]()
    s = memjax.pulsed_update(ConstantStep(sigma_read=0.1), key=KEY, cell=made).init(P)
    grads = jax.grad(lambda p: jnp.sum(memjax.read(s, p, KEY)["kernel"]))(P)
    assert np.all(grads["kernel"] == 1) and not np.any(grads["bias"])


@pytest.mark.filterwarnings("ignore:.*sigma_read:memjax.DevicesWarning")
def test_on_off_acts_in_a_model_of_ones_own():
    """With reads in its loss, a small on/off ratio trains to other weights."""

    def trained(on_off):
        device = ConstantStep(levels=65, on_off=on_off, sigma_read=0.5)
        tx = memjax.pulsed_update(device, key=KEY)
        p = {"kernel": jnp.zeros((4, 3))}

        @jax.jit
        def step(p, s, key):
            loss = lambda p: jnp.sum((memjax.read(s, p, key)["kernel"] - 0.3) ** 2)  # noqa: E731
            updates, s = tx.update(jax.tree.map(lambda g: -0.05 * g, jax.grad(loss)(p)), s, p)
            return optax.apply_updates(p, updates), s

        s = jax.jit(tx.init)(p)
        for number in range(5):
            p, s = step(p, s, jax.random.key(number))
        return p["kernel"]

    assert not np.array_equal(trained(2.0), trained(100.0))


def test_a_flattened_model_is_read_out_as_it_is():
    tx = optax.flatten(memjax.memristive_sgd(0.1, ConstantStep(levels=33), key=KEY))
    p = {"a": jnp.zeros((2, 3)), "b": jnp.full((3,), 0.25)}
    s = tx.init(p)
    updates, s = tx.update(jax.tree.map(jnp.ones_like, p), s, p)
    p = optax.apply_updates(p, updates)
    held = memjax.readout(s, p)
    assert jax.tree.structure(held) == jax.tree.structure(p)
    assert all(np.array_equal(held[name], p[name]) for name in p)
