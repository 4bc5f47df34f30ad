"""Any trained model on arrays: what its program multiplies with is programmed, the rest stays."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Key

from memjax import random
from memjax.crossbar.analog_model import AnalogModel
from memjax.crossbar.array import Array
from memjax.crossbar.programmed import Cells
from memjax.crossbar.wires import Wires
from memjax.errors import UserError
from memjax.updates.memristive import path_texts


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
