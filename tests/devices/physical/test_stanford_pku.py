"""Stanford-PKU: the rate, the read resistances, overflow, the field's threshold."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices.physical import StanfordPKU
from memjax.errors import UserError
from reference import physical_twin

DEVICE = StanfordPKU()


def test_default_gaps_are_the_published_resistances():
    """542 Ω and 218,586 Ω at 0.1 V: the range that the constants are published with."""
    ohms = 1.0 / np.asarray(DEVICE.conductance(jnp.array([0.2, 1.7])))
    np.testing.assert_allclose(ohms, [542.0, 218586.0], rtol=1e-3)


@pytest.mark.parametrize("voltage", [0.1, 1.0, -1.0, 3.0, -3.0])
def test_rate_equals_the_law(voltage):
    """To 2e-5: float32 holds the exponents, which reach 40, to 1e-6 of themselves."""
    numbers = physical_twin.numbers(DEVICE)
    for gap in (0.2, 0.7, 1.7):
        expected = physical_twin.stanford_pku(numbers, gap, voltage)
        rate = float(DEVICE.rate(jnp.float32(gap), jnp.float32(voltage)))
        assert rate == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize("voltage", [3.0, -3.0, 30.0])
def test_no_voltage_overflows(voltage):
    gaps = jnp.linspace(0.2, 1.7, 16)
    assert np.all(np.isfinite(DEVICE.current(gaps, voltage)))
    after = np.asarray(DEVICE.step(gaps, voltage, 1.0))
    if abs(voltage) <= 3.0:  # the law itself rests in the infinite heat of 30 V
        np.testing.assert_allclose(after, 0.2 if voltage > 0 else 1.7, atol=1e-5)
    assert np.all((after >= np.float32(0.2)) & (after <= np.float32(1.7)))


def test_a_cold_device_rests():
    assert float(StanfordPKU(t0=4.0).step(1.0, 0.1, 1.0)) == 1.0


def test_below_the_least_field_the_gap_rests():
    """RESET stops where gamma |V| / t_ox = 1.4 V/nm, g = ((16 - 16.8 / |V|) / 0.8)^(1/3)."""
    device = StanfordPKU(field_min=1.4)
    assert float(device.step(1.0, 1.0, 1.0)) == 1.0
    assert float(device.step(1.0, 0.1, 1e4)) == 1.0
    stop = ((16.0 - 16.8 / 1.1) / 0.8) ** (1 / 3)
    assert float(device.step(0.2, -1.1, 1.0)) == pytest.approx(stop, abs=1e-5)


def test_gaps_out_of_order_are_a_user_error():
    with pytest.raises(UserError, match=r"gap_min = 2.0 must be less than gap_max"):
        StanfordPKU(gap_min=2.0)
