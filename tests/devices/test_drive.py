"""What cells call on devices: programmed within bounds, advanced, reset."""

import jax
import jax.numpy as jnp
import numpy as np

from memjax import random
from memjax.devices import ConstantStep, PhaseChange, drive
from memjax.devices.effects import EffectState

STREAM = random.stream(jax.random.key(0))


def test_devices_are_programmed_within_their_bounds():
    array, g = drive.init(ConstantStep(sigma_bounds=0.3), STREAM, jnp.full(64, 0.95))
    np.testing.assert_array_equal(g, np.minimum(0.95, array.g_max))
    assert np.any(np.asarray(g) < 0.95)


def test_an_update_without_effects_is_the_models_own():
    device = PhaseChange(sigma_c2c=0.0)
    array, g = drive.init(device, STREAM, jnp.zeros(3))
    n = jnp.array([1.0, 0.0, 2.0])
    after, change = drive.advance(device, array, g, n, lambda purpose: jnp.zeros(3))
    np.testing.assert_array_equal(after.memory, device.update_memory(array, g, n).memory)
    np.testing.assert_array_equal(change, device.response(array, g, n)[0])


def test_a_reset_is_of_the_conductance_and_of_the_memory():
    for parts in ({}, {"sigma_write": 0.1}):
        device = PhaseChange(sigma_bounds=0.3, **parts)
        array, g = drive.init(device, STREAM, jnp.full(4, 0.5))
        array, _ = drive.advance(device, array, g, jnp.ones(4), lambda purpose: jnp.zeros(4))
        after, reset = drive.reset(device, array, g, jnp.arange(4) < 2)
        model = after.array if isinstance(after, EffectState) else after
        assert bool(parts) == isinstance(after, EffectState)
        np.testing.assert_array_equal(reset, [*model.g_min[:2], 0.5, 0.5])
        assert np.all(model.memory[:2] == 1.0) and np.all(model.memory[2:] < 1.0)
