"""Weights held within some standard deviations of their layer, whatever the optimiser."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from memjax.errors import UserError
from memjax.pytree import Leaf
from memjax.updates.memristive import Memristive, chosen, path_texts


def clip_weights(
    alpha: Leaf = 2.5, *, memristive: Memristive = None
) -> optax.GradientTransformation:
    """Clips each layer to ``+-alpha sd(w)`` after every step: the last link of a chain.

    Noise in proportion to the largest weight, and conductances, whose range is shared by all
    weights of a column, are wasted on outliers: without them a network is more robust.

    Args:
      alpha: standard deviations that weights may have; 2 to 2.5 is usual.
      memristive: which leaves are clipped, as of ``WeightNoise``; by default those of rank 2 or
        more, but biases and scales.

    Raises:
      UserError: alpha is not more than 0; at the first update, a pattern that matches no path.

    Example:
      >>> import jax.numpy as jnp, optax
      >>> from memjax.crossbar import clip_weights
      >>> optimiser = optax.chain(optax.sgd(0.1), clip_weights(2.0))
      >>> params = {"kernel": jnp.zeros((10, 10)).at[0, 0].set(1.0)}
      >>> gradients = {"kernel": jnp.zeros((10, 10))}
      >>> updates, _ = optimiser.update(gradients, optimiser.init(params), params)
      >>> round(float(optax.apply_updates(params, updates)["kernel"].max()), 3)
      0.199

    Source: Joshi et al., Nat. Commun. 11:2473 (2020).
    """
    if isinstance(alpha, int | float) and not alpha > 0:
        raise UserError(f"clip_weights: alpha = {alpha} must be more than 0")

    def init(params: Any) -> optax.EmptyState:
        del params
        return optax.EmptyState()

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        if params is None:
            raise UserError(
                "clip_weights: weights are missing; give them, "
                "optimiser.update(gradients, state, params)"
            )
        are_clipped = chosen(
            "clip_weights", memristive, path_texts(params), jax.tree.leaves(params)
        )

        def clipped(is_clipped: bool, w: Any, u: Any) -> Any:
            return _clipped(w + u, alpha) - w if is_clipped else u

        structure = jax.tree.structure(params)
        chosen_tree = jax.tree.unflatten(structure, are_clipped)
        return jax.tree.map(clipped, chosen_tree, params, updates), state

    return optax.GradientTransformation(init, update)


def _clipped(w: jax.Array, alpha: Leaf) -> jax.Array:
    """A layer without outliers."""
    bound = jnp.asarray(alpha, w.dtype) * jnp.std(w)
    return jnp.clip(w, -bound, bound)
