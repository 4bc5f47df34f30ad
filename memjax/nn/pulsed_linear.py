"""Flax NNX: a linear layer on a crossbar array, trained by coincidence pulses."""

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float32, Key

from memjax.cells import Cell, ReferenceCell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.nn._crossbar import check_layer, crossbar, init_kernel
from memjax.pulses import Coincidence, OuterProduct
from memjax.pytree import Leaf, as_arrays

Rngs = nnx.Rngs | nnx.RngStream | Key[Array, ""]


class Setting(nnx.Variable[Any]):
    """What may be changed or swept between steps, but is not trained."""


class PulsedLinear(nnx.Module):
    """``y = x W + b`` on a crossbar; its weights' gradients are signed counts of pulses.

    Forwards it is ``nnx.Linear``, plus read noise where the device has ``sigma_read``; backwards to
    x it is exact. The cotangent of a weight is the number of coincidences of the stochastic trains
    on its row (from x) and column (from the error d)::

        E[n] = learning_rate / pulse_size * sum over the batch of x d^T
        pulse_size = 2 R mean_step

    while nothing clips. Descend by them with ``memjax.coincidence_sgd``; the learning rate is the
    layer's, since it sets the trains' probabilities.

    Each call draws new trains and read noise from its ``rngs``, in evaluation too; the layer holds
    no random state, so a key that is used again deals the same pulses again.

    Attributes:
      kernel: weights [in_features, out_features], at first uniform in +-1 / sqrt(in_features), at
        most the cell's range.
      bias: weights [out_features] of the row that is always 1, at first 0; or ``None``.
      learning_rate: a scalar ``Setting``; a schedule sets it, ``layer.learning_rate[...] = 0.01``.
      device, cell: ``Setting``s of parameters, each a leaf that may be swept.
      pulses: the trains (static).

    Args:
      in_features: rows, without the bias's (static).
      out_features: columns (static).
      device: the device of every weight; give the optimiser the same.
      learning_rate: step of gradient descent, in weight units a unit of ``x d``.
      cell: how devices make a weight (default: ``ReferenceCell()``); give the optimiser the same.
      pulses: the trains (default: ``Coincidence()``).
      use_bias: adds the bias row (static).
      rngs: its ``params`` stream draws the kernel.

    Raises:
      UserError: an argument of the wrong kind or out of range; a call without ``rngs``.

    Example:
      >>> import jax, jax.numpy as jnp, memjax
      >>> from flax import nnx
      >>> device = memjax.devices.ConstantStep(levels=101)
      >>> layer = memjax.nn.PulsedLinear(
      ...     2, 3, device=device, learning_rate=0.1, rngs=nnx.Rngs(0))
      >>> tx = memjax.coincidence_sgd(device, key=jax.random.key(1))
      >>> optimizer = nnx.Optimizer(layer, tx, wrt=nnx.Param)
      >>> count = nnx.grad(lambda layer, rngs: layer(jnp.ones((1, 2)), rngs=rngs).sum())(
      ...     layer, nnx.Rngs(pulses=2))
      >>> count["bias"][...].tolist()
      [10.0, 10.0, 10.0]
      >>> updates = optimizer.update(layer, count)
      >>> [round(w, 4) for w in layer.bias[...].tolist()]
      [-0.1, -0.1, -0.1]

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        device: Device,
        learning_rate: Leaf,
        cell: Cell | None = None,
        pulses: OuterProduct | None = None,
        use_bias: bool = True,
        rngs: nnx.Rngs,
    ) -> None:
        cell = ReferenceCell() if cell is None else cell
        pulses = Coincidence() if pulses is None else pulses
        check_layer("PulsedLinear", device, learning_rate, cell, pulses)
        for name, size in (("in_features", in_features), ("out_features", out_features)):
            if size < 1:
                raise UserError(f"PulsedLinear: {name} = {size} must be at least 1")
        kernel = init_kernel(rngs.params(), (in_features, out_features), cell)
        self.in_features, self.out_features = in_features, out_features
        self.kernel = nnx.Param(kernel)
        self.bias = nnx.Param(jnp.zeros(out_features)) if use_bias else nnx.data(None)
        self.learning_rate = Setting(jnp.asarray(learning_rate, jnp.float32))
        self.device = Setting(as_arrays(device))
        self.cell = Setting(as_arrays(cell))
        self.pulses = pulses

    def __call__(
        self, x: Float32[Array, "*batch rows"], *, rngs: Rngs | None = None
    ) -> Float32[Array, "*batch columns"]:
        """The layer's outputs.

        Args:
          x: inputs [..., in_features]; leading dimensions are a batch, whose counts add.
          rngs: where this call's key comes from: an ``nnx.Rngs``, of which the stream ``pulses`` is
            taken, or ``default``; an ``nnx.RngStream``; or a typed key.

        Returns:
          Outputs [..., out_features].

        Raises:
          UserError: no ``rngs``, or none of its streams serves; x of another width.
        """
        if x.shape[-1] != self.in_features:
            raise UserError(
                f"PulsedLinear: x has {x.shape[-1]} features; give it in_features = "
                f"{self.in_features}"
            )
        bias = None if self.bias is None else self.bias[...]
        return crossbar(
            x,
            self.kernel[...],
            bias,
            key=_new_key(rngs),
            device=self.device.get_value(),
            cell=self.cell.get_value(),
            learning_rate=self.learning_rate[...],
            pulses=self.pulses,
        )


def _new_key(rngs: Rngs | None) -> Key[Array, ""]:
    if isinstance(rngs, nnx.Rngs):
        if "pulses" in rngs or "default" in rngs:
            return rngs["pulses"]()
        raise UserError(
            "PulsedLinear: rngs has no 'pulses' and no 'default' stream; try nnx.Rngs(pulses=0)"
        )
    if isinstance(rngs, nnx.RngStream):
        return rngs()
    if rngs is None:
        raise UserError(
            "PulsedLinear: a call needs rngs for its pulses; try layer(x, rngs=nnx.Rngs(pulses=0))"
        )
    return rngs
