"""Energies and gradients that were computed by hand or by enumeration, and scikit-learn's."""

import itertools
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.neural_network import BernoulliRBM

from memjax.boltzmann import DRBM, RBM
from memjax.devices import Ernoult, pulse_response
from memjax.updates import pulse_width
from reference.boltzmann_twin import energies, expected_cd, visible_states

DRBM_3_2 = DRBM(visible=3, classes=2, hidden=2)
LABELLED = {
    "kernel": jnp.array([[0.5, 1.5], [-1.0, 0.75], [0.25, -0.5]]),
    "label_kernel": jnp.array([[1.0, -0.75], [-0.5, 0.25]]),
    "hidden_bias": jnp.array([0.1, -0.2]),
    "visible_bias": jnp.array([0.3, -0.4, 0.2]),
    "label_bias": jnp.array([0.05, -0.15]),
}
RBM_3_2 = RBM(visible=3, hidden=2)
PLAIN = {
    "kernel": jnp.array([[0.8, -0.4], [0.3, 0.9], [-0.6, 0.5]]),
    "visible_bias": jnp.array([0.1, 0.0, -0.1]),
    "hidden_bias": jnp.array([-0.2, 0.2]),
}
ALL = jnp.array(list(itertools.product([0.0, 1.0], repeat=3)))
PLAIN_ENERGIES = [-1.396278, -1.374287, -2.131732, -2.157978, -1.735627, -1.547502, -2.444340]
PLAIN_ENERGIES += [-2.317638]


def test_free_energies_of_inputs_with_labels():
    v = jnp.array([[0.0, 0, 0], [0, 1, 0], [1, 0, 1], [1, 1, 1]])
    expected = [
        [-1.764292, -1.081475],
        [-0.992536, -0.841518],
        [-3.264495, -2.583441],
        [-2.526966, -2.323033],
    ]
    found = DRBM_3_2.free_energies(LABELLED, v)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    of_zero = DRBM_3_2.free_energy(LABELLED, (v, jnp.zeros(4, jnp.int32)))
    np.testing.assert_allclose(of_zero, found[:, 0], rtol=1e-6)
    p = DRBM_3_2.label_probabilities(LABELLED, v)
    np.testing.assert_allclose(p[::2, 0], [0.664367, 0.663974], atol=2e-6)
    assert DRBM_3_2.classify(LABELLED, v).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("machine", "weights", "log_z"),
    [(DRBM_3_2, LABELLED, 5.035336), (RBM_3_2, PLAIN, 4.045194)],
    ids=["drbm", "rbm"],
)
def test_free_energies_are_those_of_enumerated_states(machine, weights, log_z):
    visible = visible_states(machine)
    by_hand = -np.log(np.exp(-energies(machine, weights)).sum(axis=1))
    found = machine.free_energy(weights, visible)
    np.testing.assert_allclose(found, by_hand, atol=2e-6)
    assert np.log(np.exp(-by_hand).sum()) == pytest.approx(log_z, abs=1e-6)


def test_free_energies_are_those_of_scikit_learn():
    np.testing.assert_allclose(RBM_3_2.free_energy(PLAIN, ALL), PLAIN_ENERGIES, atol=2e-6)
    twin = sklearn_twin()
    np.testing.assert_allclose(twin._free_energy(np.asarray(ALL)), PLAIN_ENERGIES, atol=2e-6)
    hidden = RBM_3_2.hidden_probability(PLAIN, ALL)
    np.testing.assert_allclose(hidden, twin._mean_hiddens(np.asarray(ALL)), rtol=1e-5)
    p = np.exp(-RBM_3_2.free_energy(PLAIN, ALL) - 4.045194)
    assert p[6] == pytest.approx(0.201724, abs=2e-6)


def sklearn_twin() -> BernoulliRBM:
    twin = BernoulliRBM(n_components=2, random_state=0)
    twin.components_ = np.asarray(PLAIN["kernel"]).T.astype(float)
    twin.intercept_visible_ = np.asarray(PLAIN["visible_bias"], float)
    twin.intercept_hidden_ = np.asarray(PLAIN["hidden_bias"], float)
    return twin


def test_expected_cd_is_the_published_one():
    """Of v = 101, y = 0, by enumeration."""
    data = np.zeros(16)
    data[2 * 5] = 1.0  # visible states: pixels count up, labels within
    found = expected_cd(DRBM_3_2, LABELLED, data)
    kernel = [[0.310197, -0.022704], [-0.160814, -0.219738], [0.479742, 0.216956]]
    np.testing.assert_allclose(-found["kernel"], kernel, atol=2e-6)
    labels = [[0.308777, 0.129683], [-0.130424, -0.220762]]
    np.testing.assert_allclose(-found["label_kernel"], labels, atol=2e-6)
    np.testing.assert_allclose(-found["hidden_bias"], [0.178354, -0.091079], atol=2e-6)


