"""Comparing pytrees: types, bits and numbers."""

from typing import Any

import jax
import numpy as np
import optax


def avals(tree: Any) -> Any:
    """Treedef, shape, dtype and weak type."""
    leaves, treedef = jax.tree.flatten(tree)
    return treedef, [jax.typeof(leaf) for leaf in leaves]


def bits(tree: Any) -> list[bytes]:
    leaves = jax.tree.leaves(optax.tree.unwrap_random_key_data(tree))
    return [np.asarray(leaf).tobytes() for leaf in leaves]


def distance(a: Any, b: Any) -> float:
    """The largest difference of two trees."""
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    numbers = [(np.asarray(x, np.float64), np.asarray(y, np.float64)) for x, y in pairs]
    return max(float(np.max(np.abs(x - y))) for x, y in numbers)
