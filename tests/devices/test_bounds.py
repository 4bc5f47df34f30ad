"""Nothing leads beyond a device's own bounds."""

import jax.numpy as jnp

from memjax.devices import Spread
from memjax.devices.bounds import clip_to_bounds

ARRAY = Spread(up=1.0, down=1.0, g_min=jnp.array([0.0, 0.25]), g_max=jnp.float32(0.75))


def test_each_device_has_its_own_bounds():
    assert clip_to_bounds(ARRAY, jnp.array([-1.0, -1.0])).tolist() == [0.0, 0.25]
    assert clip_to_bounds(ARRAY, jnp.array([0.5, 2.0])).tolist() == [0.5, 0.75]


def test_what_conductances_make_has_the_bounds_that_they_make():
    weights = clip_to_bounds(ARRAY, jnp.array([-4.0, 4.0]), lambda g: 2.0 * (g - 0.5))
    assert weights.tolist() == [-1.0, 0.5]
