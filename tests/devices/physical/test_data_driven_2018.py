"""The data-driven model of 2018: the exact step, its two boundaries."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices.physical import DataDriven2018
from reference import physical_twin

DEVICE = DataDriven2018()


@pytest.mark.parametrize("voltage", [1.5, 0.9, 0.05, 0.0, -0.6, -0.9, -1.1])
def test_a_step_solves_the_ode(voltage):
    """To 1e-2 Ω, float32's last places at 17 kΩ."""
    voltage = float(np.float32(voltage))
    for dt in (1e-8, 1e-5, 1e-2):
        states = np.array([1280.0, 4000.0, 9000.0, 14000.0, 17000.0])
        after = DEVICE.step(jnp.asarray(states, jnp.float32), voltage, dt)
        expected = [physical_twin.step(DEVICE, state, voltage, dt) for state in states]
        np.testing.assert_allclose(after, expected, atol=1e-2)


def test_the_closed_form():
    """e^(k R') = e^(k r) + e^(-k s dt) (e^(k R) - e^(k r)), from 9000 Ω at 1 V."""
    k, r, dt = 5.11e-4, 16719.0, 1e-5
    s = 743.47 * np.expm1(6.51)
    grown = np.exp(k * r) + np.exp(-k * s * dt) * (np.exp(k * 9000.0) - np.exp(k * r))
    assert float(DEVICE.step(9000.0, 1.0, dt)) == pytest.approx(np.log(grown) / k, abs=5e-3)


def test_beyond_its_boundary_nothing_moves():
    """At 1 V R rises to 16719 Ω, at -1 V it falls to 5612.1 Ω, and no further."""
    for volts, boundary, beyond in ((1.0, 16719.0, 16900.0), (-1.0, 5612.053, 4000.0)):
        assert float(DEVICE.step(beyond, volts, 1.0)) == beyond
        assert float(DEVICE.step(9000.0, volts, 1e3)) == pytest.approx(boundary, abs=2e-2)


def test_current_is_a_sinh():
    expected = 0.24 * np.sinh(3.0 * 0.5) / 2000.0
    assert float(DEVICE.current(2000.0, 0.5)) == pytest.approx(expected, rel=1e-6)
