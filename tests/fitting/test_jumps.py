"""The jump table of measured steps."""

import dataclasses

import numpy as np
import pytest

from memjax.devices import JumpTable
from memjax.errors import DataError, UserError
from memjax.fitting import jump_table

from .ramps_twin import WINDOW, linear_ramps, ramps_of


def skewed(seed=0, n_ramps=60, n=60):
    """Steps up exponential, in proportion to 1 - g; steps down uniform."""
    rng = np.random.default_rng(seed)
    y, sign = np.empty((n_ramps, n + 1)), np.tile([1, -1], n_ramps // 2)
    y[:, 0] = np.where(sign > 0, 0.0, 1.0)
    for k in range(n):
        up = 0.03 * (1 - y[:, k]) * rng.exponential(size=n_ramps)
        down = 0.03 * rng.uniform(size=n_ramps)
        y[:, k + 1] = y[:, k] + np.where(sign > 0, up, -down)
    return ramps_of(y, sign)


def test_quantiles_are_those_of_the_steps():
    device = jump_table(skewed(), WINDOW, rows=9, columns=5)
    assert isinstance(device, JumpTable)
    mean = 1.0 / (device.levels - 1.0)
    middle = np.asarray(device.up_quantiles)[4, 1:4] * mean
    np.testing.assert_allclose(middle, -0.015 * np.log([0.75, 0.5, 0.25]), rtol=0.25)
    uniform = np.asarray(device.down_quantiles)[4] * mean
    np.testing.assert_allclose(uniform, [-0.03, -0.0225, -0.015, -0.0075, 0.0], atol=0.0025)
    np.testing.assert_allclose((device.gmax, device.on_off), (1e-5, 2.5))


def test_its_device_repeats_the_measured_steps():
    """A device at mid-range that draws single pulses has the mean and the sd of the data."""
    import jax.numpy as jnp

    device = jump_table(skewed(), WINDOW, rows=9, columns=17)
    array = device.fabricate(jnp.zeros(2, jnp.uint32), ())
    xi = jnp.asarray(np.random.default_rng(0).normal(size=20000), jnp.float32)
    at = jnp.full(20000, 0.5, jnp.float32)
    drawn = np.asarray(device.change(array, at, -jnp.ones_like(at), xi))
    np.testing.assert_allclose((drawn.mean(), drawn.std()), (-0.015, 0.03 / 12**0.5), rtol=0.1)


def test_several_pulses_and_sparse_rows():
    y, sign = linear_ramps(np.random.default_rng(0), 4, 20, c2c=0.2)
    pulses = np.ones(y.shape, int)
    pulses[:, 0], pulses[:, 5] = 0, 3
    device = jump_table(ramps_of(y, sign, pulses), WINDOW, rows=30)
    assert np.isfinite(device.up_quantiles).all()
    assert np.max(device.up_quantiles) < 2.5  # none is of three pulses


@pytest.mark.parametrize(
    ("kwargs", "error", "said"),
    [
        ({"columns": 500}, DataError, "steps of single pulses up: give at least 500"),
        ({"rows": 1}, UserError, "rows = 1 and columns = 9 must be at least 2"),
        ({"window": (1.0, 0.5)}, UserError, "must be 0 < Gmin < Gmax"),
    ],
)
def test_what_is_refused(kwargs, error, said):
    y, sign = linear_ramps(np.random.default_rng(0), 4, 20, c2c=0.2)
    with pytest.raises(error, match=said):
        jump_table(ramps_of(y, sign), **({"window": WINDOW} | kwargs))


def test_weights_are_refused():
    y, sign = linear_ramps(np.random.default_rng(0), 4, 20, c2c=0.2)
    weights = dataclasses.replace(ramps_of(y, sign), normalised=True)
    with pytest.raises(UserError, match="readings are weights; a jump table is of conductances"):
        jump_table(weights)


def test_one_direction_is_not_enough():
    y, _ = linear_ramps(np.random.default_rng(0), 1, 20, c2c=0.2)
    with pytest.raises(DataError, match="0 steps of single pulses down"):
        jump_table(ramps_of(y, [1]), WINDOW)
