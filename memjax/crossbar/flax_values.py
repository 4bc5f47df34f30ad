"""What a Flax model holds, by path, and the model of other values."""

from collections.abc import Callable
from typing import Any

import jax

from memjax.updates.memristive import path_texts

Values = dict[str, Any]


def of_nnx(model: Any) -> tuple[dict[str, Any], Callable[[Values], Any]]:
    """The variables of an NNX model by path, and a function that makes the model of values.

    Args:
      model: an ``nnx.Module``.
    """
    from flax import nnx

    graph, state = nnx.split(model)
    flat = {"/".join(map(str, path)): (path, leaf) for path, leaf in nnx.to_flat_state(state)}

    def merged(values: Values) -> Any:
        leaves = [(path, leaf.replace(values[name])) for name, (path, leaf) in flat.items()]
        return nnx.merge(graph, nnx.from_flat_state(leaves))

    return {name: leaf for name, (_, leaf) in flat.items()}, merged


def of_tree(variables: Any) -> tuple[Values, Callable[[Values], Any]]:
    """The leaves of a tree by path, and a function that makes the tree of values.

    Args:
      variables: a pytree.
    """
    leaves, treedef = jax.tree.flatten(variables)
    names = path_texts(variables)

    def unflattened(values: Values) -> Any:
        return jax.tree.unflatten(treedef, [values[name] for name in names])

    return dict(zip(names, leaves, strict=True)), unflattened
