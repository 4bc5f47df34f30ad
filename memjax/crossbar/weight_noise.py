"""Noise on weights while a network is trained, so that it stands the errors of devices."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Key

from memjax import random
from memjax.pytree import Leaf, param, params, static
from memjax.updates.memristive import Memristive, chosen, path_texts


@params
class WeightNoise:
    """Weights with noise, drawn anew for each mini-batch: ``w~ = w + sigma max|w| xi``.

    Forward and backward go through w~; the derivative of w~ with respect to w is taken as 1
    (straight-through), so that the gradient at w~ updates w, by any optimiser. Where the noise is a
    share of the largest weight, ``clip_weights`` keeps that one from growing.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax.crossbar import WeightNoise
      >>> noisy = WeightNoise(sigma=0.1)
      >>> params = {"kernel": jnp.eye(3), "bias": jnp.zeros(3)}
      >>> def loss(params, key):
      ...     params = noisy(params, key)
      ...     return jnp.sum((jnp.ones(3) @ params["kernel"] + params["bias"]) ** 2)
      >>> gradients = jax.grad(loss)(params, jax.random.key(0))  # a new key for each mini-batch

    Source: Joshi et al., Nat. Commun. 11:2473 (2020); Rasch et al., Nat. Commun. 14:5282 (2023).
    """

    sigma: Leaf = param(
        default=0.0, doc="sd of the noise", unit="of the largest weight", at_least=0
    )
    kind: str = static(
        default="additive",
        doc="additive, of one sd for all weights; multiplicative, w (1 + sigma xi)",
        choices=("additive", "multiplicative"),
    )
    per: str = static(
        default="layer",
        doc="what the largest weight is of: the layer, or a column, which has an output's weights",
        choices=("layer", "column"),
    )
    drop_connect: Leaf = param(
        default=0.0, doc="probability that a weight is 0", at_least=0, less_than=1
    )

    def __call__(
        self, params: Any, key: Key[jax.Array, ""], *, memristive: Memristive = None
    ) -> Any:
        """The weights with noise.

        Args:
          params: a tree of weights; a leaf is a layer, its last axis the outputs, as Flax has it.
          key: a typed key, a new one for each mini-batch.
          memristive: which leaves have noise, patterns of their paths or a function of path and
            weight; by default those of rank 2 or more, but biases and scales.

        Raises:
          UserError: a pattern that matches no path.
        """
        leaves, treedef = jax.tree.flatten(params)
        have_noise = chosen("WeightNoise", memristive, path_texts(params), leaves)
        stream = random.stream(key)
        seen = [
            straight_through(w, self._seen(w, random.fold_in(stream, number))) if has_noise else w
            for number, (w, has_noise) in enumerate(zip(leaves, have_noise, strict=True))
        ]
        return jax.tree.unflatten(treedef, seen)

    def _seen(self, w: jax.Array, stream: random.Stream) -> jax.Array:
        """A layer with noise."""
        sigma = jnp.asarray(self.sigma, w.dtype)
        xi = random.normal(random.fold_in(stream, 0), w.shape).astype(w.dtype)
        if self.kind == "multiplicative":
            seen = w * (1.0 + sigma * xi)
        else:
            over = tuple(range(w.ndim - 1)) if self.per == "column" else None
            seen = w + sigma * jnp.max(jnp.abs(w), axis=over, keepdims=True) * xi
        if _is_zero(self.drop_connect):
            return seen
        is_there = random.uniform(random.fold_in(stream, 1), w.shape) >= self.drop_connect
        return jnp.where(is_there, seen, jnp.zeros_like(w))


def straight_through(w: jax.Array, seen: jax.Array) -> jax.Array:
    """``seen``, exactly, with the derivative of ``w``.

    Args:
      w: weights.
      seen: what stands for them.
    """
    return jax.lax.stop_gradient(seen) + (w - jax.lax.stop_gradient(w))


def _is_zero(number: Leaf) -> bool:
    """Whether a number is known to be 0."""
    return isinstance(number, int | float) and number == 0
