"""Update and length management where they leave nothing to chance, and what users get wrong."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.errors import UserError
from memjax.pulses import Coincidence

STREAM = random.stream(jax.random.key(3))
managements = pytest.mark.parametrize(
    ("update_management", "length_management"),
    [(False, False), (True, False), (True, True)],
)


@functools.partial(jax.jit, static_argnums=0)
def counted(pulses, stream, rows, columns, rate):
    return pulses.count(stream, rows, columns, rate)


def count(pulses, x, d, rate, stream=STREAM):
    return np.asarray(counted(pulses, stream, (jnp.array(x),), jnp.array(d), rate)[0])


@managements
def test_certain_pulses_have_the_sign_of_x_times_d(update_management, length_management):
    """|x| = |d| = 1 and rate = length: every slot fires, in every sample."""
    pulses = Coincidence(
        length=7, update_management=update_management, length_management=length_management
    )
    n = count(pulses, [[1.0, -1.0]], [[1.0, -1.0, 1.0]], 7.0)
    np.testing.assert_array_equal(n, [[7, -7, 7], [-7, 7, -7]])
    batch = count(pulses, [[1.0, -1.0], [1.0, 1.0]], [[1.0, -1.0, 1.0], [1.0, 1.0, -1.0]], 7.0)
    np.testing.assert_array_equal(batch, [[14, 0, 0], [0, 14, -14]])


@managements
@pytest.mark.parametrize("zero", ["x", "d", "both", "rate"])
def test_zero_gives_no_pulse(update_management, length_management, zero):
    pulses = Coincidence(update_management=update_management, length_management=length_management)
    x = jnp.zeros((2, 3)) if zero in ("x", "both") else jnp.full((2, 3), 0.7)
    d = jnp.zeros((2, 4)) if zero in ("d", "both") else jnp.full((2, 4), -0.7)
    n = count(pulses, x, d, 0.0 if zero == "rate" else 1e4)
    np.testing.assert_array_equal(n, np.zeros((3, 4)))
    # One silent sample does not silence the other.
    n = count(pulses, x.at[0].set(1.0), d.at[0].set(1.0), 10.0)
    assert np.all(n > 0)


@managements
@pytest.mark.parametrize("scale", [1e-18, 1e12])
def test_extreme_scales_give_whole_pulses(update_management, length_management, scale):
    pulses = Coincidence(update_management=update_management, length_management=length_management)
    n = count(pulses, [[scale, 0.0]], [[-scale, scale, 0.0]], 1.0)
    expected = 10.0 if scale > 1 else 0.0
    np.testing.assert_array_equal(n, [[-expected, expected, 0], [0, 0, 0]])


def test_management_clips_d_and_never_x():
    """Four times too much is wanted: every d above D / 4 always fires, x keeps its proportions."""
    keys = jax.random.split(jax.random.key(8), 4000)
    x, d = [[1.0, 0.5]], [[1.0, 0.3, 0.25, 0.125]]

    def mean(pulses):
        def one(key):
            return pulses.count(random.stream(key), (jnp.array(x),), jnp.array(d), 40.0)[0]

        return np.asarray(jax.jit(jax.vmap(one))(keys)).mean(0)

    # Binomial(10, p): standard error sqrt(10 p (1 - p) / 4000) < 0.025; 5 of them.
    managed = mean(Coincidence(length=10))
    np.testing.assert_allclose(managed, [[10, 10, 10, 5], [5, 5, 5, 2.5]], atol=0.125)
    np.testing.assert_array_equal(managed[0, :3], [10, 10, 10])
    # Without management both rails clip: p = min(2 |x|, 1) min(2 |d|, 1).
    plain = mean(Coincidence(length=10, update_management=False))
    np.testing.assert_allclose(plain, [[10, 6, 5, 2.5]] * 2, atol=0.125)


@pytest.mark.parametrize("length", [5, 31])
@pytest.mark.parametrize("wanted", [1.0, 3.0, 5.0, 100.0])
def test_a_whole_number_of_wanted_pulses_is_certain(length, wanted):
    """With length management: min(wanted, length) slots, each of which fires."""
    pulses = Coincidence(length=length, length_management=True)
    assert count(pulses, [[1.0]], [[1.0]], wanted) == min(wanted, length)


def test_length_management_takes_as_many_slots_as_are_wanted():
    """Wanting 2.5 pulses takes 3 slots, all of which fire with probability (5/6)^3 = 0.58."""
    pulses = Coincidence(length=10, length_management=True)

    def one(key):
        return pulses.count(random.stream(key), (jnp.ones((1, 1)),), jnp.ones((1, 1)), 2.5)[0]

    n = np.asarray(jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(9), 500)))
    assert n.max() == 3.0
    assert n.min() < 3.0


def test_groups_of_rows_share_the_samples_largest_input():
    """A bias row of ones is balanced with the inputs, and has trains of its own."""
    pulses = Coincidence(length=10)
    x, one, d = jnp.full((1, 3), 0.5), jnp.ones((1, 1)), jnp.ones((1, 2))
    groups = counted(pulses, STREAM, (x, one), d, 10.0)
    assert [n.shape for n in groups] == [(3, 2), (1, 2)]
    np.testing.assert_array_equal(groups[1], [[10.0, 10.0]])
    rows = np.asarray(groups[0])[:, 0]
    assert 0 < rows.min() < 10  # p = 1/2 a slot, not the 1 of a group alone
    assert len(set(rows)) > 1


@managements
def test_bits_are_those_of_the_stream(update_management, length_management):
    pulses = Coincidence(update_management=update_management, length_management=length_management)
    x, d = np.linspace(-1, 1, 8, dtype=np.float32)[None], np.full((1, 4), 0.5, np.float32)
    once = count(pulses, x, d, 8.0)
    np.testing.assert_array_equal(count(pulses, x, d, 8.0), once)
    other = count(pulses, x, d, 8.0, random.stream(jax.random.key(4)))
    assert np.any(other != once)


def test_is_static():
    assert jax.tree.leaves(Coincidence()) == []
    assert Coincidence(length=5) == Coincidence(length=5)
    assert hash(Coincidence(length=5)) == hash(Coincidence(length=5))


@pytest.mark.parametrize(
    ("length", "message"),
    [
        (0, "Coincidence: length = 0 must be at least 1"),
        (33, "Coincidence: length = 33 must be at most 32"),
    ],
)
def test_a_length_that_no_word_holds_is_an_error(length, message):
    with pytest.raises(UserError, match=f"^{message}$"):
        Coincidence(length=length)


def test_length_management_needs_update_management():
    message = "length_management = True needs update_management = True"
    with pytest.raises(UserError, match=f"^Coincidence: {message}"):
        Coincidence(length_management=True, update_management=False)
