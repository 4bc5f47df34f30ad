"""The constant step's published values, and how the noise of a train adds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import ConstantStep
from reference.pulsed import pulsed

# dw_min = 0.001 on w = 1.2 g - 0.6: 1200 steps from bound to bound.
DEVICE = ConstantStep(levels=1201.0)
ARRAY = DEVICE.fabricate(random.stream(jax.random.key(0)), ())


def test_published_values():
    """After 1, 100, 500, 1000 pulses from w = 0, up and down; to 1e-6, in one train."""
    n = jnp.array([1.0, 100.0, 500.0, 1000.0])
    for sign in (1.0, -1.0):
        w = 1.2 * pulsed(DEVICE, ARRAY, jnp.float32(0.5)[None], sign * n, jnp.zeros(4)) - 0.6
        np.testing.assert_allclose(w, sign * np.array([0.001, 0.1, 0.5, 0.6]), atol=2e-7)


def test_variances_of_a_train_add():
    device = ConstantStep(levels=11.0, sigma_c2c=0.5)
    array = device.fabricate(random.stream(jax.random.key(0)), ())
    mean, sd = device.response(array, jnp.full(4, 0.5), jnp.array([0.0, 1.0, -4.0, 9.0]))
    np.testing.assert_allclose(mean, [0.0, 0.1, -0.4, 0.9], rtol=1e-6)
    np.testing.assert_allclose(sd, [0.0, 0.05, 0.1, 0.15], rtol=1e-6)


@pytest.mark.parametrize(("up_down", "up", "down"), [(0.25, 1.0, 0.75), (-0.25, 0.75, 1.0)])
def test_imbalance_weakens_one_direction_only(up_down, up, down):
    device = ConstantStep(levels=11.0, up_down=up_down)
    array = device.fabricate(random.stream(jax.random.key(0)), ())
    assert float(array.up) == pytest.approx(0.1 * up)
    assert float(array.down) == pytest.approx(0.1 * down)
