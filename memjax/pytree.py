"""Parameters as pytrees: a frozen, keyword-only dataclass whose fields are array leaves.

Whatever a user may vary is a leaf, so it can be swept with ``vmap`` in one compilation; whatever
fixes a shape is a *static* field, and each of its values compiles once. Fields declare their range
and unit where they stand; a concrete value out of range raises when the object is built, a traced
one is let through.
"""

import dataclasses
import numbers
import operator
from collections.abc import Mapping
from typing import Any, TypeVar, dataclass_transform, get_args

import jax
import jax.numpy as jnp
import numpy as np

from memjax.errors import UserError

Leaf = jax.Array | np.ndarray | np.floating | np.integer | float | int
"""A number that may be swept: concrete, an array (a batch of variants), or traced."""

_T = TypeVar("_T")


def param(
    default: float | None,
    doc: str,
    *,
    unit: str = "",
    at_least: float | int | None = None,
    more_than: float | int | None = None,
    at_most: float | int | None = None,
    less_than: float | int | None = None,
    swept: bool = True,
) -> Any:
    """A field that may be swept; ``None`` as a default means that the effect is absent."""
    bounds = {
        "at_least": at_least,
        "more_than": more_than,
        "at_most": at_most,
        "less_than": less_than,
    }
    metadata = {"doc": doc, "unit": unit, "bounds": bounds, "swept": swept}
    return dataclasses.field(default=default, metadata=metadata)


def static(
    default: Any,
    doc: str,
    *,
    choices: tuple[str, ...] | None = None,
    each: Mapping[str, float | int] | None = None,
    swept: bool = True,
    adds_stages: bool = False,
    is_function: bool = False,
    hidden: bool = False,
    **bounds: float | int,
) -> Any:
    """A field that fixes a shape or a program: one compilation a value.

    Args:
      default: its value where nothing else is said.
      doc: what it is.
      choices: the names that it may be, if it is one of several.
      each: bounds of every entry, of a tuple of numbers.
      swept: whether an axis may vary it.
      adds_stages: whether another value only means more stages, or fewer, of the same lane; then
        no axis may vary it.
      is_function: whether it names one in a Python file, ``"my_cnn.py:CNN"``.
      hidden: whether no specification may give it: a Python object.
      bounds: ``at_least``, ``more_than``, ``at_most``, ``less_than``.
    """
    metadata = {"doc": doc, "unit": "", "bounds": bounds, "choices": choices, "static": True}
    metadata |= {
        "each": dict(each or {}),
        "swept": swept and not adds_stages,
        "adds_stages": adds_stages,
    }
    metadata |= {"is_function": is_function, "hidden": hidden}
    return dataclasses.field(default=default, metadata=metadata)


def table(default: Any, doc: str, *, unit: str = "", rank: int | None = None) -> Any:
    """A field that holds an array: a curve measured on a device; its shape is static.

    Args:
      default: nested tuples of numbers; their depth is the array's rank. ``None``: absent.
      doc: what it is.
      unit: of its entries.
      rank: the array's rank where the default does not say it.
    """
    rank = np.ndim(default) if rank is None else rank
    metadata = {"doc": doc, "unit": unit, "bounds": {}, "rank": rank}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(param, static, table)
)
def params(cls: type[_T]) -> type[_T]:
    """Makes a class a frozen keyword-only dataclass, checked when built, and a JAX pytree.

    Example:
      >>> import jax
      >>> from memjax.devices import ConstantStep
      >>> jax.tree.leaves(ConstantStep(levels=16, on_off=8))[:2]
      [16, 8]
    """
    if not hasattr(cls, "__post_init__"):
        cls.__post_init__ = check  # type: ignore[attr-defined]
    cls = dataclasses.dataclass(frozen=True, kw_only=True)(cls)
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    data = [f.name for f in fields if not f.metadata.get("static")]
    meta = [f.name for f in fields if f.metadata.get("static")]

    def flatten_with_keys(obj: Any):
        keys = [(jax.tree_util.GetAttrKey(name), getattr(obj, name)) for name in data]
        return keys, tuple(getattr(obj, name) for name in meta)

    def flatten(obj: Any):
        return [getattr(obj, name) for name in data], tuple(getattr(obj, name) for name in meta)

    def unflatten(aux: tuple, leaves: Any) -> _T:
        obj = object.__new__(cls)  # no check: leaves may be tracers or JAX's placeholders
        for name, value in zip(data + meta, (*leaves, *aux), strict=True):
            object.__setattr__(obj, name, value)
        return obj

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
    return cls


def check(obj: Any) -> None:
    """Raises ``UserError`` for the first field of ``obj`` that is out of its declared range."""
    for field in dataclasses.fields(obj):
        value = getattr(obj, field.name)
        bounds, is_static = field.metadata.get("bounds"), field.metadata.get("static")
        choices = field.metadata.get("choices")
        what = f"{type(obj).__name__}: {field.name}"
        if is_static and isinstance(value, jax.Array):
            raise UserError(
                f"{what} fixes a program, which no array can; give a Python number, to "
                f'optax.inject_hyperparams static_args = ["{field.name}"]'
            )
        if isinstance(field.default, bool) and not isinstance(value, bool | np.bool_):
            raise UserError(f"{what} = {value!r} must be True or False")
        if choices is not None and value not in choices:
            known = ", ".join(choices)
            raise UserError(f"{what} = {value!r} must be one of {known}")
        if field.metadata.get("is_function") and value and ".py:" not in value:
            raise UserError(
                f"{what} = {value!r} must name something in a Python file, 'file.py:name'"
            )
        if bounds is None or (is_static and not bounds):
            continue
        if isinstance(value, jax.core.Tracer) or (value is None and field.default is None):
            continue
        if "rank" in field.metadata:
            object.__setattr__(obj, field.name, _as_table(obj, field, value))
            continue
        whole = bool(is_static) and field.type is not float and float not in get_args(field.type)
        check_number(what, value, whole=whole, **bounds)


