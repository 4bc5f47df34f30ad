"""The jump table: the measured distribution itself, its mean and its variance."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from memjax import random
from memjax.devices import JumpTable

STREAM = random.stream(jax.random.key(0))

UP = [[0.2, 0.5, 1.0, 1.2, 6.0], [-0.3, 0.1, 0.6, 0.7, 2.0]]
DOWN = [[-2.0, -1.0, 0.5], [-4.0, -1.0, -0.5]]
DEVICE = JumpTable(levels=41.0, up_quantiles=UP, down_quantiles=DOWN)
ARRAY = DEVICE.fabricate(STREAM, ())
N = 100_000


def row(table, g):
    return (
        np.array([np.interp(g, np.linspace(0, 1, len(table)), c) for c in np.array(table).T]) / 40
    )


def changes(device, g, n):
    xi = random.normal(random.fold_in(STREAM, 9), (N,), exact=True)
    return np.asarray(device.change(ARRAY, jnp.full(N, g), jnp.full(N, n), xi), float)


@pytest.mark.parametrize(("sign", "table"), [(1.0, UP), (-1.0, DOWN)])
def test_one_pulse_has_the_measured_distribution(sign, table):
    """Kolmogorov-Smirnov against the quantile function, between rows and at one."""
    for g in (0.0, 0.3, 1.0):
        quantiles = row(table, g)
        places = np.linspace(0, 1, len(quantiles))
        drawn = changes(DEVICE, g, sign)
        assert (
            stats.kstest(drawn, lambda x, q=quantiles, p=places: np.interp(x, q, p)).pvalue > 1e-3
        )
        mean, sd = (float(v) for v in DEVICE.response(ARRAY, jnp.float32(g), jnp.float32(sign)))
        fine = np.interp((np.arange(N) + 0.5) / N, places, quantiles)
        assert (mean, sd) == pytest.approx((fine.mean(), fine.std()), rel=1e-4)


def test_several_pulses_have_the_moments_of_as_many():
    """Of a table with equal rows: 4 means, twice the sd, and a normal law."""
    device = JumpTable(levels=41.0, up_quantiles=[UP[0]] * 2)
    mean, sd = (float(v) for v in device.response(ARRAY, jnp.float32(0.2), jnp.float32(1.0)))
    drawn = changes(device, 0.2, 4.0)
    assert drawn.mean() == pytest.approx(4 * mean, abs=5 * sd * 2 / np.sqrt(N))
    assert drawn.std() == pytest.approx(2 * sd, rel=5 / np.sqrt(2 * N))
    assert abs(stats.skew(drawn)) < 0.04 < stats.skew(changes(device, 0.2, 1.0))


@pytest.mark.parametrize("sigma", [0.0, 0.5])
def test_sigma_c2c_scales_the_deviations(sigma):
    scaled = JumpTable(levels=41.0, up_quantiles=UP, down_quantiles=DOWN, sigma_c2c=sigma)
    mean = float(scaled.response(ARRAY, jnp.float32(0.3), jnp.float32(1.0))[0])
    expected = mean + sigma * (changes(DEVICE, 0.3, 1.0) - mean)
    np.testing.assert_allclose(changes(scaled, 0.3, 1.0), expected, atol=1e-6)


def test_no_noise_of_g_is_zero_noise_of_g():
    zero = JumpTable(levels=41.0, up_quantiles=UP, down_quantiles=DOWN, sigma_g=0.0)
    np.testing.assert_allclose(changes(zero, 0.3, 1.0), changes(DEVICE, 0.3, 1.0), atol=1e-7)


def test_mean_step_is_that_at_the_reference():
    up, down = np.trapezoid(row(UP, 0.5), dx=0.25), np.trapezoid(row(DOWN, 0.5), dx=0.5)
    assert float(DEVICE.mean_step) == pytest.approx((up - down) / 2, rel=1e-5)
