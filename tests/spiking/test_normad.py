"""NormAD: the example made by hand, the float64 twin, and its laws."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.spiking import (
    LIF,
    answer,
    compete,
    desired,
    desired_train,
    inverse_norms,
    normad,
    normad_adjoint,
    responses,
    traces,
)
from reference import spiking_twin

DT = 0.1
SPIKES = np.zeros((20, 3), np.float32)
SPIKES[[1, 6], 0] = SPIKES[3, 1] = SPIKES[[2, 10], 2] = 1
WEIGHTS = np.array([[400, 150, 250], [50, 60, -30]], np.float32).T
DESIRED = np.zeros((20, 2), np.float32)
DESIRED[[8, 15], 0] = 1
HEUN = LIF(scheme="heun")


def both(spikes, error, **options):
    """In the direct and in the adjoint form."""
    spikes, error = jnp.asarray(spikes), jnp.asarray(error)
    norms = inverse_norms(spikes, DT)
    return normad(spikes, error, DT, **options), normad_adjoint(spikes, error, norms, DT, **options)


def test_the_example_made_by_hand():
    found = compete(jnp.asarray(SPIKES @ WEIGHTS), DT, HEUN)
    assert np.argwhere(found.spikes).tolist() == [[5, 0], [14, 1]]
    assert traces(jnp.asarray(SPIKES), DT)[4].tolist() == pytest.approx(
        [0.155137, 0.057082, 0.108646], abs=1e-6
    )
    assert found.current[4].tolist() == pytest.approx([97.778431, 7.922404], rel=2e-6)
    assert HEUN.potential(found.u[4]).tolist() == pytest.approx([-11.190961, -65.223069], rel=2e-6)
    assert float(found.current[13, 1]) == pytest.approx(40.673989, rel=2e-6)
    assert float(HEUN.potential(found.u[13, 1])) == pytest.approx(17.128522, rel=2e-5)
    error = DESIRED - np.asarray(found.spikes, np.float32)
    assert np.argwhere(error).tolist() == [[5, 0], [8, 0], [14, 1], [15, 0]]
    d = np.asarray(responses(traces(jnp.asarray(SPIKES), DT), DT))
    directions = d * np.asarray(inverse_norms(jnp.asarray(SPIKES), DT))[:, None]
    expected = {
        5: [0.809137, 0.276797, 0.518344],
        8: [0.752234, 0.399410, 0.524037],
        14: [0.745396, 0.397321, 0.535277],
        15: [0.739219, 0.392061, 0.547580],
    }
    for step, direction in expected.items():
        assert directions[step].tolist() == pytest.approx(direction, abs=1e-6)
    wanted = [[136.463127, 102.935010, 110.654617], [-149.079120, -79.464115, -107.055454]]
    for change in both(SPIKES, error):
        np.testing.assert_allclose(1e3 * change.T, wanted, rtol=2e-6)  # pA


def test_from_no_weights_only_what_is_desired_moves():
    silent = compete(jnp.zeros((20, 2)), DT, HEUN)
    assert not silent.spikes.any()
    for change in both(SPIKES, DESIRED):
        assert (1e3 * change[:, 0]).tolist() == pytest.approx(
            [298.290595, 158.294349, 214.323389], rel=2e-6
        )
        assert not np.any(change[:, 1])


@pytest.fixture(scope="module")
def trial():
    """200 inputs, the last 50 of them silent, at three outputs of random errors."""
    rng = np.random.default_rng(0)
    spikes = (rng.random((300, 200)) < 0.02).astype(np.float32)
    spikes[:, 150:] = 0
    spikes[:40] = 0
    error = rng.integers(-1, 2, (300, 3)) * (rng.random((300, 3)) < 0.2)
    error[:, 1] = abs(error[:, 1])
    error[:, 2] = 0
    return spikes, error.astype(np.float32)


def test_both_forms_are_the_twin(trial):
    expected = spiking_twin.normad(*trial, DT)
    for change in both(*trial):
        np.testing.assert_allclose(change, expected, atol=2e-5)


def test_laws(trial):
    spikes, error = trial
    for change in both(spikes, error):
        change = np.asarray(change)
        steps = np.count_nonzero(error, axis=0)
        assert np.all(np.linalg.norm(change, axis=0) <= 0.2 * steps * (1 + 1e-5))
        assert np.any(change[:, 0] < 0) and np.all(change[:, 1] >= 0)
        assert not np.any(change[:, 2])  # no error, no change
        assert not np.any(change[150:])  # silent inputs: bit for bit
    one, other = (both(spikes, error, rate=rate)[1] for rate in (0.2, 0.4))
    np.testing.assert_allclose(2 * one, other, rtol=1e-6)


def test_before_any_input_nothing_is_changed_and_all_is_finite(trial):
    spikes, error = trial
    early = np.where(np.arange(300)[:, None] <= np.flatnonzero(spikes.any(axis=1))[0], error, 0)
    assert np.count_nonzero(early[:40])
    for change in both(spikes, early.astype(np.float32)):
        assert not np.any(change)


@pytest.mark.parametrize("scheme", ["exact", "heun"])
def test_outputs_are_the_twins(scheme):
    rng = np.random.default_rng(1)
    spikes = (rng.random((400, 60)) < 0.05).astype(np.float32)
    weights = rng.normal(0.5, 4.0, (60, 5)).astype(np.float32)
    fires, current, u = spiking_twin.outputs(spikes, weights, 0.5, scheme)
    found = compete(jnp.asarray(spikes @ weights), 0.5, LIF(scheme=scheme))
    assert fires.sum() > 20
    np.testing.assert_array_equal(found.spikes, fires)
    np.testing.assert_allclose(found.current, current, atol=1e-3)
    np.testing.assert_allclose(found.u, u, atol=1e-4)


def test_desired_trains():
    fine = desired_train(0.1)
    assert np.flatnonzero(fine)[:3].tolist() == [100, 135, 170] and len(fine) == 1000
    assert np.flatnonzero(desired_train(0.5)).tolist() == (np.flatnonzero(fine) // 5).tolist()
    both_labels = np.asarray(desired(jnp.array([1, 0]), 3, dt=0.5))
    np.testing.assert_array_equal(both_labels[0, :, 1], desired_train(0.5))
    assert both_labels[:, :, 2].sum() == 0 == both_labels[0, :, 0].sum()


def test_the_first_of_equals_answers_and_that_is_told():
    fires = jnp.zeros((6, 3), bool).at[:2, 1].set(True).at[:2, 2].set(True)
    assert [int(x) for x in answer(fires)] == [1, True]
    assert [int(x) for x in answer(fires.at[5, 2].set(True))] == [2, False]