_RULES = {
    "at_least": (operator.ge, "at least"),
    "more_than": (operator.gt, "more than"),
    "at_most": (operator.le, "at most"),
    "less_than": (operator.lt, "less than"),
}


def check_number(
    what: str, value: Any, *, whole: bool = False, finite: bool = True, **bounds: float | int | None
) -> None:
    """Raises ``UserError`` for what is no number, or out of range; a traced value is let through.

    Args:
      what: its owner and name.
      value: a number, or an array of them.
      whole: whether it must be one whole number.
      finite: whether it must be finite.
      bounds: ``at_least``, ``more_than``, ``at_most``, ``less_than``.
    """
    if isinstance(value, jax.core.Tracer):
        return
    if hasattr(value, "dtype"):
        kinds = (jnp.floating, jnp.integer, jnp.bool_)
        is_number = any(jnp.issubdtype(value.dtype, kind) for kind in kinds)
    else:
        is_number = isinstance(value, numbers.Real)
    if not is_number:
        raise UserError(f"{what} = {value!r} must be a number")
    if whole and (isinstance(value, bool) or not isinstance(value, numbers.Integral)):
        raise UserError(f"{what} = {value!r} must be whole")
    array = np.asarray(value)
    if finite:
        _check_finite(what, value)
    for name, bound in bounds.items():
        holds, said = _RULES[name]
        if bound is not None and not np.all(holds(array, bound)):
            raise UserError(f"{what} = {value} must be {said} {bound:g}")


def _check_finite(what: str, value: Any) -> None:
    """A float32 can hold it; whole numbers beyond any float have no shorter name than "it"."""
    try:
        array = np.asarray(value).astype(float)
    except OverflowError:
        raise UserError(f"{what} is more than a float32 can hold; give a smaller number") from None
    if not np.all(np.isfinite(array)):
        hint = f"; {INSTEAD_OF_INFINITY}" if np.any(np.isinf(array)) else ""
        raise UserError(f"{what} = {value} must be finite{hint}")
    if np.any(np.abs(array) > float(np.finfo(np.float32).max)):
        raise UserError(f"{what} = {value} is more than a float32 can hold; give a smaller number")


INSTEAD_OF_INFINITY = "give a large number, such as 1e6"
"""What an infinite parameter is told: 1e6 levels, say, are none that a training would see."""


def _as_table(obj: Any, field: dataclasses.Field, value: Any) -> Any:
    """The entries as an array of the field's rank (a batch of them may have one more)."""
    rank, where = field.metadata["rank"], f"{type(obj).__name__}: {field.name}"
    try:
        with np.errstate(over="ignore"):  # told below
            entries = value if isinstance(value, jax.Array) else np.asarray(value, np.float32)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"{where} must be rows of equally many numbers") from None
    if entries.ndim < rank or min(entries.shape[-rank:]) < 2:
        raise UserError(f"{where} has shape {entries.shape}; give at least 2 entries a dimension")
    if not np.all(np.isfinite(np.asarray(entries))):
        raise UserError(f"{where} must be finite; leave no entry out")
    return entries


def batched(obj: _T, size: int) -> _T:
    """The same params with every leaf an array of ``size`` variants: one that is none is repeated.

    Args:
      obj: params, which may hold others.
      size: number of variants.
    """
    if not dataclasses.is_dataclass(obj):
        return obj
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(obj):
        value = getattr(obj, field.name)
        if field.metadata.get("static"):
            continue
        if dataclasses.is_dataclass(value):
            changes[field.name] = batched(value, size)
        elif value is not None:
            rank = field.metadata.get("rank", 0)
            changes[field.name] = _repeated(np.asarray(value), rank, (size,))
    return dataclasses.replace(obj, **changes)  # type: ignore[type-var]


def align(obj: Any) -> None:
    """Repeats numbers beside those that are batches of variants: ``vmap`` takes all of them so.

    Args:
      obj: params that are being built; one of whose fields are traced or fit no common shape stays
        as it is.
    """
    fields = [f for f in dataclasses.fields(obj) if not f.metadata.get("static")]
    values = {f.name: getattr(obj, f.name) for f in fields if getattr(obj, f.name) is not None}
    ranks = {f.name: f.metadata.get("rank", 0) for f in fields}
    if any(isinstance(value, jax.core.Tracer) for value in values.values()):
        return
    shapes = {name: np.shape(value) for name, value in values.items()}
    batches = {shape[: len(shape) - ranks[name]] for name, shape in shapes.items()}
    if batches == {()}:
        return
    try:
        batch = np.broadcast_shapes(*batches)
    except ValueError:
        return
    for name, value in values.items():
        repeated = _repeated(np.asarray(value, np.float32), ranks[name], batch)
        object.__setattr__(obj, name, repeated)


def given(**parameters: Any) -> dict[str, Any]:
    """The parameters that are not ``None``; the others have their class's defaults."""
    return {name: value for name, value in parameters.items() if value is not None}


def _repeated(array: np.ndarray, rank: int, batch: tuple[int, ...]) -> np.ndarray:
    """An array of this rank, or a batch of them, as a batch of this shape."""
    return np.broadcast_to(array, (*batch, *array.shape[array.ndim - rank :]))


def as_arrays(tree: _T) -> _T:
    """The same pytree with every leaf a float32 array (a fixed point of types under ``scan``)."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), tree)
