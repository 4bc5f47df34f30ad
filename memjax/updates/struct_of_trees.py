"""States of several weight arrays as one struct of trees congruent with the params, and back.

Optax and Flax want it so: a tree of structs would not survive ``nnx.Optimizer``.
"""

from typing import Any

import optax


def is_masked(node: Any) -> bool:
    """Whether a mask or a partition has taken these weights away."""
    return isinstance(node, optax.MaskedNode)


def stack(states: list[Any], treedef: Any, structure: Any) -> Any:
    """A list of states, one a weight array, as one state whose fields are trees.

    Args:
      states: one state a leaf of the params.
      treedef: of the params.
      structure: of one state.
    """
    fields = zip(*(structure.flatten_up_to(s) for s in states), strict=True)
    trees = [treedef.unflatten(field) for field in fields]
    if not states:  # no weights: params that a mask has emptied
        trees = [treedef.unflatten([]) for _ in range(structure.num_leaves)]
    return structure.unflatten(trees)


def unstack(state: Any, treedef: Any, structure: Any) -> list[Any]:
    """The inverse of ``stack``."""
    fields = [treedef.flatten_up_to(tree) for tree in structure.flatten_up_to(state)]
    if not fields:
        return [structure.unflatten([])] * treedef.num_leaves
    return [structure.unflatten(leaves) for leaves in zip(*fields, strict=True)]
