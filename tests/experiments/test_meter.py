"""The meter reads what gradient descent wants, and disturbs nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.experiments.meter import NO_METERS, Meters, metered


def loss(w, b, x, meters=NO_METERS):
    y = x @ w if b is None else x @ w + b[None, :]
    y = metered(y, jax.lax.stop_gradient(x), meters, has_bias=b is not None)
    return jnp.sum(jnp.tanh(y) ** 2)


@pytest.mark.parametrize("batch", [1, 3])
def test_without_a_bias_its_row_is_not_counted(batch):
    rng = np.random.default_rng(batch)
    x, w = (jnp.asarray(rng.normal(size=s) / 9, jnp.float32) for s in ((batch, 16), (16, 4)))
    meters = Meters(jnp.float32(0.0), jnp.float32(0.0))
    of_kernel, read = jax.grad(loss, argnums=(0, 3))(w, None, x, meters)
    assert np.isclose(float(read.total), float(jnp.abs(of_kernel).sum()), rtol=1e-5)
    alone = [float(jnp.abs(jax.grad(loss)(w, None, x[i : i + 1])).max()) for i in range(batch)]
    assert np.isclose(float(read.largest), max(alone), rtol=1e-5)


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
