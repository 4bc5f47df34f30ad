"""Choppers: signs that cancel, offsets that average out."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from memjax import random
from memjax.devices import ConstantStep
from memjax.pulses import Counts
from memjax.updates import ChoppedTikiTaka

STEP, KEYS, UPDATES = 2.0**-8, 4000, 12
IDEAL = ConstantStep(levels=257)


def totals(flip_probability, device=IDEAL, first_sign=None, offset=0.0):
    """C + H of one weight after some updates, one pulse each, over keys ``[KEYS]``."""
    rule = ChoppedTikiTaka(transfer_rate=0.25, flip_probability=flip_probability)
    tx = rule.bare(device, key=jax.random.key(0))
    p = jnp.zeros((1, 1))
    s = jax.jit(tx.init)(p)

    @jax.jit
    @jax.vmap
    def run(key, sign):
        keys = jax.random.split(key, 3)
        own = s._replace(
            key=random.stream(keys[0]),
            fast=s.fast._replace(key=random.stream(keys[1])),
            slow=s.slow._replace(key=random.stream(keys[2])),
            chopper=sign[None, None],
            a=s.a + offset,
        )

        def update(carry, _):
            p, s = carry
            updates, s = tx.update(Counts(jnp.ones((1, 1))), s, p)
            return (optax.apply_updates(p, updates), s), None

        (p_end, s_end), _ = jax.lax.scan(update, (p, own), length=UPDATES)
        return (p_end + s_end.memory.h)[0, 0]

    signs = jnp.ones(KEYS) if first_sign is None else first_sign
    return np.asarray(run(jax.random.split(jax.random.key(1), KEYS), signs)) / STEP


ALTERNATE = jnp.where(jnp.arange(KEYS) % 2 == 0, 1.0, -1.0)


def test_a_rows_sign_leaves_the_expectation_unchanged():
    """On noisy symmetric devices: rows of either sign learn the same, within 5 standard errors."""
    noisy = ConstantStep(levels=257, sigma_c2c=1.0)
    found = totals(0.0, noisy, ALTERNATE)
    up, down = found[::2], found[1::2]
    error = np.sqrt(up.var() / len(up) + down.var() / len(down))
    assert abs(up.mean() - down.mean()) < 5 * error
    expected = 0.25 * UPDATES * (UPDATES + 1) / 2
    assert abs(found.mean() - expected) < 5 * found.std() / np.sqrt(KEYS)


def test_an_offset_of_the_fast_array_averages_out_over_signs():
    offset = 7 * STEP
    plain, moved = totals(0.0), totals(0.0, first_sign=ALTERNATE, offset=offset)
    assert np.all(plain == plain[0])
    assert np.array_equal(moved[::2] - plain[::2], np.full(KEYS // 2, 0.25 * 7 * UPDATES))
    assert np.array_equal(moved[::2] + moved[1::2], 2 * plain[::2])


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_flips_undo_what_the_fast_array_still_holds(p):
    """E[C + H] is the sum of (1 - 2p)^lag over what was added before each read.

    So a chopper costs nothing of what is read in the period in which it was added; what outlives a
    flip in A counts the other way. Devices that forget sooner than choppers flip lose little.
    """
    lags = np.subtract.outer(np.arange(UPDATES), np.arange(UPDATES))
    expected = 0.25 * np.sum(np.where(lags >= 0, (1 - 2 * p) ** np.maximum(lags, 0), 0.0))
    found = totals(p)
    assert abs(found.mean() - expected) < 5 * found.std() / np.sqrt(KEYS)
