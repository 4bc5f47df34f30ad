"""Pulse tables: against the twin, directions, mistakes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices.physical import PHYSICAL, VTEAM, LinearIonDrift, pulse_steps
from memjax.errors import UserError
from reference import physical_twin

PULSES = {
    "LinearIonDrift": (1.0, -1.0, 1e-3),
    "VTEAM": (-0.25, 0.25, 1e-9),
    "StanfordPKU": (1.2, -1.2, 1e-8),
    "DataDriven": (1.0, -1.5, 1e-5),
    "DataDriven2018": (-1.0, 1.0, 1e-5),
}


@pytest.mark.parametrize("name", PHYSICAL)
def test_equals_the_twin(name):
    """Every node: G -> state -> a pulse by LSODA -> G; to 2e-5 of the range."""
    model, (v_up, v_down, width) = PHYSICAL[name](), PULSES[name]
    table = pulse_steps(model, v_up, v_down, width, nodes=5)
    ends = sorted(float(model.conductance(bound)) for bound in model.bounds)
    assert (float(table.g_min_S), float(table.g_max_S)) == pytest.approx(ends)
    g = jnp.linspace(0.0, 1.0, 5)
    before = model.state_at(table.g_min_S + g * (table.g_max_S - table.g_min_S))
    np.testing.assert_allclose(
        (np.asarray(model.conductance(before)) - ends[0]) / (ends[1] - ends[0]), g, atol=2e-5
    )
    for volts, steps in ((v_up, table.up), (v_down, table.down)):
        volts, dt = float(np.float32(volts)), float(np.float32(width))
        after = [physical_twin.step(model, float(state), volts, dt) for state in before]
        change = model.conductance(jnp.float32(after)) - model.conductance(before)
        np.testing.assert_allclose(steps, change / (ends[1] - ends[0]), atol=2e-5)
    assert np.all(table.up >= 0) and np.all(table.down <= 0)
    assert table.up[-1] == 0 and table.down[0] == 0


def test_voltages_may_be_swept():
    tables = jax.jit(jax.vmap(lambda v: pulse_steps(VTEAM(), v, -v, 1e-10, nodes=5)))(
        jnp.array([-0.25, -0.3, -0.35])
    )
    assert tables.up.shape == (3, 5)
    assert np.all(np.diff(np.asarray(tables.up[:, 1])) > 0)


def test_mistakes_are_user_errors():
    device = LinearIonDrift()
    for width in (0.0, -1e-6):
        with pytest.raises(UserError, match=r"width = .* must be more than 0"):
            pulse_steps(device, 1.0, -1.0, width)
    with pytest.raises(UserError, match=r"nodes = 1 must be at least 2"):
        pulse_steps(device, 1.0, -1.0, 1e-3, nodes=1)
    with pytest.raises(UserError, match=r"v_up = -1.0 V does not raise .* swap it with v_down"):
        pulse_steps(device, -1.0, 1.0, 1e-3)
    with pytest.raises(UserError, match=r"v_down = 1.0 V does not lower .* swap it with v_up"):
        pulse_steps(device, 1.0, 1.0, 1e-3)
    with pytest.raises(UserError, match=r"v_up = -0.1 V changes no conductance of VTEAM; raise"):
        pulse_steps(VTEAM(), -0.1, 0.3, 1e-9)
