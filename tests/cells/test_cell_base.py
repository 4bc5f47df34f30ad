"""What every cell obeys: the registry of cells x laws, on one device of each family.

A cell knows a device by ``init`` and ``advance`` alone, of which every model has its own laws.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.cells import CELLS
from memjax.cells.base import Cell
from memjax.devices import MODELS, ConstantStep
from memjax.errors import UserError
from memjax.pytree import as_arrays
from reference import cells_twin, devices_twin
from reference.families import FAMILIES, spread_compiled_once

N = 256
R = 0.7
SPREAD = {"sigma_d2d": 0.3, "sigma_up_down": 0.1, "sigma_bounds": 0.3, "stuck": 0.1}
NOISE = {"levels": 20.0, "on_off": 4.0, "sigma_c2c": 0.3, "sigma_g": 0.02}

STRAIGHT = {
    "PowerStep": {"gamma": 0.0},
    "SymmetricStep": {"alpha": 0.0},
    "PhaseChange": {"mean_slope": 0.0, "mean_offset": 11.9 / 19, "mean_memory": 0.0},
}

every_cell = pytest.mark.parametrize("kind", CELLS)
every_model = pytest.mark.parametrize("model", FAMILIES)
PULSES = {"refresh_pair": 0.5, "vector": 0.5}
"""The share of a reference cell's pulse that one is of: one device of two takes it."""


@jax.jit
def PULSE(cell, device, state, weight, n, stream, count=0):
    return cell.pulse(device, state, weight, n, stream, count=count)


def init(cell, device, *args):
    with spread_compiled_once():
        return cell.init(device, *args)


def stream(seed):
    return random.stream(jax.random.key(seed))


def noisy(model, **changes):
    return as_arrays(MODELS[model](**{**NOISE, **SPREAD, **changes}))


@functools.cache
def made(kind, model, spread=True):
    """Cells of a device with noise (and spread), asked for weights up to twice the range."""
    cell = as_arrays(CELLS[kind](weight_range=R))
    device = noisy(model, **({} if spread else dict.fromkeys(SPREAD, 0.0)))
    wanted = jnp.linspace(-2 * R, 2 * R, N)
    return cell, device, *init(cell, device, stream(1), wanted), wanted


def pulses(seed, most=3.0):
    return jnp.round((2.0 * random.uniform(stream(seed), (N,)) - 1.0) * most)


@every_cell
@every_model
def test_init_programs_what_the_range_holds(kind, model):
    cell, device, state, weight, wanted = made(kind, model, spread=False)
    del cell, device, state
    np.testing.assert_allclose(weight, np.clip(wanted, -R, R), atol=1e-7)


