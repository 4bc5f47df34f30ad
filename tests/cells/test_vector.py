"""The vector cell: which devices an update's pulses reach, and what n devices average."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from memjax import random
from memjax.cells import ReferenceCell, VectorCell
from memjax.cells.vector import RULES
from memjax.devices import ConstantStep, SoftBounds
from memjax.errors import UserError
from memjax.pytree import as_arrays

R, N = 0.7, 16384


def stream(seed):
    return random.stream(jax.random.key(seed))


@jax.jit
def pulse(cell, device, state, weight, n, stream, count=0):
    return cell.pulse(device, state, weight, n, stream, count=count)


def pulsed(cell, device, n, wanted=0.0, shape=(N,)):
    state, weight = cell.init(device, stream(1), jnp.full(shape, wanted))
    return pulse(cell, device, state, weight, jnp.full(shape, n), stream(2))


@pytest.mark.parametrize("rule", RULES)
def test_the_mean_change_is_n_pulse_sizes(rule):
    """And its sd: sqrt(k / n) of all n devices' k pulses, sqrt(k) of one's; in pulse sizes.

    16,384 cells: 5 standard errors of a mean are 4 % of its sd, of a sd 3 %.
    """
    device, devices = as_arrays(ConstantStep(levels=101.0, sigma_c2c=0.5)), 3
    cell = as_arrays(VectorCell(devices=devices, rule=rule, weight_range=R))
    size = 2 * R / 100 / (1 if rule == "all" else devices)
    assert float(cell.pulse_size(device)) == pytest.approx(size, rel=1e-6)
    for n in (1.0, -4.0):
        _, weight = pulsed(cell, device, n)
        change = np.asarray(weight, float) / size
        sd = 0.5 * np.sqrt(abs(n) / (devices if rule == "all" else 1))
        assert change.mean() == pytest.approx(n, abs=5 * sd / 128)
        assert change.std() == pytest.approx(sd, rel=0.03)


@pytest.mark.parametrize("devices", [1, 8])
def test_the_spread_of_a_step_falls_with_the_devices(devices):
    """sigma_d2d / sqrt(n) of the step of all; 5 standard errors of a sd are 3 %."""
    device = as_arrays(ConstantStep(levels=101.0, sigma_d2d=0.2))
    cell = as_arrays(VectorCell(devices=devices, rule="all", weight_range=R))
    state, weight = pulsed(cell, device, 1.0)
    change = np.asarray(weight, float) / float(cell.pulse_size(device))
    assert change.std() == pytest.approx(0.2 / np.sqrt(devices), rel=0.03)
    np.testing.assert_allclose(
        change, np.mean([array.up for array in state.devices], 0) * 100, atol=1e-4
    )


def moved(rule, devices, updates):
    """Which device moved at each update."""
    device = as_arrays(ConstantStep(levels=10_001.0))
    cell = as_arrays(VectorCell(devices=devices, rule=rule, weight_range=R))

    @jax.jit
    def run():
        state, weight = cell.init(device, stream(1), jnp.zeros(2))

        def body(carry, count):
            own = random.fold_in(stream(2), count)
            after, held = cell.pulse(device, *carry, jnp.ones(2), own, count=count)
            changes = [
                a - b for a, b in zip(after.conductances, carry[0].conductances, strict=True)
            ]
            return (after, held), jnp.stack(changes)

        return jax.lax.scan(body, (state, weight), jnp.arange(updates))[1]

    changes = np.asarray(run())
    fired = changes > 0
    np.testing.assert_array_equal(fired[:, :, 0], fired[:, :, 1])  # one for the whole array
    np.testing.assert_array_equal(fired[:, :, 0].sum(1), 1)
    return fired[:, :, 0].argmax(1)


def test_each_takes_its_turn():
    np.testing.assert_array_equal(moved("in_turn", 3, 10), np.arange(10) % 3)
    np.testing.assert_array_equal(moved("first", 3, 10), 0)


def test_at_random_is_uniform_and_forgets():
    """Chi-square of 5,000 updates over 5 devices, and over the 25 pairs of successive ones."""
    order = moved("at_random", 5, 5000)
    assert 0.001 < stats.chisquare(np.bincount(order, minlength=5)).pvalue < 0.999
    pairs = np.bincount(5 * order[::2] + order[1::2], minlength=25)
    assert 0.001 < stats.chisquare(pairs).pvalue < 0.999


@pytest.mark.parametrize("rule", ["all", "in_turn"])
def test_one_device_is_a_reference_cell(rule):
    """The same devices and noise, to rounding: one holds conductances, the other the weight."""
    device = as_arrays(
        SoftBounds(levels=20.0, sigma_c2c=0.3, sigma_d2d=0.2, sigma_bounds=0.2, g_ref=0.4)
    )
    cells = [
        as_arrays(VectorCell(devices=1, rule=rule, weight_range=R)),
        as_arrays(ReferenceCell(weight_range=R)),
    ]
    wanted, held = jnp.linspace(-R, R, 512), []
    for cell in cells:
        state, weight = cell.init(device, stream(1), wanted)
        for step in range(6):
            n = jnp.where(jnp.arange(512) % 3 == 0, -2.0, 1.0)
            state, weight = pulse(cell, device, state, weight, n, stream(3 + step), step)
        held.append(weight)
        device_size = cell.pulse_size(device)
    np.testing.assert_allclose(*held, atol=2e-6)
    assert float(cells[0].pulse_size(device)) == float(device_size)
    np.testing.assert_allclose(
        *(cell.read_variance(as_arrays(ConstantStep(sigma_read=0.1)), wanted) for cell in cells)
    )


def test_read_variance_is_that_of_reading_all():
    """(2 R sigma / n)^2 sum of (g + 1 / (on_off - 1))^2, of n that are equal."""
    device = ConstantStep(on_off=5.0, sigma_read=0.02)
    variance = VectorCell(devices=4, weight_range=R).read_variance(device, jnp.array([0.0, R]))
    np.testing.assert_allclose(
        variance, (2 * R * 0.02 * np.array([0.75, 1.25])) ** 2 / 4, rtol=1e-5
    )


@pytest.mark.parametrize("rule", ["in_turn", "at_random"])
def test_a_device_without_pulses_still_ages(rule):
    """10 updates, one device pulsed: all decay towards g_ref by 1 / lifetime an update."""
    device = as_arrays(ConstantStep(levels=101.0, lifetime=50.0))
    cell = as_arrays(VectorCell(devices=3, rule=rule, weight_range=R))
    assert not cell.is_static(device)
    assert cell.is_static(ConstantStep())
    state, weight = cell.init(device, stream(1), jnp.full(4, 0.5 * R))
    g = np.full(3, 0.75)
    for count in range(10):
        before = state.conductances
        state, weight = pulse(cell, device, state, weight, jnp.ones(4), stream(count), count)
        after = np.array(state.conductances)[:, 0]
        still = 0.5 + (np.array(before)[:, 0] - 0.5) * 0.98
        fired = after > still + 0.005
        assert fired.sum() == 1
        g = 0.5 + (g + 0.01 * fired - 0.5) * 0.98
        np.testing.assert_allclose(after, g, atol=1e-6)


def test_bad_cells_say_so():
    with pytest.raises(UserError, match=r"^VectorCell: devices = 0 must be at least 1$"):
        VectorCell(devices=0)
    with pytest.raises(UserError, match=r"^VectorCell: devices = 65 must be at most 64$"):
        VectorCell(devices=65)
    known = "all, first, in_turn, at_random"
    with pytest.raises(UserError, match=f"^VectorCell: rule = 'last' must be one of {known}$"):
        VectorCell(rule="last")
