"""Edges by streams are the edges, and wrong bits are an offset."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.bitstreams import SwitchingDevice, encode, fuse, roberts_cross, roberts_cross_of_streams

KEY = jax.random.key(1)
IMAGES = jax.random.uniform(jax.random.key(0), (3, 9, 9))


def rms(n, **more):
    found = roberts_cross_of_streams(IMAGES, n, KEY, **more)
    return float(jnp.sqrt(jnp.mean(jnp.square(found - roberts_cross(IMAGES)))))


def test_the_exact_cross_of_a_step():
    step = jnp.array([[0.0, 1.0], [0.0, 1.0]])
    assert float(roberts_cross(step).item()) == 1.0
    assert float(roberts_cross(jnp.array([[1.0, 0.5], [0.5, 0.0]])).item()) == 0.5


@pytest.mark.parametrize("n", [64, 1024])
def test_the_error_is_that_of_fair_bits_where_pixels_share_a_device(n):
    exact = np.asarray(roberts_cross(IMAGES))
    theory = np.sqrt(np.mean(exact * (1 - exact)) / n)
    assert rms(n) == pytest.approx(theory, rel=0.2)
    assert rms(n, encoder="two_devices") > 0.1, "which gives x + y - 2 x y"


def test_wrong_bits_shift_the_map():
    """``P + (1 - 2 P) 2 e (1 - e)``."""
    exact, turned = np.asarray(roberts_cross(IMAGES)), 2 * 0.1 * 0.9
    wanted = exact + (1 - 2 * exact) * turned
    found = roberts_cross_of_streams(IMAGES, 4096, KEY, flips=0.1)
    assert np.sqrt(np.mean((found - wanted) ** 2)) < 0.012
    lost = roberts_cross_of_streams(IMAGES, 4096, KEY, flips=0.5)
    assert np.sqrt(np.mean((lost - 0.5) ** 2)) < 0.012, "half of them leave nothing"


def test_observations_are_fused():
    found = fuse(*encode(SwitchingDevice(), jnp.full(200, 0.8), jnp.full(200, 0.3), 1024, KEY))
    assert float(found.value.mean()) == pytest.approx(0.24 / (0.24 + 0.14), abs=0.01)
