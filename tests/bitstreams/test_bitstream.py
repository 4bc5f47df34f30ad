"""Packed bits are the bits, through every gate."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.bitstreams import Bitstream, divide
from memjax.bitstreams.bitstream import between
from memjax.errors import UserError

RNG = np.random.default_rng(0)
X, Y, Z = RNG.integers(0, 2, (3, 4, 77)).astype(bool)
x, y, z = (Bitstream.of(each) for each in (X, Y, Z))


def test_bits_come_back():
    np.testing.assert_array_equal(x.bits(), X)
    np.testing.assert_array_equal(x.count, X.sum(-1))
    np.testing.assert_allclose(x.bipolar, 2 * X.mean(-1) - 1, rtol=1e-6)
    assert str(Bitstream.of("0110")) == "0110"


def test_gates_are_those_of_the_bits_and_leave_none_beyond_the_length():
    for found, wanted in (
        (x & y, X & Y),
        (x | y, X | Y),
        (x ^ y, X ^ Y),
        (~x, ~X),
        (~(x ^ y), ~(X ^ Y)),
    ):
        np.testing.assert_array_equal(found.bits(), wanted)
        np.testing.assert_array_equal(found.count, wanted.sum(-1))


@pytest.mark.parametrize("later", [0, 1, 5, 31])
def test_a_delay_crosses_words(later):
    found = x.delayed(later)
    wanted = np.pad(X, ((0, 0), (later, 0)))[:, :77]
    np.testing.assert_array_equal(found.bits(), wanted)
    np.testing.assert_array_equal(found.count, wanted.sum(-1))


def test_a_divider_repeats_its_last_output():
    wanted, last = np.zeros_like(X), np.zeros(4, bool)
    for bit in range(77):
        last = np.where(Y[:, bit], X[:, bit], last)
        wanted[:, bit] = last
    found = divide(x, y)
    np.testing.assert_array_equal(found.bits(), wanted)
    np.testing.assert_array_equal(found.count, wanted.sum(-1))


def test_bits_between_two():
    first = jnp.arange(4, dtype=jnp.int32) * 32
    mask = Bitstream(between(first, jnp.int32(16), jnp.int32(96)), 128).bits()
    np.testing.assert_array_equal(np.flatnonzero(mask), np.arange(16, 96))


def test_what_is_no_stream_is_a_line():
    with pytest.raises(UserError, match="must be of 0 and 1"):
        Bitstream.of("01x")
    with pytest.raises(UserError, match="do not meet in a gate; give both one length"):
        x & Bitstream.of("01")
