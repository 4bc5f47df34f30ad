"""How streams depend on each other, and on themselves."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy import special, stats

from memjax.bitstreams.bitstream import Bitstream
from memjax.pytree import check_number

EXACT = 128
"""Bits up to which ``mean_scc`` sums over all counts."""


def scc(x: Bitstream, y: Bitstream) -> Float[Array, "..."]:
    """The stochastic-computing correlation of pairs: 1 and -1 are the most there can be.

    With ``a``, ``b``, ``c``, ``d`` the bits that are 11, 10, 01, 00 of ``n``::

        (a d - b c) / (n min(a + b, a + c) - (a + b)(a + c))   where a d > b c, else
        (a d - b c) / ((a + b)(a + c) - n max(a - d, 0)),      and 0 for 0 / 0

    Args:
      x, y: streams of one length.

    Example:
      >>> from memjax.bitstreams import Bitstream, scc
      >>> float(scc(Bitstream.of("11010100"), Bitstream.of("01101011")))
      -1.0

    Source: Alaghi & Hayes, ICCD (2013).
    """
    return scc_of_counts((x & y).count, x.count, y.count, x.length)


def scc_of_counts(both: Array, ones_x: Array, ones_y: Array, n: int | Array) -> Array:
    """The same from counts.

    Args:
      both: bits that are 1 in x and y.
      ones_x, ones_y: ones of each.
      n: bits.
    """
    p11, p, q = (
        jnp.asarray(k).astype(jnp.float32) / jnp.float32(n) for k in (both, ones_x, ones_y)
    )
    covariance = p11 - p * q
    most = jnp.where(
        covariance > 0, jnp.minimum(p, q) - p * q, p * q - jnp.maximum(p + q - 1.0, 0.0)
    )
    known = most > 1e-9
    return jnp.where(known, jnp.clip(covariance / jnp.where(known, most, 1.0), -1.0, 1.0), 0.0)


def pearson(x: Bitstream, y: Bitstream) -> Float[Array, "..."]:
    """The correlation coefficient of pairs, whose mean is 0 where they are independent.

    Args:
      x, y: streams of one length; 0 where one is constant.
    """
    p, q = x.value, y.value
    most = jnp.sqrt(p * (1.0 - p) * q * (1.0 - q))
    return jnp.where(most > 0, ((x & y).value - p * q) / jnp.where(most > 0, most, 1.0), 0.0)


def autocorrelation(x: Bitstream, lag: int = 1) -> Float[Array, "..."]:
    """The correlation of a stream with itself some bits later; about ``-1/n`` of independent bits.

    Args:
      x: streams; 0 where they are constant.
      lag: bits, 1 to 31 (static).
    """
    p = x.value
    products = (x & x.delayed(lag)).count.astype(jnp.float32) / (x.length - lag)
    variance = p * (1.0 - p)
    return jnp.where(variance > 0, (products - p * p) / jnp.where(variance > 0, variance, 1.0), 0.0)


def mean_scc(p: float, q: float, n: int) -> float:
    """The mean SCC of independent streams, which is not 0.

    Exact up to 128 bits: over the binomial counts of both and the hypergeometric one of their
    coincidences. Beyond, ``sqrt(p(1-p) q(1-q) / (2 pi n)) (1/D+ - 1/D-) + c / n``, with
    ``D+ = min(p, q) - p q``, ``D- = p q - max(p + q - 1, 0)`` and the ``c`` that holds at 128.

    Args:
      p, q: their probabilities.
      n: bits.

    Example:
      >>> from memjax.bitstreams import mean_scc
      >>> round(mean_scc(0.4, 0.6, 16), 6), abs(round(mean_scc(0.5, 0.5, 16), 6))
      (0.033576, 0.0)
    """
    for name, value in (("p", p), ("q", q)):
        check_number(f"mean_scc: {name}", value, at_least=0, at_most=1)
    check_number("mean_scc: n", n, whole=True, at_least=1)
    if n <= EXACT:
        return exact_mean_scc(p, q, n)
    up, down = min(p, q) - p * q, p * q - max(p + q - 1.0, 0.0)
    if min(up, down) <= 0:
        return 0.0
    lead = np.sqrt(p * (1 - p) * q * (1 - q) / (2 * np.pi)) * (1 / up - 1 / down)
    rest = (exact_mean_scc(p, q, EXACT) - lead / np.sqrt(EXACT)) * EXACT
    return float(lead / np.sqrt(n) + rest / n)


def exact_mean_scc(p: float, q: float, n: int) -> float:
    """The same by summing over all counts, in time ``n^3``.

    Args:
      p, q: their probabilities.
      n: bits.
    """
    counts = np.arange(n + 1)
    of_x, of_y = (stats.binom.pmf(counts, n, each) for each in (p, q))
    total = 0.0
    for ones_x in range(n + 1):
        both, ones_y = np.arange(ones_x + 1)[:, None], counts[None, :]
        covariance = n * both - ones_x * ones_y
        most = np.where(
            covariance > 0,
            n * np.minimum(ones_x, ones_y) - ones_x * ones_y,
            ones_x * ones_y - n * np.maximum(ones_x + ones_y - n, 0),
        )
        scc = np.where(most > 0, covariance / np.maximum(most, 1), 0.0)
        ways = _choose(ones_x, both) + _choose(n - ones_x, ones_y - both) - _choose(n, ones_y)
        total += float(of_x[ones_x] * np.sum(np.exp(ways) * scc * of_y[None, :]))
    return total


def _choose(n: int, k: Any) -> np.ndarray:
    """The logarithm of ``n`` over ``k``."""
    inside = (k >= 0) & (k <= n)
    k = np.where(inside, k, 0)
    ways = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return np.where(inside, ways, -np.inf)
