"""Batch norm on arrays that have changed: its statistics estimated again, through the arrays."""

from collections.abc import Callable, Collection
from typing import Any

import jax
import jax.numpy as jnp

from memjax import random
from memjax.crossbar import flax_values
from memjax.crossbar.analog_model import AnalogModel
from memjax.errors import UserError

Training = Callable[..., dict[str, Any]]
"""``training(weights, others, x)``: the running statistics after a batch in training mode."""


def adapt(
    analog: AnalogModel,
    model: Any,
    x: jax.Array,
    *,
    batch_size: int = 100,
    key: jax.Array | None = None,
    **options: Any,
) -> AnalogModel:
    """A model whose batch norm has the statistics of its arrays as they are (AdaBS).

    Errors and drift change the means and variances of what layers give. They are estimated again
    from some inputs, about 1,300, that go through the arrays in training mode: the mean over
    batches of each batch's statistics. Arrays are not touched. Layers such as dropout act as the
    options say.

    Args:
      analog: the model, programmed, at its time.
      model: what it was converted from: an ``nnx.Module``, or a Linen module and its variables.
      x: inputs; a rest that fills no batch is left out.
      batch_size: inputs of a batch.
      key: a typed key, where products are noisy.
      options: what turns a Linen model's batch norm to training mode, such as ``train=True``.

    Raises:
      UserError: the model has no batch norm, or inputs fill no batch.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from flax import nnx
      >>> from memjax.crossbar import Cells, PowerLaw, adapt, convert
      >>> rngs = nnx.Rngs(0)
      >>> model = nnx.Sequential(nnx.Linear(8, 4, rngs=rngs), nnx.BatchNorm(4, rngs=rngs))
      >>> model.eval()
      >>> x = jax.random.normal(jax.random.key(0), (100, 8))
      >>> cells = Cells(drift=PowerLaw(nu=0.1))
      >>> analog = convert(model, None, cells, key=jax.random.key(1), inputs=x).at("1 year")
      >>> y = adapt(analog, model, x)(x)
      >>> abs(float(y.mean())) < 1e-5, round(float(y.var()), 2)
      (True, 1.0)

    Source: Joshi et al., Nat. Commun. 11:2473 (2020).
    """
    from flax import linen, nnx

    if isinstance(model, nnx.Module):
        training, names = _of_nnx(model)
    elif isinstance(model, tuple) and isinstance(model[0], linen.Module):
        training, names = _of_linen(*model, **options)
    else:
        raise UserError(
            "adapt: give the nnx.Module, or the linen module and its variables, that was converted"
        )
    if not names:
        raise UserError("adapt: the model has no batch norm")
    return adapted(analog, training, names, x, batch_size, key)


def adapted(
    analog: AnalogModel,
    training: Training,
    names: Collection[str],
    x: jax.Array,
    batch_size: int,
    key: jax.Array | None,
) -> AnalogModel:
    """``adapt``, of a function that tells running statistics.

    These become ``m s + (1 - m) b`` after a batch of statistics b. From s of 0 and of 1 follow m,
    whatever it is in each layer, and b.

    Args:
      analog: the model, programmed.
      training: the model in training mode.
      names: of the statistics among the model's weights and others.
      x: inputs.
      batch_size: inputs of a batch.
      key: where products are noisy.
    """
    if batch_size < 2:
        raise UserError(f"adapt: batch_size = {batch_size} must be at least 2, to have a variance")
    count = len(x) // batch_size
    if not count:
        raise UserError(f"adapt: {len(x)} inputs are less than a batch of {batch_size}")
    batches = jnp.asarray(x)[: count * batch_size].reshape(count, batch_size, *x.shape[1:])

    def holding(values: Callable[[str, Any], Any]) -> dict[str, Any]:
        of = lambda held: {n: values(n, v) if n in names else v for n, v in held.items()}  # noqa: E731
        return {"weights": of(analog.weights), "others": of(analog.others)}

    def all_of(value: float) -> dict[str, Any]:
        return holding(lambda _, before: jnp.full_like(before, value))

    few = batches[0, :2]
    zero, one = (training(*all_of(v).values(), few) for v in (0.0, 1.0))
    momentum = jax.tree.map(jnp.subtract, one, zero)
    blank = analog.replace(crossbars=analog.crossbars, function=training, **all_of(0.0))

    def of_batch(numbered: tuple[Any, Any]) -> dict[str, Any]:
        number, batch = numbered
        own = None if key is None else random.as_key(random.fold_in(random.stream(key), number))
        return blank(batch, key=own)

    found = jax.lax.map(of_batch, (jnp.arange(count), batches))
    now = jax.tree.map(lambda each, m: jnp.mean(each, axis=0) / (1.0 - m), found, momentum)
    after = holding(lambda name, before: jnp.where(momentum[name] < 1.0, now[name], before))
    return analog.replace(crossbars=analog.crossbars, **after)


def _of_nnx(model: Any) -> tuple[Training, frozenset[str]]:
    from flax import nnx

    model = nnx.clone(model)
    model.set_attributes(use_running_average=False, raise_if_not_found=False)
    variables, merged = flax_values.of_nnx(model)
    names = frozenset(n for n, leaf in variables.items() if isinstance(leaf, nnx.BatchStat))

    def training(weights: Any, others: Any, *args: Any) -> dict[str, Any]:
        network = merged(weights | others)
        network(*args)
        after, _ = flax_values.of_nnx(network)
        return {name: after[name].get_value() for name in names}

    return training, names


def _of_linen(module: Any, variables: Any, **options: Any) -> tuple[Training, frozenset[str]]:
    values, unflattened = flax_values.of_tree(variables)
    found = frozenset(name for name in values if name.startswith("batch_stats/"))

    def training(weights: Any, others: Any, *args: Any) -> dict[str, Any]:
        held = unflattened(weights | others)
        _, after = module.apply(held, *args, mutable=["batch_stats"], **options)
        return flax_values.of_tree(after)[0]

    return training, found
