"""The experiment of every device paper: shapes, ideal and noisy devices, mistakes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices import MODELS, ConstantStep, SoftBounds, pulse_response, without_noise
from memjax.errors import UserError

NOISY = {
    "levels": 20.0,
    "sigma_c2c": 0.3,
    "sigma_g": 0.02,
    "sigma_d2d": 0.3,
    "sigma_up_down": 0.1,
    "sigma_bounds": 0.2,
    "sigma_read": 0.1,
    "stuck": 0.1,
}


@pytest.mark.parametrize("model", MODELS.values())
def test_ideal_device(model):
    """Without a key there is no noise and no spread: noisy parameters give the ideal curve."""
    g = pulse_response(model(**NOISY), 30, 40)
    assert g.shape == (71,)
    assert g.dtype == jnp.float32
    np.testing.assert_array_equal(g, pulse_response(model(levels=20.0), 30, 40))
    assert float(g[0]) == 0.0
    up, down = np.diff(g)[:19], np.diff(g)[30:49]
    assert np.all(up > 0)
    assert np.all(down[: 1 if model.__name__ == "PhaseChange" else 19] < 0)  # a RESET is all


@pytest.mark.parametrize("model", MODELS.values())
def test_a_key_draws_device_and_noise(model):
    device = model(**{**NOISY, "stuck": None})
    one, again, other = (pulse_response(device, 10, 10, key=jax.random.key(k)) for k in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert float(jnp.mean(one[1:] == other[1:])) < 0.2
    assert np.std(np.diff(one)[:10]) > 1e-3


def test_populations_and_sweeps_are_vmaps():
    device = ConstantStep(levels=101.0, sigma_d2d=0.2)
    curves = jax.vmap(lambda key: pulse_response(device, 10, 0, key=key))(
        jax.random.split(jax.random.key(0), 4096)
    )
    # 10 steps of 0.01 (1 + 0.2 xi): 5 standard errors of mean and sd over 4096 devices
    assert float(curves[:, 10].mean()) == pytest.approx(0.1, abs=5 * 0.02 / 64)
    assert float(curves[:, 10].std()) == pytest.approx(0.02, rel=5 / np.sqrt(2 * 4096))
    swept = jax.vmap(lambda levels: pulse_response(ConstantStep(levels=levels), 2, 0))
    np.testing.assert_allclose(swept(jnp.array([3.0, 5.0])), [[0, 0.5, 1], [0, 0.25, 0.5]])


@pytest.mark.parametrize("start", [0, 1, 0.25, np.float32(0.75), jnp.float32(0.5)])
def test_start(start):
    g = pulse_response(SoftBounds(levels=11.0), 1, 1, start=start)
    assert float(g[0]) == float(start)
    assert float(g[1]) == pytest.approx(0.2 + 0.8 * float(start), abs=1e-6)


@pytest.mark.parametrize("model", MODELS.values())
def test_a_start_lies_within_the_devices_own_bounds(model):
    """A stuck device starts where it is stuck; an ideal one has no bounds of its own."""
    device = model(levels=11.0, stuck=1.0)
    low, high = (pulse_response(device, 3, 3, start=s, key=jax.random.key(2)) for s in (0.0, 1.0))
    np.testing.assert_array_equal(low, high)
    assert float(jnp.ptp(low)) == 0.0
    assert 0.0 < float(low[0]) < 1.0
    assert float(pulse_response(device, 1, 1, start=1.0)[0]) == 1.0


@pytest.mark.parametrize(("n_up", "n_down"), [(0, 0), (3, 0), (0, 3)])
def test_either_half_may_be_empty(n_up, n_down):
    g = pulse_response(ConstantStep(levels=11.0), n_up, n_down, start=0.5)
    expected = 0.5 + 0.1 * np.array([0, *range(1, n_up + 1), *range(-1, -n_down - 1, -1)])
    np.testing.assert_allclose(g, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 3), "pulse_response: n_up = -1, n_down = 3 must be at least 0"),
        ((1, -3), "pulse_response: n_up = 1, n_down = -3 must be at least 0"),
    ],
)
def test_negative_numbers_of_pulses(arguments, message):
    with pytest.raises(UserError, match=f"^{message}$"):
        pulse_response(ConstantStep(), *arguments)


@pytest.mark.parametrize("start", [-0.1, 1.5, float("nan")])
def test_a_start_outside_the_range(start):
    with pytest.raises(UserError, match=rf"start = {start} must be within \[0, 1\]$"):
        pulse_response(ConstantStep(), 1, 1, start=start)


@pytest.mark.parametrize("model", MODELS.values())
def test_without_noise_keeps_the_response(model):
    """What is random is gone: None where it may be, else 0; every other field is as it was."""
    device = model(on_off=3.0, up_down=0.2, lifetime=9.0, diffusion=0.1, **NOISY)
    ideal = without_noise(device)
    for field in dataclasses.fields(device):
        value, was = (getattr(d, field.name) for d in (ideal, device))
        if field.name.startswith("sigma_") or field.name in ("stuck", "diffusion"):
            assert value == (None if field.default is None else 0.0)
        else:
            np.testing.assert_array_equal(value, was)
