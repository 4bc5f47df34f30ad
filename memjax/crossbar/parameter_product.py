"""One operation of a program with a parameter, as a product of matrices."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax.crossbar import patches
from memjax.programs import evaluated


class Held(NamedTuple):
    """A parameter on its way to a product, reshaped and transposed.

    Attributes:
      path: of the parameter.
      value: as it is there.
      how: what it has gone through, a text; the same text makes the same matrix.
    """

    path: str
    value: Array
    how: str = ""


class Product(NamedTuple):
    """One product of a program with a parameter, in the two ways that there are to compute it.

    Attributes:
      held: the parameter.
      how: a text; products of one parameter with the same text have the same matrix.
      matrix: of a value of the parameter, ``[groups, rows, columns]``: its entries in that order.
      itself: the program's own operation, of a value of the parameter.
      rows: of nothing, the inputs, ``[groups, n, rows]``.
      outputs: the operation's, of ``[groups, n, columns]``.
    """

    held: Held
    how: str
    matrix: Callable[[Array], Array]
    itself: Callable[[Array], Array]
    rows: Callable[[], Array]
    outputs: Callable[[Array], Array]

    def by_matrix(self, matrix: Array) -> Array:
        """With another matrix in the parameter's place: as fast as the program is."""
        (value,) = jax.linear_transpose(self.matrix, self.held.value)(matrix)  # entries, put back
        return self.itself(value)


def product_of(jaxpr: Any, equation: Any, inputs: list[Any]) -> Product | None:
    """What an equation multiplies a parameter with; none where it does anything else with it.

    Args:
      jaxpr: the program that the equation is of.
      equation: of any primitive.
      inputs: arrays, and parameters as ``Held``: one at least.
    """
    name, own = equation.primitive.name, equation.params
    held = [isinstance(x, Held) for x in inputs]
    place = held.index(True)

    def itself(value: Array) -> Array:
        plain = [value if at == place else x for at, x in enumerate(inputs)]
        return evaluated(jaxpr, equation, plain)[0]

    if name == "dot_general" and sum(held) == 1:
        return _dot(own, inputs, itself)
    if name == "conv_general_dilated" and held == [False, True] and own["batch_group_count"] == 1:
        return _convolution(own, inputs, itself)
    return None


def _convolution(own: dict[str, Any], inputs: list[Any], itself: Any) -> Product:
    """``lax.conv_general_dilated`` with a parameter as its kernel."""
    x, held = inputs
    shape, groups = held.value.shape, own["feature_group_count"]
    return Product(
        held=held,
        how=f"{held.how} convolved {groups}",
        matrix=lambda value: patches.matrix(value, own),
        itself=itself,
        rows=lambda: patches.patches(x, shape, own),
        outputs=lambda y: patches.outputs(y, x, shape, own),
    )


def _dot(own: dict[str, Any], inputs: list[Any], itself: Any) -> Product:
    """``lax.dot_general`` with a parameter on one side, as products of matrices side by side."""
    is_right = isinstance(inputs[1], Held)
    x, held = (inputs[0], inputs[1]) if is_right else (inputs[1], inputs[0])
    (left, right), (left_batch, right_batch) = own["dimension_numbers"]
    of_x, of_w = ((left, left_batch), (right, right_batch))[:: 1 if is_right else -1]
    batch, free_x, _ = _axes(x, *of_x)
    _, free_w, _ = _axes(held.value, *of_w)

    def outputs(y: Array) -> Array:
        shape = [x.shape[axis] for axis in (*batch, *free_x)]
        y = y.reshape(*shape, *(held.value.shape[axis] for axis in free_w))
        if is_right:
            return y
        n, first = len(batch), len(shape)
        return jnp.transpose(y, (*range(n), *range(first, y.ndim), *range(n, first)))

    return Product(
        held=held,
        how=f"{held.how} contracted {of_w}",
        matrix=lambda value: _as_batches(value, *of_w, last=False),
        itself=itself,
        rows=lambda: _as_batches(x, *of_x, last=True),
        outputs=outputs,
    )


def _as_batches(x: Array, contracted: Any, batch: Any, *, last: bool) -> Array:
    """An operand as ``[groups, n, rows]`` (``last``) or ``[groups, rows, n]``."""
    groups, free, rows = _axes(x, contracted, batch)
    order = (groups, free, rows) if last else (groups, rows, free)
    sizes = [math.prod(x.shape[axis] for axis in axes) for axes in order]
    return jnp.transpose(x, sum(order, ())).reshape(sizes)


def _axes(x: Array, contracted: Any, batch: Any) -> tuple[tuple[int, ...], ...]:
    """Axes of an operand: side by side, free, contracted."""
    free = (axis for axis in range(x.ndim) if axis not in (*contracted, *batch))
    return tuple(batch), tuple(free), tuple(contracted)
