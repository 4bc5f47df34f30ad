"""Gates on streams, and the probability of what comes out."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from memjax.bitstreams.bitstream import Bitstream
from memjax.pytree import Leaf


class Gate(NamedTuple):
    """A gate of x and y, and for a multiplexer a select stream.

    Attributes:
      doc: what it computes.
      act: on words, or streams: x, y, select.
      probability: of a 1, from the probabilities of 11, 10, 01, 00, and of the select.
    """

    doc: str
    act: Callable[..., Any]
    probability: Callable[..., Array]


def _mux(x: Any, y: Any, select: Any) -> Any:
    return (select & x) | (~select & y)


GATES: dict[str, Gate] = {
    "and": Gate("x y of independent streams", lambda x, y, s: x & y, lambda j, s: j[0]),
    "or": Gate("x + y - x y", lambda x, y, s: x | y, lambda j, s: j[0] + j[1] + j[2]),
    "xor": Gate("|x - y| at SCC 1", lambda x, y, s: x ^ y, lambda j, s: j[1] + j[2]),
    "xnor": Gate("bipolar x y", lambda x, y, s: ~(x ^ y), lambda j, s: j[0] + j[3]),
    "mux": Gate("s x + (1 - s) y", _mux, lambda j, s: j[0] + s * j[1] + (1.0 - s) * j[2]),
}
"""Gates by name; ``memjax.bitstreams.divide`` is no gate, for it remembers."""


def joint(p: Leaf, q: Leaf, correlation: Leaf = 0) -> list[Float[Array, "..."]]:
    """Probabilities of 11, 10, 01, 00: ``p11 = p q + SCC D``, ``D`` the most that there can be.

    Args:
      p, q: probabilities of x and y.
      correlation: their SCC, in [-1, 1].
    """
    p, q, scc = (jnp.asarray(each, jnp.float32) for each in (p, q, correlation))
    independent = p * q
    most = jnp.where(
        scc > 0, jnp.minimum(p, q) - independent, independent - jnp.maximum(p + q - 1.0, 0.0)
    )
    both = independent + scc * most
    return [both, p - both, q - both, 1.0 - p - q + both]


def expected(
    gate: str, p: Leaf, q: Leaf, correlation: Leaf = 0, select: Leaf = 0.5
) -> Float[Array, "..."]:
    """The probability of a 1 at the output of a gate.

    Args:
      gate: of ``GATES``.
      p, q: probabilities of x and y.
      correlation: their SCC.
      select: probability of the select stream, of a ``"mux"``.

    Example:
      >>> from memjax.bitstreams import expected
      >>> [f"{expected('xor', 0.6, 0.3, scc):.2f}" for scc in (-1, 0, 1)]
      ['0.90', '0.54', '0.30']
    """
    return GATES[gate].probability(joint(p, q, correlation), jnp.asarray(select, jnp.float32))


def multiply(x: Bitstream, y: Bitstream) -> Bitstream:
    """``x y`` in unipolar coding, of independent streams."""
    return x & y


def multiply_bipolar(x: Bitstream, y: Bitstream) -> Bitstream:
    """``x y`` in bipolar coding, of independent streams."""
    return ~(x ^ y)


def add(x: Bitstream, y: Bitstream, half: Bitstream) -> Bitstream:
    """``(x + y) / 2``: what cannot exceed 1.

    Args:
      x, y: however correlated.
      half: a stream of 1/2, independent of both.
    """
    return _mux(x, y, half)


def subtract(x: Bitstream, y: Bitstream) -> Bitstream:
    """``|x - y|`` of streams of SCC 1."""
    return x ^ y
