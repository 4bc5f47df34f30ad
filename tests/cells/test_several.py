"""Pulses for one of several devices: gathered first, or each in its place."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.cells.base import CellState
from memjax.cells.several import pick, pulse_all, pulse_one
from memjax.devices import MODELS, ConstantStep

N = 512
QUIET = {"sigma_d2d": 0.3, "sigma_bounds": 0.2, "stuck": 0.1, "sigma_c2c": 0.0}


def stream(seed):
    return random.stream(jax.random.key(seed))


def made(device, shape=(N,), devices=3):
    arrays = [
        device.init(random.fold_in(stream(1), k), random.uniform(stream(10 + k), shape))
        for k in range(devices)
    ]
    return CellState(tuple(a for a, _ in arrays), tuple(g for _, g in arrays))


def some_pulses():
    return jnp.round(6.0 * random.uniform(stream(5), (N,)) - 3.0)


CHOSEN = {"one for all": jnp.int32(2), "one a weight": jnp.arange(N, dtype=jnp.int32) % 3}


@pytest.mark.parametrize("chosen", CHOSEN)
@pytest.mark.parametrize("model", ["SoftBounds"])
def test_both_paths_agree_without_noise(model, chosen):
    """Gathered, of a device that remembers nothing; in its place, of one with a part that is 0."""
    plain, keeps = (MODELS[model](**QUIET, **own) for own in ({}, {"sigma_write": 0.0}))
    assert (plain.has_memory, keeps.has_memory) == (False, True)
    pulsed = [
        pulse_one(device, made(device), CHOSEN[chosen], some_pulses(), stream(2), exact_noise=False)
        for device in (plain, keeps)
    ]
    for gathered, in_place in zip(*(state.conductances for state in pulsed), strict=True):
        np.testing.assert_allclose(gathered, in_place, atol=1e-6)
    changes = [a - b for a, b in zip(pulsed[0].conductances, made(plain).conductances, strict=True)]
    own = jnp.broadcast_to(CHOSEN[chosen], (N,))
    for k, change in enumerate(changes):
        np.testing.assert_array_equal(change[own != k], 0.0)
    assert float(jnp.mean(sum(changes) != 0)) > 0.5


def test_only_the_chosen_device_remembers():
    device = MODELS["PhaseChange"](sigma_c2c=0.0)
    state = made(device)
    after = pulse_one(device, state, jnp.int32(1), jnp.ones(N), stream(2), exact_noise=False)
    memory = [np.asarray(array.memory) for array in after.devices]
    np.testing.assert_array_equal([memory[0], memory[2]], 1.0)
    np.testing.assert_allclose(memory[1], np.exp(-1 / 2.6), rtol=1e-6)


def test_a_scalar_weight_has_devices_of_its_own():
    """One weight of no dimension: what spread made of each device is a scalar, too."""
    device = ConstantStep(sigma_d2d=0.3)
    state = made(device, ())
    for k in range(3):
        array, g = pick(jnp.int32(k), state)
        assert float(array.up) == float(state.devices[k].up)
        assert float(g) == float(state.conductances[k])
    assert len({float(array.up) for array in state.devices}) == 3


def test_noise_is_independent_over_devices():
    """Correlations of 16,384 normal numbers: 5 standard errors of 0 are 0.04."""
    device, shape = ConstantStep(levels=1001.0, sigma_c2c=1.0), (16384,)
    state = CellState(
        *zip(*(device.init(stream(1), jnp.full(shape, 0.5)) for _ in "abc"), strict=True)
    )
    after = pulse_all(device, state, [jnp.ones(shape)] * 3, stream(2), exact_noise=False)
    changes = np.array(after.conductances) - 0.5
    np.testing.assert_allclose(np.corrcoef(changes), np.eye(3), atol=0.04)
