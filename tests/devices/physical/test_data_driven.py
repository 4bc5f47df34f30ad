"""The data-driven model: the exact step, its two boundaries."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices.physical import DataDriven
from memjax.errors import UserError
from reference import physical_twin

DEVICE = DataDriven()


@pytest.mark.parametrize("voltage", [1.5, 0.9, 0.05, 0.0, -0.9, -1.5, -3.0])
def test_a_step_solves_the_ode(voltage):
    """To 1e-3 Ω, float32's last places at 3 kΩ."""
    voltage = float(np.float32(voltage))
    for dt in (1e-8, 1e-6, 1e-3):
        states = np.array([1600.0, 1900.0, 2300.0, 2700.0, 3000.0])
        after = DEVICE.step(jnp.asarray(states, jnp.float32), voltage, dt)
        expected = [physical_twin.step(DEVICE, state, voltage, dt) for state in states]
        np.testing.assert_allclose(after, expected, atol=1e-3)


def test_the_closed_form():
    """R' = (R0 + s r (r - R0) dt) / (1 + s (r - R0) dt), from 2500 Ω at 0.9 V."""
    s, r, dt = 600.10075 * np.expm1(-0.9 / 0.0212028), 2699.2336 - 672.930205 * 0.9, 1e-6
    pull = s * (r - 2500.0) * dt
    expected = (2500.0 + pull * r) / (1.0 + pull)
    assert float(DEVICE.step(2500.0, 0.9, dt)) == pytest.approx(expected, abs=5e-4)


def test_beyond_its_boundary_nothing_moves():
    """At 0.9 V R falls to 2093.6 Ω, at -1.5 V it rises to 2860.9 Ω, and no further."""
    for volts, boundary, beyond in ((0.9, 2093.596, 1700.0), (-1.5, 2860.899, 2950.0)):
        assert float(DEVICE.step(beyond, volts, 1.0)) == beyond
        assert float(DEVICE.step(2500.0, volts, 1e3)) == pytest.approx(boundary, abs=2e-3)


def test_either_sign_of_the_speed_leads_to_its_boundary():
    """As fitted in 2017, t > 0: a positive A raises R towards r from below."""
    device = DataDriven(a_p=1e-4, t_p=0.12, r0_p=2600.0, r1_p=0.0)
    assert 2000.0 < float(device.step(2000.0, 0.8, 1e-3)) < 2600.0
    assert float(device.step(2700.0, 0.8, 1e3)) == 2700.0
    assert float(device.step(2000.0, 30.0, 1e3)) == pytest.approx(2600.0)


def test_current_is_a_sinh():
    expected = 0.32046175 * np.sinh(2.71689828 * 0.5) / 2000.0
    assert float(DEVICE.current(2000.0, 0.5)) == pytest.approx(expected, rel=1e-6)


def test_a_voltage_scale_of_zero_is_a_user_error():
    for name in ("t_p", "t_n"):
        with pytest.raises(UserError, match=f"DataDriven: {name} = 0.0 must not be 0"):
            DataDriven(**{name: 0.0})
