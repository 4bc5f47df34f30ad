"""Packing: every slot of every sample is one bit, and coincidences are counted exactly."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.pulses import Trains, coincidences, trains
from reference import pulses_twin

SIZES = [(batch, length) for batch in (1, 3, 10) for length in (1, 10, 31, 32)]
SIZES += [(batch, length) for batch in (33, 100) for length in (1, 10, 32)]  # blocks, and a loop
every_size = pytest.mark.parametrize(("batch", "length"), SIZES)


def stream(seed):
    return random.stream(jax.random.key(seed))


def lines(seed, batch, count):
    """Probabilities from below 0 to above 1, and signs."""
    rng = np.random.default_rng(seed)
    probability = rng.uniform(-0.1, 1.2, (batch, count)).astype(np.float32)
    probability[:, 0], probability[:, 1] = 0.0, 1.0
    return probability, rng.random((batch, count)) < 0.5


@functools.partial(jax.jit, static_argnums=2)
def draw(seed, negative, length, probability, active=None):
    return trains(random.stream(jax.random.key(seed)), probability, negative, length, active)


@every_size
def test_bits_and_coincidences_equal_the_twin(batch, length):
    fires, signs, packed = [], [], []
    for seed, count in ((1, 7), (2, 5)):
        probability, negative = lines(seed, batch, count)
        train = draw(seed, jnp.asarray(negative), length, jnp.asarray(probability))
        assert train.fire.shape == train.negative.shape == (-(-batch * length // 32), count)
        fire, beyond = pulses_twin.unpack(train.fire, batch, length)
        assert not beyond.any()
        expected = pulses_twin.fires(np.asarray(stream(seed)), probability, length)
        np.testing.assert_array_equal(fire, expected)
        assert not fire[..., 0].any()  # p = 0
        assert fire[..., 1].all()  # p = 1
        sign, beyond = pulses_twin.unpack(train.negative, batch, length)
        assert not beyond.any()
        np.testing.assert_array_equal(sign, np.broadcast_to(negative[:, None], sign.shape))
        fires, signs, packed = [*fires, fire], [*signs, negative], [*packed, train]
    n = jax.jit(coincidences)(*packed)
    expected = pulses_twin.coincidences(fires[0], signs[0], fires[1], signs[1])
    assert n.dtype == jnp.float32
    np.testing.assert_array_equal(n, expected)
    assert (expected.max() > 0 and expected.min() < 0) or batch * length < 4


@pytest.mark.parametrize("blocks", [1, 9])
def test_only_active_slots_fire(blocks):
    active = [0, 1, 7, 10] * blocks
    batch = len(active)
    probability, negative = lines(3, batch, 5)
    packed = draw(3, jnp.asarray(negative), 10, jnp.asarray(probability), jnp.asarray(active))
    fire, _ = pulses_twin.unpack(packed.fire, batch, 10)
    expected = pulses_twin.fires(np.asarray(stream(3)), probability, 10, active)
    np.testing.assert_array_equal(fire, expected)
    np.testing.assert_array_equal(fire[..., 1].sum(1), active)  # the line with p = 1


def test_coincidences_by_hand():
    """Slots 0, 1, 3 of the row and 1, 2, 3 of the column meet twice; slot 3 has opposite signs."""
    row = Trains(jnp.array([[0b1011]], jnp.uint32), jnp.array([[0b1000]], jnp.uint32))
    column = Trains(jnp.array([[0b1110]], jnp.uint32), jnp.array([[0b0001]], jnp.uint32))
    assert coincidences(row, column).tolist() == [[0.0]]
    assert coincidences(row, row).tolist() == [[3.0]]
    opposite = Trains(row.fire, jnp.array([[0b0111]], jnp.uint32))
    assert coincidences(row, opposite).tolist() == [[-3.0]]
