"""Numbers worked out by hand or by another program, in float64."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.bitstreams import (
    Bitstream,
    Pulses,
    SwitchingDevice,
    effective_probability,
    expected,
    mean_scc,
    scc,
)
from memjax.bitstreams.correlation import exact_mean_scc

DEVICE = SwitchingDevice()


@pytest.mark.parametrize(
    ("x", "y", "value"),
    [
        ("11110000", "11111100", 1),
        ("11110000", "00111111", -1),
        ("11001100", "11110000", 0),
        ("11111111", "10101010", 0),
        ("11010100", "01101011", -1),
    ],
)
def test_scc_of_short_streams(x, y, value):
    assert float(scc(Bitstream.of(x), Bitstream.of(y))) == value


def test_gates_of_a_pair():
    x, y = Bitstream.of("11010100"), Bitstream.of("01101011")
    assert [float((x & y).value), float((x ^ y).value)] == [0.125, 0.875]


def test_the_law_of_switching_and_its_inverses():
    volts = jnp.array([2.5, 3.0])
    np.testing.assert_allclose(DEVICE.probability(volts, 1e-3), [0.034852, 0.590577], rtol=2e-5)
    np.testing.assert_allclose(DEVICE.tau(3.0), 1.11981e-3, rtol=1e-5)
    wanted = jnp.array([0.1, 0.5])
    np.testing.assert_allclose(DEVICE.voltage(wanted, 1e-3), [2.668733, 2.960730], rtol=1e-6)
    np.testing.assert_allclose(DEVICE.width(0.5, 3.0), 0.776195e-3, rtol=1e-5)
    np.testing.assert_allclose(DEVICE.slope(0.5), 2.235959, rtol=1e-6)


def test_the_mean_over_a_white_spread():
    device = SwitchingDevice(sigma_v0_c2c=0.02)
    pulses = Pulses(device.voltage(jnp.array([0.1, 0.5, 0.9]), 1e-3), jnp.float32(1e-3))
    found = effective_probability(device, device.nominal, pulses)
    np.testing.assert_allclose(found, [0.105832, 0.508970, 0.879867], rtol=1e-5)


def test_two_spreads_are_the_mean_over_many_devices():
    """Two spreads at once, against a mean over devices of which each has its own numbers."""
    spread = {"sigma_v0": 0.03, "sigma_tau0": 0.5}
    cycles = SwitchingDevice(**{f"{name}_c2c": sd for name, sd in spread.items()})
    devices = SwitchingDevice(**{f"{name}_d2d": sd for name, sd in spread.items()})
    pulses = Pulses(DEVICE.voltage(0.4, 1e-3), jnp.float32(1e-3))
    many = devices.fabricate(jnp.array([1, 2], jnp.uint32), (200_000,))
    by_device = effective_probability(devices, many, pulses)
    found = effective_probability(cycles, cycles.nominal, pulses)
    assert abs(float(found) - float(by_device.mean())) < 4 * float(by_device.std()) / 447
    assert abs(float(found) - 0.4) > 0.01


@pytest.mark.parametrize(
    ("p", "q", "n", "value"),
    [
        (0.5, 0.5, 16, 0.0),
        (0.4, 0.6, 16, 0.033576),
        (0.4, 0.4, 16, -0.033576),
        (0.4, 0.6, 64, 0.018783),
    ],
)
def test_the_mean_scc_of_independent_streams(p, q, n, value):
    assert mean_scc(p, q, n) == pytest.approx(value, abs=2e-6)


def test_the_mean_scc_of_long_streams():
    """Its two first terms, of which the first alone is 15 % off."""
    assert mean_scc(0.4, 0.6, 256) == pytest.approx(exact_mean_scc(0.4, 0.6, 256), rel=0.01)


def test_what_gates_make_of_correlation():
    found = [[float(expected(g, 0.6, 0.3, scc)) for scc in (-1, 0, 1)] for g in ("and", "or")]
    np.testing.assert_allclose(found, [[0, 0.18, 0.3], [0.9, 0.72, 0.6]], atol=1e-6)
    found = [[float(expected(g, 0.6, 0.3, scc)) for scc in (-1, 0, 1)] for g in ("xor", "xnor")]
    np.testing.assert_allclose(found, [[0.9, 0.54, 0.3], [0.1, 0.46, 0.7]], atol=1e-6)
    for correlation in (-1, 0, 1):
        np.testing.assert_allclose(expected("mux", 0.6, 0.3, correlation, 0.25), 0.375, atol=1e-6)
