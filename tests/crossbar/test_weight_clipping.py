"""Weights within some standard deviations of their layer, after any optimiser."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from memjax.crossbar import clip_weights
from memjax.errors import UserError

W = jax.random.normal(jax.random.key(1), (100, 30))
PARAMS = {"kernel": W, "bias": jnp.zeros(30).at[0].set(9.0)}


def test_what_an_update_would_leave_is_clipped_and_biases_are_not():
    optimiser = optax.chain(optax.sgd(0.1), clip_weights(2.0))
    gradients = jax.tree.map(jnp.ones_like, PARAMS)
    updates, _ = optimiser.update(gradients, optimiser.init(PARAMS), PARAMS)
    found = optax.apply_updates(PARAMS, updates)
    wanted = np.asarray(W) - 0.1
    bound = 2.0 * wanted.std()
    np.testing.assert_allclose(found["kernel"], np.clip(wanted, -bound, bound), atol=1e-6)
    np.testing.assert_allclose(found["bias"], PARAMS["bias"] - 0.1, atol=1e-6)


def test_refused():
    with pytest.raises(UserError, match=r"alpha = 0\.0 must be more than 0"):
        clip_weights(0.0)
    link = clip_weights()
    with pytest.raises(UserError, match="clip_weights: weights are missing"):
        link.update(PARAMS, link.init(PARAMS))
