"""NormAD in a chain of Optax: the sign of a gradient, batches, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import memjax
from memjax.errors import UserError
from memjax.spiking import Trial, normad, normad_update

DT = 0.5
CELL = memjax.cells.ReferenceCell(weight_range=10.0)
FINE = memjax.devices.ConstantStep(levels=201)
"""A step of 0.1 nA."""


@pytest.fixture(scope="module")
def trial():
    rng = np.random.default_rng(0)
    spikes = (rng.random((2, 60, 8)) < 0.1).astype(np.float32)
    error = rng.integers(-1, 2, (2, 60, 3)).astype(np.float32)
    return Trial(jnp.asarray(spikes), jnp.asarray(error))


def test_a_gradient_is_what_is_not_wanted_and_a_batch_is_summed(trial):
    tx, w = normad_update(DT), {"w": jnp.zeros((8, 3))}
    gradient, _ = tx.update({"w": trial}, tx.init(w), w)
    wanted = sum(normad(*one, DT, rate=1.0) for one in zip(*trial, strict=True))
    np.testing.assert_allclose(gradient["w"], -wanted, rtol=1e-5, atol=1e-5)
    descent = optax.chain(tx, optax.sgd(0.2))
    one = jax.tree.map(lambda x: x[0], trial)
    change, _ = descent.update({"w": one}, descent.init(w), w)
    np.testing.assert_allclose(change["w"], normad(*one, DT), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "last",
    [
        lambda key: optax.chain(
            optax.sgd(0.2),
            memjax.pulsed_update(FINE, key=key, cell=CELL, pulses=memjax.pulses.Deterministic()),
        ),
        lambda key: memjax.mixed_precision(
            0.2, memjax.devices.ConstantStep(levels=20_001), key=key, cell=CELL
        ),
    ],
    ids=["pulsed_update", "mixed_precision"],
)
def test_devices_follow(trial, last):
    one, w = jax.tree.map(lambda x: x[0], trial), jnp.zeros((8, 3))
    tx = optax.chain(normad_update(DT), last(jax.random.key(0)))
    state, wanted = tx.init(w), normad(*one, DT)
    for _ in range(3):
        changes, state = jax.jit(tx.update)(one, state, w)
        w = optax.apply_updates(w, changes)
    assert np.abs(wanted).max() > 0.5
    towards = (
        np.sum(np.asarray(w) * np.asarray(wanted)) / np.linalg.norm(w) / np.linalg.norm(wanted)
    )
    assert towards > 0.7
    is_large = np.abs(wanted) > 0.06
    np.testing.assert_array_equal(np.sign(w[is_large]), np.sign(wanted[is_large]))


@pytest.mark.parametrize(
    ("updates", "message"),
    [
        (jnp.zeros((8, 3)), "the updates are no memjax.spiking.Trial; give one an array"),
        (
            Trial(jnp.zeros((9, 3)), jnp.zeros((9, 8))),
            r"a Trial of 3 inputs and 8 outputs is given for weights \(8, 3\)",
        ),
    ],
)
def test_what_is_no_trial_of_the_weights_is_told(updates, message):
    tx, w = normad_update(DT), jnp.zeros((8, 3))
    with pytest.raises(UserError, match=message) as caught:
        tx.update(updates, tx.init(w), w)
    assert "\n" not in str(caught.value)
