"""Flax Linen: a dense layer on a crossbar array, trained by coincidence pulses."""

import jax
import jax.numpy as jnp
from flax import linen
from jaxtyping import Array, Float32

from memjax.cells import Cell, ReferenceCell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.nn._crossbar import check_layer, crossbar, init_kernel
from memjax.pulses import Coincidence, OuterProduct
from memjax.pytree import Leaf


class PulsedDense(linen.Module):
    """``PulsedLinear`` for Linen: ``y = x W + b`` with pulse counts as the weights' gradients.

    ``apply`` needs the random stream ``pulses``, new for each call:
    ``model.apply(variables, x, rngs={"pulses": key})``.

    Attributes:
      features: columns (static).
      device: the device of every weight; give the optimiser the same.
      learning_rate: step of gradient descent; for a schedule, build the module with each step's.
      cell: how devices make a weight; give the optimiser the same.
      pulses: the trains (static).
      use_bias: adds the bias row (static).

    Raises:
      UserError: an argument of the wrong kind or out of range; no ``pulses`` stream.

    Example:
      >>> import jax, jax.numpy as jnp, memjax
      >>> layer = memjax.nn.PulsedDense(
      ...     3, device=memjax.devices.ConstantStep(levels=101), learning_rate=0.1)
      >>> variables = layer.init(jax.random.key(0), jnp.ones((1, 2)))
      >>> count = jax.grad(lambda variables: layer.apply(
      ...     variables, jnp.ones((1, 2)), rngs={"pulses": jax.random.key(1)}).sum())(variables)
      >>> count["params"]["bias"].tolist()
      [10.0, 10.0, 10.0]

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016).
    """

    features: int
    device: Device
    learning_rate: Leaf
    cell: Cell = ReferenceCell()
    pulses: OuterProduct = Coincidence()
    use_bias: bool = True

    @linen.compact
    def __call__(self, x: Float32[Array, "*batch rows"]) -> Float32[Array, "*batch columns"]:
        """The layer's outputs [..., features]; leading dimensions are a batch."""
        check_layer("PulsedDense", self.device, self.learning_rate, self.cell, self.pulses)
        if self.features < 1:
            raise UserError(f"PulsedDense: features = {self.features} must be at least 1")
        if not (self.has_rng("pulses") or self.is_initializing()):
            raise UserError(
                "PulsedDense: a call needs the stream 'pulses'; try model.apply(variables, x, "
                "rngs={'pulses': key})"
            )

        def kernel_init(key: jax.Array) -> Array:
            return init_kernel(key, (x.shape[-1], self.features), self.cell)

        bias = self.param("bias", lambda _: jnp.zeros(self.features)) if self.use_bias else None
        return crossbar(
            x,
            self.param("kernel", kernel_init),
            bias,
            key=self.make_rng("pulses"),
            device=self.device,
            cell=self.cell,
            learning_rate=self.learning_rate,
            pulses=self.pulses,
        )
