"""Traces: closed form, sums, linearity."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.spiking import Synapse, responses, traces


def impulse(steps):
    return jnp.zeros((steps, 1)).at[0].set(1.0)


def test_a_spike_leaves_the_closed_form():
    c = np.asarray(traces(impulse(1000), 0.1))[:, 0]
    t = np.arange(1000) * 0.1
    np.testing.assert_allclose(c, np.exp(-t / 5) - np.exp(-t / 1.25), atol=2e-6)
    assert c[0] == 0 and c[[5, 10, 50]] == pytest.approx([0.234517, 0.369402, 0.349564], abs=1e-6)
    assert c.argmax() == 23 and c.max() == pytest.approx(0.472470, abs=1e-5)
    assert c.sum() == pytest.approx(37.495001, rel=1e-5)
    slow, fast = Synapse().decays(0.1)
    assert [float(slow), float(fast)] == pytest.approx([0.9801986733, 0.9231163464], abs=1e-7)


def test_the_approximate_membrane_of_a_spike():
    d = np.asarray(responses(traces(impulse(200), 0.1), 0.1))[:, 0]
    assert d[0] == 0
    assert d[[1, 10, 50, 36]] == pytest.approx([0.057082, 1.750736, 4.112554, 4.520628], rel=1e-5)
    assert d.argmax() == 36


def test_traces_are_linear():
    """``c(S) W = c(S W)``, so that a trace of sums costs as many filters as outputs."""
    rng = np.random.default_rng(0)
    spikes = jnp.asarray(rng.random((100, 30)) < 0.05, jnp.float32)
    weights = jnp.asarray(rng.normal(size=(30, 4)), jnp.float32)
    np.testing.assert_allclose(
        traces(spikes, 0.5) @ weights, traces(spikes @ weights, 0.5), atol=1e-5
    )
