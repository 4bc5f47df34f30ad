"""CrossSim's asymmetric device: its check value, and NeuroSim's law by another name."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import AsymmetricStep, SaturatingExponential, pulse_response

STREAM = random.stream(jax.random.key(0))

W_MIN, RANGE = 0.1, 0.9  # CrossSim's w in [0.1, 1]; delta = 1 %: 100 pulses


def moved(device, w):
    """The change of w by a pulse up and one down."""
    array, g = device.fabricate(STREAM, ()), jnp.float32((w - W_MIN) / RANGE)
    return [RANGE * float(device.response(array, g, jnp.float32(n))[0]) for n in (1, -1)]


def test_check_values():
    up, down = moved(AsymmetricStep(levels=100.0), 0.55)
    assert up == pytest.approx(0.009689, abs=6e-7)
    assert down == pytest.approx(-0.009689, abs=6e-7)


def test_alpha_is_the_inverse_of_neurosims_a():
    """NL 2.4 and -4.88 of Ag:a-Si: A = 0.499181 and 0.200303."""
    theirs = SaturatingExponential(levels=97.0, nl_up=2.4, nl_down=-4.88)
    ours = AsymmetricStep(levels=97.0, alpha_up=1 / 0.499181, alpha_down=1 / 0.200303)
    curves = [pulse_response(device, 97, 97) for device in (theirs, ours)]
    np.testing.assert_allclose(*curves, atol=2e-5)


def test_no_curvature_is_a_straight_line():
    g = pulse_response(AsymmetricStep(levels=20.0, alpha_up=0.0, alpha_down=0.0), 20, 20)
    up = np.linspace(0, 1, 21)
    np.testing.assert_allclose(g, np.concatenate([up, up[-2::-1]]), atol=2e-4)