@every_cell
@every_model
def test_weights_stay_where_the_bounds_hold_them(kind, model):
    """A reference cell's bounds are its device's, a vector cell's their mean; a pair's w is at most
    R (g+max - g-min).
    """
    cell, device, state, weight, _ = made(kind, model)
    low, high = ([np.asarray(getattr(a, b)) for a in state.devices] for b in ("g_min", "g_max"))
    if kind in ("reference", "vector"):
        low, high = (2 * R * (sum(bound) / len(bound) - 0.5) for bound in (low, high))
    else:
        low, high = R * (low[0] - high[1]), R * (high[0] - low[1])
    for step in range(10):
        n = pulses(step) if step % 2 else jnp.full((N,), 40.0 * (-1) ** (step // 2))
        state, weight = PULSE(cell, device, state, weight, n, stream(100 + step))
        assert np.all((weight >= low - 1e-6) & (weight <= high + 1e-6))


@every_cell
@every_model
def test_readout_is_the_weight(kind, model):
    cell, device, state, weight, _ = made(kind, model)
    for step in range(4):
        np.testing.assert_array_equal(cell.readout(device, state, weight), weight)
        state, weight = PULSE(cell, device, state, weight, pulses(step), stream(50 + step))


@every_cell
@every_model
def test_no_pulse_leaves_every_bit_alone(kind, model):
    """10,000 updates without a pulse, after noise has left weights at and inside their bounds.

    As one leaves every bit alone, so do all: but for one model, a few of them.
    """
    cell, device, state, weight, _ = made(kind, model)
    start = now = PULSE(cell, device, state, weight, pulses(3), stream(2))
    if model == "SoftBounds":

        def body(step, carry):
            return cell.pulse(device, *carry, jnp.zeros(N), random.fold_in(stream(3), step))

        now = jax.jit(lambda carry: jax.lax.fori_loop(0, 10_000, body, carry))(start)
    for step in range(3):
        now = PULSE(cell, device, *now, jnp.zeros(N), stream(3 + step))
    for before, after in zip(jax.tree.leaves(start), jax.tree.leaves(now), strict=True):
        np.testing.assert_array_equal(before, after)


@every_cell
@every_model
@pytest.mark.parametrize("n", [1.0, -1.0])
def test_a_pulse_is_of_pulse_size_at_mid_range(kind, model, n):
    """E[dw] = 2 R / (L - 1) over 65,536 cells; 5 standard errors.

    A model with a shape of its own is taken straight, to 1e-3 (CrossSim's alpha stops short of
    it); where levels counts pulses, each is 1 / L. A pair that is refreshed begins at Gmin, and is
    taken to mid-range.
    """
    device = as_arrays(
        MODELS[model](levels=20.0, sigma_c2c=0.3, c2c="additive", **STRAIGHT.get(model, {}))
    )
    cell = as_arrays(CELLS[kind](weight_range=R))
    whole = model in devices_twin.PULSES_OVER_RANGE
    size = 2 * R / (20 if whole else 19) * PULSES.get(kind, 1.0)
    assert float(cell.pulse_size(device)) == pytest.approx(size, rel=1e-6)
    if model == "PhaseChange" and (kind == "differential" or (n < 0 and kind != "refresh_pair")):
        return  # one RESET goes all the way, whatever a training reckons
    state, zero = init(cell, device, stream(4), jnp.zeros(65536))
    if kind == "refresh_pair":
        state = state._replace(conductances=(jnp.full(65536, 0.5),) * 2)
    _, weight = PULSE(cell, device, state, zero, jnp.full((65536,), n), stream(5))
    error = 0.3 * size / (np.sqrt(2) if kind == "differential" else 1) / 256
    assert abs(float(jnp.mean(weight)) - n * size) < 5 * error + 1e-3 * size
    # 5 standard errors of a sd, sd / sqrt(2 N) = 0.28 %
    assert float(jnp.std(weight)) == pytest.approx(256 * error, rel=0.014)


@every_cell
@every_model
def test_equals_its_twin(kind, model):
    """40 noisy trains of single pulses against conductances pulsed in float64."""
    cell, device, state, weight, _ = made(kind, model)
    own = [
        devices_twin.spread(device, np.asarray(random.fold_in(stream(1), k)), (N,))
        for k in range(len(state.devices))
    ]
    held = cells_twin.programmed(kind, R, own, np.linspace(-2 * R, 2 * R, N))
    apart = kind == "differential" or device.has_memory  # each device has noise of its own
    for step in range(40):
        n = 1.0 if step % 8 < 4 else -1.0
        update = stream(200 + step)
        noise = [
            np.asarray(random.normal(random.fold_in(update, k if apart else 0), (N,)), float)
            for k in range(len(own))
        ]
        state, weight = PULSE(cell, device, state, weight, jnp.full((N,), n), update, step)
        held = cells_twin.pulse(kind, device, own, held, n, noise, step)
        expected = cells_twin.weight(kind, R, held)
    np.testing.assert_allclose(weight, expected, atol=3e-5)
    assert np.median(abs(expected)) > 0.05


@every_cell
@every_model
def test_stuck_cells_hold(kind, model):
    cell = as_arrays(CELLS[kind](weight_range=R))
    device = noisy(model, stuck=1.0, sigma_c2c=0.5, sigma_g=0.1)
    state, weight = init(cell, device, stream(6), jnp.linspace(-R, R, N))
    assert float(jnp.std(weight)) > 0.2  # at random places, not where they were asked to be
    assert abs(np.corrcoef(weight, np.linspace(-R, R, N))[0, 1]) < 5 / np.sqrt(N)
    _, after = PULSE(cell, device, state, weight, pulses(7, 40.0), stream(8))
    np.testing.assert_array_equal(after, weight)


@every_cell
def test_state_is_a_fixed_point_of_types(kind):
    cell, device, state, weight, _ = made(kind, "SoftBounds")

    def body(carry, n):
        return cell.pulse(device, *carry, n, stream(9)), None

    after, _ = jax.lax.scan(body, (state, weight), jnp.ones((3, N)))
    assert jax.tree.structure(after) == jax.tree.structure((state, weight))
    for old, new in zip(jax.tree.leaves((state, weight)), jax.tree.leaves(after), strict=True):
        assert (old.shape, old.dtype) == (new.shape, new.dtype)


@every_cell
def test_weight_range_sweeps_in_one_compilation(kind):
    device = as_arrays(ConstantStep(levels=10.0))
    traces = []

    @jax.jit
    @jax.vmap
    def run(weight_range):
        traces.append(kind)
        cell = CELLS[kind](weight_range=weight_range)
        state, weight = cell.init(device, stream(1), jnp.zeros(3))
        return cell.pulse(device, state, weight, jnp.array([1.0, 0.0, -2.0]), stream(2))[1]

    for ranges in ([0.25, 0.5, 4.0], [1.0, 2.0, 3.0]):
        expected = np.outer(ranges, [2 / 9, 0.0, -4 / 9]) * PULSES.get(kind, 1.0)
        np.testing.assert_allclose(run(jnp.array(ranges)), expected, rtol=2e-6)
    assert traces == [kind]


@every_cell
@pytest.mark.parametrize("value", [0.0, -0.5])
def test_a_weight_range_must_be_positive(kind, value):
    with pytest.raises(UserError, match=f"weight_range = {value} must be more than 0$"):
        CELLS[kind](weight_range=value)


def test_a_cell_that_defines_nothing_says_so():
    cell, device = Cell(), ConstantStep()
    with pytest.raises(NotImplementedError, match="Cell must define init"):
        cell.init(device, stream(0), jnp.zeros(2))
    with pytest.raises(NotImplementedError, match="Cell must define read_variance"):
        cell.read_variance(device, jnp.zeros(2))
