"""A function's products with its parameters, found in its program and computed otherwise.

A trained model is a function of parameters and inputs. Wherever its program multiplies something
with a parameter, by ``lax.dot_general`` or ``lax.conv_general_dilated``, an array can do it: in a
dense layer, a convolution (strided, dilated, grouped, transposed), a projection of attention, the
gates of an LSTM, a layer inside a scan. Neither the classes of layers nor their names matter.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax import random
from memjax.crossbar import patches
from memjax.errors import UserError
from memjax.programs import evaluated, run

Matrix = Float[Array, "*scanned groups rows columns"]
Use = tuple[str, int]
"""A parameter's path, and which matrix is made of it: the first is 0. Products with one matrix, by
whatever inputs and however often, are products of one array."""

Multiply = Callable[[Any, Array, random.Stream], Array]
"""``multiply(product, x, stream)``: ``[groups, n, rows]`` to ``[groups, n, columns]``."""

_PASSES = ("reshape", "transpose", "rev", "convert_element_type", "squeeze", "copy")
"""What a parameter goes through and stays one."""
_PROGRAMS = ("jaxpr", "call_jaxpr")
"""What an equation calls the program that it runs: jit, remat, custom derivatives."""


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


class Program(NamedTuple):
    """The program of a function of parameters and other arguments.

    Attributes:
      jaxpr: its equations.
      consts: their constants.
      outputs: the structure of what it returns.
    """

    jaxpr: Any
    consts: list[Any]
    outputs: Any


def program_of(function: Callable[..., Any], params: dict[str, Any], *args: Any) -> Program:
    """The program of ``function(params, *args)``.

    Args:
      function: of pytrees of arrays.
      params: arrays by their paths, or ``jax.ShapeDtypeStruct``.
      args: likewise, pytrees.
    """
    closed, outputs = jax.make_jaxpr(function, return_shape=True)(params, *args)
    return Program(closed.jaxpr, closed.consts, jax.tree.structure(outputs))


def matrices(program: Program, params: dict[str, Array], *args: Any) -> dict[Use, Matrix]:
    """Every matrix that a program multiplies with, by parameter and use.

    A layer in a scan, whose parameters are slices of a stack, has a matrix a slice: the first axis.

    Args:
      program: of a function of parameters.
      params: the parameters.
      args: the function's other arguments; their values do not matter.
    """
    uses: list[Use] = []

    @jax.jit
    def found(params: dict[str, Array], args: Any) -> list[Matrix]:
        seen = _Collector()
        _run(program.jaxpr, program.consts, _inputs(params, args), seen)
        uses[:] = seen.found
        return [seen.found[use] for use in uses]

    of_uses = found(params, args)
    return dict(zip(uses, of_uses, strict=True))


def multiplied(
    program: Program,
    params: dict[str, Array],
    *args: Any,
    products: Mapping[Use, Any],
    multiply: Multiply,
    stream: random.Stream,
    is_chosen: Callable[[str], bool] = lambda path: False,
) -> Any:
    """What a program returns where some of its products are computed by ``multiply``.

    Args:
      program: of a function of parameters.
      params: the parameters.
      args: the function's other arguments.
      products: what ``multiply`` needs of each, a pytree; in a scan with a slice's on the first
        axis. Products that it has not are computed as they are.
      multiply: the product.
      stream: random stream of the call; each product, and each step of a scan, has its own.
      is_chosen: whether all products with a parameter must be among ``products``.

    Raises:
      UserError: one of a parameter that is chosen is not.
    """
    run = _Multiplier(dict(products), multiply, stream, is_chosen)
    outputs = _run(program.jaxpr, program.consts, _inputs(params, args), run)
    return program.outputs.unflatten([_plain(value) for value in outputs])


def _inputs(params: dict[str, Array], args: Any) -> list[Any]:
    """The flat inputs of a program, its parameters marked; a dict's leaves are in sorted order."""
    return [Held(path, params[path]) for path in sorted(params)] + jax.tree.leaves(args)


class _Counter:
    """Numbers the matrices that are made of each parameter.

    Attributes:
      uses: how each was made, in order, by path.
    """

    def __init__(self) -> None:
        self.uses: dict[str, tuple[str, ...]] = {}

    def use_of(self, path: str, how: str) -> Use:
        """Which matrix of a parameter this is."""
        known = self.uses.get(path, ())
        if how not in known:
            self.uses[path] = known = (*known, how)
        return path, known.index(how)


