"""Any trained model on arrays: what its program multiplies with is programmed, the rest stays."""

import warnings
from collections.abc import Callable, Collection, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Key

from memjax import random
from memjax.crossbar import flax_values
from memjax.crossbar.analog_model import AnalogModel
from memjax.crossbar.array import Array
from memjax.crossbar.programmed import Cells
from memjax.crossbar.programming import Extrapolation
from memjax.crossbar.wires import Wires
from memjax.errors import UserError


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
      inputs: an input, or a tuple of all: the model is programmed now, and calibrated by them where
        the array asks for it. Without, it is programmed at each call, to the same conductances.
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
    array = Array() if array is None else array
    cells = Cells() if cells is None else cells
    for name, given, kind in (("array", array, Array), ("cells", cells, Cells)):
        if not isinstance(given, kind):
            raise UserError(f"convert: {name} is a {type(given).__name__}; give a {kind.__name__}")
    if sentence := cells.programming.beyond(array.gmax, array.on_off):
        warnings.warn(f"convert: {sentence}", Extrapolation, stacklevel=2)
    function, weights, others = _as_function(model)
    analog = AnalogModel(
        array=array,
        cells=cells,
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

    variables, merged = flax_values.of_nnx(model)
    values = {name: leaf.get_value() for name, leaf in variables.items()}
    are_params = {name for name, leaf in variables.items() if isinstance(leaf, nnx.Param)}

    def function(weights: Any, others: Any, *args: Any, **more: Any) -> Any:
        return merged(weights | others)(*args, **more)

    return function, *_parted(values, are_params)


def _of_tree(call: Callable[..., Any], variables: Any) -> tuple[Any, dict[str, Any], Any]:
    values, unflattened = flax_values.of_tree(variables)

    def function(weights: Any, others: Any, *args: Any, **more: Any) -> Any:
        return call(unflattened(weights | others), *args, **more)

    return function, *_parted(values, values.keys())


def _parted(
    values: dict[str, Any], are_params: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters in floating point, and what else there is."""
    weights = {
        name: value
        for name, value in sorted(values.items())
        if name in are_params and jnp.issubdtype(jnp.asarray(value).dtype, jnp.floating)
    }
    return weights, {name: value for name, value in values.items() if name not in weights}
