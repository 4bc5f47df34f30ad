"""The piecewise step: a measured curve, interpolated."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import ConstantStep, PiecewiseStep, pulse_response

STREAM = random.stream(jax.random.key(0))

NODES = {"up_nodes": [2.0, 0.5, 1.0], "down_nodes": [0.2, 1.4]}


def test_steps_are_interpolated_between_the_own_bounds():
    device = PiecewiseStep(levels=51.0, sigma_bounds=0.2, on_off=1.5, **NODES)
    array = device.fabricate(STREAM, (64,))
    low, high = np.asarray(array.g_min, float), np.asarray(array.g_max, float)
    for x in (0.0, 0.3, 0.5, 0.9, 1.0):
        g = jnp.asarray(low + x * (high - low), jnp.float32)
        up, down = (device.response(array, g, jnp.full(64, n))[0] for n in (1.0, -1.0))
        np.testing.assert_allclose(up, 0.02 * np.interp(x, [0, 0.5, 1], [2, 0.5, 1]), rtol=2e-5)
        np.testing.assert_allclose(down, -0.02 * np.interp(x, [0, 1], [0.2, 1.4]), rtol=2e-5)


def test_equal_nodes_are_the_constant_step():
    flat, constant = PiecewiseStep(levels=33.0), ConstantStep(levels=33.0)
    np.testing.assert_allclose(
        pulse_response(flat, 20, 30), pulse_response(constant, 20, 30), atol=2e-6
    )


def test_more_nodes_on_the_same_curve_change_nothing():
    few = PiecewiseStep(levels=33.0, up_nodes=[2.0, 1.0], down_nodes=[1.0, 3.0])
    many = PiecewiseStep(
        levels=33.0, up_nodes=[2.0, 1.5, 1.0], down_nodes=[1.0, 1.5, 2.0, 2.5, 3.0]
    )
    np.testing.assert_allclose(pulse_response(few, 20, 30), pulse_response(many, 20, 30), atol=2e-6)


def test_mean_step_is_that_at_the_reference():
    assert float(PiecewiseStep(levels=11.0, **NODES).mean_step) == pytest.approx(0.1 * 0.65)


def test_tables_are_swept_in_one_compilation():
    traces = []

    @jax.jit
    @jax.vmap
    def run(nodes):
        traces.append(1)
        return pulse_response(PiecewiseStep(levels=11.0, up_nodes=nodes), 3, 0)

    for scale in (1.0, 0.5):
        tables = scale * jnp.array([[1.0, 1.0], [2.0, 1.0]])
        for lane, table in zip(run(tables), tables, strict=True):
            alone = pulse_response(PiecewiseStep(levels=11.0, up_nodes=table), 3, 0)
            np.testing.assert_allclose(lane, alone, atol=1e-6)
    assert len(traces) == 1
