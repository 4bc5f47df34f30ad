"""The contraction's closed form and noise, which devices by name share."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices.contraction import ContractionDevice, by_fractions, by_rates
from memjax.devices.population import Spread
from reference.pulsed import pulsed

DEVICE = ContractionDevice(sigma_c2c=0.2)


def array(rate, top=1.0, bottom=0.0):
    up, down, top, bottom, low, high, one = (
        jnp.float32(v) for v in (rate, 2 * rate, top, bottom, 0.0, 1.0, 1.0)
    )
    return by_rates((up, down), top, bottom, 0.5, Spread(one, one, low, high))


def test_built_from_rates_and_a_spread():
    built = array(0.1, 1.5, -0.25)
    last = np.expm1(0.1), np.expm1(0.2)
    np.testing.assert_allclose(
        built, [0.1, 0.2, *last, 1.0, 1.0, 1.5, -0.25, 0.5, 0.0, 1.0], rtol=1e-6
    )


@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.998, 1.0, 2.5])
def test_a_pulse_goes_its_fraction_of_the_way(fraction):
    """Also beyond the asymptote, with the noise of all of that step."""
    f, one, zero = jnp.float32(fraction), jnp.float32(1.0), jnp.float32(0.0)
    built = by_fractions((f, f), one, zero, 0.5, Spread(one, one, zero, one))
    mean, sd = DEVICE.response(built, jnp.float32(0.3), one)
    assert float(mean) == pytest.approx(0.7 * fraction, rel=2e-4)
    assert float(sd) == pytest.approx(0.2 * 0.7 * fraction, rel=2e-4)
    additive = DEVICE.additive_sd(built, jnp.float32(0.3), -one)
    assert float(additive) == pytest.approx(0.2 * 0.5 * fraction, rel=2e-4)


@pytest.mark.parametrize("n", [0, 1, 2, 10, 1000])
def test_closed_form(n):
    """The sd is of n pulses alike, each in proportion to the last; d_n rounds once, at 1e-7."""
    g = jnp.linspace(0.0, 1.0, 11)
    for sign, rate, target in ((1, 0.1, 1.5), (-1, 0.2, -0.25)):
        mean, sd = DEVICE.response(array(0.1, 1.5, -0.25), g, jnp.full(11, float(sign * n)))
        expected = (target - np.linspace(0, 1, 11)) * (1 - np.exp(-rate * n))
        np.testing.assert_allclose(mean, expected, rtol=1e-6)
        one = 0.2 * np.sqrt(n) * np.expm1(rate)
        distance = abs(target - np.linspace(0, 1, 11)) * np.exp(-rate * n)
        np.testing.assert_allclose(sd, one * distance, rtol=1e-6, atol=1.2e-7 * one)
        if n == 1:
            np.testing.assert_allclose(sd, 0.2 * abs(expected), rtol=1e-6)


def test_trains_compose():
    """n then m pulses are n + m."""
    own, g = array(0.05), jnp.linspace(0.0, 1.0, 11)
    step = jax.jit(lambda g, n: pulsed(DEVICE, own, g, jnp.full(11, n), jnp.zeros(11)))
    np.testing.assert_allclose(step(step(g, 3.0), 4.0), step(g, 7.0), atol=2e-7)


@pytest.mark.parametrize("rate", [-0.5, -5.0, -50.0])
def test_a_growing_curve_stays_finite_beyond_its_bound(rate):
    """A curve that retraces moves away from its asymptote: e^(50 n) is not a float32."""
    own = array(rate, -0.01, 1.01)
    for n in (1.0, 10.0, 1000.0):
        for noise in (0.0, 5.0, -5.0):
            up = pulsed(DEVICE, own, jnp.float32(0.5), jnp.float32(n), jnp.float32(noise))
            down = pulsed(DEVICE, own, jnp.float32(0.5), jnp.float32(-n), jnp.float32(noise))
            assert 0.0 <= float(down) <= float(up) <= 1.0
            if n > 1.0:  # 10 pulses' noise may exceed their sum
                both = {0.0: (0.0, 1.0), 5.0: (1.0, 1.0), -5.0: (0.0, 0.0)}
                assert (float(down), float(up)) == both[noise]
