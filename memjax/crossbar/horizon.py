"""Programming for a horizon: targets whose error is least when an array is used, not written."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Key

from memjax import random
from memjax.crossbar.analog_model import AnalogModel
from memjax.crossbar.array import Array
from memjax.crossbar.programmed import Cells
from memjax.crossbar.side_by_side import matrices_of, number_of
from memjax.errors import UserError
from memjax.pytree import Leaf

_FLAT = 1e-3
"""Of the error's derivative: what is smaller is taken for noise of the draws."""


def program_for(
    analog: AnalogModel,
    *args: Any,
    time: Leaf | str,
    key: Key[jax.Array, ""],
    steps: int = 60,
    draws: int = 8,
    learning_rate: float = 0.03,
    **options: Any,
) -> AnalogModel:
    """The model, programmed so that its products are best at a time to come.

    For each layer, the share ``omega`` of the range that its largest weights take, and where
    weights have several pairs their ``significance``, are those that minimise
    ``E |x (W'(t) - W)|^2 / |x W|^2``: W' what the conductances make at time t, the expectation over
    errors of programming, exponents of drift and reads, x the inputs that the layer gets in
    floating point. By Adam on gradients through programming and drift, new devices at each step.
    Converters are not looked at.

    Args:
      analog: a model of numbers to begin with; its crossbars are not kept.
      args: what it is called with: some hundred typical inputs.
      time: seconds from the end of programming, or a text such as ``"1 day"``.
      key: a typed key, of the devices that the search draws; the model's own are others.
      steps: of the search.
      draws: programmings whose mean error a step looks at.
      learning_rate: of the logarithms of omega and significances.
      options: what else the model is called with.

    Returns:
      The model, programmed, at that time; ``found.arrays`` are the arrays of each layer.

    Raises:
      UserError: a weight limit that is given, or less than one step or draw.

    Example:
      >>> import jax
      >>> from flax import nnx
      >>> from memjax.crossbar import PCM, Cells, PCMDrift, convert, program_for
      >>> model, x = nnx.Linear(20, 5, rngs=nnx.Rngs(0)), jax.numpy.eye(20)
      >>> cells = Cells(programming=PCM(), drift=PCMDrift())
      >>> analog = convert(model, None, cells, key=jax.random.key(1))
      >>> found = program_for(analog, x, time="1 day", key=jax.random.key(2), steps=5)
      >>> float(found.arrays["kernel"].omega) != 1.0
      True

    Source: the search of aihwkit's ``inference`` documentation, for pairs of several significances.
    """
    if steps < 1 or draws < 1:
        raise UserError(f"program_for: steps = {steps} and draws = {draws} must be at least 1")
    if analog.array.weight_limit is not None:
        raise UserError("program_for: weight_limit is given, so there is nothing to find; leave it")
    digital = dataclasses.replace(
        analog, array=Array(), cells=Cells(), crossbars=None, time=None, wires=None, arrays=None
    )
    layers = digital.multiplicands(*args, stream=random.stream(key), **options)
    arrays = {}
    for name, (matrix, x) in layers.items():
        own = jax.random.fold_in(key, number_of(name))
        arrays[name] = _found(
            analog.replace(time=None), name, matrix, x, time, own, steps, draws, learning_rate
        )
    return analog.replace(arrays=arrays, time=None).program(*args, **options).at(time)


def _found(
    analog: AnalogModel,
    name: str,
    matrix: Any,
    x: Any,
    time: Leaf | str,
    key: Any,
    steps: int,
    draws: int,
    learning_rate: float,
) -> Array:
    """The array of a layer."""
    wanted = jnp.matmul(x, matrix, precision=jax.lax.Precision.HIGHEST)
    before = analog.array_of(name)
    given = {"omega": 1.0 if before.omega is None else before.omega}
    if before.significance is not None:
        given["significance"] = before.significance
    start = {name: jnp.log(jnp.asarray(of, jnp.float32)) for name, of in given.items()}

    def array(logs: dict[str, Any]) -> Array:
        numbers: dict[str, Any] = {name: jnp.exp(log) for name, log in logs.items()}
        return dataclasses.replace(before, **numbers)

    def error(logs: dict[str, Any], key: Any) -> Any:
        now = dataclasses.replace(analog, stream=random.stream(key), arrays={name: array(logs)})
        held = {name: now.crossbars_of(name, matrix)}
        later = dataclasses.replace(now, crossbars=held).at(time)
        assert later.crossbars is not None
        seen = matrices_of(later.crossbars[name].seen)
        y = jnp.matmul(x, seen, precision=jax.lax.Precision.HIGHEST)
        return jnp.mean((y - wanted) ** 2) / jnp.mean(wanted**2)

    tx = optax.adam(optax.cosine_decay_schedule(learning_rate, steps), eps=_FLAT)

    @jax.jit
    def search(logs: dict[str, Any]) -> dict[str, Any]:
        def step(carry: Any, number: Any) -> tuple[Any, Any]:
            logs, state = carry
            keys = jax.random.split(jax.random.fold_in(key, number), draws)
            mean = lambda logs: jnp.mean(jax.vmap(lambda k: error(logs, k))(keys))  # noqa: E731
            updates, state = tx.update(jax.grad(mean)(logs), state)
            return (optax.apply_updates(logs, updates), state), None

        (logs, _), _ = jax.lax.scan(step, (logs, tx.init(logs)), jnp.arange(steps))
        return logs

    with jax.numpy_dtype_promotion("standard"):  # Optax's own
        return array(search(start))
