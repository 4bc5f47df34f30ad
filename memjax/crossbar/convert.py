"""Any trained model on arrays: what its program multiplies with is programmed, the rest stays."""

import dataclasses
import fnmatch
import functools
import warnings
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Key

from memjax import random
from memjax.crossbar import programmed
from memjax.crossbar.array import Array
from memjax.crossbar.crossbar import Crossbar
from memjax.crossbar.model_products import Program, Use, matrices, multiplied, program_of
from memjax.crossbar.programmed import Cells, Programmed
from memjax.crossbar.wires import Wires
from memjax.errors import UserError
from memjax.pytree import Leaf, params, static
from memjax.updates.memristive import path_texts

_RANK = 6
"""Axes of the conductances of one crossbar."""


class StaysDigital(UserWarning):
    """A parameter that was to be on arrays is used otherwise than in a product."""


@params
class AnalogModel:
    """A model whose products are computed by crossbars: called as the model was, with a key.

    A pytree: it jits, vmaps and differentiates, with respect to the model's parameters, the array's
    numbers and the devices'.

    Attributes:
      array: how each matrix is held.
      cells: what the devices do.
      weights: the model's parameters by path, in floating point.
      others: what else the model holds.
      stream: of all that is drawn at programming.
      crossbars: what was programmed, by use; ``None``: it is programmed at each call, alike.
      time: seconds from the end of programming, or ``None``: before anything drifts.
      wires: resistances of the lines of tiles, or ``None``.
    """

    array: Array
    cells: Cells
    weights: dict[str, Any]
    others: Any
    stream: Any
    crossbars: dict[str, Programmed] | None = None
    time: Leaf | None = None
    wires: Wires | None = None
    function: Callable[..., Any] = static(default=None, doc="of weights, others and inputs")
    layers: tuple[str, ...] = static(default=("*",), doc="patterns of paths on arrays")

    def __call__(self, *args: Any, key: Key[jax.Array, ""] | None = None, **options: Any) -> Any:
        """The model's outputs.

        Args:
          args: what the model takes.
          key: a typed key, a new one for each call, where products are noisy.
          options: what else the model is called with, static: ``train=False``.

        Raises:
          UserError: noise without a key.
        """
        if key is None and self.array.is_random:
            raise UserError(
                "convert: products of this array are noisy; give a key for each call, "
                "analog(x, key=jax.random.key(0))"
            )
        program = self._program_of(*args, **options)
        held = self.crossbars or self._with_crossbars(program, *args).crossbars or {}
        now = {_use(name): one.seen for name, one in held.items()}
        stream = jnp.zeros(2, jnp.uint32) if key is None else random.stream(key)
        return multiplied(
            program,
            self.weights,
            self.others,
            *args,
            products=now,
            multiply=lambda *product: _multiply(*product, is_random=self.array.is_random),
            stream=stream,
            is_chosen=self._is_chosen,
        )

    def program(self, *args: Any, **options: Any) -> "AnalogModel":
        """The model with its crossbars programmed, once: calls are then as fast as they can be.

        Args:
          args: inputs of the shapes that the model takes; values do not matter.
          options: what else the model is called with.

        Raises:
          UserError: a pattern of ``layers`` names no parameter that the model multiplies with, or
            ranges are to be calibrated, which is done matrix by matrix (``calibrate``).

        Warns:
          StaysDigital: parameters that are named are used otherwise than in products.
        """
        return self._with_crossbars(self._program_of(*args, **options), *args)

    def _program_of(self, *args: Any, **options: Any) -> Program:
        function = functools.partial(self.function, **options)
        return program_of(function, self.weights, self.others, *args)

    def _with_crossbars(self, program: Program, *args: Any) -> "AnalogModel":
        for name in ("adc_range", "input_scale"):
            if (kind := getattr(self.array, name)) in ("calibrated", "average_abs_max"):
                raise UserError(
                    f"convert: {name} = {kind!r} needs data of each layer, which a model is not "
                    "calibrated by; take another, such as adc_range = 'max' and input_scale = "
                    "'abs_max'"
                )
        found = matrices(program, self.weights, self.others, *args)
        there = {path for path, _ in found}
        for pattern in self.layers:
            if not fnmatch.filter(there, pattern):
                raise UserError(
                    f"convert: layers: {pattern!r} names no product of the model; it multiplies "
                    f"with {', '.join(sorted(there)) or 'none'}"
                )
        other = [
            path
            for path, w in self.weights.items()
            if jnp.ndim(w) > 1 and path not in there and not path.endswith(("bias", "scale"))
        ]
        if other := [path for path in other if self._is_chosen(path)]:
            warnings.warn(
                f"convert: {', '.join(other)}: used otherwise than in a product, stays digital",
                StaysDigital,
                stacklevel=4,
            )
        crossbars = {
            _name(use): _programmed(self, matrix, random.fold_in(self.stream, _number(_name(use))))
            for use, matrix in found.items()
            if self._is_chosen(use[0])
        }
        return dataclasses.replace(self, crossbars=crossbars)._seen()

    def at(self, time: Leaf | str) -> "AnalogModel":
        """The model at a time after programming, with one draw of the noise of reads.

        Args:
          time: seconds, or a text such as ``"1 day"``.
        """
        return dataclasses.replace(self, time=seconds(time))._seen()

    def replace(self, **changes: Any) -> "AnalogModel":
        """The same with other attributes; unless these are crossbars, it is to be programmed anew.

        Args:
          changes: attributes by name.
        """
        return dataclasses.replace(self, **{"crossbars": None} | changes)

    def _is_chosen(self, path: str) -> bool:
        return any(fnmatch.fnmatchcase(path, pattern) for pattern in self.layers)

    def _seen(self) -> "AnalogModel":
        """The model with its crossbars as they are at its time."""
        if self.crossbars is None or (self.time is None and self.wires is None):
            return self
        time: Any = None if self.time is None else jnp.asarray(self.time, jnp.float32)

        def each(one: Programmed, stream: random.Stream) -> Programmed:
            return programmed.seen_at(one, self.cells, self.wires, time, stream)

        word = jnp.float32(0.0) if time is None else time
        of_now = random.fold_in(self.stream, jax.lax.bitcast_convert_type(word, jnp.int32))
        found = {
            name: _side_by_side(
                each, one, random.fold_in(of_now, _number(name)), one.nu.ndim - _RANK
            )
            for name, one in self.crossbars.items()
        }
        return dataclasses.replace(self, crossbars=found)


