"""Soft bounds' published values; a device's own bounds set its slope."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import SoftBounds
from reference.pulsed import pulsed

# dw_min = 0.001 at w = 0, bounds +-0.6: w = 1.2 g - 0.6.
DEVICE = SoftBounds(levels=1201.0)
STREAM = random.stream(jax.random.key(0))
ARRAY = DEVICE.fabricate(STREAM, ())


def test_published_values():
    """After 1, 100, 500, 1000 pulses from w = 0, up and down, to the printed digits."""
    n = jnp.array([1.0, 100.0, 500.0, 1000.0])
    published = np.array([0.001, 0.092182, 0.339422, 0.486832])
    for sign in (1.0, -1.0):
        w = 1.2 * pulsed(DEVICE, ARRAY, jnp.float32(0.5)[None], sign * n, jnp.zeros(4)) - 0.6
        np.testing.assert_allclose(w, sign * published, atol=6e-7)


def test_alternating_pulses_settle_at_the_symmetry_point():
    """Published: -0.0005 after the down pulse, that is half a step, in float32's 6e-8 a pulse."""

    @jax.jit
    def run(g):
        def cycle(_, g):
            g = pulsed(DEVICE, ARRAY, g, jnp.float32(1.0), jnp.float32(0.0))
            return pulsed(DEVICE, ARRAY, g, jnp.float32(-1.0), jnp.float32(0.0))

        return jax.lax.fori_loop(0, 5000, cycle, g)

    for start in (0.1, 0.5, 0.9):
        assert float(1.2 * run(jnp.float32(start)) - 0.6) == pytest.approx(-0.0005, abs=2e-5)


@pytest.mark.parametrize(("g", "n", "after"), [(0.5, 1, 0.75), (0.75, 2, 0.9375), (0.8, -1, 0.4)])
def test_steps_are_in_proportion_to_the_distance(g, n, after):
    device = SoftBounds(levels=5.0)
    g = pulsed(device, device.fabricate(STREAM, ()), jnp.float32(g), jnp.float32(n), jnp.float32(0))
    assert float(g) == pytest.approx(after, abs=1e-6)


def test_own_bounds_set_the_slope():
    """dg0 (b - g) / (b - 1/2) up, dg0 (g - a) / (1/2 - a) down: dg0 at mid-range."""
    device = SoftBounds(levels=51.0, sigma_bounds=0.3)
    array = device.fabricate(STREAM, (256,))
    high, low = np.asarray(array.g_max, float), np.asarray(array.g_min, float)
    assert high.std() > 0.1
    for g in (0.5, 0.6, 0.45):
        up, down = (
            np.asarray(device.response(array, jnp.full(256, g), jnp.full(256, n))[0])
            for n in (1.0, -1.0)
        )
        np.testing.assert_allclose(up, 0.02 * (high - g) / (high - 0.5), atol=2e-7)
        np.testing.assert_allclose(down, -0.02 * (g - low) / (0.5 - low), atol=2e-7)


def test_a_step_ends_at_the_bound():
    device = SoftBounds(levels=2.0)
    g = pulsed(
        device, device.fabricate(STREAM, ()), jnp.float32(0.5), jnp.float32(1), jnp.float32(0)
    )
    assert float(g) == 1.0
