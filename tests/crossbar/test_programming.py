"""What is programmed: closed forms of each model, and its moments over many devices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.crossbar import PROGRAMMING, Independent, Inverse, Proportional, Table
from memjax.errors import UserError

STREAM = random.stream(jax.random.key(0))
MANY = 200_000
FOUR = 4.0 * np.sqrt(1.0 / MANY)
"""Four standard errors of a mean, in sds."""


@pytest.mark.parametrize(
    ("name", "gmax", "siemens", "expected"),
    [
        ("pcm", 25e-6, [0, 5, 25], [0.26348, 0.609556, 1.05538]),
        ("milo", 225e-6, [50, 225], [4.326971, 2.733246]),
        ("wan", 40e-6, [0, 20], [1.053, 1.053 + 4.748 - 4.668 + 1.2288]),
        ("exact", 25e-6, [5], [0.0]),
    ],
)
def test_the_sd_of_a_technology_is_its_formula(name, gmax, siemens, expected):
    g = jnp.array(siemens, jnp.float32) * 1e-6 / gmax
    found = PROGRAMMING[name]().sd(g, gmax) * gmax * 1e6
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)


def test_sonos_is_stated_by_days_and_linear_between():
    sd = lambda days: float(PROGRAMMING["sonos"](days=days).sd(jnp.array(1.0), 1.0)) * 1600  # noqa: E731
    assert sd(0.0) == pytest.approx(19.88665 * (1 - np.exp(-1600 / 176.3115)), rel=1e-5)
    assert sd(5.0) == pytest.approx(34.57909 * (1 - np.exp(-1600 / 207.34309)), rel=1e-5)
    assert sd(2.5) == pytest.approx(
        0.5 * (28.72753 + 31.04318) * (1 - np.exp(-1600 / 196.235825)), rel=1e-5
    )


@pytest.mark.parametrize(
    ("model", "sd"),
    [
        (Independent(sigma=0.1), 0.1),
        (Proportional(sigma=0.1), 0.05),
        (Proportional(sigma=0.1, law="fast_normal"), 0.05),
        (Inverse(sigma=0.05), 0.1),
        (Independent(sigma=0.1, law="uniform"), 0.1 / np.sqrt(12)),
    ],
)
def test_generic_errors_have_their_sd(model, sd):
    g = jnp.full(MANY, 0.5)
    error = np.asarray(model.program(STREAM, g, gmin=0.1, gmax=1e-5)) - 0.5
    assert abs(error.mean()) < FOUR * sd
    assert error.std() == pytest.approx(sd, rel=FOUR)
    if model.law == "uniform":
        assert np.abs(error).max() <= 0.05 + 1e-6


def test_devices_are_clipped_at_zero_and_within_bounds_where_asked():
    g = jnp.concatenate([jnp.full(1000, 0.1), jnp.full(1000, 1.0)])
    free, clipped = (
        Independent(sigma=0.2, clips=clips).program(STREAM, g, gmin=0.1, gmax=1.0)
        for clips in (False, True)
    )
    assert float(free.min()) == 0.0 and float(free.max()) > 1.0
    assert float(clipped.min()) == pytest.approx(0.1) and float(clipped.max()) == 1.0
    np.testing.assert_array_equal(clipped, np.clip(free, 0.1, 1.0))
    assert float(Inverse(sigma=0.1).sd(jnp.zeros(()), 1.0)) == 0.0


def test_phase_change_devices_have_the_published_moments():
    """Mean and sd in µS after programming 0, 5 and 25 µS (clipped at 0: of 0 a half-normal)."""
    model, gmax = PROGRAMMING["pcm"](), 25e-6
    for target, mean, sd in ((0.0, 0.1051, 0.1538), (5.0, 5.0, 0.60956), (25.0, 25.0, 1.05538)):
        g = jnp.full(MANY, target / 25.0)
        found = 25.0 * np.asarray(model.program(STREAM, g, gmin=0.0, gmax=gmax))
        assert found.mean() == pytest.approx(mean, abs=FOUR * sd + 1e-4)
        assert found.std() == pytest.approx(sd, rel=FOUR + 1e-3)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({}, "0 conductances and 0 deviations"),
        ({"conductance": (1.0, 2.0), "deviation": (1.0,)}, "2 conductances and 1 deviations"),
        ({"conductance": (2.0, 1.0), "deviation": (1.0, 1.0)}, "must rise"),
        ({"conductance": (1.0,), "deviation": (-1.0,)}, "below 0"),
    ],
)
def test_tables_that_are_none_are_told(table, told):
    with pytest.raises(UserError, match=told):
        Table(**table)
