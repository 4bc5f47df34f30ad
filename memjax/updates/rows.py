"""Rows of crossbars: which are read at an update, and how they are taken and put back.

A crossbar is what hardware would build. The last axis of an array is its columns, the axis before
it its rows. The short axes of a convolution's kernel are rows too, since it is unrolled, and so are
the inputs alone of Flax's query, key and value kernels, ``[inputs, heads, features]``. Every other
leading axis (heads, scanned layers, experts) is one of crossbars side by side, read at one time.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from memjax.updates.memristive import path_texts

_KERNEL = 11
"""The longest side of a convolution's kernel."""
_ATTENTION = ("query", "key", "value")


class Rows(NamedTuple):
    """Where an array's rows are in its crossbar (static).

    Attributes:
      first: number of its first row.
      of: rows of the whole crossbar.
      shape: the array as crossbars side by side, rows, columns.
    """

    first: int
    of: int
    shape: tuple[int, int, int]


class Turn(NamedTuple):
    """The rows of an array that are read at an update.

    Attributes:
      row: their numbers in the array; those that are not read lie within it too.
      turn: how often each was read before.
      is_read: whether each is read.
    """

    row: Array
    turn: Array
    is_read: Array


def crossbars(params: Any) -> list[Rows]:
    """The place of every array, in the order of the leaves.

    Arrays of one parent, as many side by side and as wide, are the rows of one crossbar: a layer's
    bias is the last row of its kernel's.

    Example:
      >>> import jax.numpy as jnp
      >>> params = {"bias": jnp.zeros(3), "kernel": jnp.zeros((4, 3))}
      >>> [(place.first, place.of) for place in crossbars(params)]
      [(0, 5), (1, 5)]
      >>> crossbars({"experts": jnp.zeros((6, 8, 4))})[0].shape
      (6, 8, 4)
    """
    keys, shapes = _keys(params)
    firsts, totals = [], dict.fromkeys(keys, 0)
    for key, shape in zip(keys, shapes, strict=True):
        firsts.append(totals[key])
        totals[key] += shape[1]
    return [
        Rows(first, totals[key], shape)
        for first, key, shape in zip(firsts, keys, shapes, strict=True)
    ]


def largest_of_crossbars(numbers: Any, params: Any) -> Any:
    """The largest number of the arrays of each crossbar, in place of each array's own.

    Args:
      numbers: one an array, a tree congruent with the params.
      params: a tree of weights.

    Example:
      >>> import jax.numpy as jnp
      >>> params = {"bias": jnp.zeros(3), "kernel": jnp.zeros((4, 3))}
      >>> own = {"bias": jnp.float32(3.0), "kernel": jnp.float32(2.0)}
      >>> [float(top) for top in largest_of_crossbars(own, params).values()]
      [3.0, 3.0]
    """
    keys, _ = _keys(params)
    treedef: Any
    own, treedef = jax.tree.flatten(numbers)
    tops: dict[Any, Array] = {}
    for key, number in zip(keys, own, strict=True):
        tops[key] = jnp.maximum(tops[key], number) if key in tops else number
    return treedef.unflatten([tops[key] for key in keys])


def _keys(params: Any) -> tuple[list[tuple[str, int, int]], list[tuple[int, int, int]]]:
    """What names the crossbar of every array, and its shape as crossbars, rows, columns."""
    parents = [path.rpartition("/")[0] for path in path_texts(params)]
    leaves = zip(parents, jax.tree.leaves(params), strict=True)
    shapes = [_shape(parent, jnp.shape(leaf)) for parent, leaf in leaves]
    keys = [(parent, shape[0], shape[2]) for parent, shape in zip(parents, shapes, strict=True)]
    return keys, shapes


def _shape(parent: str, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """An array as crossbars side by side, rows, columns; a vector is one row."""
    if len(shape) < 2:
        return (1, 1, int(np.prod(shape)))
    if len(shape) == 3 and parent.rpartition("/")[2] in _ATTENTION:
        return (1, shape[0], shape[1] * shape[2])
    *leading, rows, columns = shape
    if len(leading) >= 2 and max(leading) <= _KERNEL:
        return (1, int(np.prod(leading)) * rows, columns)
    return (int(np.prod(leading)), rows, columns)


def whose_turn(place: Rows, tile_rows: int, count: Array, every: int | float) -> Turn:
    """The rows of an array that are read at an update.

    A crossbar of more than ``tile_rows`` rows is tiles one below the other, as equal as may be; in
    each a row is read at every ``every``-th update, one after the other, or ``1 / every`` rows at
    every update.

    Args:
      place: of the array.
      tile_rows: most rows of a tile (static).
      count: updates done.
      every: updates between two reads of a tile (static).
    """
    tile = _tile(place, tile_rows)
    reads, wait = _reads(tile, every)
    firsts = np.arange(0, place.of, tile)
    lengths = np.minimum(tile, place.of - firsts)
    mine = (firsts < place.first + place.shape[1]) & (firsts + lengths > place.first)
    of_reads = (np.repeat(of[mine], reads) for of in (firsts - place.first, lengths))
    first, length = (jnp.asarray(of, jnp.int32) for of in of_reads)
    nth = jnp.tile(jnp.arange(reads), int(mine.sum()))
    each = jnp.minimum(reads, length)  # a last tile may have fewer rows than are read
    number = count // wait * each + nth
    row = number % length + first
    is_read = (row >= 0) & (row < place.shape[1]) & (nth < each) & ((count + 1) % wait == 0)
    return Turn(jnp.clip(row, 0, place.shape[1] - 1), number // length, is_read)


def updates_of_a_pass(params: Any, tile_rows: int, every: int | float) -> dict[str, int]:
    """The updates in which every row of an array is read once, by its path.

    Args:
      params: a tree of weights.
      tile_rows: most rows of a tile.
      every: updates between two reads of a tile.

    Example:
      >>> import jax.numpy as jnp
      >>> updates_of_a_pass({"kernel": jnp.zeros((784, 10))}, 512, 1)
      {'kernel': 392}
    """
    found = {}
    for path, place in zip(path_texts(params), crossbars(params), strict=True):
        tile = _tile(place, tile_rows)
        reads, wait = _reads(tile, every)
        found[path] = -(-tile // reads) * wait
    return found


def _tile(place: Rows, tile_rows: int) -> int:
    """Rows of a tile."""
    tiles = max(1, -(-place.of // tile_rows))
    return max(1, -(-place.of // tiles))


def _reads(tile: int, every: int | float) -> tuple[int, int]:
    """Rows read at an update, each at most once, and updates from one read to the next."""
    return (1, int(every)) if every >= 1 else (min(tile, round(1 / every)), 1)


def take(leaf: Array, place: Rows, row: Array) -> Array:
    """Rows of an array: ``[crossbars, rows taken, columns]``."""
    return jnp.take(jnp.reshape(leaf, place.shape), row, axis=1, mode="clip")


def put(leaf: Array, values: Array, place: Rows, turn: Turn) -> Array:
    """An array with the rows that are read replaced."""
    row = jnp.where(turn.is_read, turn.row, place.shape[1])  # beyond the array: dropped
    rows = jnp.reshape(leaf, place.shape).at[:, row].set(values, mode="drop")
    return jnp.reshape(rows, jnp.shape(leaf))
