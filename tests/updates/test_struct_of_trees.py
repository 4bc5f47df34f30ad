"""Structs of trees and back."""

from typing import NamedTuple

import jax
import numpy as np

from memjax.updates.struct_of_trees import stack, unstack


class Pair(NamedTuple):
    a: object
    b: object


def test_unstack_is_the_inverse_of_stack():
    tree = {"x": 0, "y": [0, 0]}
    treedef, structure = jax.tree.structure(tree), jax.tree.structure(Pair(0, (0,)))
    states = [Pair(np.full(2, i), (i,)) for i in range(3)]
    stacked = stack(states, treedef, structure)
    assert stacked.b == ({"x": 0, "y": [1, 2]},)
    again = unstack(stacked, treedef, structure)
    assert all(np.array_equal(s.a, t.a) and s.b == t.b for s, t in zip(states, again, strict=True))


def test_without_leaves_or_without_fields_nothing_is_lost():
    nothing, pair = jax.tree.structure({}), jax.tree.structure(Pair(0, 0))
    assert stack([], nothing, pair) == Pair({}, {})
    assert unstack(Pair({}, {}), nothing, pair) == []
    two, none = jax.tree.structure([0, 0]), jax.tree.structure(None)
    assert unstack(stack([None, None], two, none), two, none) == [None, None]
