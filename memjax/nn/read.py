"""Weights as one read of their devices sees them, whatever layer multiplies by them."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from memjax import random
from memjax.cells import Cell
from memjax.devices import Device
from memjax.updates.readout import read_errors


def read(key_or_stream: Array | Key[Array, ""], weights: Any, *, device: Device, cell: Cell) -> Any:
    """``w + sd xi``: every weight off by the noise of one read of its devices.

    ``sd^2 = cell.read_variance(device, w)``, where every conductance is read with a relative sd of
    ``device.sigma_read``, Gmin included: a small on/off ratio makes all reads noisy. ``xi`` is one
    standard normal number a weight, the same for a whole batch (``read_noise`` draws one a sample
    and output). No gradient flows through the noise: dL/dw is taken at the weights as read.

    Args:
      key_or_stream: a typed key or a random stream, a new one for each read.
      weights: a pytree of float32 weights, as the devices hold them.
      device: the device of every weight; without ``sigma_read`` they are read exactly.
      cell: the cell that the weights are made of.

    Returns:
      A tree like ``weights``.

    Example:
      >>> import jax, jax.numpy as jnp, memjax
      >>> from memjax.nn import read
      >>> device = memjax.devices.ConstantStep(on_off=2, sigma_read=0.1)
      >>> cell = memjax.cells.ReferenceCell(weight_range=0.5)
      >>> w = jnp.zeros(10_000)  # g = 1/2 above Gmin = 1 in units of the range: sd = 0.15
      >>> seen = read(jax.random.key(0), {"kernel": w}, device=device, cell=cell)["kernel"]
      >>> round(float(seen.std()), 2)
      0.15
    """
    if device.sigma_read is None:
        return weights
    is_key = jnp.issubdtype(key_or_stream.dtype, jax.dtypes.prng_key)
    stream = random.stream(key_or_stream) if is_key else key_or_stream
    errors = read_errors(stream, jax.tree.map(lambda w: cell.read_variance(device, w), weights))
    return jax.tree.map(lambda w, error: w + jax.lax.stop_gradient(error), weights, errors)
