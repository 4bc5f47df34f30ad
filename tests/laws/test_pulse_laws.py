"""The laws of pulse counts: E[n] = rate x d, their variances and their correlations, exactly.

Every statistic stands within Z = 5 of its own standard errors of the closed form; the file looks at
about 1,000 (two-sided 6e-7 each), so that right laws fail with probability 6e-4 when keys are
chosen.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.pulses import SCHEMES, Bernoulli, Binomial, Coincidence, Scheme
from reference import pulses_twin

Z = 5.0
KEYS = 20000
RATE = 6.0
X = np.array([1.0, -0.6, 0.1, 0.0], np.float32)
D = np.array([0.5, -0.4, 0.05], np.float32)

# (scale of x, length, update management, length management); the last two want four times as much
# as 8 slots can hold.
TRAINS = {
    "plain": (1.0, 10, False, False),
    "managed": (1.0, 10, True, False),
    "long": (1.0, 32, True, False),
    "short": (1.0, 10, True, True),
    "clipped": (10.0, 8, True, False),
    "clipped_rails": (10.0, 8, False, False),
}
every_train = pytest.mark.parametrize("name", TRAINS)


@functools.cache
def sample(name):
    """Counts ``[keys, rows, columns]``, and slots, p, q and signs in closed form."""
    scale, length, update_management, length_management = TRAINS[name]
    x = scale * X
    pulses = Coincidence(
        length=length, update_management=update_management, length_management=length_management
    )

    @jax.jit
    @jax.vmap
    def count(number):
        own = random.fold_in(random.stream(jax.random.key(11)), number)
        return pulses.count(own, (jnp.asarray(x)[None],), jnp.asarray(D)[None], RATE)[0]

    slots, p, q = pulses_twin.probabilities(
        x.astype(float), D.astype(float), RATE, length, update_management, length_management
    )
    counts = np.asarray(count(jnp.arange(KEYS)), float)
    return counts, slots, p, q, np.sign(x)[:, None] * np.sign(D)[None, :]


def assert_within(values, expected, errors, floor=1e-6):
    np.testing.assert_array_less(np.abs(values - expected), Z * errors + floor)


@every_train
def test_mean_of_coincidences(name):
    n, slots, p, q, signs = sample(name)
    pq = p[:, None] * q[None, :]
    assert_within(n.mean(0), signs * slots * pq, np.sqrt(slots * pq * (1 - pq) / KEYS))
    if "clipped" not in name:
        wanted = RATE * np.outer(TRAINS[name][0] * X, D)
        np.testing.assert_allclose(signs * slots * pq, wanted, rtol=1e-6)
        assert abs(wanted).max() > 1


@every_train
def test_variance_of_coincidences(name):
    """Var[n] = BL p q (1 - p q); its standard error from the sample's fourth moment."""
    n, slots, p, q, _ = sample(name)
    pq = p[:, None] * q[None, :]
    centred = n - n.mean(0)
    variance = (centred**2).mean(0)
    error = np.sqrt(((centred**2 - variance) ** 2).mean(0) / KEYS)
    assert_within(variance, slots * pq * (1 - pq), error)


@every_train
def test_covariance_along_rows_and_columns(name):
    """Two crosspoints of row j covary by BL p_j (1 - p_j) q_i q_k, of a column likewise; no others.

    That is what an element-wise draw loses.
    """
    n, slots, p, q, signs = sample(name)
    n, signs = (n - n.mean(0)).reshape(KEYS, -1), signs.ravel()
    row, column = (index.ravel() for index in np.indices((len(p), len(q))))
    same_row, same_column = row[:, None] == row[None, :], column[:, None] == column[None, :]
    pp, qq = np.outer(p[row], p[row]), np.outer(q[column], q[column])
    both = np.where(same_row, p[row][:, None], pp) * np.where(same_column, q[column][:, None], qq)
    expected = slots * (both - pp * qq) * np.outer(signs, signs)
    product = n[:, :, None] * n[:, None, :]
    assert_within(product.mean(0), expected, product.std(0) / np.sqrt(KEYS))
    off_diagonal = ~np.eye(len(row), dtype=bool)
    if name != "clipped_rails":
        assert np.abs(expected[off_diagonal]).max() > 0.1


