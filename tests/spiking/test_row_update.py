"""Rows whose inputs fired, alone: the same as all of them together."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from memjax.cells import DifferentialPair, ReferenceCell
from memjax.devices import ConstantStep
from memjax.pulses import Deterministic
from memjax.spiking import first_rows, is_row_by_row, put_first, update_rows
from memjax.updates import AGAD, MixedPrecision, PulsedSGD, TikiTaka
from memjax.updates.manhattan import Manhattan

ROWS = jnp.array([1, 4, 5, 20, 20, 20, 20, 20])
"""Three of twenty; the others are none."""
GRADIENT = jnp.zeros((8, 2)).at[:3].set(jnp.arange(6.0).reshape(3, 2) / 10 - 0.25)


@pytest.mark.parametrize(
    ("algorithm", "cell"),
    [
        (PulsedSGD(), ReferenceCell(weight_range=1.0)),
        (PulsedSGD(), DifferentialPair(weight_range=1.0)),
        (MixedPrecision(), ReferenceCell(weight_range=1.0)),
        (Manhattan(), ReferenceCell(weight_range=1.0)),
    ],
    ids=["sgd", "pair", "mixed_precision", "manhattan"],
)
def test_alone_they_are_what_they_are_together(algorithm, cell):
    device = ConstantStep(levels=41, sigma_d2d=0.3)
    assert is_row_by_row(algorithm, cell, device)
    pulses = None if algorithm.wants_gradients else Deterministic()
    tx = optax.chain(
        optax.sgd(1.0), algorithm.bare(device, key=jax.random.key(0), cell=cell, pulses=pulses)
    )
    start = 0.1 * jnp.ones((20, 2))

    @functools.partial(jax.jit, static_argnums=0)
    def trained(alone):
        weights, state = start, tx.init(start)
        for _ in range(3):
            weights, state = update_rows(tx, GRADIENT, state, weights, ROWS, alone=alone)
        return weights, state

    one, other = (trained(alone) for alone in (True, False))
    assert set(np.flatnonzero(np.asarray(one[0] != start).any(axis=1))) == {1, 4, 5}
    for mine, others in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(mine, others, atol=1e-6)


def test_others_are_not_updated_alone():
    device, cell = ConstantStep(), ReferenceCell()
    assert not is_row_by_row(TikiTaka(), cell, device)
    assert not is_row_by_row(AGAD(), cell, device)
    assert not is_row_by_row(PulsedSGD(), cell, ConstantStep(lifetime=100.0))


def test_functions_see_enough_rows():
    x, seen = jnp.arange(16.0)[:, None], []

    def total(rows):
        seen.append(len(rows))
        return jnp.sum(rows), put_first(jnp.zeros((16, 1)), rows)

    of = jax.jit(lambda count: first_rows(total, count, x))
    for count in (0, 3, 8, 9, 16):
        found, padded = of(jnp.int32(count))
        size = 8 if count <= 8 else 16
        assert float(found) == sum(range(size)) and padded.shape == (16, 1)
    assert set(seen) == {8, 16}
