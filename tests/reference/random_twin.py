"""memjax.random in NumPy: every product in uint64, masked to 32 bits; floats in float64."""

import numpy as np
from scipy import special, stats

MASK = np.uint64(0xFFFFFFFF)
POPCOUNT_SCALE = 1.0 / np.sqrt(8.0 + 1.0 / 12.0)


def _u64(value):
    return np.asarray(value).astype(np.uint64)


def _words(index, stream):
    """The hash of `index`, and the dither word."""
    first, second = _u64(stream)
    x = (_u64(index) * _u64(0x9E3779B9) + first) & MASK
    x = ((x ^ (x >> _u64(16))) * _u64(0x21F0AAAD) + second) & MASK
    y = ((x ^ (x >> _u64(15))) * _u64(0x735A2D97)) & MASK
    return y ^ (y >> _u64(15)), x ^ y


def stream(key_words):
    """The stream of a key's words (`jax.random.key_data`)."""
    left = right = _u64(0)
    for first, second in _u64(key_words).reshape(-1, 2):
        left, right = left ^ first, right ^ second
        for number in range(1, 5):
            constant = _u64(number * 0x9E3779B9 & 0xFFFFFFFF)
            mixed, _ = _words((right + constant) & MASK, (0, 0))
            left, right = right, left ^ mixed
    return np.stack([left, right]).astype(np.uint32)


def fold_in(stream, data):
    return _words(2 * data + np.arange(2), stream)[0].astype(np.uint32)


def bits(stream, shape):
    return _words(np.arange(np.prod(shape, dtype=int)).reshape(shape), stream)[0].astype(np.uint32)


def uniform(stream, shape):
    return (bits(stream, shape) >> 8) / 2.0**24


def normal(stream, shape, *, exact=False):
    if exact:
        return special.ndtri(uniform(stream, shape) + 2.0**-25)
    word, dither = _words(np.arange(np.prod(shape, dtype=int)).reshape(shape), stream)
    count = sum((word >> _u64(bit)) & _u64(1) for bit in range(32)).astype(float)
    return (count - 16.0 + (dither >> _u64(9)) / 2.0**23 - 0.5) * POPCOUNT_SCALE


def fast_normal_cdf(x):
    """Distribution of (binomial(32, 1/2) - 16 + U(-1/2, 1/2)) / sqrt(8 + 1/12), in closed form."""
    place = np.asarray(x, float) / POPCOUNT_SCALE + 16.5
    count = np.clip(np.floor(place), 0, 32).astype(int)
    law = stats.binom(32, 0.5)
    below, at = law.cdf(np.arange(-1, 32)), law.pmf(np.arange(33))
    return below[count] + at[count] * np.clip(place - count, 0.0, 1.0)
