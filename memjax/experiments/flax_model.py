"""Anybody's Flax model, NNX or Linen, as two pure functions of flat dicts of arrays."""

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import linen, nnx, traverse_util
from jaxtyping import Array, Key

from memjax.errors import UserError, suggest
from memjax.experiments import own_code
from memjax.nn.linen import PulsedDense
from memjax.nn.pulsed_linear import PulsedLinear

Arrays = dict[str, Array]
"""Arrays by their paths in the model, ``conv/kernel``."""

_TRAINING = {"train": True, "training": True, "is_training": True}
_EVALUATION = {"deterministic": True, "use_running_average": True}


@runtime_checkable
class Model(Protocol):
    """A model whose arrays are outside of it."""

    def init(self, key: Key[Array, ""], x: Array) -> tuple[Arrays, Arrays]:
        """The weights that gradients reach, and all other arrays: statistics, counters, carries.

        Args:
          key: a typed key.
          x: a batch of inputs.
        """
        ...

    def apply(
        self, weights: Arrays, others: Arrays, x: Array, key: Key[Array, ""], *, training: bool
    ) -> tuple[Any, Arrays]:
        """The outputs of a batch, and the other arrays after it.

        Args:
          weights: as of ``init``.
          others: as of ``init``.
          x: a batch of inputs.
          key: a typed key, a new one for each call.
          training: whether it is in training mode (static).
        """
        ...

    def statistics(self, others: Mapping[str, Any]) -> frozenset[str]:
        """Which of the other arrays are running statistics of batches.

        Args:
          others: as of ``init``.
        """
        ...


def model(call: Any, arguments: dict[str, Any]) -> Model:
    """The model that a class, a function or a Linen module makes.

    Args:
      call: called with ``arguments``, and with ``rngs`` where it takes that.
      arguments: of the model.

    Raises:
      UserError: arguments that it does not take, a call that raises, or what is no model; names the
        line of the user's file.
    """
    if isinstance(call, linen.Module):
        if arguments:
            raise UserError(
                f"{place(call)}: is a module already; leave out model.arguments, or give its class"
            )
        return _Linen(call)
    if not callable(call) or isinstance(call, nnx.Module):
        raise UserError(f"{place(call)}: give the class, or a function that makes the model")
    takes_rngs = _check_arguments(call, arguments)
    found: list[Any] = []

    def build(rngs: nnx.Rngs) -> Any:
        return call(**arguments, **({"rngs": rngs} if takes_rngs else {}))

    with users_own():
        jax.eval_shape(lambda: found.append(build(nnx.Rngs(0))))
    made = found[0]
    if isinstance(made, nnx.Module):
        for path, layer in nnx.iter_modules(made):
            if isinstance(layer, PulsedLinear):
                _refuse(call, "/".join(map(str, path)), "PulsedLinear")
        return _Nnx(build)
    if isinstance(made, linen.Module):
        with users_own():
            return _Linen(call(**arguments))
    raise UserError(
        f"{place(call)}: makes a {type(made).__name__}, no flax.nnx.Module or flax.linen.Module"
    )


class _Nnx:
    """A model of Flax NNX.

    The structure is found anew in every trace (by ``nnx.eval_shape``): it is the same each time.
    """

    def __init__(self, build: Callable[[nnx.Rngs], nnx.Module]):
        self.build = build

    def init(self, key: Key[Array, ""], x: Array) -> tuple[Arrays, Arrays]:
        """As of ``Model.init``."""
        del x
        state = nnx.state(self.build(nnx.Rngs(key)))
        weights, others = nnx.split_state(state, _is_trained, ...)
        return _flat(weights), _flat(others)

    def apply(
        self, weights: Arrays, others: Arrays, x: Array, key: Key[Array, ""], *, training: bool
    ) -> tuple[Any, Arrays]:
        """As of ``Model.apply``."""
        abstract = nnx.eval_shape(lambda: self.build(nnx.Rngs(0)))
        graphdef, state = nnx.split(abstract)
        values = weights | others
        filled = [
            (path, _like(leaf, values[_name(path)])) for path, leaf in nnx.to_flat_state(state)
        ]
        network = nnx.merge(graphdef, nnx.from_flat_state(filled))
        network.train() if training else network.eval()
        call = network.__call__  # type: ignore[operator]  # not every module can be called
        flags = _flags(call, training)
        if "rngs" in _parameters(call):
            flags["rngs"] = nnx.Rngs(key)
        outputs = call(x, **flags)
        after = _flat(nnx.split(network)[1])
        return outputs, {name: after[name] for name in others}

    def statistics(self, others: Mapping[str, Any]) -> frozenset[str]:
        """As of ``Model.statistics``."""
        state = nnx.state(nnx.eval_shape(lambda: self.build(nnx.Rngs(0))), nnx.BatchStat)
        return frozenset(_name(path) for path, _ in nnx.to_flat_state(state)) & frozenset(others)


