"""A model whose products are computed by crossbars: programmed, called, looked at in time."""

import dataclasses
import fnmatch
import functools
import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Key

from memjax import random
from memjax.crossbar import programmed
from memjax.crossbar.array import Array
from memjax.crossbar.calibrate import calibrate, check_inputs
from memjax.crossbar.crossbar import Crossbar
from memjax.crossbar.model_products import (
    Program,
    matrices,
    multiplicands,
    multiplied,
    program_of,
)
from memjax.crossbar.programmed import Cells, Programmed
from memjax.crossbar.side_by_side import (
    axes_of,
    matrices_of,
    name_of,
    number_of,
    side_by_side,
    use_of,
)
from memjax.crossbar.times import seconds
from memjax.crossbar.wires import Wires
from memjax.errors import UserError
from memjax.pytree import Leaf, params, static


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
      arrays: of those uses whose numbers are others than those of ``array``, by name.
    """

    array: Array
    cells: Cells
    weights: dict[str, Any]
    others: Any
    stream: Any
    crossbars: dict[str, Programmed] | None = None
    time: Leaf | None = None
    wires: Wires | None = None
    arrays: dict[str, Array] | None = None
    function: Callable[..., Any] = static(default=None, doc="of weights, others and inputs")
    layers: tuple[str, ...] = static(default=("*",), doc="patterns of paths on arrays")

    def __call__(self, *args: Any, key: Key[jax.Array, ""] | None = None, **options: Any) -> Any:
        """The model's outputs.

        Args:
          args: what the model takes.
          key: a typed key, a new one for each call, where products are noisy.
          options: what else the model is called with, static: ``train=False``.

        Raises:
          UserError: noise without a key, or calibrated ranges without data.
        """
        if self.crossbars is None and self.array.is_calibrated:
            raise UserError(
                "convert: adc_range or input_scale is found from data; give some hundred inputs, "
                "convert(..., inputs=x), or call analog.program(x)"
            )
        stream = self.stream_of_call(key)
        program = self._program_of(*args, **options)
        held = self.crossbars or self._with_crossbars(program, *args).crossbars or {}
        return multiplied(
            program,
            self.weights,
            self.others,
            *args,
            **self._products(held, stream),
            is_chosen=self.is_chosen,
        )

    def stream_of_call(self, key: Key[jax.Array, ""] | None) -> random.Stream:
        """The random stream of a call; any, where nothing is drawn from it.

        Args:
          key: a typed key, or none.

        Raises:
          UserError: noise without a key.
        """
        if key is None and self.array.is_random:
            raise UserError(
                "convert: products of this array are noisy; give key=jax.random.key(0), and give a "
                "key for each call that is another"
            )
        return jnp.zeros(2, jnp.uint32) if key is None else random.stream(key)

    def program(self, *args: Any, **options: Any) -> "AnalogModel":
        """The model with its crossbars programmed, once: calls are then as fast as they can be.

        Args:
          args: inputs of the shapes that the model takes. Values matter where the array has
            calibrated ranges: these are found from what each matrix is multiplied with in floating
            point, so give some hundred typical inputs.
          options: what else the model is called with.

        Raises:
          UserError: a pattern of ``layers`` names no parameter that the model multiplies with.

        Warns:
          StaysDigital: parameters that are named are used otherwise than in products.
        """
        return self._with_crossbars(self._program_of(*args, **options), *args)

    def _program_of(self, *args: Any, **options: Any) -> Program:
        function = functools.partial(self.function, **options)
        return program_of(function, self.weights, self.others, *args)

    def _with_crossbars(self, program: Program, *args: Any) -> "AnalogModel":
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
        if other := [path for path in other if self.is_chosen(path)]:
            warnings.warn(
                f"convert: {', '.join(other)}: used otherwise than in a product, stays digital",
                StaysDigital,
                stacklevel=4,
            )
        crossbars = {
            name_of(use): self.crossbars_of(name_of(use), matrix)
            for use, matrix in found.items()
            if self.is_chosen(use[0])
        }
        for name, array in (self.arrays or {}).items():
            if name not in crossbars:
                raise UserError(
                    f"arrays: {name!r} is no product on arrays; there are {', '.join(crossbars)}"
                )
            for asks in ("is_random", "is_calibrated"):
                if getattr(array, asks) != getattr(self.array, asks):
                    raise UserError(
                        f"arrays: {name} and the others differ in {asks}; give all noise, or all "
                        "calibrated ranges, or none"
                    )
        if self.array.is_calibrated:
            check_inputs("convert", args)
            crossbars = self._calibrated(crossbars, program, *args)
        return dataclasses.replace(self, crossbars=crossbars)._seen()

    def _calibrated(
        self, crossbars: dict[str, Programmed], program: Program, *args: Any
    ) -> dict[str, Programmed]:
        """Crossbars with ranges from what they would be multiplied with in floating point."""
        none = {"products": {}, "multiply": _multiply, "stream": self.stream}
        rows = multiplicands(program, self.weights, self.others, *args, **none, every_branch=True)

        def ranged(of: tuple[Programmed, Any], stream: random.Stream) -> Programmed:
            one, x = of
            seen = (
                one.crossbar if self.wires is None else programmed.wired(one.crossbar, self.wires)
            )
            seen = calibrate(seen, x, random.as_key(stream))
            ranges = {"adc_range": seen.adc_range, "input_range": seen.input_range}
            made = one.crossbar.replace(**ranges)
            return one._replace(crossbar=made, seen=made)

        return {
            name: side_by_side(
                ranged,
                (one, rows[use_of(name)]),
                random.fold_in(self._stream_of(name), 2),
                axes_of(one),
            )
            for name, one in crossbars.items()
        }

    def multiplicands(
        self, *args: Any, stream: random.Stream, **options: Any
    ) -> dict[str, tuple[Any, Any]]:
        """The matrix of each product that is on arrays, and all that it is multiplied with.

        Args:
          args: what the model is called with.
          stream: random stream of the call.
          options: what else it is called with.

        Returns:
          By use, ``[..., rows, columns]`` of the model's parameters and ``[..., n, rows]``; without
          those of branches that the inputs do not take, unless they are traced.
        """
        program = self._program_of(*args, **options)
        held = self.crossbars or self._with_crossbars(program, *args).crossbars or {}
        rows = multiplicands(
            program, self.weights, self.others, *args, **self._products(held, stream)
        )
        found = matrices(program, self.weights, self.others, *args)
        uses = {name: use_of(name) for name in held}
        return {name: (found[use], rows[use]) for name, use in uses.items() if use in rows}

    def _products(self, held: dict[str, Programmed], stream: random.Stream) -> dict[str, Any]:
        """How a program multiplies."""
        return {
            "products": {use_of(name): _operand(one.seen) for name, one in held.items()},
            "multiply": functools.partial(_multiply, is_random=self.array.is_random),
            "stream": stream,
        }

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

    def crossbars_of(self, name: str, matrix: Any) -> Programmed:
        """The crossbars of a use, programmed.

        Args:
          name: of the use.
          matrix: matrices side by side, ``[..., rows, columns]``.
        """
        array = self.array_of(name)

        def one(matrix: Any, stream: random.Stream) -> Programmed:
            key = random.as_key(random.fold_in(stream, 0))
            crossbar = Crossbar(matrix.T, array, key=key)
            return programmed.program(crossbar, self.cells, random.fold_in(stream, 1))

        return side_by_side(one, matrix, self._stream_of(name), matrix.ndim - 2)

    def array_of(self, name: str) -> Array:
        """How the matrix of a use is held.

        Args:
          name: of the use.
        """
        return (self.arrays or {}).get(name, self.array)

    def _stream_of(self, name: str) -> random.Stream:
        """The random stream of a use's crossbars, for life."""
        return random.fold_in(self.stream, number_of(name))

    def is_chosen(self, path: str) -> bool:
        """Whether products with a parameter go on arrays.

        Args:
          path: of the parameter.
        """
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
            name: side_by_side(each, one, random.fold_in(of_now, number_of(name)), axes_of(one))
            for name, one in self.crossbars.items()
        }
        return dataclasses.replace(self, crossbars=found)


def _operand(crossbar: Crossbar) -> Any:
    """What a product is made by: a crossbar, or the matrix that it is."""
    if not crossbar.array.is_matrix or crossbar.bias is not None:
        return crossbar
    return matrices_of(crossbar)


def _multiply(crossbar: Crossbar, x: Any, stream: random.Stream, *, is_random: bool) -> Any:
    """``[groups, n, rows]`` by as many crossbars."""
    numbers = jnp.arange(x.shape[0])

    def one(crossbar: Crossbar, x: Any, number: Any) -> Any:
        return crossbar(x, random.as_key(random.fold_in(stream, number)) if is_random else None)

    return jax.vmap(one)(crossbar, x, numbers)
