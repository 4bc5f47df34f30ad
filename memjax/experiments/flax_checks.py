"""What of a user's model is known before it runs: its shapes, and whether they suit its data."""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from memjax import random
from memjax.errors import UserError
from memjax.experiments.convolutions import as_products
from memjax.experiments.images import Labelled
from memjax.updates.memristive import chosen

Arguments = tuple[tuple[str, Any], ...]
"""A model's, by name."""


@functools.lru_cache(maxsize=64)
def made(call: Any, arguments: Arguments) -> Any:
    """The model, as pure functions; Flax is imported here first, of which it takes a second."""
    from memjax.experiments import flax_model

    return flax_model.model(call, dict(arguments))


def abstract(array: Any, samples: int | None = None) -> jax.ShapeDtypeStruct:
    """The shape of so many samples of an array; of all."""
    return jax.ShapeDtypeStruct((samples or len(array), *array.shape[1:]), array.dtype)


def on_devices(weights: Mapping[str, Any], patterns: tuple[str, ...]) -> dict[str, bool]:
    """Whether each weight is on devices, as transforms choose (``memjax.updates.memristive``)."""
    found = chosen("Network", patterns or None, [*weights], [*weights.values()])
    return dict(zip(weights, found, strict=True))


def check_weights(weights: Mapping[str, Any], patterns: tuple[str, ...]) -> dict[str, bool]:
    """As ``on_devices``; raises ``UserError`` where that cannot be."""
    known, found = ", ".join(weights) or "none", on_devices(weights, patterns)
    if not any(found.values()):
        raise UserError(
            f"Network: memristive is missing: no weight has rank 2; name some of {known}"
        )
    for name, weight in weights.items():
        if found[name] and weight.dtype != np.float32:
            raise UserError(
                f"Network: memristive weight {name} is {weight.dtype}; give the layer "
                "param_dtype = float32, as devices need"
            )
    return found


@functools.lru_cache(maxsize=64)
def traced(call: Any, arguments: Arguments, x: Any) -> tuple[Any, Any]:
    """Shapes of a model's weights and of its outputs; one line for what its code raises."""
    from memjax.experiments import flax_model

    def both(words: Array, x: Array) -> tuple[Any, Any]:
        model = made(call, arguments)
        weights, others = model.init(random.as_key(words), x)
        return weights, [
            model.apply(weights, others, x, random.as_key(words), training=training)[0]
            for training in (True, False)
        ]

    with flax_model.users_own():
        weights, outputs = jax.eval_shape(both, jax.ShapeDtypeStruct((2,), np.uint32), x)
    return weights, outputs[1]


def largest(call: Any, arguments: Arguments, x: Any) -> int:
    """Numbers in the largest array of a forward pass."""
    model, words = made(call, arguments), jax.ShapeDtypeStruct((2,), np.uint32)
    weights, others = jax.eval_shape(lambda words, x: model.init(random.as_key(words), x), words, x)

    def apply(words: Array, *given: Any) -> Any:
        return as_products(functools.partial(model.apply, training=True))(
            *given, random.as_key(words)
        )

    program = jax.make_jaxpr(apply)(words, weights, others, x)
    arrays = [v.aval for equation in program.eqns for v in equation.outvars]
    return max(math.prod(getattr(aval, "shape", ())) for aval in arrays)


def check_loss(loss: Callable[[Any, Array], Any], outputs: Any, labels: Any) -> None:
    """Raises ``UserError`` where a loss is no number."""
    from memjax.experiments import flax_model

    found: list[Any] = []
    with flax_model.users_own():
        jax.eval_shape(lambda *given: found.append(loss(*given)), outputs, labels)
    if not (_is_number(found[0]) and jnp.issubdtype(jnp.asarray(found[0]).dtype, jnp.floating)):
        raise UserError(
            f"{flax_model.place(loss)}: gives {_said(found[0])}; return one number, such as a mean "
            "over the batch"
        )


@functools.lru_cache(maxsize=64)
def metric_names(
    call: Any, arguments: Arguments, metrics: Callable[[Any, Array], Any], x: Any, labels: Any
) -> tuple[str, ...]:
    """The names of what the metrics report, in their own order; ``UserError`` for no numbers."""
    from memjax.experiments import flax_model

    outputs, found = traced(call, arguments, x)[1], []
    with flax_model.users_own():
        jax.eval_shape(lambda *given: found.append(metrics(*given)), outputs, labels)
    if not isinstance(found[0], Mapping) or not found[0]:
        raise UserError(
            f"{flax_model.place(metrics)}: gives {_said(found[0])}; return a dict of numbers, such "
            "as {'error': ...}"
        )
    for name, value in found[0].items():
        if not isinstance(name, str) or not name.isidentifier():
            raise UserError(
                f"{flax_model.place(metrics)}: {name!r} is to name a column; take letters, digits "
                "and underscores"
            )
        if not _is_number(value):
            raise UserError(
                f"{flax_model.place(metrics)}: {name} is {_said(value)}; return one number"
            )
    return tuple(found[0])


def check_scores(call: Any, outputs: Any, samples: int, data: Labelled, key: str) -> None:
    """Raises ``UserError`` for outputs that are no scores, one a class."""
    from memjax.experiments import flax_model

    shape = getattr(outputs, "shape", None)
    if shape is None or len(shape) != 2 or shape[0] != samples or shape[1] < data.n_classes:
        raise UserError(
            f"{flax_model.place(call)}: gives {_said(outputs)} for {samples} samples of "
            f"{data.n_classes} classes; return a score a class, or name a {key} of your own"
        )


def _is_number(value: Any) -> bool:
    is_array = isinstance(value, int | float | jax.Array | np.ndarray | np.generic)
    return is_array and np.shape(value) == ()


def _said(value: Any) -> str:
    """What a value is, in words."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{value.dtype}{list(value.shape)}"
    return "nothing" if value is None else f"a {type(value).__name__}"
