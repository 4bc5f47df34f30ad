"""A network's weights as an array holds them, programmed anew for each mini-batch."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jaxtyping import Key

from memjax import random
from memjax.crossbar.analog_model import AnalogModel, StaysDigital
from memjax.crossbar.array import Array
from memjax.crossbar.convert import convert
from memjax.crossbar.crossbar import IdleOption
from memjax.crossbar.model_products import matrices, program_of
from memjax.crossbar.programmed import Cells
from memjax.crossbar.side_by_side import matrices_of, name_of, use_of
from memjax.crossbar.weight_noise import straight_through
from memjax.crossbar.wires import Wires
from memjax.errors import UserError
from memjax.updates.memristive import path_texts


def programmed_weights(
    model: Any,
    array: Array | None = None,
    cells: Cells | None = None,
    *,
    inputs: Any,
    wires: Wires | None = None,
    layers: Sequence[str] = ("*",),
) -> Callable[[Any, Key[jax.Array, ""]], Any]:
    """A function that programs a model's weights and reads them back: training through the array.

    Limits, levels, errors of programming, faults and wires are the array's own, drawn anew at each
    call. Where products have no converters and no noise they are those with these weights, so the
    model itself computes them, as fast as ever. An array that has is trained through by ``convert``
    within the loss: ``convert((function, params), array, cells, key=key)(x, key=key)``.

    The derivative of what is programmed with respect to the weights is taken as 1
    (straight-through): the gradient at the programmed weights updates the weights.

    Args:
      model: as of ``convert``, ``(function, params)`` say.
      array: how matrices are held; ideal by default.
      cells: what the devices do; nothing by default.
      inputs: an input, or a tuple of all, of the shapes that the model takes; values do not matter.
      wires: resistances of the lines of tiles, or ``None``.
      layers: patterns of the paths of parameters that go on arrays.

    Returns:
      ``seen(params, key)``: params of the same tree, those in products as an array holds them; a
      new key for each mini-batch.

    Raises:
      UserError: converters or noise in products, a parameter that several arrays hold, or what
        ``convert`` refuses.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax.crossbar import Array, Cells, Proportional, programmed_weights
      >>> params, x = {"w": jnp.eye(3), "b": jnp.zeros(3)}, jnp.ones((1, 3))
      >>> def function(params, x):
      ...     return x @ params["w"] + params["b"][None]
      >>> cells = Cells(programming=Proportional(sigma=0.3))
      >>> seen = programmed_weights((function, params), Array(levels=16), cells, inputs=x)
      >>> def loss(params, x, key):
      ...     return jnp.sum(function(seen(params, key), x) ** 2)
      >>> gradients = jax.grad(loss)(params, x, jax.random.key(0))

    Source: CrossSim manual, hardware-aware training (``synchronize``).
    """
    analog = convert(model, array, cells, key=jax.random.key(0), wires=wires, layers=layers)
    if not analog.array.is_matrix:
        raise UserError(
            "programmed_weights: products of this array have converters or noise, which weights do "
            "not show; train through convert((function, params), array, cells, key=key)(x, key=key)"
        )
    given = inputs if isinstance(inputs, tuple) else (inputs,)

    def seen(params: Any, key: Key[jax.Array, ""]) -> Any:
        leaves, treedef = jax.tree.flatten(params)
        by_path = dict(zip(path_texts(params), leaves, strict=True))
        if missing := [path for path in analog.weights if path not in by_path]:
            raise UserError(
                f"programmed_weights: the model has {', '.join(missing)}, which these weights have "
                f"not: {', '.join(by_path) or 'none'}; give weights of the model's own tree"
            )
        weights = {path: by_path[path] for path in analog.weights}
        now = analog.replace(weights=weights, stream=random.stream(key))
        return jax.tree.unflatten(treedef, (by_path | held_weights(now, *given)).values())

    return seen


def held_weights(analog: AnalogModel, *args: Any) -> dict[str, Any]:
    """A model's weights by path, those in products as its arrays hold them, straight-through.

    A parameter that a model uses otherwise too, such as an embedding that is looked up, has what
    is programmed there as well.

    Args:
      analog: a model; unless it is programmed, it is now.
      args: inputs of the shapes that it takes; values do not matter.

    Raises:
      UserError: a parameter that several arrays hold, each with errors of its own.
    """
    weights = jax.lax.stop_gradient(analog.weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdleOption)
        warnings.simplefilter("ignore", StaysDigital)
        crossbars = analog.replace(weights=weights).program(*args).crossbars or {}
    program = program_of(analog.function, weights, analog.others, *args)

    def by_name(weights: Any) -> dict[str, Any]:
        found = matrices(program, weights, analog.others, *args)
        return {name_of(use): matrix for use, matrix in found.items()}

    # Matrices are their parameters' elements in another order: what pulls them back restores it.
    found, pulled = jax.vjp(by_name, weights)
    for name in crossbars:
        path, number = use_of(name)
        if number:
            raise UserError(
                f"programmed_weights: several arrays hold {path}, each with errors of its own; "
                "train through convert((function, params), array, cells, key=key)(x, key=key)"
            )
    seen = {name: matrices_of(one.seen) for name, one in crossbars.items()}
    (held,) = pulled({n: seen.get(n, matrix).astype(matrix.dtype) for n, matrix in found.items()})
    return {
        path: straight_through(w, held[path]) if path in crossbars else w
        for path, w in analog.weights.items()
    }


def paths_on_arrays(analog: AnalogModel, *args: Any) -> tuple[str, ...]:
    """The paths of the parameters that a model's arrays hold.

    Args:
      analog: the model.
      args: inputs of the shapes that it takes.
    """
    program = program_of(analog.function, analog.weights, analog.others, *args)
    found = jax.eval_shape(lambda: matrices(program, analog.weights, analog.others, *args))
    held = (path for path, _ in found if analog.is_chosen(path))
    return tuple(dict.fromkeys(held))
