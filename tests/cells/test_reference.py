"""The reference cell: the weight is the only state; what a small on/off ratio costs it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.cells import ReferenceCell
from memjax.devices import ConstantStep

R = 0.5
CELL = ReferenceCell(weight_range=R)


def stream(seed):
    return random.stream(jax.random.key(seed))


def pulsed(device, weight, n, seed=2):
    weight = jnp.asarray(weight)
    state, weight = CELL.init(device, stream(1), weight)
    return CELL.pulse(device, state, weight, jnp.full(weight.shape, n), stream(seed))[1]


def test_no_conductance_is_stored():
    state, weight = CELL.init(ConstantStep(), stream(1), jnp.zeros((3, 4)))
    assert state.conductances == ()
    assert {leaf.shape for leaf in jax.tree.leaves(state)} == {()}
    assert weight.shape == (3, 4)


def test_weights_are_affine_in_the_conductance():
    """R (2 g - 1): on a device of 5 levels a pulse is R / 2."""
    weight = pulsed(ConstantStep(levels=5), [-0.5, -0.25, 0.0, 0.25, 0.5], 1.0)
    np.testing.assert_allclose(weight, [-0.25, 0.0, 0.25, 0.5, 0.5], atol=1e-7)
    weight = pulsed(ConstantStep(levels=5), [-0.5, 0.0, 0.5], -3.0)
    np.testing.assert_allclose(weight, [-0.5, -0.5, -0.25], atol=1e-7)


def test_own_bounds_clip():
    device = ConstantStep(sigma_bounds=0.4)
    wanted = jnp.linspace(-2.0, 2.0, 512)
    state, weight = CELL.init(device, stream(1), wanted)
    low, high = (
        R * (2 * np.asarray(g) - 1) for g in (state.devices[0].g_min, state.devices[0].g_max)
    )
    np.testing.assert_allclose(weight, np.clip(wanted, low, high), atol=1e-7)
    np.testing.assert_array_equal(CELL.readout(device, state, wanted), weight)
    assert np.std(high) == pytest.approx(0.4 * R, rel=0.2)


@pytest.mark.parametrize("on_off", [1.5, 3.0, 50.0])
@pytest.mark.parametrize("n", [1.0, -4.0])
def test_noise_of_the_conductance_grows_as_on_off_shrinks(on_off, n):
    """sd = 2 R sqrt(|n| ((s dg)^2 + (sigma_g (g + 1 / (on_off - 1)))^2)), the step's own g.

    131,072 cells: 5 standard errors of a sd are 1 %.
    """
    device = ConstantStep(levels=64.0, on_off=on_off, sigma_c2c=0.3, sigma_g=0.01)
    change = np.asarray(pulsed(device, jnp.full((131072,), 0.1), n), float) - 0.1
    g = 0.5 + 0.1 / (2 * R)
    variance = (0.3 / 63) ** 2 + (0.01 * (g + 1 / (on_off - 1))) ** 2
    sd = 2 * R * np.sqrt(abs(n) * variance)
    assert change.std() == pytest.approx(sd, rel=0.01)
    assert abs(change.mean() - n * 2 * R / 63) < 5 * sd / np.sqrt(131072)


def test_on_off_matters_to_nothing_else():
    weight = jnp.linspace(-0.4, 0.4, 512)
    low, high = (pulsed(ConstantStep(on_off=x, sigma_c2c=0.5), weight, 2.0) for x in (1.2, 1e4))
    np.testing.assert_array_equal(low, high)


def test_exact_noise_is_another_draw_of_the_same_law():
    device = ConstantStep(levels=101.0, sigma_c2c=1.0)
    state, weight = CELL.init(device, stream(1), jnp.zeros(65536))
    n = jnp.ones(65536)
    fast, exact = (
        CELL.pulse(device, state, weight, n, stream(2), exact_noise=e)[1] for e in (False, True)
    )
    assert float(jnp.mean(fast == exact)) < 0.01
    # 5 standard errors of the difference of two sd of 65,536 each: 2 %
    assert float(jnp.std(exact)) == pytest.approx(float(jnp.std(fast)), rel=0.02)
    assert float(jnp.max(jnp.abs(exact - 0.01))) > 0.039  # tails of the exact normal


@pytest.mark.parametrize(("on_off", "at_zero"), [(2.0, 1.5), (5.0, 0.75), (1e6, 0.500001)])
def test_read_variance(on_off, at_zero):
    """(2 R sigma (g + 1 / (on_off - 1)))^2: the whole conductance, in weight units."""
    device = ConstantStep(on_off=on_off, sigma_read=0.02)
    variance = CELL.read_variance(device, jnp.array([-R, 0.0, R]))
    seen = at_zero + np.array([-0.5, 0.0, 0.5])
    np.testing.assert_allclose(variance, (2 * R * 0.02 * seen) ** 2, rtol=1e-5, atol=1e-14)
    np.testing.assert_array_equal(CELL.read_variance(ConstantStep(), jnp.ones(3)), np.zeros(3))


def test_write_noise_hides_what_pulses_move():
    """``init`` clips the hidden conductance and shows it; a write shows sd 0.05 beside it."""
    wanted = jnp.linspace(-2.0, 2.0, 4096)
    plain, noisy = (ConstantStep(levels=101, sigma_bounds=0.4, sigma_write=s) for s in (None, 5.0))
    (_, held), (state, weight) = (CELL.init(d, stream(1), wanted) for d in (plain, noisy))
    np.testing.assert_array_equal(weight, held)
    kept = state.devices[0]
    hidden = np.asarray(kept.hidden, float)
    assert np.all((hidden >= kept.array.g_min) & (hidden <= kept.array.g_max))
    np.testing.assert_allclose(weight, R * (2 * hidden - 1), atol=1e-6)
    np.testing.assert_array_equal(CELL.readout(noisy, state, wanted), wanted)  # beyond the bounds
    n = jnp.where(jnp.arange(4096) % 2 == 0, 1.0, 0.0)
    state, after = CELL.pulse(noisy, state, weight, n, stream(2))
    (_, exact) = CELL.pulse(plain, *CELL.init(plain, stream(1), wanted), n, stream(2))
    hidden = R * (2 * np.asarray(state.devices[0].hidden, float) - 1)
    np.testing.assert_allclose(hidden, exact, atol=1e-6)
    np.testing.assert_array_equal(after[1::2], weight[1::2])
    # 2,048 writes: 5 standard errors of a sd are 8 %
    assert (np.asarray(after, float) - hidden)[::2].std() == pytest.approx(2 * R * 0.05, rel=0.08)


def test_write_noise_may_be_there_from_the_programming_on():
    """Before any pulse the cells show 5 steps of noise, which ``readout`` and updates tell of."""
    device = ConstantStep(levels=101, sigma_write=5.0, programming="noisy", stuck=0.25)
    wanted = jnp.zeros(4096)
    state, weight = CELL.init(device, stream(1), wanted)
    free = np.asarray(state.devices[0].array.g_max > state.devices[0].array.g_min)
    np.testing.assert_array_equal(CELL.readout(device, state, wanted), weight)
    np.testing.assert_array_equal(
        CELL.conductances(device, state, wanted)[0], weight / (2 * R) + 0.5
    )
    shown = np.asarray(weight)[free]
    # 3,072 devices: 5 standard errors of a sd are 6.4 %
    assert shown.std() == pytest.approx(2 * R * 0.05, rel=0.064)
    stuck = np.asarray(state.devices[0].hidden)[~free]
    np.testing.assert_allclose(np.asarray(weight)[~free], 2 * R * (stuck - 0.5), atol=1e-6)
    n = jnp.where(jnp.arange(4096) % 2 == 0, 1.0, 0.0)
    after, held = CELL.pulse(device, state, wanted, n, stream(2))
    np.testing.assert_allclose(held[1::2], weight[1::2], atol=1e-6)  # what was shown stays
    moved = np.asarray(held - weight)[::2][free[::2]]
    assert moved.std() == pytest.approx(2 * R * 0.05 * np.sqrt(2), rel=0.1)  # another draw
    np.testing.assert_array_equal(CELL.readout(device, after, wanted), held)
