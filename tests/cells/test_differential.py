"""The differential pair: opposite pulses, and an on/off ratio that cancels where it should."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.cells import DifferentialPair
from memjax.devices import MODELS, ConstantStep
from reference.families import FAMILIES

R = 0.5
PAIR = DifferentialPair(weight_range=R)


def stream(seed):
    return random.stream(jax.random.key(seed))


@jax.jit
def run(device, weight, n):
    """20 updates; the weight after each."""
    state, weight = PAIR.init(device, stream(1), weight)

    def body(carry, step):
        carry = PAIR.pulse(device, *carry, n, random.fold_in(stream(2), step))
        return carry, carry

    return jax.lax.scan(body, (state, weight), jnp.arange(20))[1]


def test_devices_are_programmed_around_mid_range_and_move_oppositely():
    device = ConstantStep(levels=5.0)
    state, weight = PAIR.init(device, stream(1), jnp.array([-0.5, 0.0, 0.25]))
    np.testing.assert_allclose(state.conductances, [[0, 0.5, 0.75], [1, 0.5, 0.25]], atol=1e-7)
    state, weight = PAIR.pulse(device, state, weight, jnp.ones(3), stream(2))
    np.testing.assert_allclose(state.conductances, [[0.25, 0.75, 1], [0.75, 0.25, 0]], atol=1e-7)
    np.testing.assert_allclose(weight, [-0.25, 0.25, 0.5], atol=1e-7)
    state, weight = PAIR.pulse(device, state, weight, jnp.full(3, -8.0), stream(3))
    np.testing.assert_allclose(weight, [-0.5, -0.5, -0.5], atol=1e-7)


def test_devices_are_fabricated_apart():
    state, _ = PAIR.init(ConstantStep(sigma_d2d=0.3), stream(1), jnp.zeros(4096))
    gains = [np.asarray(array.up) for array in state.devices]
    assert abs(np.corrcoef(*gains)[0, 1]) < 5 / np.sqrt(4096)  # 5 standard errors of 0
    assert gains[0].std() == pytest.approx(0.3 / 31, rel=0.06)  # 5 errors of 1 / sqrt(2 N)


def test_bounds_clip_what_is_programmed():
    state, weight = PAIR.init(ConstantStep(sigma_bounds=0.4), stream(1), jnp.full(512, R))
    (top, bottom), (plus, minus) = state.conductances, state.devices
    np.testing.assert_allclose(top, np.minimum(1.0, plus.g_max), atol=1e-7)
    np.testing.assert_allclose(bottom, np.maximum(0.0, minus.g_min), atol=1e-7)
    np.testing.assert_allclose(weight, R * (top - bottom), atol=1e-7)
    assert 0.5 < float(jnp.mean(weight < R)) < 0.95  # 3/4: either may fall short


@pytest.mark.parametrize("model", [m for m in FAMILIES if m != "PhaseChange"])
def test_on_off_cancels(model):
    """With noise in proportion to the step, G_min is in neither pulses nor readout: every bit.

    Own bounds tell it only where they would lie below G = 0: beyond 5 sd at an on/off ratio of 3.
    PhaseChange is apart: its law is of siemens, so the ratio sets where in it a device starts.
    """
    spread = {"sigma_d2d": 0.3, "stuck": 0.05, "sigma_read": 0.1, "sigma_c2c": 0.5}
    weight, n = jnp.linspace(-R, R, 256), jnp.where(jnp.arange(256) % 3 == 0, 2.0, -1.0)
    for sigma_bounds, ratios in ((0.0, (1.1, 10.0, 1e6)), (0.2, (1.1, 2.0, 3.0))):
        runs = [
            run(MODELS[model](on_off=ratio, sigma_bounds=sigma_bounds, **spread), weight, n)
            for ratio in ratios
        ]
        for other in runs[1:]:
            for a, b in zip(jax.tree.leaves(runs[0]), jax.tree.leaves(other), strict=True):
                np.testing.assert_array_equal(a, b)
        assert float(jnp.std(runs[0][1][-1] - weight)) > 0.1


@pytest.mark.parametrize("on_off", [1.5, 3.0, 50.0])
def test_noise_in_proportion_to_g_does_not_cancel(on_off):
    """Var = R^2 n sum over both of (s dg)^2 + (sigma_g (g + 1 / (on_off - 1)))^2.

    131,072 pairs: 5 standard errors of a sd are 1 %.
    """
    device = ConstantStep(levels=64.0, on_off=on_off, sigma_c2c=0.3, sigma_g=0.01)
    state, weight = PAIR.init(device, stream(1), jnp.full(131072, 0.2))
    n = jnp.full(131072, 3.0)
    _, after = PAIR.pulse(device, state, weight, n, stream(2))
    seen = np.array([0.7, 0.3]) + 1 / (on_off - 1)
    sd = R * np.sqrt(3 * np.sum((0.3 / 63) ** 2 + (0.01 * seen) ** 2))
    change = np.asarray(after, float) - 0.2
    assert change.std() == pytest.approx(sd, rel=0.01)
    assert abs(change.mean() - 3 * 2 * R / 63) < 5 * sd / np.sqrt(131072)


@pytest.mark.parametrize("on_off", [1.5, 3.0, 1e6])
def test_read_variance(on_off):
    """(R sigma)^2 sum of (g + 1 / (on_off - 1))^2: 2 at |w| = R for a perfect ratio is 1."""
    device = ConstantStep(on_off=on_off, sigma_read=0.02)
    variance = PAIR.read_variance(device, jnp.array([-R, 0.0, 0.2]))
    seen = np.array([[0.0, 1.0], [0.5, 0.5], [0.7, 0.3]]) + 1 / (on_off - 1)
    np.testing.assert_allclose(variance, (R * 0.02) ** 2 * (seen**2).sum(1), rtol=1e-5)
    np.testing.assert_array_equal(PAIR.read_variance(ConstantStep(), jnp.ones(3)), np.zeros(3))


def test_read_variance_is_that_of_reading_both_devices():
    """200,000 reads of two conductances in siemens; 5 standard errors of a variance are 1.6 %."""
    g_max, g_min, rng = 20e-6, 5e-6, np.random.default_rng(0)
    per_siemens = R / (g_max - g_min)
    plus, minus = (g_min + g * (g_max - g_min) for g in (0.7, 0.3))
    reads = per_siemens * (
        plus * (1 + 0.05 * rng.standard_normal(200_000))
        - minus * (1 + 0.05 * rng.standard_normal(200_000))
    )
    device = ConstantStep(on_off=g_max / g_min, sigma_read=0.05)
    variance = float(PAIR.read_variance(device, jnp.float32(reads.mean())))
    assert reads.mean() == pytest.approx(0.2, abs=1e-3)
    assert reads.var() == pytest.approx(variance, rel=0.016)