def test_a_batch_adds_independent_samples():
    """The mean and the variance of the sum are the sums."""
    pulses = Coincidence(length=10)
    x = np.stack([X, -X[::-1], 0.3 * X])
    d = np.stack([D, D[::-1], -D])

    @jax.jit
    @jax.vmap
    def count(number):
        own = random.fold_in(random.stream(jax.random.key(12)), number)
        return pulses.count(own, (jnp.asarray(x),), jnp.asarray(d), RATE)[0]

    n = np.asarray(count(jnp.arange(KEYS)), float)
    variance = 0.0
    for one_x, one_d in zip(x.astype(float), d.astype(float), strict=True):
        slots, p, q = pulses_twin.probabilities(one_x, one_d, RATE, 10, True, False)
        pq = p[:, None] * q[None, :]
        variance += slots * pq * (1 - pq)
    assert_within(n.mean(0), RATE * x.T @ d, np.sqrt(variance / KEYS))
    centred = n - n.mean(0)
    error = np.sqrt(((centred**2 - (centred**2).mean(0)) ** 2).mean(0) / KEYS)
    assert_within((centred**2).mean(0), variance, error)


WANTED = np.array([-7.3, -1.0, -0.25, 0.0, 0.01, 0.5, 3.75, 9.9], np.float32)
DRAWS = 200_000


@functools.cache
def draws(name):
    wanted = jnp.broadcast_to(jnp.asarray(WANTED), (DRAWS, len(WANTED)))
    draw = jax.jit(SCHEMES[name]().draw)
    return np.asarray(draw(random.stream(jax.random.key(13)), wanted), float)


def variance(name):
    """Stochastic rounding: f (1 - f) of the fraction f; Binomial: |m| (1 - p)."""
    size = abs(WANTED.astype(float))
    return {"bernoulli": size % 1 * (1 - size % 1), "binomial": size * (1 - size / 10)}[name]


@pytest.mark.parametrize("name", ["bernoulli", "binomial"])
def test_mean_of_a_scheme(name):
    n = draws(name)
    assert_within(n.mean(0), WANTED, np.sqrt(variance(name) / DRAWS))


@pytest.mark.parametrize("name", ["bernoulli", "binomial"])
def test_variance_of_a_scheme(name):
    centred = draws(name) - WANTED.astype(float)
    squares = centred**2
    # A count of few values: the floor covers the mean's own error squared, 25 Var / N.
    assert_within(squares.mean(0), variance(name), squares.std(0) / np.sqrt(DRAWS), floor=1e-5)


@pytest.mark.parametrize("name", ["bernoulli", "binomial"])
def test_elements_are_independent(name):
    """Neighbours along both axes: correlation within Z / sqrt(N) of 0."""
    n = draws(name)[:, np.abs(WANTED) % 1 > 0]
    n = (n - n.mean(0)) / n.std(0)
    np.testing.assert_array_less(abs((n[1:] * n[:-1]).mean(0)), Z / np.sqrt(DRAWS))
    np.testing.assert_array_less(abs((n[:, 1:] * n[:, :-1]).mean(0)), Z / np.sqrt(DRAWS))


@pytest.mark.parametrize("name", [n for n, s in SCHEMES.items() if isinstance(s(), Scheme)])
def test_counts_are_whole_and_have_the_sign_of_what_is_wanted(name):
    n = draws(name)
    np.testing.assert_array_equal(n, np.round(n))
    assert np.all(n * np.sign(WANTED) >= 0)
    assert np.all(n[:, WANTED == 0] == 0)
    assert np.all(np.abs(n).max(0)[np.abs(WANTED) >= 0.5] > 0) or name in (
        "deterministic",
        "truncated",
    )


@pytest.mark.parametrize("scheme", [Bernoulli(), Binomial()])
def test_wanted_may_be_swept_in_one_compilation(scheme):
    traces = []

    @jax.jit
    def run(wanted):
        traces.append(scheme)
        return jax.vmap(lambda w: scheme.draw(random.stream(jax.random.key(1)), w))(wanted)

    wanted = jnp.linspace(-5.0, 5.0, 60).reshape(3, 20)
    lanes = run(wanted)
    for lane, w in zip(lanes, wanted, strict=True):
        np.testing.assert_array_equal(lane, scheme.draw(random.stream(jax.random.key(1)), w))
    run(wanted[::-1])
    assert len(traces) == 1
