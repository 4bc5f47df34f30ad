"""A weight's number is that of its path: fixed, and its own."""

import zlib
from typing import NamedTuple

import jax
import jax.numpy as jnp
import pytest

import memjax
from memjax.devices import ConstantStep
from memjax.updates.leaf_names import leaf_names


class Pair(NamedTuple):
    a: object
    value: object


@jax.tree_util.register_pytree_node_class
class Keyless:
    def __init__(self, *leaves):
        self.leaves = leaves

    def tree_flatten(self):
        return self.leaves, None

    @classmethod
    def tree_unflatten(cls, _, leaves):
        return cls(*leaves)


TREES = [
    {"layer": {"kernel": 0.0, "it's": [0.0, (0.0,)]}},
    {3: 0.0, 4: [0.0]},
    {(1, "x"): 0.0},
    {"pair": Pair(0.0, {"deep": 0.0})},
    [Pair(None, 0.0)],
    {"keyless": Keyless(0.0, [0.0])},
]


def test_a_weights_number_is_that_of_its_path():
    """Fixed: another number would change every run that was ever published."""
    assert leaf_names({"layer": {"kernel": 0.0}}) == [zlib.crc32(b"['layer']['kernel']") >> 1]
    assert leaf_names({"a": Pair(0.0, 0.0)}) == [
        zlib.crc32(b"['a'].a") >> 1,
        zlib.crc32(b"['a']") >> 1,
    ]
    assert leaf_names(0.0) == [0]


@pytest.mark.parametrize("tree", TREES)
def test_it_is_jaxs_print_of_that_path_today(tree):
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(tree)]
    assert leaf_names(tree) == [zlib.crc32(p.removesuffix(".value").encode()) >> 1 for p in paths]


def two_of_one_number():
    seen = {}
    for number in range(400_000):
        key = f"{number}{'x' * (number % 7)}"
        hashed = zlib.crc32(f"['{key}']".encode()) >> 1
        if hashed in seen:
            return seen[hashed], key
        seen[hashed] = key
    raise AssertionError("no two of 400,000 collide")


def test_two_weights_of_one_number_are_refused_when_initialised():
    one, other = two_of_one_number()
    params = {"fine": jnp.zeros(1), one: jnp.zeros(2), other: jnp.zeros(2)}
    for tx in (
        memjax.pulsed_update(ConstantStep(), key=jax.random.key(0)),
        memjax.tiki_taka(0.1, ConstantStep(), key=jax.random.key(0)),
    ):
        with pytest.raises(memjax.UserError, match="would draw the same noise") as error:
            tx.init(params)
        said = str(error.value)
        assert "\n" not in said and f"['{one}']" in said and f"['{other}']" in said