class _Collector(_Counter):
    """Takes down matrices, and multiplies as the program does."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[Use, Matrix] = {}

    def product(self, held: Held, how: str, x: Array, matrix: Matrix) -> Array:
        """``x @ matrix``."""
        self.found[self.use_of(held.path, held.how + how)] = matrix
        return jnp.einsum("gnr,grc->gnc", x, matrix)

    def cond(self, jaxpr: Any, equation: Any, inputs: list[Any]) -> list[Any]:
        """Runs every branch, whichever is chosen."""
        for inner in equation.params["branches"]:
            _run(inner.jaxpr, inner.consts, inputs[1:], self)
        return _evaluated(jaxpr, equation, inputs)

    def scan(self, jaxpr: Any, equation: Any, inputs: list[Any]) -> list[Any]:
        """Runs the body for every slice of a stacked parameter, once where there is none."""
        own = equation.params
        consts, carry, xs = _parts(own, inputs)
        stacked = [isinstance(x, Held) for x in xs]
        each = []
        for step in range(own["length"] if any(stacked) else 1):
            body = _Collector()
            body.uses = dict(self.uses)
            values = [*consts, *map(_plain, carry), *(_sliced(x, step) for x in xs)]
            _run(own["jaxpr"].jaxpr, own["jaxpr"].consts, values, body)
            each.append(body)
        self.uses = each[0].uses
        paths = {x.path for x in xs if isinstance(x, Held)}
        for use, one in each[0].found.items():
            slices = [body.found[use] for body in each]
            self.found[use] = jnp.stack(slices) if use[0] in paths else one
        return _evaluated(jaxpr, equation, inputs)


class _Multiplier(_Counter):
    """Multiplies by products of its own."""

    def __init__(
        self,
        products: dict[Use, Any],
        multiply: Multiply,
        stream: random.Stream,
        is_chosen: Callable[[str], bool],
    ):
        super().__init__()
        self.products, self.multiply, self.stream = products, multiply, stream
        self.is_chosen, self.drawn = is_chosen, 0

    def _next(self) -> random.Stream:
        self.drawn += 1
        return random.fold_in(self.stream, self.drawn)

    def product(self, held: Held, how: str, x: Array, matrix: Matrix) -> Array:
        """By the product of this use, or ``x @ matrix``."""
        use = self.use_of(held.path, held.how + how)
        if use not in self.products:
            if self.is_chosen(held.path):
                raise UserError(
                    f"convert: these inputs make another matrix of {held.path} than those that the "
                    "model was programmed for; program it for these"
                )
            return jnp.einsum("gnr,grc->gnc", x, matrix)
        return self.multiply(self.products[use], x, self._next()).astype(x.dtype)

    def cond(self, jaxpr: Any, equation: Any, inputs: list[Any]) -> list[Any]:
        """The choice of programs, each run by products."""
        del jaxpr
        which, *rest = inputs

        def branch(inner: Any) -> Callable[..., list[Array]]:
            def run(*given: Any) -> list[Array]:
                values = [
                    x._replace(value=g) if isinstance(x, Held) else g
                    for x, g in zip(rest, given, strict=True)
                ]
                return [_plain(found) for found in _run(inner.jaxpr, inner.consts, values, self)]

            return run

        branches = [branch(inner) for inner in equation.params["branches"]]
        return jax.lax.switch(which, branches, *map(_plain, rest))

    def scan(self, jaxpr: Any, equation: Any, inputs: list[Any]) -> list[Any]:
        """The scan, its body run by products; those of stacked parameters are slices too."""
        del jaxpr
        own = equation.params
        consts, carry, xs = _parts(own, inputs)
        helds = [x if isinstance(x, Held) else None for x in xs]
        paths = {x.path for x in helds if x is not None}
        mine = {use: product for use, product in self.products.items() if use[0] in paths}
        stream, ends = self._next(), {}

        def body(carry: list[Array], now: Any) -> tuple[list[Array], list[Array]]:
            step, slices, products = now
            inner = _Multiplier(
                self.products | products,
                self.multiply,
                random.fold_in(stream, step),
                self.is_chosen,
            )
            inner.uses = dict(self.uses)
            given = [
                x if held is None else held._replace(value=x)
                for held, x in zip(helds, slices, strict=True)
            ]
            values = [*consts, *carry, *given]
            found = _run(own["jaxpr"].jaxpr, own["jaxpr"].consts, values, inner)
            ends.update(inner.uses)
            found = [_plain(value) for value in found]
            return found[: len(carry)], found[len(carry) :]

        now = (jnp.arange(own["length"]), [_plain(x) for x in xs], mine)
        carry, outputs = jax.lax.scan(
            body,
            [_plain(value) for value in carry],
            now,
            length=own["length"],
            reverse=own["reverse"],
            unroll=own["unroll"],
        )
        self.uses = dict(ends)
        return [*carry, *outputs]


def _run(jaxpr: Any, consts: Any, args: Any, by: "_Collector | _Multiplier") -> list[Any]:
    """What a program gives, equation by equation; parameters stay ``Held``."""
    return run(jaxpr, consts, args, functools.partial(_outputs, by=by))


def _outputs(
    jaxpr: Any, equation: Any, inputs: list[Any], by: "_Collector | _Multiplier"
) -> list[Any]:
    """What an equation gives."""
    name, own = equation.primitive.name, equation.params
    held = [isinstance(x, Held) for x in inputs]
    if not any(held):
        return _evaluated(jaxpr, equation, inputs)
    if name == "scan":
        return by.scan(jaxpr, equation, inputs)
    if name == "cond":
        return by.cond(jaxpr, equation, inputs)
    for inner in (own[key] for key in _PROGRAMS if key in own):
        consts = getattr(inner, "consts", [])
        return _run(getattr(inner, "jaxpr", inner), consts, inputs, by)
    if name in _PASSES or (name == "broadcast_in_dim" and _is_same_size(equation)):
        (found,) = _evaluated(jaxpr, equation, inputs)
        how = f"{inputs[0].how} {name} {_own(own)}"
        return [Held(inputs[0].path, found, how)]
    dtype = equation.outvars[0].aval.dtype
    if name == "dot_general" and sum(held) == 1:
        return [_dot(own, inputs, by).astype(dtype)]
    if name == "conv_general_dilated" and held == [False, True] and own["batch_group_count"] == 1:
        x, kernel = inputs
        rows, outputs = patches.patches(x, kernel.value.shape, own)
        matrix = patches.matrix(kernel.value, own)
        return [
            outputs(
                by.product(kernel, f" convolved {own['feature_group_count']}", rows, matrix)
            ).astype(dtype)
        ]
    return _evaluated(jaxpr, equation, inputs)


def _dot(own: dict[str, Any], inputs: list[Any], by: "_Collector | _Multiplier") -> Array:
    """``lax.dot_general`` with a parameter on one side, as products of matrices side by side."""
    is_right = isinstance(inputs[1], Held)
    x, held = (inputs[0], inputs[1]) if is_right else (inputs[1], inputs[0])
    (left, right), (left_batch, right_batch) = own["dimension_numbers"]
    of_x, of_w = ((left, left_batch), (right, right_batch))[:: 1 if is_right else -1]
    rows, free_x = _as_batches(x, *of_x, last=True)
    matrix, free_w = _as_batches(held.value, *of_w, last=False)
    y = by.product(held, f" contracted {of_w}", rows, matrix)  # [groups, n, columns]
    batch = tuple(x.shape[axis] for axis in of_x[1])
    y = y.reshape(*batch, *free_x, *free_w)
    if is_right:
        return y
    n = len(batch)
    order = [*range(n), *range(n + len(free_x), y.ndim), *range(n, n + len(free_x))]
    return jnp.transpose(y, order)


def _as_batches(
    x: Array, contracted: Any, batch: Any, *, last: bool
) -> tuple[Array, tuple[int, ...]]:
    """An operand as ``[groups, n, rows]`` (``last``) or ``[groups, rows, n]``, its free axes."""
    free = [axis for axis in range(x.ndim) if axis not in (*contracted, *batch)]
    order = [*batch, *free, *contracted] if last else [*batch, *contracted, *free]
    sizes = [
        functools.reduce(lambda a, b: a * b, (x.shape[axis] for axis in axes), 1)
        for axes in (batch, free, contracted)
    ]
    groups, n, rows = sizes
    shape = (groups, n, rows) if last else (groups, rows, n)
    return jnp.transpose(x, order).reshape(shape), tuple(x.shape[axis] for axis in free)


def _parts(own: dict[str, Any], inputs: list[Any]) -> tuple[list[Any], list[Any], list[Any]]:
    """The constants, the carry and the stacked inputs of a scan."""
    consts, carry = own["num_consts"], own["num_consts"] + own["num_carry"]
    return inputs[:consts], inputs[consts:carry], inputs[carry:]


def _sliced(x: Any, step: int) -> Any:
    if isinstance(x, Held):
        return x._replace(value=x.value[step])
    return x[step]


def _own(parameters: dict[str, Any]) -> str:
    """An equation's parameters as a text."""
    return " ".join(f"{name}={value}" for name, value in sorted(parameters.items()))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Held) else value


def _is_same_size(equation: Any) -> bool:
    """Whether a broadcast adds axes of length 1 only."""
    return equation.invars[0].aval.size == equation.outvars[0].aval.size


def _evaluated(jaxpr: Any, equation: Any, inputs: list[Any]) -> list[Any]:
    """What JAX makes of an equation of a program."""
    return evaluated(jaxpr, equation, list(map(_plain, inputs)))
