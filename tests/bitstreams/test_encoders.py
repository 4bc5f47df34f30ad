"""Pairs of streams are as correlated as their encoder makes them, and gates obey."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.bitstreams import (
    ENCODERS,
    GATES,
    Drive,
    SwitchingDevice,
    divide,
    encode,
    expected,
    generate,
    mean_scc,
    pearson,
    scc,
)
from memjax.errors import UserError

KEY = jax.random.key(5)
R, N = 2000, 256
X, Y = jnp.full(R, 0.6), jnp.full(R, 0.3)
REMEMBERING = SwitchingDevice(sigma_v0_c2c=1e-6, rho=0.5)


@pytest.mark.parametrize("device", [SwitchingDevice(), REMEMBERING], ids=["at_once", "cycles"])
@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_has_its_correlation_and_keeps_probabilities(name, device):
    x, y = encode(device, X, Y, N, KEY, name, later=3)
    for stream, p in ((x, 0.6), (y, 0.3)):
        sd = np.sqrt(p * (1 - p) / N)
        assert abs(float(stream.value.mean()) - p) < 4 * sd / np.sqrt(R)
        assert float(stream.value.std()) == pytest.approx(sd, rel=0.06)
    found = scc(x, y)
    if correlation := ENCODERS[name].correlation:
        np.testing.assert_allclose(found, correlation, atol=1e-5)
    elif name != "delayed":
        assert abs(float(found.mean()) - mean_scc(0.6, 0.3, N)) < 4 * float(found.std()) / R**0.5
    for gate, (_, act, _) in GATES.items():
        if gate != "mux":
            p = float(expected(gate, 0.6, 0.3, ENCODERS[name].correlation))
            error = float(act(x, y, None).value.mean()) - p
            assert abs(error) < 6 * np.sqrt(p * (1 - p) / N / R) + 1e-6


@pytest.mark.parametrize("device", [SwitchingDevice(), REMEMBERING], ids=["at_once", "cycles"])
def test_a_delayed_stream_is_the_other_later(device):
    x, y = encode(device, 0.4, 0.4, 100, KEY, "delayed", later=7)
    np.testing.assert_array_equal(y.bits()[7:], x.bits()[:-7])
    assert np.any(np.asarray(y.bits()[:7])), "bits before the first"


@pytest.mark.parametrize("n", [16, 64, 256, 1024, 4096])
def test_errors_of_gates_are_those_of_fair_bits(n):
    """The rms error over sqrt(P (1 - P) / N), of 2,000 repetitions: 1.6 % of error itself."""
    x, y = encode(SwitchingDevice(), X, Y, n, KEY)
    s = generate(SwitchingDevice(), jnp.full(R, 0.5), n, jax.random.key(6))
    for gate in ("and", "or", "xor", "mux"):
        p = float(expected(gate, 0.6, 0.3))
        error = GATES[gate].act(x, y, s).value - p
        rms = float(jnp.sqrt(jnp.mean(error**2)))
        assert 0.95 < rms / np.sqrt(p * (1 - p) / n) < 1.05, gate


def test_a_divider_needs_nested_streams():
    quotient = divide(*encode(SwitchingDevice(), 0.2, 0.5, 200_000, KEY, "shared"))
    assert float(quotient.value) == pytest.approx(0.4, abs=0.006)
    independent = divide(*encode(SwitchingDevice(), 0.2, 0.5, 200_000, KEY))
    assert float(independent.value) == pytest.approx(0.2, abs=0.006)


def test_a_divider_has_the_variance_of_what_it_passes():
    """``P (1 - P) / n (2 - y) / y``."""
    quotient = divide(*encode(SwitchingDevice(), Y, X, 1024, KEY, "shared"))
    sd = np.sqrt(0.5 * 0.5 / 1024 * (2 - 0.6) / 0.6)
    assert float(quotient.value.std()) == pytest.approx(sd, rel=0.06)


def test_a_nominal_calibration_leaves_a_bias_that_the_mean_one_does_not():
    """AND +.008 at a spread of V0 by 2 %, p = .6, q = .3."""
    device = SwitchingDevice(sigma_v0_c2c=0.02)

    def bias(calibration):
        drive = Drive(calibration=calibration)
        x, y = encode(device, jnp.full(R, 0.6), jnp.full(R, 0.3), 4096, KEY, drive=drive)
        return float((x & y).value.mean()) - 0.18

    noise = np.sqrt(0.18 * 0.82 / 4096 / R)
    assert bias("nominal") == pytest.approx(0.008, abs=0.0006)
    assert abs(bias("mean")) < 4 * noise


@pytest.mark.parametrize("name", ["one_device", "shared", "inverted", "two_devices"])
def test_a_calibration_knows_what_was_before_a_bit_where_resets_fail(name):
    device = SwitchingDevice(reset_failure=0.3)
    p, q = (0.4, 0.3) if name != "inverted" else (0.6, 0.5)
    x, y = encode(
        device, jnp.full(200, p), jnp.full(200, q), 2000, KEY, name, Drive(calibration="mean")
    )
    assert float(x.value.mean()) == pytest.approx(p, abs=0.006)
    assert float(y.value.mean()) == pytest.approx(q, abs=0.006)


def test_a_memory_correlates_a_device_with_itself():
    """One device delayed by a bit, p = .4: SCC -.02 of an ideal one, +.115 where RESETs fail."""
    p = jnp.full(R, 0.4)
    ideal, failing = (
        float(scc(*encode(device, p, p, N, KEY, "delayed")).mean())
        for device in (SwitchingDevice(), SwitchingDevice(reset_failure=0.2))
    )
    assert ideal == pytest.approx(-0.020, abs=0.008) and failing == pytest.approx(0.115, abs=0.01)
    x, y = encode(SwitchingDevice(), p, p, N, KEY)
    assert abs(float(pearson(x, y).mean())) < 4 / np.sqrt(N * R), "and two devices have none"


def test_a_wrong_encoder_or_delay_is_a_line():
    with pytest.raises(UserError, match="did you mean 'shared'"):
        encode(SwitchingDevice(), 0.4, 0.4, 8, KEY, "share")
    with pytest.raises(UserError, match="later = 32 must be less than 32"):
        encode(SwitchingDevice(), 0.4, 0.4, 8, KEY, "delayed", later=32)
