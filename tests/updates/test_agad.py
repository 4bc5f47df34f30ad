"""AGAD: an offset that the fast array always reads cancels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.updates import AGAD
from memjax.updates.transfer import Read

STREAM = random.stream(jax.random.key(0))
READS = np.random.default_rng(0).integers(-40, 41, (60, 6)).astype(np.float32) * 2.0**-8


def written(rule, reads):
    """Pulses that one row's reads lead to, ``[reads, columns]``."""

    def read(carry, value_and_turn):
        memory, chop = carry
        value, turn = value_and_turn
        flips = rule.flips(STREAM, turn)
        one = Read(value[None], chop, turn, flips, jnp.float32(2.0**-8), STREAM)
        memory, n = rule.on_read(memory, one)
        return (memory, jnp.where(flips, -chop, chop)), n[0]

    start = rule.remember((1, reads.shape[1])), jnp.float32(1.0)
    turns = jnp.arange(len(reads), dtype=jnp.int32)
    return np.asarray(jax.jit(lambda r: jax.lax.scan(read, start, (r, turns))[1])(reads))


RULE = AGAD(transfer_rate=0.25, chop_every=8.0, tail_weight=2.0)


@pytest.mark.parametrize("offset", [0.25, -1.5])
def test_it_does_not_move_with_a_reference_offset(offset):
    """To the last bit where the sums are exact, as they are in powers of two."""
    plain = written(RULE, jnp.asarray(READS))
    assert np.abs(plain).sum() > 100
    assert np.array_equal(written(RULE, jnp.asarray(READS + np.float32(offset))), plain)


def test_it_does_not_move_with_any_offset_but_for_rounding():
    """Pulses may come an update earlier or later; their sum is off by one at most."""
    plain, moved = (written(AGAD(), jnp.asarray(READS + np.float32(o))) for o in (0.0, 0.1234))
    assert np.max(np.abs(np.cumsum(plain - moved, axis=0))) <= 1


def test_nothing_is_written_before_the_first_flip():
    n = written(RULE, jnp.asarray(READS))
    assert not np.any(n[:8]) and np.any(n[8])


def test_a_fraction_of_reads_between_flips_is_right_on_average():
    """Of ``chop_every = 2.5`` reads: periods of 2 and 3 in turn."""
    rule = AGAD(chop_every=2.5)
    flips = jax.jit(lambda turns: rule.flips(STREAM, turns))(jnp.arange(20))
    assert list(np.flatnonzero(flips)) == [2, 4, 7, 9, 12, 14, 17, 19]