_UNITS = {
    "s": 1.0,
    "second": 1.0,
    "minute": 60.0,
    "hour": 3600.0,
    "h": 3600.0,
    "day": 86_400.0,
    "week": 604_800.0,
    "month": 2_592_000.0,
    "year": 31_536_000.0,
}


def seconds(time: Leaf | str) -> Leaf:
    """A time in seconds.

    Args:
      time: seconds, or a number and a unit, ``"1 day"``: second, minute, hour, day, week, month (30
        days) or year (365).

    Raises:
      UserError: a text that is none.

    Example:
      >>> from memjax.crossbar.convert import seconds
      >>> seconds("2 hours"), seconds(5.0)
      (7200.0, 5.0)
    """
    if not isinstance(time, str):
        return time
    number, _, unit = time.strip().partition(" ")
    scale = _UNITS.get(unit.strip().removesuffix("s") or "s")
    try:
        if scale is None or not float(number) >= 0:
            raise ValueError
        return float(number) * scale
    except ValueError:
        raise UserError(
            f"time = {time!r} must be a number and a unit, such as '1 day'; there are "
            f"{', '.join(unit for unit in _UNITS if len(unit) > 1)}"
        ) from None


def convert(
    model: Any,
    array: Array | None = None,
    cells: Cells | None = None,
    *,
    key: Key[jax.Array, ""],
    wires: Wires | None = None,
    inputs: Any = None,
    layers: Sequence[str] = ("*",),
) -> AnalogModel:
    """Puts a trained model on arrays: every product with a parameter is an analog one.

    Dense layers, convolutions of any kind, projections of attention and gates of recurrent cells
    are found in the model's program, whatever their classes. Look-ups of embeddings, biases, norms,
    products of activations with each other and with what is made of several parameters stay
    digital; parameters of which that is so are told.

    Gradients with respect to parameters and to the array's numbers flow where the model is
    programmed at each call, without ``inputs``.

    Args:
      model: an NNX model in evaluation mode; a Linen module and its variables, ``(module,
        variables)``; or a function and its parameters, ``(function, params)``, that is called as
        ``function(params, *inputs)``.
      array: how matrices are held; ideal by default.
      cells: what the devices do; nothing by default.
      key: a typed key: faults, errors and exponents are drawn from it, for life.
      wires: resistances of the lines of tiles, or ``None``: a tile is then what ``effective`` says.
      inputs: an input, or a tuple of all: the model is programmed now. Without, it is at each call,
        to the same conductances.
      layers: patterns of the paths of parameters that go on arrays.

    Returns:
      The model; ``analog.at("1 day")`` is it a day later.

    Raises:
      UserError: a model of another kind or in training mode, or a pattern that names no product.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from flax import nnx
      >>> from memjax.crossbar import Array, convert
      >>> model = nnx.Linear(3, 2, rngs=nnx.Rngs(0))
      >>> x = jnp.ones((1, 3))
      >>> analog = convert(model, Array(on_off=10), key=jax.random.key(0), inputs=x)
      >>> bool(jnp.allclose(analog(x), model(x), atol=1e-6))
      True

    Source: aihwkit's ``convert_to_analog`` and CrossSim's ``convert_torch``, in what they do.
    """
    function, weights, others = _as_function(model)
    analog = AnalogModel(
        array=Array() if array is None else array,
        cells=Cells() if cells is None else cells,
        weights=weights,
        others=others,
        stream=random.stream(key),
        wires=wires,
        function=function,
        layers=tuple([layers] if isinstance(layers, str) else layers),
    )
    if inputs is None:
        return analog
    return analog.program(*(inputs if isinstance(inputs, tuple) else (inputs,)))


