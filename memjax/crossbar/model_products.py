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
from memjax.crossbar.parameter_product import Held, Product, product_of
from memjax.errors import UserError
from memjax.programs import evaluated, run

Matrix = Float[Array, "*scanned groups rows columns"]
Rows = Float[Array, "*scanned groups n rows"]
Use = tuple[str, int]
"""A parameter's path, and which matrix is made of it: the first is 0. Products with one matrix, by
whatever inputs and however often, are products of one array."""

Multiply = Callable[[Any, Array, random.Stream], Array]
"""``multiply(product, x, stream)``: ``[groups, n, rows]`` to ``[groups, n, columns]``."""

_PASSES = ("reshape", "transpose", "rev", "convert_element_type", "squeeze", "copy")
"""What a parameter goes through and stays one."""
_PROGRAMS = ("jaxpr", "call_jaxpr")
"""What an equation calls the program that it runs: jit, remat, custom derivatives."""


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
        axis. An array is another matrix, that the program multiplies with as it does. Products that
        it has not are computed as they are.
      multiply: the product.
      stream: random stream of the call; each product, and each step of a scan, has its own.
      is_chosen: whether all products with a parameter must be among ``products``.

    Raises:
      UserError: one of a parameter that is chosen is not.
    """
    by = _Multiplier(dict(products), multiply, stream, is_chosen)
    outputs = _run(program.jaxpr, program.consts, _inputs(params, args), by)
    return program.outputs.unflatten([_plain(value) for value in outputs])


def multiplicands(
    program: Program,
    params: dict[str, Array],
    *args: Any,
    products: Mapping[Use, Any],
    multiply: Multiply,
    stream: random.Stream,
    every_branch: bool = False,
) -> dict[Use, Rows]:
    """What each matrix is multiplied with, in a run of ``multiplied``: all of a call, and steps.

    Steps of a scan are unrolled. Of what data choose, every branch is run where they are traced.

    Args:
      program: of a function of parameters.
      params: the parameters.
      args: the function's other arguments.
      products: as ``multiplied`` takes them.
      multiply: the product.
      stream: random stream of the call.
      every_branch: whether branches are run that are not chosen.
    """
    by = _Recorder(dict(products), multiply, stream, lambda path: False)
    by.every_branch = every_branch
    _run(program.jaxpr, program.consts, _inputs(params, args), by)
    return by.rows()


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

    def product(self, product: Product) -> Array:
        """As the program does it."""
        held = product.held
        self.found[self.use_of(held.path, product.how)] = product.matrix(held.value)
        return product.itself(held.value)

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

    def product(self, product: Product) -> Array:
        """By what there is for its use, or as the program does it."""
        held = product.held
        use = self.use_of(held.path, product.how)
        if use not in self.products:
            if self.is_chosen(held.path):
                raise UserError(
                    f"convert: these inputs make another matrix of {held.path} than those that the "
                    "model was programmed for; program it for these"
                )
            return product.itself(held.value)
        found, stream = self.products[use], self._next()
        if isinstance(found, Array):
            return product.by_matrix(found.astype(held.value.dtype))
        rows = product.rows()
        return product.outputs(self.multiply(found, rows, stream).astype(rows.dtype))

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
            inner = self._inside(products, random.fold_in(stream, step))
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
        found = self._scanned(body, [_plain(value) for value in carry], now, own, paths)
        self.uses = dict(ends)
        return found

    def _inside(self, products: dict[Use, Any], stream: random.Stream) -> "_Multiplier":
        """What runs a step of a scan."""
        inner = _Multiplier(self.products | products, self.multiply, stream, self.is_chosen)
        inner.uses = dict(self.uses)
        return inner

    def _scanned(
        self, body: Any, carry: list[Array], now: Any, own: dict[str, Any], stacked: set[str]
    ) -> list[Array]:
        """The last carry and the outputs of each step."""
        del stacked
        order = {name: own[name] for name in ("length", "reverse", "unroll")}
        carry, outputs = jax.lax.scan(body, carry, now, **order)
        return [*carry, *outputs]


class _Recorder(_Multiplier):
    """Multiplies, and takes down the inputs of each product; steps of scans are unrolled."""

    every_branch = True

    def __init__(self, *given: Any):
        super().__init__(*given)
        self.seen: dict[Use, list[Array]] = {}
        self.steps: list[_Recorder] = []

    def product(self, product: Product) -> Array:
        """As any, its rows taken down."""
        use = self.use_of(product.held.path, product.how)
        self.seen.setdefault(use, []).append(product.rows())
        return super().product(product)

    def rows(self) -> dict[Use, Array]:
        """All that each matrix was multiplied with."""
        return {use: jnp.concatenate(each, axis=-2) for use, each in self.seen.items()}

    def cond(self, jaxpr: Any, equation: Any, inputs: list[Any]) -> list[Any]:
        """The branch that is chosen, or every one, and of them that."""
        del jaxpr
        which, branches = jnp.int32(inputs[0]), equation.params["branches"]
        if not self.every_branch and not isinstance(which, jax.core.Tracer):
            inner = branches[min(max(int(which), 0), len(branches) - 1)]
            return list(map(_plain, _run(inner.jaxpr, inner.consts, inputs[1:], self)))
        each = [
            list(map(_plain, _run(inner.jaxpr, inner.consts, inputs[1:], self)))
            for inner in branches
        ]
        return [jax.lax.select_n(which, *outputs) for outputs in zip(*each, strict=True)]

    def _inside(self, products: dict[Use, Any], stream: random.Stream) -> "_Recorder":
        inner = _Recorder(self.products | products, self.multiply, stream, self.is_chosen)
        inner.uses, inner.every_branch = dict(self.uses), self.every_branch
        self.steps.append(inner)
        return inner

    def _scanned(
        self, body: Any, carry: list[Array], now: Any, own: dict[str, Any], stacked: set[str]
    ) -> list[Array]:
        order = range(own["length"])[:: -1 if own["reverse"] else 1]
        outputs = {}
        for step in order:
            carry, outputs[step] = body(carry, jax.tree.map(lambda x, at=step: x[at], now))
        seen = dict(zip(order, (inner.rows() for inner in self.steps), strict=True))
        self.steps = []
        for use in dict.fromkeys(use for each in seen.values() for use in each):
            each = [seen[step][use] for step in range(own["length"]) if use in seen[step]]
            joined = jnp.stack(each) if use[0] in stacked else jnp.concatenate(each, axis=-2)
            self.seen.setdefault(use, []).append(joined)
        ordered = (outputs[step] for step in range(own["length"]))
        return [*carry, *map(jnp.stack, zip(*ordered, strict=True))]


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
    product = product_of(jaxpr, equation, inputs)
    if product is None:
        return _evaluated(jaxpr, equation, inputs)
    return [by.product(product).astype(equation.outvars[0].aval.dtype)]


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
