"""A watch over weights on devices, that nothing but their transform moves them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from memjax.errors import UserError
from memjax.updates.memristive import path_texts
from memjax.updates.struct_of_trees import is_masked


def digest(weights: Any) -> Array:
    """A hash of an array's bits and their places: another value, almost surely, for other weights.

    A zero of either sign and what is too small for a normal number count alike: adding an update of
    0 makes one of the other.
    """
    w = jnp.asarray(weights, jnp.float32)
    w = jnp.where(jnp.abs(w) < jnp.finfo(jnp.float32).tiny, 0.0, w)
    x = jax.lax.bitcast_convert_type(w, jnp.uint32).reshape(-1)
    x = x ^ (jnp.arange(x.size, dtype=jnp.uint32) * jnp.uint32(0x9E3779B9))
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):  # MurmurHash3's finaliser
        x = (x ^ (x >> shift)) * jnp.uint32(factor)
    return jnp.sum(x ^ (x >> 16), dtype=jnp.uint32)


def are_moved(who: str, digests: Any, params: Any) -> Array:
    """Whether the weights are not what the last update left; an error where that is concrete.

    Args:
      who: what asks.
      digests: of the weights that the last update left; nothing in place of others.
      params: the weights as they are now.

    Raises:
      UserError: some of them are others, and none is traced; or another tree.
    """
    if any(jnp.ndim(old) for old in jax.tree.leaves(digests)):
        raise UserError(f"{who}: the state is of several variants; call {who} under vmap")
    try:
        differs = jax.tree.map(
            lambda old, w: old if is_masked(old) else digest(w) != old,
            digests,
            params,
            is_leaf=is_masked,
        )
    except ValueError:
        held = ", ".join(path_texts(digests)[:12])
        raise UserError(
            f"{who}: params are another tree than init was given, whose weights on devices are "
            f"{held}; give one like it"
        ) from None
    found = jax.tree.leaves(differs)
    if any(isinstance(one, jax.core.Tracer) for one in found):
        return jnp.any(jnp.stack(found))
    for name, is_moved in zip(path_texts(differs), found, strict=True):
        if np.any(np.asarray(is_moved)):
            raise UserError(
                f"{who}: {name or 'the weight'} is not what the last update left: devices hold "
                "another weight. Make the transform the last link of the chain, with nothing that "
                "averages or moves params after it; or init it anew from these params, or give "
                "watch = False"
            )
    return jnp.bool_(False)
