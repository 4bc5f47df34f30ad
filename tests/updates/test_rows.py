"""Which arrays are one crossbar, and their rows."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from memjax.updates.rows import as_rows, crossbars, put, take


def places(tree):
    return [tuple(place) for place in crossbars(tree)]


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"bias": jnp.zeros(3), "kernel": jnp.zeros((4, 3))}, [(0, 5), (1, 5)]),
        ({"bias": jnp.zeros(4), "kernel": jnp.zeros((4, 3))}, [(0, 1), (0, 4)]),  # other widths
        ({"bias": jnp.zeros(8), "kernel": jnp.zeros((3, 3, 2, 8))}, [(0, 19), (1, 19)]),
        ({"a": {"w": jnp.zeros((2, 3))}, "b": {"w": jnp.zeros((5, 3))}}, [(0, 2), (0, 5)]),
        ([[jnp.zeros((2, 3)), jnp.zeros(3)], [jnp.zeros((2, 3))]], [(0, 3), (2, 3), (0, 2)]),
        ({"gain": jnp.zeros(())}, [(0, 1)]),
        (jnp.zeros((6, 2)), [(0, 6)]),
        ({}, []),
    ],
)
def test_leaves_of_one_parent_and_width_are_rows_of_one(tree, expected):
    assert places(tree) == expected


def test_a_state_of_variables_has_the_places_of_its_arrays():
    state = nnx.state(nnx.Linear(4, 3, rngs=nnx.Rngs(0)), nnx.Param)
    assert places(state) == places(nnx.as_pure(state)) == [(0, 5), (1, 5)]


@pytest.mark.parametrize("shape", [(), (3,), (4, 3), (2, 2, 3)])
def test_a_row_taken_and_put_back_is_the_same(shape):
    leaf = jnp.arange(float(np.prod(shape, dtype=int))).reshape(shape)
    row = jnp.int32(as_rows(leaf).shape[0] - 1)
    assert take(leaf, row).shape == (1, shape[-1] if shape else 1)
    assert np.array_equal(put(leaf, take(leaf, row), row), leaf)
    other = put(leaf, take(leaf, row) + 1.0, row)
    assert float(jnp.sum(other - leaf)) == (shape[-1] if shape else 1)
