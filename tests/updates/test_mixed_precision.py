"""Mixed precision: SGD to within a step, and nothing lost."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import memjax
from memjax.devices import ConstantStep
from memjax.updates import whole_pulses


@pytest.mark.parametrize("epsilon", [1.0, 4.0])
def test_on_ideal_devices_it_is_sgd_within_epsilon(epsilon):
    """And wanted = written + chi, exactly: steps, rate and gradients are powers of two."""
    step = 2.0**-8
    tx = memjax.mixed_precision(
        0.5, ConstantStep(levels=257), key=jax.random.key(0), epsilon=epsilon
    )
    grads = np.random.default_rng(0).integers(-40, 41, (100, 3, 4)).astype(np.float32) * 2.0**-12
    p = jnp.zeros((3, 4))
    s, update, sgd = jax.jit(tx.init)(p), jax.jit(tx.update), np.zeros((3, 4))
    for g in grads:
        updates, s = update(jnp.asarray(g), s, p)
        p = optax.apply_updates(p, updates)
        sgd -= 0.5 * g
        chi = np.asarray(s[1].inner_state[0].chi)
        written = np.asarray(p) * epsilon  # a pulse is taken to be epsilon steps, and is one
        assert np.array_equal(written + chi, sgd)
        assert np.all(np.abs(written - sgd) < epsilon * step)
    assert np.all(np.abs(p) < 0.5) and np.any(p)


def test_whole_pulses_are_at_most_so_many_and_the_rest_stays():
    tx = whole_pulses(0.25, max_pulses=4)
    s = tx.init(jnp.zeros(3))
    n, s = tx.update(jnp.array([2.0, -0.2, -9.0]), s)
    assert n.n.tolist() == [4.0, 0.0, -4.0]
    assert np.allclose(s.chi, [1.0, -0.2, -8.0])
    n, s = tx.update(jnp.array([0.0, -0.2, 0.0]), s)
    assert n.n.tolist() == [4.0, -1.0, -4.0] and np.allclose(s.chi, [0.0, -0.15, -7.0])
