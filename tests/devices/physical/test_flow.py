"""The sub-stepped laws against closed forms and LSODA: the stated errors."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices.physical import VTEAM, WINDOWS, LinearIonDrift, StanfordPKU
from memjax.devices.physical.flow import flow
from reference import physical_twin

step = jax.jit(lambda model, state, voltage, dt: model.step(state, voltage, dt))


def errors(model, states, voltages, dts):
    """|step - twin| over the product of states, voltages and times."""
    grid = [np.float32(a).ravel() for a in np.meshgrid(states, voltages, dts)]
    expected = [physical_twin.step(model, *map(float, point)) for point in zip(*grid, strict=True)]
    return np.abs(np.asarray(step(model, *map(jnp.asarray, grid)), float) - expected)


@pytest.mark.parametrize("window", [name for name in WINDOWS if name != "none"])
@pytest.mark.parametrize("p", [1.0, 5.0])
def test_windowed_steps(window, p):
    """Within 1e-4 of the range from 1e-3 off an end, 5e-4 from 1e-6, from no motion to saturation.

    Measured: 5e-5 and 4e-4, the latter at x = 0.99 where the drift is 160 times as fast.
    """
    for kind, volts, dts in (
        (LinearIonDrift, [1.0, -1.0], np.geomspace(0.01, 10.0, 4)),
        (VTEAM, [0.3, -0.3], np.geomspace(1e-10, 1e-6, 4)),
    ):
        model = kind(window=window, p=p)
        off = errors(model, [1e-6, 1e-3, 0.999], volts, dts).reshape(2, 3, -1)
        assert off[:, 1:].max() < 1e-4
        assert off[:, 0].max() < 5e-4


@pytest.mark.parametrize("volts", [0.5, 1.5, 2.0])
def test_stanford_pku_steps(volts):
    """Within 2e-5 nm over ten decades of time, thermal runaway included; measured: 4e-6 nm."""
    states = [0.2, 0.5, 1.7]
    assert errors(StanfordPKU(), states, [volts, -volts], np.geomspace(1e-10, 1.0, 6)).max() < 2e-5


def test_the_error_falls_with_the_cells():
    """Exponential runaway, x = -ln(1 - 8 t) / 8: 4 cells leave an error, 16 hardly."""
    rate, bounds = lambda x: jnp.exp(8.0 * x), (0.0, 1.0)
    t = jnp.float32(0.1249)
    exact = -np.log1p(-8.0 * float(t)) / 8.0
    coarse, fine = (abs(float(flow(rate, jnp.float32(0), bounds, t, n)) - exact) for n in (4, 16))
    assert coarse > 20 * fine
    assert fine < 5e-5


def test_stops_at_a_threshold_within_the_way():
    x = flow(
        lambda x: jnp.where(x < 0.3, 1.0, 0.0), jnp.float32(0.1), (0.0, 1.0), jnp.float32(9), 16
    )
    assert float(x) == pytest.approx(0.3, abs=3e-6)


def test_an_end_of_vanishing_rate_is_approached_not_left():
    """Logistic growth for far longer than it takes: steps equal in time would be unstable."""
    grow = functools.partial(flow, lambda x: 1e6 * x * (1.0 - x), bounds=(0.0, 1.0), substeps=16)
    assert float(grow(jnp.float32(0.5), dt=jnp.float32(1.0))) == pytest.approx(1.0, abs=2e-6)
    assert float(grow(jnp.float32(0.0), dt=jnp.float32(1.0))) == 0.0
