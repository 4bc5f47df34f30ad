"""VTEAM: the published check values, the thresholds."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices.physical import VTEAM
from reference import physical_twin

DEVICE = VTEAM()


def test_published_values():
    """+.3 V: 7.0e-3 m/s, 428.57 ns for the range, 100 ns: .7 nm, 271.667 Ω; +1 V: 122.449 ns."""
    assert float(DEVICE.drive(0.3)) * 3e-9 == pytest.approx(7.0e-3, rel=1e-6)
    assert 1e9 / float(DEVICE.drive(0.3)) == pytest.approx(428.57, abs=5e-3)
    assert 1e9 / float(DEVICE.drive(1.0)) == pytest.approx(122.449, abs=5e-4)
    x = DEVICE.step(0.0, 0.3, 100e-9)
    assert float(x) * 3.0 == pytest.approx(0.7, rel=1e-6)
    assert 1.0 / float(DEVICE.conductance(x)) == pytest.approx(271.667, abs=5e-4)


def test_nothing_moves_between_the_thresholds():
    volts = jnp.array([-0.199, -0.1, 0.0, 0.019, 0.02, -0.2])
    assert np.all(np.asarray(DEVICE.step(jnp.full(6, 0.5), volts, 1.0)) == 0.5)
    assert float(DEVICE.drive(-0.3)) < 0 < float(DEVICE.drive(0.03))


@pytest.mark.parametrize("voltage", [0.3, 1.0, -0.25, -1.0])
def test_a_step_solves_the_ode(voltage):
    for dt in (1e-11, 1e-9, 1e-7):
        expected = [
            physical_twin.step(DEVICE, x, float(np.float32(voltage)), dt) for x in (0.25, 0.75)
        ]
        after = DEVICE.step(jnp.array([0.25, 0.75]), voltage, dt)
        np.testing.assert_allclose(after, expected, atol=3e-7)
