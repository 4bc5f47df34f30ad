"""CrossSim's symmetric device: its check value, and that a pulse undoes the last."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import SymmetricStep, pulse_response

STREAM = random.stream(jax.random.key(0))

W_MIN, RANGE = 0.1, 0.9  # CrossSim's w in [0.1, 1]; delta = 1 %: 100 pulses


def moved(device, w):
    """The change of w by a pulse up and one down."""
    array, g = device.fabricate(STREAM, ()), jnp.float32((w - W_MIN) / RANGE)
    return [RANGE * float(device.response(array, g, jnp.float32(n))[0]) for n in (1, -1)]


def test_check_values():
    up, down = moved(SymmetricStep(levels=100.0, alpha=5.0), 0.11)
    assert up == pytest.approx(0.001661, abs=6e-7)
    assert down == pytest.approx(-0.001508, abs=6e-7)


@pytest.mark.parametrize("alpha", [0.0, 1.0, 8.0])
def test_levels_pulses_lead_from_bound_to_bound_and_back(alpha):
    """And as many pulses down undo those up, wherever they are, to some roundings."""
    g = np.asarray(pulse_response(SymmetricStep(levels=20.0, alpha=alpha), 20, 20))
    assert g[20] == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(g[:21], g[20:][::-1], atol=5e-5)
    np.testing.assert_allclose(g[:21], 1 - g[:21][::-1], atol=5e-5)
    if alpha == 0:
        np.testing.assert_allclose(g[:21], np.linspace(0, 1, 21), atol=1e-5)
