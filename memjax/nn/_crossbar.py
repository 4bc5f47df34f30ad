"""What the NNX and the Linen layer have in common."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32, Key

from memjax import random
from memjax.cells import Cell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.nn.pulsed_dense import pulsed_dense, read_noise
from memjax.pulses import OuterProduct
from memjax.pytree import Leaf


def crossbar(
    x: Float32[Array, "*batch rows"],
    kernel: Float32[Array, "rows columns"],
    bias: Float32[Array, " columns"] | None,
    *,
    key: Key[Array, ""],
    device: Device,
    cell: Cell,
    learning_rate: Leaf,
    pulses: OuterProduct,
) -> Float32[Array, "*batch columns"]:
    """``pulsed_dense`` at a learning rate, and ``read_noise`` where the device has any.

    Args:
      x: inputs.
      kernel: weights.
      bias: weights of the row that is always 1.
      key: a typed key, a new one for each call.
      device: the device.
      cell: the cell.
      learning_rate: step of gradient descent.
      pulses: the trains (static).
    """
    stream = random.stream(key)
    rate = learning_rate / cell.pulse_size(device)
    y = pulsed_dense(x, kernel, bias, stream=random.fold_in(stream, 0), rate=rate, pulses=pulses)
    if device.sigma_read is None:
        return y
    return y + read_noise(random.fold_in(stream, 1), x, kernel, bias, device=device, cell=cell)


def init_kernel(
    key: Key[Array, ""], shape: tuple[int, int], cell: Cell
) -> Float32[Array, "rows columns"]:
    """A kernel uniform in ``+-1 / sqrt(rows)``, clipped to the cell's range."""
    bound = shape[0] ** -0.5
    kernel = jax.random.uniform(key, shape, jnp.float32, -bound, bound)
    return jnp.clip(kernel, -cell.weight_range, cell.weight_range)


def check_layer(layer: str, device: Any, learning_rate: Any, cell: Any, pulses: Any) -> None:
    """Raises ``UserError`` for the first argument that cannot make a layer."""
    for name, value, kind, example in (
        ("device", device, Device, "memjax.devices.ConstantStep()"),
        ("cell", cell, Cell, "memjax.cells.ReferenceCell()"),
        ("pulses", pulses, OuterProduct, "memjax.pulses.Coincidence()"),
    ):
        if not isinstance(value, kind):
            raise UserError(f"{layer}: {name} = {value!r} is no {kind.__name__}; try {example}")
    if callable(learning_rate):
        raise UserError(f"{layer}: learning_rate is a schedule; give a number, set anew each step")
    if isinstance(learning_rate, int | float) and not learning_rate >= 0:
        raise UserError(f"{layer}: learning_rate = {learning_rate} must be at least 0")
