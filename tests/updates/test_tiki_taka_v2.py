"""Version 2: nothing that is read is lost."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from memjax.devices import ConstantStep
from memjax.pulses import Counts
from memjax.updates import TikiTakaV2
from memjax.updates.buffer import drain


def test_what_is_read_is_what_is_written_and_what_waits():
    """Exactly: sums of transfer_rate A[k] = C + H, with steps that are powers of two."""
    tx = TikiTakaV2(transfer_rate=0.25).bare(ConstantStep(levels=2**10 + 1), key=jax.random.key(0))
    p = jnp.zeros((4, 8))
    s, update, read = jax.jit(tx.init)(p), jax.jit(tx.update), np.zeros((4, 8))
    pulses = np.random.default_rng(1).integers(-2, 3, (100, 4, 8)).astype(np.float32)
    for t, n in enumerate(pulses):
        updates, s = update(Counts(jnp.asarray(n)), s, p)
        p = optax.apply_updates(p, updates)
        read[t % 4] += 0.25 * np.asarray(s.a)[t % 4]
        assert np.array_equal(read, np.asarray(p, np.float64) + np.asarray(s.memory.h))
    assert np.all(np.abs(s.memory.h) < 2.0**-10) and np.all(np.abs(p) < 0.5)
    assert np.sum(np.abs(p)) > 0.1


def test_a_buffer_fires_31_pulses_at_most_and_keeps_the_rest():
    h, n = drain(jnp.array([10.5, -0.75, 0.0, -2.25]), jnp.float32(0.25))
    assert n.tolist() == [31.0, -3.0, 0.0, -9.0]
    assert h.tolist() == [10.5 - 31 * 0.25, 0.0, 0.0, 0.0]


def test_a_transfer_of_one_pulse_at_most_leaves_the_rest_in_the_buffer():
    tx = TikiTakaV2(transfer_rate=1.0, transfer_pulses=1).bare(
        ConstantStep(levels=2**10 + 1), key=jax.random.key(0)
    )
    p = jnp.zeros((1, 8))
    s, update = jax.jit(tx.init)(p), jax.jit(tx.update)
    for n in (5.0, 0.0, 0.0):
        updates, s = update(Counts(jnp.full((1, 8), n)), s, p)
        p = optax.apply_updates(p, updates)
    assert np.all(p == 3 * 2.0**-10) and np.all(s.memory.h == (15 - 3) * 2.0**-10)
