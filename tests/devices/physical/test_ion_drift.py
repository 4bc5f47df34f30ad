"""Linear ion drift: the published check value, the flux law, the exact step."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices.physical import LinearIonDrift
from reference import physical_twin

DEVICE = LinearIonDrift()


def test_published_value():
    """V 1, 0.1 s, from x .1: x .172278, R 13260.77 (to float32's last digits)."""
    x = DEVICE.step(0.1, 1.0, 0.1)
    assert float(x) == pytest.approx(0.172278, abs=5e-7)
    assert float(DEVICE.resistance(x)) == pytest.approx(13260.77, abs=5e-3)
    assert float(DEVICE.current(x, 2.0)) == pytest.approx(2.0 / 13260.77, rel=1e-6)


@pytest.mark.parametrize("voltage", [1.0, -1.0])
def test_a_step_solves_the_flux_law_and_the_ode(voltage):
    x, dt = np.meshgrid(np.linspace(0, 1, 11, dtype=np.float32), np.float32([1e-6, 0.01, 0.5, 20]))
    after = np.asarray(DEVICE.step(jnp.asarray(x), voltage, jnp.asarray(dt)))
    by_flux = physical_twin.ion_drift_by_flux(DEVICE, x.astype(float), voltage, dt.astype(float))
    np.testing.assert_allclose(after, by_flux, atol=3e-7)
    by_ode = [
        physical_twin.step(DEVICE, float(a), voltage, float(t))
        for a, t in zip(x.flat, dt.flat, strict=True)
    ]
    np.testing.assert_allclose(after.ravel(), by_ode, atol=3e-7)


def test_small_steps_keep_their_digits():
    """A move of 1e-6 at x = 0: dx = drift V dt / r_off, to a part in 1e-6."""
    x = float(DEVICE.step(0.0, 1.0, 1.6e-6))
    assert x == pytest.approx(1e4 * 1.6e-6 / 16e3, rel=1e-6)


def test_equal_resistances_leave_a_uniform_drift():
    device = LinearIonDrift(r_on=100.0, r_off=100.001)
    assert float(device.step(0.2, 1.0, 1e-3)) == pytest.approx(0.2 + 1e4 * 1e-3 / 100.0, rel=1e-4)
