"""Drift: closed forms, and the moments of phase-change devices over a year."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.crossbar import DRIFTS, PCM, Endurance, PCMDrift, PowerLaw, Retention

STREAM = random.stream(jax.random.key(1))
MANY = 200_000
TIMES = {"1 s": 1.0, "1 h": 3600.0, "1 d": 86_400.0, "1 y": 31_536_000.0}


def test_without_drift_nothing_changes():
    g = jnp.array([0.1, 0.5])
    drift = DRIFTS["none"]()
    nu = drift.exponents(STREAM, g)
    np.testing.assert_array_equal(drift.seen(STREAM, g, nu, 1e6), g)


@pytest.mark.parametrize(
    ("time", "factor"),
    list(zip(TIMES.values(), (0.997563, 0.771110, 0.657992, 0.489904), strict=True)),
)
def test_a_power_law_is_its_formula(time, factor):
    g = jnp.array([0.2, 1.0])
    drift = PowerLaw(nu=0.05)
    seen = drift.seen(STREAM, g, drift.exponents(STREAM, g), time)
    np.testing.assert_allclose(seen / g, factor, atol=2e-6)


def test_memtorchs_drift_is_a_power_law_from_a_picosecond_on():
    drift = PowerLaw(nu=0.1, t0=1e-12)
    np.testing.assert_allclose(drift.at(jnp.ones(()), jnp.float32(0.1), 1e-3), 1e9**-0.1, rtol=1e-5)


@pytest.mark.parametrize(
    ("time", "root"),
    list(zip(TIMES.values(), (4.189652, 4.764755, 5.086810, 5.636958), strict=True)),
)
def test_reads_have_the_noise_of_their_time(time, root):
    sd = PCMDrift().read_sd(jnp.array([1.0, 1e-9]), time)
    np.testing.assert_allclose(sd, [0.0088 * root, 0.2 * root], rtol=2e-6)


PUBLISHED = {
    0.0: ((0.1003, 0.0441), (0.1067, 0.1857, 0.0660, 0.1221, 0.0502, 0.0985, 0.0323, 0.0733)),
    5.0: ((0.0493, 0.0142), (4.988, 0.803, 3.881, 0.720, 3.334, 0.713, 2.524, 0.703)),
    25.0: ((0.0490, 0.0080), (24.937, 1.398, 19.387, 1.406, 16.619, 1.514, 12.498, 1.646)),
}
"""Target in µS: mean and sd of nu; mean and sd in µS after 1 s, 1 h, 1 d, 1 y."""


@pytest.mark.parametrize("target", PUBLISHED)
def test_phase_change_devices_drift_as_published(target):
    """Moments of 200,000 devices, theirs as many: four standard errors of both, and rounding."""

    @jax.jit
    def trajectory(target):
        g = jnp.full(MANY, target / 25.0)
        programmed = PCM().program(random.fold_in(STREAM, 0), g, gmin=0.0, gmax=25e-6)
        nu = PCMDrift().exponents(random.fold_in(STREAM, 1), g)
        seen = [
            25.0 * PCMDrift().seen(random.fold_in(STREAM, 2 + k), programmed, nu, time)
            for k, time in enumerate(TIMES.values())
        ]
        return jnp.stack([nu, *seen])

    nu, *seen = np.asarray(trajectory(target), np.float64)
    (mean, sd), moments = PUBLISHED[target]
    apart = 4 * np.sqrt(2 / MANY)
    rounded = 0.5e-4 if target == 0 else 0.5e-3
    assert nu.mean() == pytest.approx(mean, abs=apart * sd + 1e-4)
    assert nu.std() == pytest.approx(sd, rel=apart, abs=1e-4)
    for g, mean, sd in zip(seen, moments[::2], moments[1::2], strict=True):
        assert g.mean() == pytest.approx(mean, abs=apart * sd + rounded)
        # a half-normal with heavier tails: its sd has a larger standard error
        assert g.std() == pytest.approx(sd, rel=3 * apart, abs=rounded)


METAL_OXIDE = {
    "cell": 8.0,
    "temperature": 350.0,
    "lrs_p0": 5.0,
    "lrs_p1": 0.1,
    "lrs_p2": 2.0,
    "lrs_p3": 0.2,
    "hrs_p0": 20.0,
    "hrs_p1": 0.2,
    "hrs_p2": -1.0,
    "hrs_p3": -0.3,
}


@pytest.mark.parametrize("x", [1.0, 60.0, 1e4])
def test_retention_and_endurance_are_memtorchs_formula(x):
    g = np.array([0.9, 0.1])
    wanted = []
    for value, state in zip(g, ("lrs", "hrs"), strict=True):
        p0, p1, p2, p3 = (METAL_OXIDE[f"{state}_p{k}"] for k in range(4))
        rate = p1 * 8.0 + p2 * min(298.0 / 350.0, 1.0)
        threshold, log_r = p0 * np.exp(rate), -np.log10(value)
        if x > threshold:
            log_r += p3 * rate * (np.log10(x) - np.log10(threshold))
        wanted.append(10.0**-log_r)
    found = Retention(**METAL_OXIDE).seen(STREAM, jnp.float32(g), jnp.ones(2), x)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    worn = Endurance(cycles=x, **METAL_OXIDE).seen(STREAM, jnp.float32(g), jnp.ones(2), 7.0)
    np.testing.assert_array_equal(worn, found)


def test_a_sudden_failure_leaves_a_stable_resistance():
    model = Retention(failure="sudden", lrs_stable=0.4, hrs_stable=0.3, **METAL_OXIDE)
    g = jnp.array([0.9, 0.1])
    np.testing.assert_array_equal(model.after(g, 1.0), g)
    np.testing.assert_allclose(model.after(g, 100.0), [0.4, 0.3])  # from 61 and 42 on
    np.testing.assert_array_equal(model.at(g, jnp.zeros(2), 100.0), g)  # stuck
    np.testing.assert_array_equal(Retention().after(g, 1e20), g)
