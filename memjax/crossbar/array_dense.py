"""A dense layer whose products an array makes, while its weights are trained in place."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Float32

from memjax import random
from memjax.crossbar.product import multiply
from memjax.crossbar.state import CrossbarState
from memjax.pulses import OuterProduct
from memjax.pytree import Leaf

Backward = jax.Array | CrossbarState
"""What errors are multiplied by: a matrix, inputs by outputs, or its transpose on an array."""


def array_dense(
    x: Float32[jax.Array, "batch rows"],
    kernel: Float32[jax.Array, "rows columns"],
    bias: Float32[jax.Array, " columns"] | None = None,
    *,
    forward: CrossbarState,
    backward: Backward,
    stream: random.Stream,
    rate: Leaf = 1.0,
    pulses: OuterProduct | None = None,
) -> Float32[jax.Array, "batch columns"]:
    """``y = x W + b`` as an array makes it, and backwards what updates the devices of W and b.

    Errors go to x by ``backward``, straight through all converters. The cotangents of ``kernel``
    and ``bias`` are the outer product of x, as it was before the DAC, with the errors; or with
    ``pulses`` the counts of ``memjax.nn.pulsed_dense``.

    Args:
      x: inputs.
      kernel: weights, which are seen through ``forward`` and ``backward`` only.
      bias: weights of the row that is always 1, the last one of ``forward``.
      forward: the array of W, with that row.
      backward: what errors are multiplied by.
      stream: random stream of this layer and step.
      rate: learning rate over pulse size, where there are ``pulses``.
      pulses: trains on rows and columns (static).

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax import random
      >>> from memjax.crossbar import Array, array_dense, hold
      >>> g, x = jnp.array([[0.75], [0.25]]), jnp.array([[0.6, 1.0]])
      >>> array = Array(mapping="two_sided", dac_bits=1, dac="unsigned")
      >>> def y(x, w):
      ...     forward = hold(array, (g,), weight_range=1.0)
      ...     return array_dense(x, w, forward=forward, backward=w,
      ...                        stream=random.stream(jax.random.key(0))).sum()
      >>> value, (dx, dw) = jax.value_and_grad(y, (0, 1))(x, jnp.array([[0.5], [-0.5]]))
      >>> float(value), dx.tolist(), dw.round(1).tolist()  # of 1, 1: x in one bit
      (0.0, [[0.5, -0.5]], [[0.6000000238418579], [1.0]])
    """
    rate = jnp.asarray(rate, jnp.float32)
    return _dense(pulses, x, kernel, bias, forward, backward, stream, rate)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _dense(
    pulses: OuterProduct | None,
    x: jax.Array,
    kernel: jax.Array,
    bias: jax.Array | None,
    forward: CrossbarState,
    backward: Backward,
    stream: jax.Array,
    rate: jax.Array,
) -> jax.Array:
    del pulses, kernel, backward, rate
    rows = x if bias is None else jnp.concatenate([x, jnp.ones((x.shape[0], 1), x.dtype)], axis=1)
    return multiply(forward, rows, random.fold_in(stream, 0))


def _forward(pulses: Any, x: Any, kernel: Any, bias: Any, *others: Any) -> tuple[jax.Array, Any]:
    return _dense(pulses, x, kernel, bias, *others), (x, bias is not None, *others[1:])


def _backward(pulses: OuterProduct | None, residuals: Any, d: jax.Array) -> tuple[Any, ...]:
    x, has_bias, backward, stream, rate = residuals
    if isinstance(backward, CrossbarState):
        back = multiply(backward, d, random.fold_in(stream, 1))[:, : x.shape[1]]
    else:
        back = d @ backward.T
    if pulses is None:
        of_bias = jnp.sum(d, axis=0) if has_bias else None
        return back, x.T @ d, of_bias, None, None, None, None
    rows = (x, jnp.ones((x.shape[0], 1), x.dtype)) if has_bias else (x,)
    n, *n_bias = pulses.count(random.fold_in(stream, 2), rows, d, rate)
    return back, n, n_bias[0][0] if n_bias else None, None, None, None, None


_dense.defvjp(_forward, _backward)
