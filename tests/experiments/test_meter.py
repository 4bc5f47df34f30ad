"""The meter reads what gradient descent wants, and disturbs nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.experiments.meter import NO_METERS, Meters, metered


def loss(w, b, x, meters=NO_METERS):
    y = metered(x @ w + b[None, :], jax.lax.stop_gradient(x), meters)
    return jnp.sum(jnp.tanh(y) ** 2)


@pytest.mark.parametrize("batch", [1, 3])
def test_it_reads_the_sum_of_the_gradients_magnitudes(batch):
    rng = np.random.default_rng(batch)
    x, w, b = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((batch, 16), (16, 4), 4))
    plain = jax.grad(loss, argnums=(0, 1, 2))(w, b, x)
    meters = Meters(jnp.float32(0.0), jnp.float32(0.0))
    *same, read = jax.grad(loss, argnums=(0, 1, 2, 3))(w, b, x, meters)
    assert all(np.array_equal(a, c) for a, c in zip(plain, same, strict=True))
    wanted = sum(float(jnp.abs(g).sum()) for g in plain[:2])
    assert np.isclose(float(read.total), wanted, rtol=1e-5)  # other orders of summation
    of_one = jax.grad(loss, argnums=(0, 1))
    alone = [max(float(jnp.abs(g).max()) for g in of_one(w, b, x[i : i + 1])) for i in range(batch)]
    assert np.isclose(float(read.largest), max(alone), rtol=1e-5)
