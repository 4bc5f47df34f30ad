"""The exponential step's published values, and those of the ReRAM of Gong et al."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import ExponentialStep
from reference.pulsed import pulsed

STREAM = random.stream(jax.random.key(0))

DEVICE = ExponentialStep(levels=1201.0, weight_span=1.2)  # dw_min = 0.001, bounds +-0.6
RERAM = ExponentialStep(
    levels=2 / 0.00135 + 1,
    up_down=0.259359,
    amplitude_up=-1.18445,
    amplitude_down=-0.081404,
    gamma_up=5.0,
    gamma_down=5.0,
    slope=-0.5,
    offset=-0.5,
)


def weights(device, sign):
    """After the first pulse and after 100, 500 and 1000, from w = 0."""
    array = device.fabricate(STREAM, ())
    train = jax.jit(lambda n: pulsed(device, array, jnp.full(4, device.g_ref), n, jnp.zeros(4)))
    return device.weights(train(sign * jnp.array([1.0, 100.0, 500.0, 1000.0])))


@pytest.mark.parametrize(
    ("device", "sign", "published"),
    [
        (DEVICE, 1.0, [0.000983432, 0.097860, 0.465443, 0.6]),
        (DEVICE, -1.0, [-0.000983425, -0.097844, -0.463957, -0.6]),
        (RERAM, 1.0, [0.00148125, 0.146008, 0.705555, 1.0]),
        (RERAM, -1.0, [-0.00199144, -0.179472, -0.714264, -1.0]),
    ],
)
def test_published_values(device, sign, published):
    """To their digits and what a thousand float32 sums round (at most 3e-8 each, at random)."""
    np.testing.assert_allclose(weights(device, sign), published, atol=3e-6)


@pytest.mark.parametrize("start", [-0.5, 0.5])
def test_alternating_pulses_settle_at_the_symmetry_point(start):
    """Published: -0.218362 after the down pulse."""
    array = RERAM.fabricate(STREAM, ())

    @jax.jit
    def run(g):
        def cycle(_, g):
            g = g + RERAM.pulse(array, g, jnp.bool_(True))
            return g + RERAM.pulse(array, g, jnp.bool_(False))

        return jax.lax.fori_loop(0, 8000, cycle, g)

    w = float(RERAM.weights(run(jnp.float32(0.5 + 0.5 * start))))
    assert w == pytest.approx(-0.218362, abs=2e-5)


def test_a_step_is_never_backwards():
    """Where 1 - A e^(gamma z) is below 0 there is no step."""
    device = ExponentialStep(amplitude_up=2.0, amplitude_down=2.0, offset=0.0)
    array = device.fabricate(STREAM, ())
    g = jnp.linspace(0.0, 1.0, 11)
    up, down = (device.response(array, g, jnp.full(11, n))[0] for n in (1.0, -1.0))
    assert bool(jnp.all(up >= 0)) and bool(jnp.all(down <= 0))
    assert float(up[-1]) == float(down[0]) == 0.0


def test_noise_may_have_parts_that_no_step_makes():
    device = ExponentialStep(levels=33.0, sigma_c2c=0.5, noise_offset=0.01, noise_slope=0.2)
    array = device.fabricate(STREAM, ())
    g = jnp.array([0.2, 0.5, 0.9])
    mean, sd = device.response(array, g, jnp.ones(3))
    expected = 0.5 * (np.asarray(mean) + 0.01 + 0.2 * abs(np.asarray(g) - 0.5))
    np.testing.assert_allclose(sd, expected, rtol=1e-5)


def test_mean_step_is_that_at_zero():
    array = RERAM.fabricate(STREAM, ())
    symmetric = float(RERAM.response(array, jnp.float32(0.5), jnp.float32(1.0))[0])
    symmetric -= float(RERAM.response(array, jnp.float32(0.5), jnp.float32(-1.0))[0]) / 0.740641
    assert float(RERAM.mean_step) == pytest.approx(symmetric / 2, rel=1e-4)
