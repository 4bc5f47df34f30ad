"""Devices side by side: tables on a common grid, one compilation, nothing changed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import memjax
from memjax.devices import JumpTable, PiecewiseStep, SoftBounds, pulse_response, stack
from memjax.errors import UserError
from reference.trees import bits

rng = np.random.default_rng(0)
PIECEWISE = [
    PiecewiseStep(levels=20 + n, up_nodes=rng.uniform(0.5, 1, n), down_nodes=rng.uniform(0.5, 1, 4))
    for n in (2, 3, 5)
]
JUMPS = [
    JumpTable(
        levels=30,
        up_quantiles=np.sort(rng.normal(1, 0.2, shape)),
        down_quantiles=[[-1, 0], [-2, 0]],
    )
    for shape in ((2, 3), (3, 5))
]


@pytest.mark.parametrize("devices", [PIECEWISE, JUMPS, [SoftBounds(levels=n) for n in (5, 9.5)]])
def test_lanes_are_the_devices_alone(devices):
    traces = []

    @jax.jit
    def curves(device, key):
        traces.append(1)
        return pulse_response(device, 15, 15, start=0.3, key=key)

    both = stack(devices)
    key = jax.random.key(1)
    together = jax.vmap(curves, (0, None))(both, key)
    assert len(traces) == 1
    for lane, device in zip(together, devices, strict=True):
        np.testing.assert_allclose(
            lane, pulse_response(device, 15, 15, start=0.3, key=key), atol=1e-5
        )


def test_what_cannot_be_stacked_says_why():
    with pytest.raises(UserError, match="there are no devices"):
        stack([])
    with pytest.raises(UserError, match="differ in their model"):
        stack([SoftBounds(), SoftBounds(sigma_d2d=0.1)])
    with pytest.raises(UserError, match="differ in their model"):
        stack([SoftBounds(), SoftBounds(c2c="write")])
    odd = [PiecewiseStep(up_nodes=jnp.ones(n)) for n in (18, 20, 24)]
    with pytest.raises(UserError, match=r"up_nodes of \[18, 20, 24\] entries have no common grid"):
        stack(odd)


def test_a_device_with_a_batch_of_one_parameter_is_mapped_over():
    """What is beside it is repeated: lanes are the devices alone."""
    levels = [8.0, 16.0, 32.0]
    many = SoftBounds(levels=jnp.array(levels), sigma_c2c=0.3)
    tables = PiecewiseStep(levels=jnp.array([8.0, 16.0]), up_nodes=[2.0, 1.0])
    assert many.sigma_c2c.shape == (3,) and tables.up_nodes.shape == (2, 2)
    p = {"w": jnp.zeros((2, 2))}
    states = jax.vmap(lambda d: memjax.pulsed_update(d, key=jax.random.key(0)).init(p))(many)
    for lane, value in enumerate(levels):
        alone = memjax.pulsed_update(SoftBounds(levels=value, sigma_c2c=0.3), key=jax.random.key(0))
        own = jax.tree.map(lambda leaf, lane=lane: leaf[lane], states)
        assert bits(own) == bits(alone.init(p))
