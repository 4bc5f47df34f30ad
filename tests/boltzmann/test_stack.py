"""A stack: each machine learns of what the ones below make."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.boltzmann import DBN
from memjax.errors import UserError

KEY = jax.random.key(0)
SMALL = DBN(visible=8, hidden=(6, 5), classes=2)


def test_the_published_one():
    shapes = [m["kernel"].shape for m in jax.eval_shape(lambda: DBN().init(KEY))]
    assert shapes == [(784, 500), (500, 500), (500, 2000)]


def test_it_learns_and_dreams_two_patterns():
    """Halves of 8 pixels, with their labels; after 300 updates a machine all are told apart."""
    labels = jnp.arange(40) % 2
    v = jnp.where((jnp.arange(8)[None, :] < 4) == (labels[:, None] == 0), 0.95, 0.05)
    weights = SMALL.init(KEY)

    def trained(weights, level):
        def update(own, number):
            now = (*weights[:level], own, *weights[level + 1 :])
            key = jax.random.fold_in(KEY, number)
            slope = SMALL.cd_gradient(now, (v, labels), key, level=level)
            return jax.tree.map(lambda w, g: w - 0.5 * g, own, slope), None

        own, _ = jax.lax.scan(update, weights[level], jnp.arange(300))
        return (*weights[:level], own, *weights[level + 1 :])

    weights = jax.jit(lambda w: trained(trained(w, 0), 1))(weights)
    assert np.array_equal(SMALL.classify(weights, v), labels)
    dreamt, classes = SMALL.sample(weights, KEY, n=400, steps=50)
    first = (dreamt[:, :4].mean(1) > dreamt[:, 4:].mean(1)).astype(jnp.float32)
    assert ((first == 1.0) == (classes == 0)).mean() > 0.8
    assert 0.2 < first.mean() < 0.8


def test_a_level_that_is_none_is_told():
    with pytest.raises(UserError, match="level = 2 is none of its 2 machines"):
        SMALL.inputs(SMALL.init(KEY), jnp.ones((1, 8)), 2)
    with pytest.raises(UserError, match="has no machine"):
        DBN(hidden=()).init(KEY)
