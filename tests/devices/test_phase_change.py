"""PCM's published numbers, in microsiemens; what it remembers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import PhaseChange, pulse_response

STREAM = random.stream(jax.random.key(0))

DEVICE = PhaseChange()


def siemens(g):
    return 0.1 + 11.9 * np.asarray(g, float)


def test_the_published_mean_and_memory():
    """-0.084 G + 0.880 + 1.40 P_mem, P_mem falling by e^(-1/2.6) a SET, and 1 after a RESET."""
    g, expected, memory = pulse_response(DEVICE, 12, 2), [0.1], 1.0
    for _ in range(12):
        expected.append(min(expected[-1] * (1 - 0.084) + 0.880 + 1.40 * memory, 12.0))
        memory *= np.exp(-1 / 2.6)
    np.testing.assert_allclose(siemens(g), [*expected, 0.1, 0.1], atol=1e-4)
    assert siemens(g)[1] == pytest.approx(2.3716, abs=1e-4)


def test_the_published_sd():
    """0.091 G + 0.260 + 2.15 P_mem of a SET; 0.01 after a RESET; both at xi = 1."""
    array = DEVICE.fabricate(STREAM, (3,))
    big = np.array([0.1, 3.0, 9.0])
    g = jnp.asarray((big - 0.1) / 11.9, jnp.float32)
    for memory in (1.0, 0.2):
        array = array._replace(memory=jnp.full(3, memory))
        _, sd = DEVICE.response(array, g, jnp.ones(3))
        np.testing.assert_allclose(11.9 * sd, 0.091 * big + 0.260 + 2.15 * memory, rtol=1e-5)
    mean, sd = DEVICE.response(array, g, -jnp.ones(3))
    np.testing.assert_allclose(siemens(g + mean), 0.1, atol=1e-5)
    np.testing.assert_allclose(11.9 * sd, 0.01, rtol=1e-5)


def test_sigma_c2c_scales_the_published_sd():
    array, g, n = DEVICE.fabricate(STREAM, (3,)), jnp.full(3, 0.4), jnp.array([1.0, 5.0, -1.0])
    _, whole = DEVICE.response(array, g, n)
    _, half = PhaseChange(sigma_c2c=0.5).response(array, g, n)
    np.testing.assert_allclose(half, 0.5 * whole, rtol=1e-5)


def test_a_train_of_resets_is_one():
    array, g = DEVICE.fabricate(STREAM, (2,)), jnp.array([0.3, 0.9])
    for one, many in zip(
        DEVICE.response(array, g, -jnp.ones(2)),
        DEVICE.response(array, g, jnp.full(2, -7.0)),
        strict=True,
    ):
        np.testing.assert_allclose(one, many, rtol=1e-5, atol=1e-8)


def test_memory_of_a_train():
    array = DEVICE.fabricate(STREAM, (4,))._replace(memory=jnp.full(4, 0.5))
    after = DEVICE.update_memory(array, jnp.zeros(4), jnp.array([0.0, 1.0, 3.0, -2.0])).memory
    np.testing.assert_allclose(
        after, [0.5, 0.5 * np.exp(-1 / 2.6), 0.5 * np.exp(-3 / 2.6), 1], rtol=1e-5
    )


def test_set_settles_where_its_mean_is_zero():
    """-b / a = 10.476 uS once the memory has faded."""
    assert siemens(pulse_response(DEVICE, 200, 0))[-1] == pytest.approx(0.880 / 0.084, abs=1e-2)
