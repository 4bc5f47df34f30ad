"""A number for each weight array, by its path in the params: what its noise is drawn by."""

import zlib
from typing import Any

import jax
from jax.tree_util import DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey

from memjax.errors import UserError

Path = tuple[Any, ...]


def weight_paths(params: Any) -> list[Path]:
    """The path of every leaf, in the order of the leaves; an ``nnx.Variable``'s is its array's."""
    with_paths, _ = jax.tree_util.tree_flatten_with_path(params)
    return [path[:-1] if path[-1:] == (_OF_VARIABLE,) else path for path, _ in with_paths]


_OF_VARIABLE = GetAttrKey("value")


def leaf_names(params: Any) -> list[int]:
    """A number for each leaf: 31 bits of its path's CRC-32, whatever other leaves there are.

    Args:
      params: a tree of weights.

    Example:
      >>> import zlib
      >>> from memjax.updates.leaf_names import leaf_names
      >>> leaf_names({"layer": [0.0]}) == [zlib.crc32(b"['layer'][0]") >> 1]
      True
    """
    return [_number(path) for path in weight_paths(params)]


def check_leaf_names(who: str, params: Any) -> None:
    """Raises ``UserError`` where two weight arrays would draw the same noise.

    Args:
      who: what asks.
      params: a tree of weights.
    """
    seen: dict[int, Path] = {}
    for path in weight_paths(params):
        other = seen.setdefault(_number(path), path)
        if other is not path:
            raise UserError(
                f"{who}: the weights at {_text(other) or 'the root'} and {_text(path)} would draw "
                "the same noise (their paths have one CRC-32); rename one"
            )


def _number(path: Path) -> int:
    return zlib.crc32(_text(path).encode()) >> 1


def _text(path: Path) -> str:
    """The path as Python writes it: published runs depend on every letter."""
    return "".join(_step(key) for key in path)


def _step(key: Any) -> str:
    match key:
        case DictKey():
            return f"[{key.key!r}]"
        case SequenceKey():
            return f"[{key.idx}]"
        case GetAttrKey():
            return f".{key.name}"
        case FlattenedIndexKey():
            return f"[<flat index {key.key}>]"
    return str(key)
