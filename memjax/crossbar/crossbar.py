"""A matrix on an array: programmed once, then multiplied by."""

import dataclasses
import warnings
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, Key

from memjax import random
from memjax.crossbar import access, tiling
from memjax.crossbar.array import Array
from memjax.crossbar.dac import number_of_slices
from memjax.crossbar.mapping import decoding, encode, limits
from memjax.crossbar.product import multiply
from memjax.crossbar.state import CrossbarState
from memjax.crossbar.tiling import Tiles
from memjax.errors import UserError
from memjax.pytree import params


class IdleOption(UserWarning):
    """An option of an array that has no effect."""


@params
class Crossbar(CrossbarState):
    """A matrix W that is held by an array: ``crossbar @ x``, or ``crossbar(x)`` of a batch.

    A pytree that may be traced, mapped and differentiated, with respect to W, x and every number of
    the array. Its conductances may be replaced: devices that were programmed with errors, aged, or
    seen through wires are ``crossbar.replace(g=...)``.

    Args:
      W: the matrix, outputs by inputs.
      array: how it is held; ideal by default.
      key: a typed key for what is drawn for life, where the array has a ``gain_sigma``,
        ``offset_sigma`` or ``v_offset_sigma``.

    The attributes are those of ``CrossbarState``.

    Raises:
      UserError: W is no matrix of numbers, or the array needs a key.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar import Array, Crossbar
      >>> W = jnp.array([[1.0, -0.5], [0.25, 0.75]])
      >>> crossbar = Crossbar(W, Array(on_off=10, dac_bits=8, adc_bits=8))
      >>> (crossbar @ jnp.array([1.0, 1.0])).round(1).tolist()
      [0.5, 1.0]
      >>> crossbar.g.shape  # one slice, G+ and G-, one tile, 2 x 2 cells
      (1, 2, 1, 1, 2, 2)
    """

    def __init__(
        self, W: Any, array: Array | None = None, *, key: Key[jax.Array, ""] | None = None
    ):
        array = Array() if array is None else array
        W = _as_matrix(W)
        _check_single(array)
        for sentence in array.idle():
            warnings.warn(f"Array: {sentence}", IdleOption, stacklevel=2)
        tiles = tiling.tiles(array, W.shape)
        g, limit = _map(W, array, tiles)
        columns = None
        if array.has_spread:
            if key is None:
                raise UserError(
                    "Crossbar: gain_sigma, offset_sigma and v_offset_sigma are drawn once, from a "
                    "key: Crossbar(W, array, key=jax.random.key(0))"
                )
            sides = 2 if array.is_pair and array.subtract == "digital" else 1
            shape = (3, g.shape[0], sides, *g.shape[2:4], g.shape[-1])
            columns = random.normal(random.stream(key), shape)
        self._set(array=array, g=g, limit=limit, columns=columns)
        self._set(adc_range=None, input_range=None, gain=None, bias=None)
        self._set(tiles=tiles, cycles=number_of_slices(array))

    @property
    def siemens(self) -> jax.Array:
        """Conductances in siemens, of the shape of ``g``."""
        return self.g * jnp.asarray(self.array.gmax, jnp.float32)

    def __call__(
        self, x: Any, key_or_stream: jax.Array | Key[jax.Array, ""] | None = None
    ) -> Float32[jax.Array, "*batch outputs"]:
        """The product ``W x`` of each input, as the array makes it.

        Args:
          x: inputs; leading dimensions are a batch, the last one those of a row each.
          key_or_stream: a typed key or a random stream, a new one for each product, where the
            array has noise.

        Raises:
          UserError: inputs of another size, noise without a key, a calibrated range without data.
        """
        x = jnp.asarray(x, jnp.float32)
        if not x.ndim or x.shape[-1] != self.shape[1]:
            raise UserError(
                f"Crossbar: inputs of shape {x.shape} for a matrix of {self.shape}; their last "
                f"dimension must be {self.shape[1]}"
            )
        if self.array.is_random and key_or_stream is None:
            raise UserError(
                "Crossbar: the array has noise, or rounds stochastically: give a key for each "
                "product, crossbar(x, key)"
            )
        stream = key_or_stream
        if stream is not None and jnp.issubdtype(stream.dtype, jax.dtypes.prng_key):
            stream = random.stream(stream)
        y = _multiply(self, x.reshape(-1, x.shape[-1]), stream)
        return y.reshape(*x.shape[:-1], self.shape[0])

    def __matmul__(self, x: Any) -> jax.Array:
        """``W @ x`` of a vector, or of a matrix of columns, where the array has no noise."""
        x = jnp.asarray(x, jnp.float32)
        return self(x) if x.ndim == 1 else self(x.mT).mT

    def weights(self) -> Float32[jax.Array, "outputs inputs"]:
        """The matrix that the conductances make, before any converter."""
        return _weights(self)


_multiply = jax.jit(multiply)


@partial(jax.jit, static_argnames="tiles")
def _map(W: jax.Array, array: Array, tiles: Tiles) -> tuple[jax.Array, jax.Array]:
    """Conductances of a matrix, and the weight limits."""
    is_cell = tiling.is_cell(tiles)
    cells = tiling.split_matrix(W, tiles)
    limit = limits(array, cells, is_cell)
    g = jnp.where(is_cell[None, None], encode(array, cells / limit), 0.0)
    if array.mapping == "unit_column":
        column = encode(array, jnp.zeros((*cells.shape[:-1], 1), jnp.float32))
        g = jnp.concatenate([g, jnp.where(is_cell[None, None, ..., :1], column, 0.0)], axis=-1)
    return g, limit


@jax.jit
def _weights(held: CrossbarState) -> jax.Array:
    """The matrix of the conductances."""
    factor, zero = (part[:, None, None, None, None] for part in decoding(held.array))
    seen = access.behind(held.array, held.g, held.array.gmax)
    g = seen[:, 0]
    if held.array.is_pair:
        g = g - seen[:, 1]
    elif held.array.mapping == "unit_column":
        g = g[..., :-1] - g[..., -1:]
    else:
        g = g - zero
    cells = jnp.sum(factor * g, axis=0) * held.limit
    W = tiling.join_matrix(cells, held.tiles)
    return W if held.gain is None else W * held.gain[:, None]


def _check_single(array: Array) -> None:
    """A batch of variants is mapped over."""
    for field in dataclasses.fields(array):
        value, rank = getattr(array, field.name), field.metadata.get("rank", 0)
        if not field.metadata.get("static") and value is not None and np.ndim(value) > rank:
            raise UserError(
                f"Crossbar: {field.name} = {value} is a batch of variants; map over them: "
                "jax.vmap(lambda array: Crossbar(W, array)(x))(array)"
            )


def _as_matrix(W: Any) -> jax.Array:
    """A matrix of float32."""
    if not isinstance(W, jax.Array):
        try:
            W = np.asarray(W, np.float32)
        except (TypeError, ValueError):
            raise UserError("Crossbar: W must be a matrix of numbers") from None
    W = jnp.asarray(W, jnp.float32)
    if W.ndim != 2 or 0 in W.shape:
        raise UserError(
            f"Crossbar: W has shape {W.shape}; give a matrix, outputs by inputs, of one at least"
        )
    return W