@pytest.mark.parametrize("expected", [False, True], ids=["samples", "probabilities"])
def test_sampled_cd_has_that_mean(expected):
    """40,000 chains: an entry's sd is below 0.005."""
    machine = DRBM(visible=3, classes=2, hidden=2, expected=expected)
    batch = (jnp.array([[1.0, 0.0, 1.0]]), jnp.array([0]))
    gradient = jax.jit(machine.cd_gradient, static_argnames=("steps", "chains"))
    found = gradient(LABELLED, batch, jax.random.key(0), steps=1, chains=40_000)
    data = np.zeros(16)
    data[2 * 5] = 1.0
    wanted = expected_cd(DRBM_3_2, LABELLED, data)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, atol=0.02, err_msg=name)


@pytest.mark.parametrize(
    ("machine", "weights"), [(DRBM_3_2, LABELLED), (RBM_3_2, PLAIN)], ids=["drbm", "rbm"]
)
def test_nothing_is_learnt_of_what_the_machine_is(machine, weights):
    """``E[CD-1] = 0`` on its own distribution."""
    p = np.exp(-energies(machine, weights)).sum(axis=1)
    for name, value in expected_cd(machine, weights, p / p.sum()).items():
        np.testing.assert_allclose(value, 0.0, atol=1e-7, err_msg=name)


@cache
def own_samples() -> jax.Array:
    p = np.exp(-np.asarray(PLAIN_ENERGIES))
    counts = np.round(20_000 * p / p.sum()).astype(int)
    return jnp.repeat(ALL, counts, axis=0, total_repeat_length=int(counts.sum()))


def test_sampled_gradients_vanish_on_the_machine_s_own_distribution():
    """Of CD-1, CD-3 and persistent chains; an entry's sd is below 0.005."""
    v, key = own_samples(), jax.random.key(1)
    one = RBM_3_2.cd_gradient(PLAIN, v, key)
    three = RBM_3_2.cd_gradient(PLAIN, v, key, steps=3)
    chains = (RBM_3_2.hidden_probability(PLAIN, v) > 0.5).astype(jnp.float32)
    persistent, after = RBM_3_2.pcd_gradient(PLAIN, v, chains, key, steps=20)
    assert after.shape == chains.shape and not np.array_equal(after, chains)
    for found in (one, three, persistent):
        for name, value in found.items():
            np.testing.assert_allclose(value, 0.0, atol=0.02, err_msg=name)


def test_samples_are_of_the_machine_s_distribution():
    """20,000 chains of 30 steps from a far state: frequencies within 4 sd of 0.0035."""
    start = jnp.ones((20_000, 3))
    v = RBM_3_2.sample(PLAIN, start, jax.random.key(2), steps=30)
    seen = np.bincount(np.asarray(v @ jnp.array([4.0, 2.0, 1.0])).astype(int), minlength=8)
    p = np.exp(-np.asarray(PLAIN_ENERGIES))
    np.testing.assert_allclose(seen / 20_000, p / p.sum(), atol=0.014)


@pytest.mark.parametrize(
    ("beta", "after"),
    [(0.005, [0.100225, 0.2004, 0.500625, 1.0]), (3.0, [0.355885, 0.524058, 0.785147, 1.0])],
)
def test_pulses_of_the_paper_s_device(beta, after):
    """After 1, 2, 5 and 10 pulses of a tenth of dt_max, from Gmin."""
    found = np.asarray(pulse_response(Ernoult(levels=10, beta=beta), 10, 0))
    np.testing.assert_allclose(found[[1, 2, 5, 10]], after, atol=3e-6)


def test_widths_of_the_paper_s_rprop():
    tx, fired = pulse_width(0.99), []
    state = tx.init(jnp.zeros(()))
    for sign in [1.0, 1, -1, 1, -1, -1, 1, 0, -1]:
        counts, state = tx.update(jnp.float32(sign), state)
        fired.append(float(counts.n))
    wanted = [1, 1, -1, 0.99, -0.99, -0.9801, 0.9801, 0, -0.970299]
    np.testing.assert_allclose(fired, wanted, rtol=1e-6)
    assert float(state.width) == pytest.approx(0.970299, rel=1e-6)
