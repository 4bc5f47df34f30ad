"""Ernoult's device: widths, the two logarithms, and its letters in ours."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import Ernoult, pulse_response

STREAM = random.stream(jax.random.key(0))


@pytest.mark.parametrize("beta", [0.005, 1.0, 3.0, 5.0])
def test_dt_max_leads_from_bound_to_bound(beta):
    """In one pulse or in many: dG = D."""
    for count in (2, 30):
        g = pulse_response(Ernoult(levels=float(count), beta=beta), count, count)
        assert float(g[count]) == pytest.approx(1, abs=1e-5)
        assert float(g[-1]) == pytest.approx(0, abs=1e-5)


def test_n_pulses_are_one_of_n_times_the_width():
    narrow, wide = Ernoult(levels=60.0), Ernoult(levels=20.0)
    g = jnp.array([0.1, 0.5, 0.7])
    for sign in (1.0, -1.0):
        ours, once = (
            device.response(device.fabricate(STREAM, ()), g, jnp.full(3, sign * n))[0]
            for device, n in ((narrow, 3), (wide, 1))
        )
        np.testing.assert_allclose(ours, once, rtol=1e-5)


def test_the_published_pulse():
    """beta 3, dt = dt_max / 10, mid-range: (1/3) ln(1 + 0.1 (e^3 - 1) e^(-1.5)) either way."""
    device, size = Ernoult(levels=10.0, beta=3.0), np.log1p(0.1 * np.expm1(3) * np.exp(-1.5)) / 3
    up, down = (
        float(device.response(device.fabricate(STREAM, ()), jnp.float32(0.5), jnp.float32(n))[0])
        for n in (1, -1)
    )
    assert (up, down) == pytest.approx((size, -size), rel=1e-5)


def test_sigma_intra_and_sigma_inter():
    """The noise of an update is of the range; the pulse's strength is log-normal over devices."""
    device = Ernoult(levels=50.0, sigma_c2c=0.02, c2c="write", sigma_d2d=0.5, d2d="lognormal")
    array, g = device.fabricate(STREAM, (20000,)), jnp.full(20000, 0.5)
    change = device.change(array, g, jnp.full(20000, 3.0), jnp.ones(20000))
    mean, _ = device.response(array, g, jnp.full(20000, 3.0))
    np.testing.assert_allclose(change - mean, 0.02, atol=1e-6)
    assert np.log(np.asarray(array.up)).std() == pytest.approx(0.5, rel=5 / np.sqrt(40000))