class _Linen:
    """A model of Flax Linen."""

    def __init__(self, module: linen.Module):
        self.module = module
        self.call = type(module).__call__  # type: ignore[operator]

    def init(self, key: Key[Array, ""], x: Array) -> tuple[Arrays, Arrays]:
        """As of ``Model.init``."""
        flags = _flags(self.call, training=False)
        with linen.intercept_methods(_refuse_pulsed):
            variables = linen.meta.unbox(self.module.init(_streams(key), x, **flags))
        weights = traverse_util.flatten_dict(variables.pop("params", {}), sep="/")
        others = traverse_util.flatten_dict(variables, sep="/")
        fixed = {n: w for n, w in weights.items() if not jnp.issubdtype(w.dtype, jnp.floating)}
        others |= {f"params/{name}": w for name, w in fixed.items()}
        return {name: w for name, w in weights.items() if name not in fixed}, others

    def apply(
        self, weights: Arrays, others: Arrays, x: Array, key: Key[Array, ""], *, training: bool
    ) -> tuple[Any, Arrays]:
        """As of ``Model.apply``."""
        values = {f"params/{name}": w for name, w in weights.items()} | others
        variables = traverse_util.unflatten_dict(values, sep="/")
        mutable = [name for name in variables if name != "params"]
        outputs, changed = self.module.apply(
            variables, x, rngs=_streams(key), mutable=mutable, **_flags(self.call, training)
        )
        after = others | traverse_util.flatten_dict(linen.meta.unbox(changed), sep="/")
        return outputs, {name: after[name] for name in others}

    def statistics(self, others: Mapping[str, Any]) -> frozenset[str]:
        """As of ``Model.statistics``."""
        return frozenset(name for name in others if name.startswith("batch_stats/"))


def _is_trained(path: Any, variable: Any) -> bool:
    """What gradients reach: parameters in floating point."""
    del path
    return isinstance(variable, nnx.Param) and bool(jnp.issubdtype(variable.dtype, jnp.floating))


def _flat(state: Any) -> Arrays:
    """The arrays of an NNX state, by their paths; random keys as their words."""
    values = {
        _name(path): leaf.get_value() if isinstance(leaf, nnx.Variable) else leaf
        for path, leaf in nnx.to_flat_state(state)
    }
    return {name: jax.random.key_data(x) if _is_key(x) else x for name, x in values.items()}


def _like(leaf: Any, value: Array) -> Array:
    """The value of a leaf of a state, of ``_flat``."""
    abstract = leaf.get_value() if isinstance(leaf, nnx.Variable) else leaf
    return jax.random.wrap_key_data(value) if _is_key(abstract) else value


def _is_key(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


def _name(path: tuple[Any, ...]) -> str:
    return "/".join(map(str, path))


def _streams(key: Key[Array, ""]) -> dict[str, Key[Array, ""]]:
    """Linen's random streams; one of another name is drawn from ``params``."""
    return {"params": jax.random.fold_in(key, 0), "dropout": jax.random.fold_in(key, 1)}


def _flags(call: Any, training: bool) -> dict[str, Any]:
    """What a call must be told of its mode, where it takes that."""
    known = _parameters(call)
    flags = {name: training for name in _TRAINING if name in known}
    return flags | {name: not training for name in _EVALUATION if name in known}


def _parameters(call: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(call).parameters)


def _check_arguments(call: Any, arguments: dict[str, Any]) -> bool:
    """Raises ``UserError`` for arguments that a call does not take; whether it takes ``rngs``."""
    known = _parameters(getattr(call, "__init__") if isinstance(call, type) else call)  # noqa: B009
    if isinstance(call, type):
        known.pop("self", None)
    kinds = {parameter.kind for parameter in known.values()}
    takes_any = inspect.Parameter.VAR_KEYWORD in kinds
    own = {
        name: p
        for name, p in known.items()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and name not in _NOT_ARGUMENTS
    }
    takes_rngs = "rngs" in known or (takes_any and not _is_linen(call))
    for name in arguments:
        if name not in own and not takes_any:
            hint = suggest(name, own) if own else "it takes none"
            raise UserError(f"{place(call)}: takes no argument {name!r}; {hint}")
    for name, parameter in own.items():
        if parameter.default is inspect.Parameter.empty and name not in arguments:
            raise UserError(f"{place(call)}: needs {name}; give it in [model.arguments]")
    return takes_rngs


_NOT_ARGUMENTS = ("rngs", "parent", "name")


def _is_linen(call: Any) -> bool:
    return isinstance(call, type) and issubclass(call, linen.Module)


def _refuse_pulsed(following: Any, args: Any, kwargs: Any, context: Any) -> Any:
    if isinstance(context.module, PulsedDense):
        _refuse(None, "/".join(context.module.path), "PulsedDense")
    return following(*args, **kwargs)


def _refuse(call: Any, path: str, layer: str) -> None:
    whose = "" if call is None else f"{place(call)}: "
    plain = {"PulsedLinear": "nnx.Linear", "PulsedDense": "linen.Dense"}[layer]
    raise UserError(
        f"{whose}{path} is a {layer}, whose counts this experiment does not take; use {plain}: its "
        "weights are on devices all the same"
    )


@contextlib.contextmanager
def users_own() -> Iterator[None]:
    """Turns whatever the user's code raises into one line that names the place in his file."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(own_code.where(error)) from None


def place(call: Any) -> str:
    """Where something of the user's is defined: ``my_cnn.py:12: CNN``."""
    kind = call if isinstance(call, type) or inspect.isroutine(call) else type(call)
    name = getattr(kind, "__qualname__", repr(kind))
    try:
        return f"{inspect.getsourcefile(kind)}:{inspect.getsourcelines(kind)[1]}: {name}"
    except (OSError, TypeError):  # typed into an interpreter
        return str(name)
