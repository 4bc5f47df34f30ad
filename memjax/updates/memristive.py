"""Which weights are on devices: chosen by their paths in the params."""

import fnmatch
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey

from memjax.errors import UserError
from memjax.updates.leaf_names import weight_paths

Memristive = str | Sequence[str] | Callable[[str, Any], bool] | None
"""Patterns of paths (``"*/kernel"``), a function of path and weight, or the default."""

_IN_FLOAT = ("bias", "scale")
"""How the names of what a model has beside its kernels end."""


def path_texts(params: Any) -> list[str]:
    """The path of every leaf, ``"conv/kernel"``, in the order of the leaves."""
    return ["/".join(map(_key_text, path)) for path in weight_paths(params)]


def are_memristive(who: str, memristive: Memristive, params: Any) -> list[bool]:
    """Whether each leaf is on devices, in the order of the leaves.

    By default arrays of rank 2 or more, kernels and embeddings, except what is called a bias or a
    scale (of stacked layers and attention heads, say). Params without any such array are on
    devices, with the same exception.

    Args:
      who: what asks.
      memristive: as of ``Memristive``.
      params: a tree of weights.

    Raises:
      UserError: a pattern matches no path, no weight is chosen, or one that is chosen is not in
        float32.

    Example:
      >>> import jax.numpy as jnp
      >>> params = {"bias": jnp.zeros(3), "kernel": jnp.zeros((4, 3))}
      >>> are_memristive("me", None, params), are_memristive("me", ["b*"], params)
      ([False, True], [True, False])
    """
    leaves, names = jax.tree.leaves(params), path_texts(params)
    found = chosen(who, memristive, names, leaves)
    if leaves and not any(found):
        raise UserError(
            f'{who}: no weight is on devices, of {_some(names)}; give memristive = "*", or patterns'
        )
    for name, leaf, is_on_devices in zip(names, leaves, found, strict=True):
        if is_on_devices and (dtype := jnp.asarray(leaf).dtype) != jnp.float32:
            raise UserError(f"{who}: {name or 'the weight'} is {dtype}: {_remedy(dtype)}")
    return found


def chosen(
    who: str, memristive: Memristive, names: Sequence[str], leaves: Sequence[Any]
) -> list[bool]:
    """Whether each leaf is chosen, of whatever type it is; arguments as of ``are_memristive``."""
    if memristive is None:
        ranks = [jnp.ndim(leaf) for leaf in leaves]
        if max(ranks, default=0) >= 2:
            are_large = [rank >= 2 for rank in ranks]
        else:
            are_large = [True] * len(ranks)
        own = [name.rpartition("/")[2] for name in names]
        return [
            is_large and not name.endswith(_IN_FLOAT)
            for is_large, name in zip(are_large, own, strict=True)
        ]
    if callable(memristive):
        return [bool(memristive(name, leaf)) for name, leaf in zip(names, leaves, strict=True)]
    patterns = [memristive] if isinstance(memristive, str) else memristive
    if not isinstance(patterns, Sequence) or not all(isinstance(p, str) for p in patterns):
        raise UserError(
            f'{who}: memristive = {memristive!r} must be patterns of paths, such as ["*/kernel"], '
            "or a function of path and weight"
        )
    for pattern in patterns:
        if names and not any(fnmatch.fnmatchcase(name, pattern) for name in names):
            raise UserError(
                f"{who}: memristive = {pattern!r} matches no weight; there are {_some(names)}"
            )
    return [any(fnmatch.fnmatchcase(name, p) for p in patterns) for name in names]


def _some(names: Sequence[str]) -> str:
    """The first of them."""
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "") or "none"


def _remedy(dtype: Any) -> str:
    if jnp.issubdtype(dtype, jnp.floating):
        return (
            "small steps of a conductance round away in it; keep float32 masters, as Flax does by "
            "param_dtype = jnp.float32 with dtype = jnp.bfloat16"
        )
    return (
        "no conductance is such a number; leave it out by memristive = patterns of the weights "
        "that are on devices"
    )


def _key_text(key: Any) -> str:
    match key:
        case DictKey() | FlattenedIndexKey():
            return str(key.key)
        case SequenceKey():
            return str(key.idx)
        case GetAttrKey():
            return key.name
    return str(key)
