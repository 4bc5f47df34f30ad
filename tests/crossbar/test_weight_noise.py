"""Noise on weights: its size, where it is, and gradients at what is seen."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar import WeightNoise
from memjax.errors import UserError

KEY = jax.random.key(0)
W = jax.random.normal(jax.random.key(1), (400, 100)).at[0, 0].set(-8.0)
PARAMS = {"kernel": W, "bias": jnp.ones(100)}


def test_noise_is_a_share_of_the_largest_weight_and_biases_have_none():
    seen = WeightNoise(sigma=0.1)(PARAMS, KEY)
    noise = np.asarray(seen["kernel"] - W)
    assert abs(noise.std() - 0.8) < 0.01 and abs(noise.mean()) < 0.02
    np.testing.assert_array_equal(seen["bias"], PARAMS["bias"])
    np.testing.assert_array_equal(seen["kernel"], WeightNoise(sigma=0.1)(PARAMS, KEY)["kernel"])
    other = WeightNoise(sigma=0.1)(PARAMS, jax.random.key(2))
    assert abs(np.corrcoef(noise.ravel(), (other["kernel"] - W).ravel())[0, 1]) < 0.03


def test_columns_have_noise_of_their_own_size_and_weights_in_proportion():
    by_column = WeightNoise(sigma=0.1, per="column")(PARAMS, KEY)["kernel"] - W
    share = by_column.std(axis=0) / jnp.abs(W).max(axis=0)
    np.testing.assert_allclose(share, 0.1, atol=0.02)
    relative = WeightNoise(sigma=0.1, kind="multiplicative")(PARAMS, KEY)["kernel"] / W - 1.0
    assert abs(float(relative.std()) - 0.1) < 0.002


def test_dropped_connections_are_zero():
    seen = WeightNoise(drop_connect=0.25)(PARAMS, KEY)["kernel"]
    assert abs(float(jnp.mean(seen == 0.0)) - 0.25) < 0.01
    np.testing.assert_array_equal(seen[seen != 0.0], W[seen != 0.0])


def test_the_gradient_is_that_at_the_noisy_weights():
    noisy = WeightNoise(sigma=0.1, drop_connect=0.1)

    def loss(params):
        return jnp.sum(jnp.tanh(params["kernel"] + params["bias"][None]) ** 2)

    found = jax.grad(lambda params: loss(noisy(params, KEY)))(PARAMS)
    jax.tree.map(np.testing.assert_array_equal, found, jax.grad(loss)(noisy(PARAMS, KEY)))


def test_patterns_choose_and_numbers_are_checked():
    seen = WeightNoise(sigma=0.1)(PARAMS, KEY, memristive="bias")
    assert np.ptp(seen["bias"]) > 0.1
    np.testing.assert_array_equal(seen["kernel"], W)
    with pytest.raises(UserError, match="WeightNoise: memristive = 'conv' matches no weight"):
        WeightNoise(sigma=0.1)(PARAMS, KEY, memristive="conv")
    with pytest.raises(UserError, match="drop_connect = 1"):
        WeightNoise(drop_connect=1.0)
