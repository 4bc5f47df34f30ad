"""The meter reads what gradient descent wants, and disturbs nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.experiments.meter import metered


@pytest.mark.parametrize("batch", [1, 3])
def test_it_reads_the_sum_of_the_gradients_magnitudes(batch):
    rng = np.random.default_rng(batch)
    x, w, b = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((batch, 16), (16, 4), 4))

    def loss(w, b, x, meter=None):
        y = x @ w + b[None, :]
        y = y if meter is None else metered(y, jax.lax.stop_gradient(x), meter)
        return jnp.sum(jnp.tanh(y) ** 2)

    plain = jax.grad(loss, argnums=(0, 1, 2))(w, b, x)
    *same, read = jax.grad(loss, argnums=(0, 1, 2, 3))(w, b, x, jnp.float32(0.0))
    assert all(np.array_equal(a, c) for a, c in zip(plain, same, strict=True))
    wanted = sum(float(jnp.abs(g).sum()) for g in plain[:2])
    assert np.isclose(float(read), wanted, rtol=1e-5)  # other orders of summation
