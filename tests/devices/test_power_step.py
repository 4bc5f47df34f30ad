"""The power step's published values, its powers and its spread."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import PowerStep
from reference.pulsed import pulsed

STREAM = random.stream(jax.random.key(0))

DEVICE = PowerStep(levels=1201.0, weight_span=1.2)  # dw_min = 0.001, bounds +-0.6


def weights(device, sign):
    """After the first pulse and after 100, 500 and 1000, from w = 0."""
    array = device.fabricate(STREAM, ())
    train = jax.jit(lambda n: pulsed(device, array, jnp.full(4, device.g_ref), n, jnp.zeros(4)))
    return device.weights(train(sign * jnp.array([1.0, 100.0, 500.0, 1000.0])))


def test_published_values():
    published = np.array([0.0005, 0.047993, 0.204524, 0.339332])
    for sign in (1.0, -1.0):
        np.testing.assert_allclose(weights(DEVICE, sign), sign * published, atol=3e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_steps_are_powers_of_the_distance_from_the_bound(gamma):
    device = PowerStep(levels=11.0, gamma=gamma)
    array, g = device.fabricate(STREAM, ()), jnp.array([0.0, 0.25, 0.75, 1.0])
    up, down = (device.response(array, g, jnp.full(4, n))[0] for n in (1.0, -1.0))
    room = 1.0 - np.asarray(g, float)
    expected = np.where(room > 0, 0.1 * np.maximum(room, 1e-9) ** gamma, 0.0)
    np.testing.assert_allclose(up, expected, rtol=1e-5)
    np.testing.assert_allclose(down, -expected[::-1], rtol=1e-5)
    assert float(device.mean_step) == pytest.approx(0.1 * 0.5**gamma, rel=1e-5)


def test_the_power_varies_relatively():
    gamma = np.asarray(
        PowerStep(gamma=2.0, sigma_gamma=0.1).fabricate(STREAM, (20000,)).gamma, float
    )
    assert gamma.mean() == pytest.approx(2, abs=5 * 0.2 / np.sqrt(20000))
    assert gamma.std() == pytest.approx(0.2, rel=5 / np.sqrt(40000))
