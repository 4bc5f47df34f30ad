"""Gradients as a model gives them, made what devices can take, or refused in one line."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array

from memjax.errors import UserError
from memjax.pulses import Counts
from memjax.updates.memristive import path_texts
from memjax.updates.struct_of_trees import is_masked


def wanted_of(who: str, updates: Any, params: Any, chosen: list[bool]) -> tuple[Any, Array]:
    """What is wanted of the weights on devices, 0 where that is no number; whether all of it is.

    Args:
      who: what asks.
      updates: wanted changes or ``Counts``, a tree like ``params``.
      params: the weights.
      chosen: whether each array is on devices.

    Raises:
      UserError: a tree or a shape unlike that of ``params``, no gradient of weights on devices, or
        counts of others.
    """
    treedef: Any
    weights, treedef = jax.tree.flatten(params)
    names = path_texts(params)
    try:
        given = treedef.flatten_up_to(updates)
    except ValueError:
        raise UserError(f"{who}: {_difference(updates, names)}; give a tree like params") from None
    wanted, finite = [], jnp.bool_(True)
    for name, weight, update, on in zip(names, weights, given, chosen, strict=True):
        is_counts = isinstance(update, Counts)
        if not on:
            if is_counts:
                raise UserError(
                    f"{who}: {name} gets the counts of its layer, but is not on devices; give "
                    'memristive = "*"'
                )
            wanted.append(optax.MaskedNode())
            continue
        if update is None:
            raise UserError(
                f"{who}: {name} is on devices and has no gradient (None); leave it out by "
                "memristive = patterns of the others"
            )
        values = update.n if is_counts else jnp.asarray(update).astype(jnp.float32)
        if jnp.shape(values) != jnp.shape(weight):
            raise UserError(
                f"{who}: the gradient of {name} has shape {jnp.shape(values)}, its weights "
                f"{jnp.shape(weight)}; give a tree like params"
            )
        is_number = jnp.isfinite(values)
        values = jnp.where(is_number, values, 0.0)
        finite &= jnp.all(is_number)
        wanted.append(update._replace(n=values) if is_counts else values)
    return treedef.unflatten(wanted), finite


def _difference(updates: Any, names: list[str]) -> str:
    """What a tree of updates lacks or has beyond the params."""
    given = path_texts(jax.tree.map(lambda _: 0, updates, is_leaf=_is_node))
    lacks = [name for name in names if name not in given]
    excess = [name for name in given if name not in names]
    if lacks:
        return f"the gradients lack {lacks[0]}"
    return f"the gradients have {excess[0]}, which params lack" if excess else "other gradients"


def _is_node(node: Any) -> bool:
    return isinstance(node, Counts) or is_masked(node)
