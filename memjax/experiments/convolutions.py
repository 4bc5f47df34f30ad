"""Convolutions as products with patches: what many small networks side by side want of a CPU.

``vmap`` over lanes turns a convolution into a grouped one, for which XLA has no fast code on CPUs;
a product of matrices stays one.
"""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend import core
from jaxtyping import Array


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
        return outputs[0].unflatten(_run(program.jaxpr, program.consts, flat))

    return replaced


def _run(jaxpr: Any, consts: Any, args: Any) -> list[Any]:
    """What a program gives, equation by equation."""
    values: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    values |= zip(jaxpr.invars, args, strict=True)

    def value(of: Any) -> Any:
        return of.val if isinstance(of, core.Literal) else values[of]

    for equation in jaxpr.eqns:
        inputs = [value(of) for of in equation.invars]
        inner = equation.params.get("jaxpr")
        if equation.primitive.name == "jit" and _convolves(inner.jaxpr):
            found = _run(inner.jaxpr, inner.consts, inputs)
        elif _is_plain(equation):
            x, kernel = inputs
            found = [_product(x, kernel, equation.params)]
        else:
            used = {
                v: x
                for v, x in zip(equation.invars, inputs, strict=True)
                if not isinstance(v, core.Literal)
            }
            alone = jaxpr.replace(
                constvars=[], invars=[*used], outvars=equation.outvars, eqns=[equation]
            )
            found = jax.core.eval_jaxpr(alone, [], *used.values())
        values |= zip(equation.outvars, found, strict=True)
    return [value(of) for of in jaxpr.outvars]


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
    numbers = own["dimension_numbers"]
    x = jnp.transpose(x, _channels_last(numbers.lhs_spec))
    out, rows, *places = numbers.rhs_spec
    kernel = jnp.transpose(kernel, (*places, rows, out))
    extents, steps, dilations = kernel.shape[:-2], own["window_strides"], own["rhs_dilation"]
    x = jax.lax.pad(
        x, jnp.zeros((), x.dtype), ((0, 0, 0), *((*p, 0) for p in own["padding"]), (0, 0, 0))
    )
    sizes = [
        (length - (extent - 1) * dilation - 1) // step + 1
        for length, extent, step, dilation in zip(
            x.shape[1:-1], extents, steps, dilations, strict=True
        )
    ]
    slices = []
    for place in itertools.product(*map(range, extents)):
        first = [offset * dilation for offset, dilation in zip(place, dilations, strict=True)]
        last = [
            start + (size - 1) * step + 1
            for start, size, step in zip(first, sizes, steps, strict=True)
        ]
        slices.append(
            jax.lax.slice(x, (0, *first, 0), (x.shape[0], *last, x.shape[-1]), (1, *steps, 1))
        )
    patches = jnp.stack(slices, axis=-2).reshape(-1, len(slices) * x.shape[-1])
    matrix = kernel.reshape(-1, kernel.shape[-1])
    y = jnp.matmul(patches, matrix, precision=own["precision"])
    y = y.reshape(x.shape[0], *sizes, kernel.shape[-1])
    return jnp.transpose(y, _from_channels_last(numbers.out_spec))


def _channels_last(spec: tuple[int, ...]) -> tuple[int, ...]:
    """The order that brings (batch, channels, places) to (batch, places, channels)."""
    batch, channels, *places = spec
    return batch, *places, channels


def _from_channels_last(spec: tuple[int, ...]) -> tuple[int, ...]:
    order = _channels_last(spec)
    return tuple(order.index(axis) for axis in range(len(order)))
