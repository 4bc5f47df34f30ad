"""Streams have the law of their devices: means, variances, and what a bit knows of the last."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.bitstreams import (
    Drive,
    SwitchingDevice,
    autocorrelation,
    calibrate,
    counts,
    effective_probability,
    generate,
)
from memjax.errors import UserError

KEY = jax.random.key(3)
N, R = 256, 4000
P = jnp.full(R, 0.4)


def spread_of(device, p=P, n=N, drive=None):
    """The mean of many streams' values, and their standard deviation in that of fair bits."""
    value = np.asarray(generate(device, p, n, KEY, drive).value)
    mean = value.mean()
    return mean, value.std() / np.sqrt(mean * (1 - mean) / n)


@pytest.mark.parametrize("p", [0.0, 1e-4, 0.3, 0.5, 0.999, 1.0])
def test_a_stream_has_its_probability_and_the_binomial_variance(p):
    value = np.asarray(generate(SwitchingDevice(), jnp.full(R, p), N, KEY).value)
    sd = np.sqrt(p * (1 - p) / N)
    assert abs(value.mean() - p) <= 4 * sd / np.sqrt(R)
    assert value.std() == pytest.approx(sd, rel=0.05 if 0.01 < p < 0.99 else 0.2)


def test_bits_of_a_length_are_those_of_a_longer_stream_and_none_is_beyond():
    short, long = (generate(SwitchingDevice(), 0.4, n, KEY) for n in (40, 64))
    assert int(short.words[1] >> 8) == 0
    np.testing.assert_array_equal(short.bits().shape, (40,))
    assert np.any(np.asarray(long.bits()[40:]))


def test_independent_bits_know_nothing_of_the_last():
    found = autocorrelation(generate(SwitchingDevice(), P, N, KEY))
    assert abs(float(found.mean()) + 1 / N) < 4 / np.sqrt(N * R)


def test_a_white_spread_is_a_coin_of_the_mean_probability():
    """The same bits as of one without spread, of that probability; and as of many cycles."""
    white = SwitchingDevice(sigma_v0_c2c=0.02)
    mean = effective_probability(white, white.nominal, calibrate(SwitchingDevice(), 0.4))
    coin = SwitchingDevice()
    np.testing.assert_allclose(
        generate(white, P, N, KEY).value, generate(coin, jnp.full(R, mean), N, KEY).value, atol=1e-2
    )
    in_cycles = SwitchingDevice(sigma_v0_c2c=0.02, rho=0.0)
    found, ratio = spread_of(in_cycles)
    assert abs(found - float(mean)) < 4 * np.sqrt(0.24 / N / R)
    assert ratio == pytest.approx(1.0, abs=0.04)


def test_a_spread_that_lasts_is_in_the_variance():
    """Of p-hat at p = 0.4: sd 0.0306 of fair bits, 0.043 at rho 0.9 and 0.086 at 0.99."""
    for rho, sd in ((0.9, 0.043), (0.99, 0.086)):
        device = SwitchingDevice(sigma_v0_c2c=0.02, rho=rho)
        mean, ratio = spread_of(device)
        assert ratio == pytest.approx(sd / 0.0306, rel=0.05)
        assert abs(mean - 0.408) < 0.008


def test_devices_that_differ_are_in_the_variance_and_each_may_be_calibrated():
    device = SwitchingDevice(sigma_v0_d2d=0.02)
    _, ratio = spread_of(device)
    assert ratio == pytest.approx(0.118 / 0.0306, rel=0.06)
    mean, ratio = spread_of(device, drive=Drive(calibration="device"))
    assert ratio == pytest.approx(1.0, abs=0.04) and abs(mean - 0.4) < 0.002


@pytest.mark.parametrize("calibration", ["nominal", "mean"])
def test_a_failing_reset_is_a_chain_of_two_states(calibration):
    """Stationary ``p / (1 - q (1 - p))``, autocorrelation ``q (1 - p)``; p = 0.3, q = 0.2."""
    device = SwitchingDevice(reset_failure=0.2)
    n = 2048
    x = generate(device, jnp.full(500, 0.3), n, KEY, Drive(calibration=calibration))
    p = 0.3 if calibration == "nominal" else (0.3 - 0.06) / (1 - 0.06)
    ones, lag = p / (1 - 0.2 * (1 - p)), 0.2 * (1 - p)
    if calibration == "nominal":
        assert (ones, lag) == (pytest.approx(0.348837, abs=1e-6), pytest.approx(0.14))
    else:
        assert ones == pytest.approx(0.3)
    value, sd = np.asarray(x.value), np.sqrt(ones * (1 - ones) / n * (1 + lag) / (1 - lag))
    assert abs(value.mean() - ones) < 5 * sd / np.sqrt(500)
    assert value.std() == pytest.approx(sd, rel=0.1)
    assert abs(float(autocorrelation(x).mean()) - lag) < 0.004


@pytest.mark.parametrize("modulates", ["amplitude", "width"])
def test_calibration_holds_for_any_spread(modulates):
    p = jnp.array([0.001, 0.1, 0.5, 0.9, 0.999])
    for spread in ({"sigma_v0_c2c": 0.1}, {"sigma_tau0_c2c": 1.0}):
        device = SwitchingDevice(**spread)
        pulses = calibrate(device, p, Drive(modulates=modulates))
        found = effective_probability(device, device.nominal, pulses)
        np.testing.assert_allclose(found, p, atol=1e-5)
    assert np.all(np.isfinite(effective_probability(device, device.nominal, pulses)))
    ends = calibrate(device, jnp.array([0.0, 1.0]), Drive(modulates=modulates))
    np.testing.assert_array_equal(effective_probability(device, device.nominal, ends), [0, 1])


def test_counts_without_bits_have_the_law_of_bits():
    found = np.asarray(counts(0.3, N, KEY, (R,)))
    assert abs(found.mean() - 0.3 * N) < 4 * np.sqrt(0.21 * N / R)
    assert found.var() == pytest.approx(0.21 * N, rel=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generate(SwitchingDevice(), 1.2, 8, KEY), "p = 1.2 must be at most 1"),
        (lambda: generate(SwitchingDevice(), 0.5, 0, KEY), "n = 0 must be at least 1"),
        (lambda: SwitchingDevice(tau0=-1.0), "tau0 = -1.0 must be more than 0"),
        (lambda: SwitchingDevice(rho=1.0), "rho = 1.0 must be less than 1"),
        (lambda: Drive(modulates="phase"), "must be one of amplitude, width"),
    ],
)
def test_a_wrong_number_is_a_line(call, message):
    with pytest.raises(UserError, match=message):
        call()
