"""Packing: every slot of every sample is one bit, and coincidences are counted exactly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference import pulses_twin

from memjax import random
from memjax.pulses import Trains, coincidences, trains

SIZES = [(batch, length) for batch in (1, 3, 10) for length in (1, 10, 31, 32)]
every_size = pytest.mark.parametrize(("batch", "length"), SIZES)


def stream(seed):
    return random.stream(jax.random.key(seed))


def lines(seed, batch, count):
    """Probabilities from below 0 to above 1, and signs."""
    rng = np.random.default_rng(seed)
    probability = rng.uniform(-0.1, 1.2, (batch, count)).astype(np.float32)
    probability[:, 0], probability[:, 1] = 0.0, 1.0
    return probability, rng.random((batch, count)) < 0.5


def draw(seed, batch, length, count, active=None):
    probability, negative = lines(seed, batch, count)
    active = None if active is None else jnp.asarray(active, jnp.int32)
    packed = trains(stream(seed), jnp.asarray(probability), jnp.asarray(negative), length, active)
    return packed, probability, negative


@every_size
def test_bits_equal_the_twin(batch, length):
    packed, probability, negative = draw(1, batch, length, 6)
    assert packed.fire.shape == packed.negative.shape == (-(-batch * length // 32), 6)
    fire, beyond = pulses_twin.unpack(packed.fire, batch, length)
    expected = pulses_twin.fires(np.asarray(stream(1)), probability, length)
    np.testing.assert_array_equal(fire, expected)
    assert not beyond.any()
    assert not fire[..., 0].any()
    assert fire[..., 1].all()
    signs, beyond = pulses_twin.unpack(packed.negative, batch, length)
    np.testing.assert_array_equal(signs, np.broadcast_to(negative[:, None], signs.shape))
    assert not beyond.any()


def test_only_active_slots_fire():
    active = [0, 1, 7, 10]
    packed, probability, _ = draw(2, 4, 10, 5, active)
    fire, _ = pulses_twin.unpack(packed.fire, 4, 10)
    expected = pulses_twin.fires(np.asarray(stream(2)), probability, 10, active)
    np.testing.assert_array_equal(fire, expected)
    np.testing.assert_array_equal(fire[..., 1].sum(1), active)  # the line with p = 1


@every_size
def test_coincidences_equal_a_count_slot_by_slot(batch, length):
    rows, _, row_negative = draw(3, batch, length, 7)
    columns, _, column_negative = draw(4, batch, length, 5)
    n = jax.jit(coincidences)(rows, columns)
    expected = pulses_twin.coincidences(
        pulses_twin.unpack(rows.fire, batch, length)[0],
        row_negative,
        pulses_twin.unpack(columns.fire, batch, length)[0],
        column_negative,
    )
    assert n.dtype == jnp.float32
    np.testing.assert_array_equal(n, expected)
    assert np.any(expected > 0) or batch * length < 4
    assert np.any(expected < 0) or batch * length < 4


def test_coincidences_by_hand():
    """Slots 0, 1, 3 of the row and 1, 2, 3 of the column meet twice; slot 3 has opposite signs."""
    row = Trains(jnp.array([[0b1011]], jnp.uint32), jnp.array([[0b1000]], jnp.uint32))
    column = Trains(jnp.array([[0b1110]], jnp.uint32), jnp.array([[0b0001]], jnp.uint32))
    assert coincidences(row, column).tolist() == [[0.0]]
    assert coincidences(row, row).tolist() == [[3.0]]
    opposite = Trains(row.fire, jnp.array([[0b0111]], jnp.uint32))
    assert coincidences(row, opposite).tolist() == [[-3.0]]
