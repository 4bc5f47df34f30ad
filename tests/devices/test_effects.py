"""Effects keep no state that they need not, and lose it at a RESET."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import ConstantStep
from memjax.devices.effects import EffectState

STREAM = random.stream(jax.random.key(0))

DEVICE = {"levels": 101.0}


def test_an_effect_that_is_absent_has_no_state():
    array, _ = ConstantStep(**DEVICE).init(STREAM, jnp.full(3, 0.5))
    assert not isinstance(array, EffectState)
    for name, kept in (("sigma_write", "hidden"), ("lifetime", "loss"), ("sigma_ramp", "ramp")):
        array, _ = ConstantStep(**DEVICE, **{name: 2.0}).init(STREAM, jnp.full(3, 0.5))
        there = [field for field in ("hidden", "loss", "ramp") if getattr(array, field) is not None]
        assert there == [kept]
    array, _ = ConstantStep(**DEVICE, diffusion=0.1).init(STREAM, jnp.full(3, 0.5))
    assert array[1:] == (None, None, None)


def test_only_write_noise_shows_what_lies_beyond_the_bounds():
    for parts, low in (({"lifetime": 9.0}, 0.0), ({"lifetime": 9.0, "sigma_write": 1.0}, -np.inf)):
        array, _ = ConstantStep(**DEVICE, **parts).init(STREAM, jnp.full(3, 0.5))
        assert float(array.g_min) == low
        assert float(array.array.g_min) == 0.0


@pytest.mark.parametrize("spread", [None, 0.5])
def test_a_lifetime_is_at_least_an_update(spread):
    array, _ = ConstantStep(lifetime=1.5, sigma_lifetime=spread).init(STREAM, jnp.full(4096, 0.5))
    assert float(jnp.max(array.loss)) <= 1.0
    assert array.loss.shape == (() if spread is None else (4096,))


def test_a_ramp_keeps_its_gain_until_it_turns():
    """Of |1 + sigma xi|: equal steps, and a new gain at each reversal, not at a pause."""
    device, signs = ConstantStep(**DEVICE, sigma_ramp=0.3), [1, 1, 0, 1, -1, -1, 1]
    array, g = device.init(STREAM, jnp.full(4096, 0.5))
    gains = []
    for k, sign in enumerate(signs):
        own = random.fold_in(STREAM, 50 + k)

        def noise(purpose, own=own):
            return random.normal(random.fold_in(own, purpose), (4096,), exact=True)

        array, change = device.advance(array, g, jnp.full(4096, float(sign)), noise)
        g, gains = g + change, [*gains, np.asarray(change, float) * 100 * sign]
    np.testing.assert_array_equal(gains[2], 0.0)
    for same in (gains[1], gains[3]):
        np.testing.assert_allclose(same, gains[0], atol=3e-5)
    np.testing.assert_allclose(gains[4], gains[5], atol=3e-5)
    for a, b in ((0, 4), (4, 6), (0, 6)):
        assert abs(np.corrcoef(gains[a], gains[b])[0, 1]) < 5 / 64
        assert gains[a].mean() == pytest.approx(1, abs=5 * 0.3 / 64)
        assert gains[a].std() == pytest.approx(0.3, rel=5 / np.sqrt(2 * 4096))


def test_a_reset_clears_the_effects_where_it_is():
    """Shown and hidden at the own Gmin, no ramp; the others and the lifetimes keep every bit."""
    parts = {"sigma_write": 3.0, "sigma_ramp": 0.3, "lifetime": 50.0, "sigma_lifetime": 0.2}
    device = ConstantStep(**DEVICE, **parts, sigma_bounds=0.3, stuck=0.1)
    array, g = device.init(STREAM, jnp.full(4096, 0.5))
    own = random.fold_in(STREAM, 9)
    array, change = device.advance(
        array, g, jnp.ones(4096), lambda k: random.normal(random.fold_in(own, k), (4096,))
    )
    g, where = g + change, jnp.arange(4096) % 3 == 0
    after, reset = device.reset(array, g, where)
    np.testing.assert_array_equal(reset, np.where(where, array.array.g_min, g))
    np.testing.assert_array_equal(after.hidden, np.where(where, array.array.g_min, array.hidden))
    np.testing.assert_array_equal(after.ramp, np.where(where, 0.0, array.ramp))
    np.testing.assert_array_equal(after.loss, array.loss)
    stuck = np.asarray(array.array.g_min == array.array.g_max)
    assert 0.05 < stuck.mean() < 0.15
    np.testing.assert_array_equal(reset[stuck], g[stuck])
