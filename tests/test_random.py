"""The generator: bits against a NumPy twin, laws, and independence over index, step and key.

Every draw here has a fixed key, so that a pass is a pass for ever. Statistics that are standard
normal under the hypothesis must stay within Z = 5 (two-sided 6e-7 each; the file looks at about
1,500 of them, so that a perfect generator would fail with probability 1e-3 when the key is chosen);
p-values must lie in (1e-4, 1 - 1e-4).
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from memjax import random
from reference import random_twin as twin

Z = 5.0
P = 1e-4
SHAPES = [(), (7,), (3, 5), (2, 3, 4), (2, 1, 3, 5)]
KEY = 20240

DRAWS = {
    "bits": random.bits,
    "uniform": random.uniform,
    "normal": random.normal,
    "exact": lambda stream, shape: random.normal(stream, shape, exact=True),
}


def make(seed=KEY, step=0):
    return random.fold_in(random.stream(jax.random.key(seed)), step)


def draw_all(stream, shape):
    return {name: function(stream, shape) for name, function in DRAWS.items()}


def draw(name, stream, shape):
    """A draw in float64; words centred and scaled to unit variance."""
    out = np.asarray(jax.jit(DRAWS[name], static_argnums=1)(stream, shape))
    return (out / 2.0**32 - 0.5) * math.sqrt(12.0) if name == "bits" else out.astype(np.float64)


def correlation_z(a, b):
    """The correlation of two samples in standard errors, 1 / sqrt(n)."""
    a, b = a.ravel() - a.mean(), b.ravel() - b.mean()
    return (a @ b) / (a.std() * b.std() * math.sqrt(a.size))


def assert_p(p):
    assert P < p < 1 - P, p


# (a) The twin


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg"])
def test_stream_equals_the_twin(impl):
    for seed in (0, 1, 2, 12345, 2**31 - 1):
        key = jax.random.key(seed, impl=impl)
        for k in (key, *jax.random.split(key, 2)):
            np.testing.assert_array_equal(random.stream(k), twin.stream(jax.random.key_data(k)))


@pytest.mark.parametrize("data", [0, 1, 2, 65536, 2**31 - 1])
def test_fold_in_equals_the_twin(data):
    s = random.stream(jax.random.key(KEY))
    np.testing.assert_array_equal(random.fold_in(s, data), twin.fold_in(s, data))


@pytest.mark.parametrize("shape", [*SHAPES, (0, 3), (784, 256)])
def test_draws_equal_the_twin(shape):
    draws = jax.jit(lambda s: draw_all(s, shape))
    for words in ([0, 0], [2**32 - 1, 2**32 - 1], np.asarray(make(1)), np.asarray(make(2, 9))):
        s = jnp.asarray(words, jnp.uint32)
        out = draws(s)
        np.testing.assert_array_equal(out["bits"], twin.bits(s, shape))
        np.testing.assert_array_equal(out["uniform"], twin.uniform(s, shape))
        # float32: count + u is below 2**6, rounded to 2**-19, then scaled by 0.35.
        np.testing.assert_allclose(out["normal"], twin.normal(s, shape), atol=1e-6)
        # float32 erf_inv: a few ulp in the middle, more where log(1 - x^2) cancels.
        exact = twin.normal(s, shape, exact=True)
        np.testing.assert_allclose(out["exact"], exact, rtol=1e-5, atol=1e-7)


def test_draws_are_typed():
    for name, function in DRAWS.items():
        assert function(make(), (3,)).dtype == (jnp.uint32 if name == "bits" else jnp.float32)


# (b) Transformations


@pytest.mark.parametrize("shape", SHAPES)
def test_jit_vmap_and_loop_agree(shape):
    streams = jax.vmap(make)(jnp.arange(4))
    jitted = jax.jit(lambda s: draw_all(s, shape))
    mapped = jax.jit(jax.vmap(lambda s: draw_all(s, shape)))(streams)
    for i, s in enumerate(streams):
        eager = draw_all(s, shape)
        compiled = jitted(s)
        for name in DRAWS:
            # XLA contracts the polynomial of erf_inv as it likes: an ulp or two
            rtol = 1e-6 if name == "exact" else 0.0
            for other in (compiled[name], mapped[name][i]):
                np.testing.assert_allclose(eager[name], other, rtol=rtol, err_msg=name)


def test_streams_of_keys_vmap():
    keys = jax.random.split(jax.random.key(3), 6)
    np.testing.assert_array_equal(
        jax.vmap(random.stream)(keys), np.stack([random.stream(k) for k in keys])
    )


def test_elements_do_not_depend_on_the_shape():
    bits = jax.jit(random.bits, static_argnums=1)
    for shape in [(10, 12), (2, 5, 12), (5, 2, 3, 4)]:
        np.testing.assert_array_equal(bits(make(), shape).reshape(-1), bits(make(), (120,)))


# (c) Laws


def fast_moment(k):
    count = np.arange(33)
    weight = stats.binom(32, 0.5).pmf(count)
    integral = ((count - 15.5) ** (k + 1) - (count - 16.5) ** (k + 1)) / (k + 1)
    return weight @ integral * twin.POPCOUNT_SCALE**k


# k-th moments of the standardised laws, k even (odd ones are 0)
MOMENTS = {
    "uniform": lambda k: 3.0 ** (k / 2) / (k + 1),
    "normal": fast_moment,
    "exact": lambda k: float(math.prod(range(k - 1, 0, -2))),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_moments(name):
    # Mean, variance, skewness, kurtosis about the law's own mean and variance, each within Z
    # standard errors sqrt((E z^2k - (E z^k)^2) / n) of the law's.
    x = draw(name, make(), (1 << 22,))
    if name == "uniform":
        x = (x - 0.5) * math.sqrt(12.0)
    moment = MOMENTS[name]
    for k, power in enumerate((x, x * x, x * x * x, np.square(x * x)), start=1):
        law = moment(k) if k % 2 == 0 else 0.0
        error = math.sqrt((moment(2 * k) - law**2) / x.size)
        assert abs(power.mean() - law) < Z * error, k


def test_kurtosis_of_the_fast_normal_is_as_documented():
    assert fast_moment(2) == pytest.approx(1.0)
    assert fast_moment(4) - 3.0 == pytest.approx(-0.0613, abs=5e-5)


def test_popcount_and_dither_are_uncorrelated():
    # Powers of the count against the dither, n = 2**20: a dither that shares bits with the count
    # (cov(count, u) = 1/4, r = 0.31) would be 310 standard errors away.
    word, dither = jax.jit(lambda s: random._hash(random._index((1 << 20,)), s))(make())
    count = np.bitwise_count(np.asarray(word)) - 16.0
    u = np.asarray(dither) / 2.0**32 - 0.5
    for power in (count, count * count, count * count * count):
        for other in (u, u * u, u * u * u):
            assert abs(correlation_z(power, other)) < Z


def test_dither_is_uniform():
    _, dither = jax.jit(lambda s: random._hash(random._index((1 << 20,)), s))(make())
    assert_p(stats.kstest(np.asarray(dither) / 2.0**32, "uniform", method="asymp").pvalue)


@pytest.mark.parametrize(
    ("name", "cdf"),
    [("uniform", stats.uniform.cdf), ("exact", stats.norm.cdf), ("normal", twin.fast_normal_cdf)],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_kolmogorov_smirnov(name, cdf, seed):
    # n = 2**20: resolves 1e-3 in the distribution; rounding to 2**-24 is far below.
    assert_p(stats.kstest(draw(name, make(seed), (1 << 20,)), cdf, method="asymp").pvalue)


@pytest.mark.parametrize(
    ("name", "cdf", "limit"),
    [("exact", stats.norm.cdf, 5.42), ("normal", twin.fast_normal_cdf, 5.804)],
)
def test_tails(name, cdf, limit):
    # Counts beyond +-2, 3, 4 sigma are binomial; beyond 4: 65 (fast) and 133 (exact) expected.
    x = draw(name, make(), (1 << 22,))
    assert np.abs(x).max() < limit
    for sigma in (2.0, 3.0, 4.0):
        for sign in (-1.0, 1.0):
            expected = float(cdf(-sigma)) * x.size
            assert abs(np.count_nonzero(sign * x > sigma) - expected) < Z * math.sqrt(expected)


def test_tails_of_the_fast_normal_are_as_documented():
    tails = [2 * float(twin.fast_normal_cdf(-sigma)) for sigma in (2.0, 3.0, 4.0)]
    np.testing.assert_allclose(tails, [0.04451, 0.00206, 3.13e-5], rtol=2e-3)


def test_limits_of_uniform_and_exact_normal():
    # The end points, whatever the key: element i of a stream takes all words as i goes over 2**32,
    # so look at the formulas at word 0 and 2**32 - 1.
    ends = jnp.asarray([0, 2**24 - 1], jnp.int32).astype(jnp.float32) * jnp.float32(2.0**-24)
    assert float(ends[0]) == 0.0 and float(ends[1]) < 1.0
    centred = ends - jnp.float32(0.5 - 2.0**-25)
    assert float(centred[0]) == -float(centred[1])
    x = math.sqrt(2.0) * jax.lax.erf_inv(2.0 * centred)
    np.testing.assert_allclose(x, stats.norm.ppf([2.0**-25, 1 - 2.0**-25]), rtol=1e-5)


# (d) Independence over index, step, key and purpose


def autocorrelation_z(series):
    """Autocorrelation along axis 0, lags 0 to n / 2, in standard errors 1 / sqrt(n - lag)."""
    n = len(series)
    series = (series - series.mean(axis=0)) / series.std(axis=0)
    power = np.abs(np.fft.rfft(series, 2 * n, axis=0)) ** 2
    count = (n - np.arange(n // 2)).reshape(-1, *[1] * (series.ndim - 1))
    return np.fft.irfft(power, axis=0)[: n // 2] / np.sqrt(count)


@pytest.mark.parametrize("name", DRAWS)
def test_no_correlation_over_index(name):
    # Neighbours, and neighbours in the other axis of a 784 x 256 weight or its transpose: |r| <
    # 5 / 1024. At any other lag to 2**19: the greatest of 5e5 standard normal numbers stays below
    # 6.5 with probability 1 - 4e-5.
    z = np.abs(autocorrelation_z(draw(name, make(), (1 << 20,))))
    assert z[[*range(1, 65), 128, 256, 512, 784]].max() < Z
    assert z[1:].max() < 6.5


@pytest.mark.parametrize("name", DRAWS)
def test_no_correlation_over_step(name):
    # Fixed elements, 2**17 steps: |r| < 5 / 362.
    function, s = DRAWS[name], random.stream(jax.random.key(KEY))
    steps = jnp.arange(1 << 17)
    x = np.asarray(jax.jit(jax.vmap(lambda t: function(random.fold_in(s, t), (3,))))(steps))
    assert np.abs(autocorrelation_z(x.astype(np.float64))[1:17]).max() < Z


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("folded", [False, True])
def test_no_correlation_over_key(name, folded):
    # Consecutive seeds, whose words differ in the last bits only; 2**17 of them.
    function = DRAWS[name]

    def one(seed):
        s = random.stream(jax.random.key(seed))
        return function(random.fold_in(s, 0) if folded else s, (3,))

    x = np.asarray(jax.jit(jax.vmap(one))(jnp.arange(1 << 17)))
    assert np.abs(autocorrelation_z(x.astype(np.float64))[1:17]).max() < Z


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 2), (3, 2**16 + 3)])
def test_no_correlation_between_purposes(name, pair):
    s = random.stream(jax.random.key(KEY))
    a, b = (draw(name, random.fold_in(s, data), (1 << 19,)) for data in pair)
    for shift in range(-3, 4):
        assert abs(correlation_z(a, np.roll(b, shift))) < Z


def test_order_of_folds_matters():
    s = random.stream(jax.random.key(KEY))
    a = random.fold_in(random.fold_in(s, 1), 2)
    b = random.fold_in(random.fold_in(s, 2), 1)
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("source", ["step", "key"])
def test_avalanche(source):
    # One bit of the step or the seed flipped flips each bit of the draw with probability 1/2:
    # 31 x 32 frequencies over 2**14 steps or seeds, each with a standard error of 1/256.
    s = random.stream(jax.random.key(KEY))
    n = 1 << 14

    def one(data):
        folded = (
            random.fold_in(s, data) if source == "step" else random.stream(jax.random.key(data))
        )
        return random.bits(folded, (1,))[0]

    data = jnp.arange(n) * 130_003
    masks = jnp.int32(1) << jnp.arange(31, dtype=jnp.int32)
    outputs = jax.jit(jax.vmap(one))
    flipped = jax.jit(jax.vmap(lambda mask: jax.vmap(one)(data ^ mask)))(masks)
    changed = np.asarray(flipped ^ outputs(data)[None])
    for bit in range(32):
        frequency = ((changed >> np.uint32(bit)) & np.uint32(1)).mean(axis=1)
        assert np.abs(frequency - 0.5).max() * 2 * math.sqrt(n) < Z, bit


# (e) Bytes and bits


def orders(order):
    """2**20 words in the order of the index, the step or the key."""
    n, s = 1 << 20, random.stream(jax.random.key(KEY))
    if order == "index":
        return np.asarray(random.bits(random.fold_in(s, 0), (n,)))
    one = {
        "step": lambda t: random.bits(random.fold_in(s, t), (1,))[0],
        "key": lambda t: random.bits(random.stream(jax.random.key(t)), (1,))[0],
    }[order]
    return np.asarray(jax.jit(jax.vmap(one))(jnp.arange(n)))


@pytest.mark.parametrize("order", ["index", "step", "key"])
def test_bytes_and_bits(order):
    words = orders(order)
    for position in range(4):
        octet = (words >> np.uint32(8 * position)) & np.uint32(255)
        # 256 cells of 4096
        assert_p(stats.chisquare(np.bincount(octet, minlength=256)).pvalue)
        # adjacent elements, not overlapping: top and bottom 6 bits of the byte, 4096 cells of 128
        for pairs in (octet >> np.uint32(2), octet & np.uint32(63)):
            cells = pairs[0::2] * np.uint32(64) + pairs[1::2]
            assert_p(stats.chisquare(np.bincount(cells, minlength=4096)).pvalue)
    for bit in range(32):
        ones = np.count_nonzero(words & np.uint32(1 << bit))
        assert abs(ones - words.size / 2) < Z * math.sqrt(words.size / 4), bit


# (f) Streams


def distinct(streams):
    streams = np.asarray(streams).astype(np.uint64).reshape(-1, 2)
    ordered = np.sort(streams[:, 0] << np.uint64(32) | streams[:, 1])
    return 1 + np.count_nonzero(np.diff(ordered))


def test_streams_do_not_repeat():
    # A million of 64 bits: 3e-8 pairs expected to be the same.
    n, s = 10**6, random.stream(jax.random.key(KEY))
    folded = jax.jit(jax.vmap(lambda t: random.fold_in(s, t)))(jnp.arange(n))
    assert distinct(folded) == n
    seeds = jax.jit(jax.vmap(lambda k: random.stream(jax.random.key(k))))(jnp.arange(n))
    assert distinct(seeds) == n
    split = jax.jit(jax.vmap(random.stream))(jax.random.split(jax.random.key(KEY), n))
    assert distinct(split) == n
    small = jnp.arange(1000)
    nested = jax.vmap(lambda i: jax.vmap(lambda j: random.fold_in(random.fold_in(s, i), j))(small))
    assert distinct(jax.jit(nested)(small)) == n
    assert distinct(np.concatenate([folded, seeds, split])) == 3 * n


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg"])
def test_streams_of_every_implementation_differ(impl):
    seeds = [random.stream(jax.random.key(k, impl=impl)) for k in range(20)]
    assert distinct(np.stack(seeds)) == 20


@pytest.mark.parametrize("data", [0, 1, 7, 2**31 - 1])
def test_concrete_and_traced_data_agree(data):
    s = random.stream(jax.random.key(KEY))
    expected = random.fold_in(s, data)
    for traced in (data, jnp.int32(data), jnp.uint32(data), np.int32(data)):
        np.testing.assert_array_equal(jax.jit(random.fold_in)(s, traced), expected)
    np.testing.assert_array_equal(random.fold_in(s, jnp.int32(data)), expected)


def test_second_draw_does_not_compile():
    function = jax.jit(random.normal, static_argnums=1)
    function(make(0), (4, 5))
    compiled = function._cache_size()
    function(make(1), (4, 5))
    assert function._cache_size() == compiled
