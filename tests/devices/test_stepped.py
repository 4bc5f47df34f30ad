"""Pulse by pulse: the mean composes, the variance is carried along."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import OnsetStep, PowerStep, SoftBounds
from memjax.devices.stepped import of_single_pulses

STREAM = random.stream(jax.random.key(0))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_linear_law_has_the_closed_form_of_soft_bounds(sign):
    """Steps dg0 (1 - g): mean and sd of up to 40 pulses, which the contraction has exactly."""
    stepped = PowerStep(levels=21.0, sigma_c2c=0.3)
    closed = SoftBounds(levels=41.0, sigma_c2c=0.3)
    g, n = jnp.linspace(0.05, 0.95, 6), sign * jnp.array([0.0, 1.0, 2.0, 5.0, 20.0, 40.0])
    ours, theirs = (d.response(d.fabricate(STREAM, ()), g, n) for d in (stepped, closed))
    np.testing.assert_allclose(ours[0], theirs[0], atol=2e-6)
    np.testing.assert_allclose(ours[1], theirs[1], atol=2e-6)


def test_no_pulse_costs_no_round_and_changes_nothing():
    device = PowerStep(sigma_c2c=0.3)
    mean, sd = device.response(device.fabricate(STREAM, ()), jnp.array([0.1, 0.9]), jnp.zeros(2))
    np.testing.assert_array_equal([mean, sd], np.zeros((2, 2)))


def test_devices_of_one_array_fire_trains_of_unlike_length():
    device = PowerStep(levels=11.0, gamma=2.0, sigma_c2c=0.2)
    array, g, n = (
        device.fabricate(STREAM, ()),
        jnp.array([0.2, 0.5, 0.7]),
        jnp.array([7.0, -2.0, 0.0]),
    )
    together = device.response(array, g, n)
    for k in range(3):
        alone = device.response(array, g[k], n[k])
        np.testing.assert_allclose([leaf[k] for leaf in together], alone, rtol=1e-5, atol=1e-8)


def test_a_train_remembers_its_own_pulses():
    """Of OnsetStep: each pulse finds the memory that those before it left."""
    device = OnsetStep(levels=101.0, onset_up=0.8, memory_up=2.0)
    array = device.fabricate(STREAM, (1,))
    at_once, _ = device.response(array, jnp.array([0.2]), jnp.array([5.0]))
    z = 1 - np.exp(-np.arange(5) / 2.0)
    expected = 0.01 * np.sum(1 - 0.8 * (1 - z) / 2)
    np.testing.assert_allclose(at_once, expected, rtol=1e-5)
    np.testing.assert_array_equal(array.memory, 0.0)


def test_a_models_own_response_is_not_its_parents_single_one():
    class Mine(PowerStep):
        def response(self, array, g, n):
            return super().response(array, g, 2.0 * n)

    assert of_single_pulses(Mine) is Mine
    assert of_single_pulses(PowerStep).response is PowerStep.single_response
