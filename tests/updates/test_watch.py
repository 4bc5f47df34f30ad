"""A digest tells weights that were moved in any way from those that were left."""

import jax
import jax.numpy as jnp
import pytest

from memjax.updates.watch import digest

W = jax.random.normal(jax.random.key(0), (64, 32))
MOVES = {
    "sign": lambda w: -w,
    "twice": lambda w: 2 * w,
    "half": lambda w: w / 2,
    "rows turned": lambda w: w[::-1],
    "rolled": lambda w: jnp.roll(w, 1),
    "transposed": lambda w: w.T.reshape(w.shape),
    "two swapped": lambda w: w.at[0, 0].set(w[0, 1]).at[0, 1].set(w[0, 0]),
    "one by an ulp": lambda w: w.at[3, 3].multiply(1 + 2.0**-23),
}


@pytest.mark.parametrize("move", list(MOVES))
def test_weights_that_were_moved_have_another(move):
    assert int(digest(MOVES[move](W))) != int(digest(W)) == int(digest(W + 0.0))
