"""Convolutions as products with patches: what many small networks side by side want of a CPU.

``vmap`` over lanes turns a convolution into a grouped one, for which XLA has no fast code on CPUs;
a product of matrices stays one.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax.crossbar import patches
from memjax.programs import evaluated, run


def as_products(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, its plain convolutions made products of matrices, equal up to rounding.

    On other backends than CPUs it is the function itself. Grouped and transposed convolutions, and
    those inside a loop, stay as they are.

    Args:
      function: of pytrees of arrays; it is traced before it is differentiated.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax.experiments.convolutions import as_products
      >>> def smooth(x):
      ...     return jax.lax.conv(x, jnp.ones((1, 1, 1, 3)), (1, 1), "VALID")
      >>> as_products(smooth)(jnp.arange(5.0).reshape(1, 1, 1, 5)).tolist()
      [[[[3.0, 6.0, 9.0]]]]
    """
    if jax.default_backend() != "cpu":
        return function

    def replaced(*args: Any) -> Any:
        flat, treedef = jax.tree.flatten(args)
        outputs: list[Any] = []

        def of_leaves(*leaves: Any) -> Any:
            found, structure = jax.tree.flatten(function(*jax.tree.unflatten(treedef, leaves)))
            outputs.append(structure)
            return found

        program = jax.make_jaxpr(of_leaves)(*flat)
        return outputs[0].unflatten(run(program.jaxpr, program.consts, flat, _outputs))

    return replaced


def _outputs(jaxpr: Any, equation: Any, inputs: list[Any]) -> list[Any]:
    """What an equation gives, a plain convolution as a product."""
    inner = equation.params.get("jaxpr")
    if equation.primitive.name == "jit" and _convolves(inner.jaxpr):
        return run(inner.jaxpr, inner.consts, inputs, _outputs)
    if _is_plain(equation):
        return [_product(inputs[0], inputs[1], equation.params)]
    return evaluated(jaxpr, equation, inputs)


def _convolves(jaxpr: Any) -> bool:
    """Whether a convolution stands in a program, or in one that it calls."""
    return any(
        equation.primitive.name == "conv_general_dilated"
        or (equation.primitive.name == "jit" and _convolves(equation.params["jaxpr"].jaxpr))
        for equation in jaxpr.eqns
    )


def _is_plain(equation: Any) -> bool:
    """Whether an equation is a convolution of one group, not a transposed one, of one type."""
    if equation.primitive.name != "conv_general_dilated":
        return False
    own = equation.params
    return (
        own["feature_group_count"] == own["batch_group_count"] == 1
        and all(step == 1 for step in own["lhs_dilation"])
        and own["preferred_element_type"] in (None, equation.invars[0].aval.dtype)
    )


def _product(x: Array, kernel: Array, own: dict[str, Any]) -> Array:
    """A convolution: every patch of the inputs, as a row, times the kernel, as a matrix."""
    (rows,), (matrix,) = patches.patches(x, kernel.shape, own), patches.matrix(kernel, own)
    y = jnp.matmul(rows, matrix, precision=own["precision"])
    return patches.outputs(y[None], x, kernel.shape, own)
