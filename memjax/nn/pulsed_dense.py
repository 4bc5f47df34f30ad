"""A dense layer whose weight cotangent is the signed count of coincidence pulses."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32, Key

from memjax import random
from memjax.cells import Cell
from memjax.devices import Device
from memjax.pulses import OuterProduct
from memjax.pytree import Leaf


def pulsed_dense(
    x: Float32[Array, "*batch rows"],
    kernel: Float32[Array, "rows columns"],
    bias: Float32[Array, " columns"] | None = None,
    *,
    stream: random.Stream,
    rate: Leaf,
    pulses: OuterProduct,
) -> Float32[Array, "*batch columns"]:
    """``y = x W + b``, exact forwards and towards x; backwards to W and b it counts pulses.

    The cotangent of ``kernel`` is the signed coincidence count ``n`` of the rows' trains (from x)
    and the columns' (from the error d), ``E[n] = rate * sum over the batch of x d^T``; the bias is
    one more row of the array, driven by 1. Descend by ``-n`` pulses (``memjax.coincidence_sgd``).

    Args:
      x: inputs; leading dimensions are a batch, whose counts add.
      kernel: weights.
      bias: weights of the row that is always 1.
      stream: random stream of this layer and step.
      rate: learning rate over pulse size, ``cell.pulse_size(device)``.
      pulses: the trains (static).

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax import random
      >>> from memjax.nn import pulsed_dense
      >>> from memjax.pulses import Coincidence
      >>> count = jax.grad(lambda w: pulsed_dense(
      ...     jnp.ones((1, 2)), w, stream=random.stream(jax.random.key(0)), rate=10.0,
      ...     pulses=Coincidence(length=10)).sum())
      >>> count(jnp.zeros((2, 3))).tolist()
      [[10.0, 10.0, 10.0], [10.0, 10.0, 10.0]]

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016).
    """
    flat = x.reshape(-1, x.shape[-1])
    y = _pulsed_dense(pulses, flat, kernel, bias, stream, jnp.asarray(rate, jnp.float32))
    return y.reshape(*x.shape[:-1], kernel.shape[1])


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _pulsed_dense(
    pulses: OuterProduct, x: Array, kernel: Array, bias: Array | None, stream: Array, rate: Array
) -> Array:
    del pulses, stream, rate
    y = x @ kernel
    return y if bias is None else y + bias[None, :]


def _forward(
    pulses: OuterProduct, x: Array, kernel: Array, bias: Array | None, stream: Array, rate: Array
) -> tuple[Array, Any]:
    return _pulsed_dense(pulses, x, kernel, bias, stream, rate), (x, kernel, bias, stream, rate)


def _backward(pulses: OuterProduct, residuals: Any, d: Array) -> tuple[Any, ...]:
    x, kernel, bias, stream, rate = residuals
    rows = (x,) if bias is None else (x, jnp.ones((x.shape[0], 1), x.dtype))
    n, *n_bias = pulses.count(stream, rows, d, rate)
    return d @ kernel.T, n, n_bias[0][0] if n_bias else None, None, None


_pulsed_dense.defvjp(_forward, _backward)


def read_noise(
    key_or_stream: Array | Key[Array, ""],
    x: Float32[Array, "*batch rows"],
    kernel: Float32[Array, "rows columns"],
    bias: Float32[Array, " columns"] | None = None,
    *,
    device: Device,
    cell: Cell,
) -> Float32[Array, "*batch columns"]:
    """What reading noisy conductances adds to ``x W + b``: normal, with the exact variance.

    ``Var[y_i] = sum over j of x_j^2 Var[w_ji] + Var[b_i]``, where every conductance is read with a
    relative sd of ``device.sigma_read``. No gradient flows through it.

    Args:
      key_or_stream: a typed key or a random stream, a new one for each read.
      x: inputs.
      kernel: weights.
      bias: weights of the row that is always 1.
      device: the device; without ``sigma_read`` the noise is 0.
      cell: the cell that the weights are made of.
    """
    is_key = jnp.issubdtype(key_or_stream.dtype, jax.dtypes.prng_key)
    stream = random.stream(key_or_stream) if is_key else key_or_stream
    variance = (x * x) @ cell.read_variance(device, kernel)
    if bias is not None:
        variance += jnp.broadcast_to(cell.read_variance(device, bias), variance.shape)
    noise = random.normal(stream, variance.shape)
    return jax.lax.stop_gradient(jnp.sqrt(variance) * noise)
