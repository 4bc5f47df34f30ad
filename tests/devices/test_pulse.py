"""What programming costs: energy and time of the pulses, by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices import ConstantStep
from memjax.errors import UserError

PULSES = {"voltage_up": 2.0, "voltage_down": 3.0, "width_up": 1e-6, "width_down": 2e-6}


def test_energy_is_v_squared_g_t_of_every_pulse():
    """Of 2 pulses up at Gmax = 1 mS, of 1 down at Gmin = 0.5 mS, of none."""
    device = ConstantStep(gmax=1e-3, on_off=2.0, **PULSES)
    energy = device.energy(jnp.array([2.0, -1.0, 0.0]), jnp.array([1.0, 0.0, 0.5]))
    expected = [2 * 4.0 * 1e-3 * 1e-6, 9.0 * 0.5e-3 * 2e-6, 0.0]
    np.testing.assert_allclose(energy, expected, rtol=1e-6)


def test_time_is_of_pulses_one_after_the_other():
    time = ConstantStep(**PULSES).time(jnp.float32(3.0), jnp.float32(2.0))
    assert float(time) == pytest.approx(7e-6)


@pytest.mark.parametrize("unknown", [*PULSES, "gmax"])
def test_what_is_not_known_is_told(unknown):
    device = ConstantStep(**{"gmax": 1e-3, **PULSES, unknown: None})
    assert not device.knows_energy
    assert device.knows_time == ("width" not in unknown)
    with pytest.raises(UserError, match=f"^ConstantStep: {unknown} is not known; set it$"):
        device.energy(jnp.ones(1), jnp.ones(1))
    if "width" in unknown:
        with pytest.raises(UserError, match=f"{unknown} is not known; set it$"):
            device.time(jnp.float32(1.0), jnp.float32(1.0))
