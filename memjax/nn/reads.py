"""Products of any Flax layer with weights as their devices are read, drawn anew for each sample."""

import contextlib
import itertools
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import jax
import jax.extend
import jax.numpy as jnp
from jaxtyping import Array, Key

from memjax import random
from memjax.cells import Cell, ReferenceCell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.updates.watch import digest


class Reads:
    """What layers of Flax multiply by: ``y + xi sqrt(x^2 * Var[w])`` in place of ``y = x * w``.

    Every conductance is read with a relative sd of ``device.sigma_read`` (``cell.read_variance``),
    anew for each sample and output: the sum of so many independent errors is normal, with this
    variance. Layers take ``dot_general`` and ``conv_general_dilated`` of the same names (attention:
    ``qkv_dot_general``, ``out_dot_general``); the second operand is the weights. The cell's
    ``weight_range`` must be that of the layer's weights, so not ``"fit"``. No gradient flows
    through the noise.

    Args:
      device: the device of the weights.
      cell: their cell (default: ``ReferenceCell()``).

    A compiled function is given the key as an argument and calls ``with reads(key):`` itself; so
    does one that is mapped over samples by ``vmap``, with a key a sample (a whole batch in one
    product needs but one). Linen's ``init`` multiplies too: call it within.

    Raises:
      UserError: a product outside of ``with reads(key):``, or within a compiled function that has
        not been given the key.

    Example:
      >>> import jax, jax.numpy as jnp, memjax
      >>> from flax import nnx
      >>> reads = memjax.nn.Reads(memjax.devices.ConstantStep(sigma_read=0.1))
      >>> layer = nnx.Linear(4, 2, dot_general=reads.dot_general, rngs=nnx.Rngs(0))
      >>> with reads(jax.random.key(0)):  # a new key for each pass
      ...     y = layer(jnp.ones((3, 4)))
      >>> bool((y[0] != y[1]).all())
      True
    """

    def __init__(self, device: Device, cell: Cell | None = None):
        self.device = device
        self.cell = ReferenceCell() if cell is None else cell
        self._draws: ContextVar[tuple[Array, Iterator[int]] | None]
        self._draws = ContextVar("draws", default=None)

    @contextlib.contextmanager
    def __call__(self, key: Key[Array, ""]) -> Iterator[None]:
        """Within, products draw from this key.

        Args:
          key: a typed key, a new one for each forward pass.
        """
        token = self._draws.set((random.stream(key), itertools.count()))
        try:
            yield
        finally:
            self._draws.reset(token)

    def dot_general(self, x: Array, weights: Array, *arguments: Any, **options: Any) -> Array:
        """``jax.lax.dot_general`` of inputs and weights that are read."""
        return self._read(jax.lax.dot_general, x, weights, *arguments, **options)

    def conv_general_dilated(
        self, x: Array, weights: Array, *arguments: Any, **options: Any
    ) -> Array:
        """``jax.lax.conv_general_dilated`` of inputs and weights that are read."""
        return self._read(jax.lax.conv_general_dilated, x, weights, *arguments, **options)

    def _read(
        self, product: Any, x: Array, weights: Array, *arguments: Any, **options: Any
    ) -> Array:
        y = product(x, weights, *arguments, **options)
        if self.device.sigma_read is None:
            return y
        draws = self._draws.get()
        if draws is None:
            raise UserError("Reads: no key to draw from; call the model within `with reads(key):`")
        stream, number = draws
        if not isinstance(stream, jax.core.Tracer) and not (_is_known(x) and _is_known(weights)):
            raise UserError(
                "Reads: the key would be a constant of a compiled function, and its noise the same "
                "at every call; put `with reads(key):` into it, with the key as an argument"
            )
        w = jax.lax.stop_gradient(weights).astype(jnp.float32)
        x = jax.lax.stop_gradient(x).astype(jnp.float32)
        variance = product(x * x, self.cell.read_variance(self.device, w), *arguments, **options)
        own = random.fold_in(random.fold_in(stream, next(number)), digest(w))  # in a scan too
        noise = random.normal(own, variance.shape)
        return y + (jnp.sqrt(variance.astype(jnp.float32)) * noise).astype(y.dtype)


def _is_known(x: Array) -> bool:
    """Whether an array has values now, and not only when a function runs that is being traced."""
    try:
        jax.extend.core.concrete_or_error(None, x)
    except jax.errors.ConcretizationTypeError:
        return False
    return True
