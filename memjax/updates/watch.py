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
    """The sum of an array's bits: another value, almost surely, once a weight is another."""
    bits = jax.lax.bitcast_convert_type(jnp.asarray(weights, jnp.float32), jnp.uint32)
    return jnp.sum(bits, dtype=jnp.uint32)


def are_moved(who: str, digests: Any, params: Any) -> Array:
    """Whether the weights are not what the last update left; an error where that is concrete.

    Args:
      who: what asks.
      digests: of the weights that the last update left; nothing in place of others.
      params: the weights as they are now.

    Raises:
      UserError: some of them are others, and none is traced.
    """
    differs = jax.tree.map(
        lambda old, w: old if is_masked(old) else digest(w) != old,
        digests,
        params,
        is_leaf=is_masked,
    )
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