def _as_function(model: Any) -> tuple[Callable[..., Any], dict[str, Any], Any]:
    """A model as a function of its float parameters by path, what else it holds, and inputs."""
    # Flax is imported here: it takes a second, and a sweep of perceptrons needs none of it.
    from flax import linen, nnx

    if isinstance(model, nnx.Module):
        for path, part in nnx.iter_modules(model):
            for flag in ("deterministic", "use_running_average"):
                if getattr(part, flag, None) is False:
                    raise UserError(
                        f"convert: {'/'.join(map(str, path))} is in training mode ({flag} = False)"
                        "; call model.eval() first"
                    )
        return _of_nnx(model)
    if isinstance(model, tuple) and len(model) == 2:
        module, variables = model
        call = module.apply if isinstance(module, linen.Module) else module
        if callable(call):
            return _of_tree(call, variables)
    raise UserError(
        f"convert: {type(model).__name__} is no model; give an nnx.Module, (linen module, "
        "variables), or (function, params)"
    )


def _of_nnx(model: Any) -> tuple[Callable[..., Any], dict[str, Any], Any]:
    from flax import nnx

    graph, state = nnx.split(model)
    flat = [("/".join(map(str, path)), path, leaf) for path, leaf in nnx.to_flat_state(state)]
    values = {name: leaf.get_value() for name, _, leaf in flat}
    weights = {
        name: values[name]
        for name, _, leaf in flat
        if isinstance(leaf, nnx.Param) and jnp.issubdtype(values[name].dtype, jnp.floating)
    }
    others = {name: value for name, value in values.items() if name not in weights}

    def function(weights: Any, others: Any, *args: Any, **more: Any) -> Any:
        now = weights | others
        leaves = [(path, leaf.replace(now[name])) for name, path, leaf in flat]
        return nnx.merge(graph, nnx.from_flat_state(leaves))(*args, **more)

    return function, dict(sorted(weights.items())), others


def _of_tree(call: Callable[..., Any], variables: Any) -> tuple[Any, dict[str, Any], Any]:
    leaves, treedef = jax.tree.flatten(variables)
    names = path_texts(variables)
    values = dict(zip(names, leaves, strict=True))
    floats = {n: v for n, v in values.items() if jnp.issubdtype(jnp.asarray(v).dtype, jnp.floating)}
    others = {n: v for n, v in values.items() if n not in floats}

    def function(weights: Any, others: Any, *args: Any, **more: Any) -> Any:
        now = weights | others
        return call(jax.tree.unflatten(treedef, [now[name] for name in names]), *args, **more)

    return function, dict(sorted(floats.items())), others


def _programmed(analog: AnalogModel, matrix: Any, stream: random.Stream) -> Programmed:
    """Crossbars of matrices side by side, each with devices of its own."""

    def one(matrix: Any, stream: random.Stream) -> Programmed:
        key = random.as_key(random.fold_in(stream, 0))
        crossbar = Crossbar(matrix.T, analog.array, key=key)
        return programmed.program(crossbar, analog.cells, random.fold_in(stream, 1))

    return _side_by_side(one, matrix, stream, matrix.ndim - 2)


def _side_by_side(function: Any, tree: Any, stream: random.Stream, axes: int) -> Any:
    """A function of each of several side by side, over leading axes, each with its own stream."""
    if axes == 0:
        return function(tree, stream)
    count = jax.tree.leaves(tree)[0].shape[0]
    streams = jax.vmap(lambda k: random.fold_in(stream, k))(jnp.arange(count))
    return jax.vmap(lambda t, s: _side_by_side(function, t, s, axes - 1))(tree, streams)


def _multiply(crossbar: Crossbar, x: Any, stream: random.Stream, *, is_random: bool) -> Any:
    """``[groups, n, rows]`` by as many crossbars."""
    numbers = jnp.arange(x.shape[0])

    def one(crossbar: Crossbar, x: Any, number: Any) -> Any:
        return crossbar(x, random.as_key(random.fold_in(stream, number)) if is_random else None)

    return jax.vmap(one)(crossbar, x, numbers)


def _number(name: str) -> int:
    """A number of a name, whatever other names there are."""
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


def _name(use: Use) -> str:
    return use[0] if use[1] == 0 else f"{use[0]} #{use[1]}"


def _use(name: str) -> Use:
    path, _, number = name.partition(" #")
    return path, int(number or 0)
