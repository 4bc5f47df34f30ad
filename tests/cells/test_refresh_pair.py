"""The pair that is only potentiated: what a refresh keeps, when it comes and to which pairs."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.cells import RefreshPair
from memjax.devices import MODELS, ConstantStep, catalogue
from memjax.errors import UserError
from memjax.pytree import as_arrays
from reference import cells_twin, devices_twin

R, N = 0.7, 2048


def stream(seed):
    return random.stream(jax.random.key(seed))


def pair(**parameters):
    return as_arrays(RefreshPair(weight_range=R, **parameters))


ALWAYS, NEVER = pair(refresh_every=1.0), pair(refresh_every=1e6)


@jax.jit
def pulse(cell, device, state, weight, n, stream, count=0):
    return cell.pulse(device, state, weight, n, stream, count=count)


@functools.partial(jax.jit, static_argnums=1)
def init(device, shape):
    return NEVER.init(device, stream(1), jnp.zeros(shape))


def potentiated(device, up=1.0, down=0.7, shape=(N,)):
    """Pairs that took up to so many nominal ranges of pulses on either side."""
    own = [random.uniform(stream(20 + k), shape) for k in range(2)]
    most = 1.0 / float(device.nominal_step)
    state, weight = init(device, shape)
    state, weight = pulse(NEVER, device, state, weight, jnp.round(up * most * own[0]), stream(2))
    n = -jnp.round(down * most * own[0] * own[1])
    return pulse(NEVER, device, state, weight, n, stream(3))


def bottoms(state):
    """How far each conductance is above its own Gmin."""
    both = zip(state.conductances, state.devices, strict=True)
    own = [(g, getattr(array, "array", array)) for g, array in both]
    return np.array([np.asarray(g - array.g_min) for g, array in own])


@pytest.mark.parametrize("spread", [{}, {"sigma_d2d": 0.3, "sigma_bounds": 0.3}])
def test_a_refresh_keeps_the_weight_within_half_a_step(spread):
    """Of the device that takes the pulses, whatever the two Gmin; one of the two is at its own."""
    device = as_arrays(ConstantStep(levels=33.0, **spread))
    before, weight = potentiated(device)
    state, after = pulse(ALWAYS, device, before, weight, jnp.zeros(N), stream(4))
    up = [np.broadcast_to(array.up, N) for array in state.devices]
    above = bottoms(state)
    step = R * np.where(above[0] == above[1], np.maximum(*up), np.where(above[0] > above[1], *up))
    assert np.all(abs(after - weight) <= 0.51 * step + 2e-6)
    np.testing.assert_array_equal(above.min(0), 0.0)
    assert (above.max(0) > 0).mean() > 0.9
    assert np.mean(bottoms(before).min(0) > 0) > 0.8  # before it, both were above


def test_a_refresh_adds_the_noise_of_its_pulses():
    """sd R sigma dg sqrt(n) of n pulses; within half a step and 5 sd of it."""
    device = as_arrays(ConstantStep(levels=201.0, sigma_c2c=0.5))
    state, weight = potentiated(device, up=0.8, down=0.3, shape=(8 * N,))
    _, after = pulse(ALWAYS, device, state, weight, jnp.zeros(8 * N), stream(4))
    error = np.asarray(after - weight, float)
    pulses = np.maximum(np.round(abs(np.asarray(weight)) / R * 200), 1)
    sd = R / 200 * 0.5 * np.sqrt(pulses)
    assert np.all(abs(error) < 0.5 * R / 200 + 5.8 * sd)  # no fast normal is beyond 5.8
    many = pulses > 30  # of which half a step's rounding, R / 200 / sqrt(12), is little
    whole = np.hypot(sd, R / 200 / np.sqrt(12))
    assert many.sum() > 2000
    # 5 standard errors of a sd of some 8,000: 4 %
    assert (error / whole)[many].std() == pytest.approx(1.0, rel=0.04)


@pytest.mark.parametrize("every", [1.0, 3.0, 7.0, 2.5, 3.3])
def test_a_refresh_comes_at_every_r_th_update(every):
    """The updates of which the last before, or at, a multiple of R: 3, 5, 8, 10 of R = 2.5."""
    device, cell = as_arrays(ConstantStep(levels=101.0)), pair(refresh_every=every)

    @jax.jit
    def run(first):
        state, weight = cell.init(device, stream(1), jnp.zeros(1))
        state = state._replace(conductances=(jnp.full(1, 0.5), jnp.full(1, 0.25)))

        def body(carry, count):
            after, _ = cell.pulse(device, *carry, jnp.zeros(1), stream(2), count=count)
            return carry, after.conductances[1][0]

        return jax.lax.scan(body, (state, weight), first + jnp.arange(60))[1]

    for first in (0, 1_000_000):
        done = first + np.arange(60)
        own = float(np.float32(every))
        due = np.floor((done + 1) / own) > np.floor(done / own)
        smaller = run(jnp.int32(first))
        np.testing.assert_array_equal(smaller == 0.0, due)
        np.testing.assert_array_equal(smaller == 0.25, ~due)


def test_a_refresh_comes_on_time_after_millions_of_updates():
    """The 16 and the 32 millionth of R = 100, and none beside them: floats count to 2^24."""
    device, cell = as_arrays(ConstantStep(levels=101.0)), pair(refresh_every=100.0)
    state, weight = init(device, (1,))
    state = state._replace(conductances=(jnp.full(1, 0.5), jnp.full(1, 0.25)))
    for count in (15_999_998, 15_999_999, 16_000_000, 31_999_998, 31_999_999, 32_000_000):
        after, _ = pulse(cell, device, state, weight, jnp.zeros(1), stream(2), jnp.int32(count))
        assert (float(after.conductances[1][0]) == 0.0) == (count % 16_000_000 == 15_999_999)


@pytest.mark.parametrize(("above", "below"), [(0.75, None), (None, 0.25), (0.75, 0.25)])
def test_thresholds_pick_the_pairs(above, below):
    """Both are exceeded, or the pair keeps every bit and takes its own pulses alone."""
    device = as_arrays(ConstantStep(levels=65.0, sigma_c2c=0.4))
    chosen = {"refresh_above": above, "refresh_below": below}
    cell = pair(refresh_every=1.0, **{k: v for k, v in chosen.items() if v is not None})
    state, weight = potentiated(device, up=1.3, down=1.0)
    n = jnp.round(4.0 * random.uniform(stream(5), (N,)) - 2.0)
    plain, _ = pulse(NEVER, device, state, weight, n, stream(6))
    after, held = pulse(cell, device, state, weight, n, stream(6))
    plus, minus = map(np.asarray, state.conductances)
    due = (np.maximum(plus, minus) > (above or -1)) & (np.minimum(plus, minus) > (below or -1))
    assert 0.05 < due.mean() < 0.95
    for alone, with_refresh in zip(plain.conductances, after.conductances, strict=True):
        np.testing.assert_array_equal(alone[~due], with_refresh[~due])
    assert np.all(np.min(after.conductances, axis=0)[due] == 0.0)
    np.testing.assert_allclose(held, R * (after.conductances[0] - after.conductances[1]), atol=1e-7)


def test_nothing_is_depressed_between_refreshes():
    """30 updates of pulses up and down: mean steps and no noise, so that none can lead down."""
    device = as_arrays(ConstantStep(levels=101.0, sigma_d2d=0.3, stuck=0.1))
    state, weight = init(device, (N,))
    update = jax.jit(functools.partial(pulse, NEVER, device))
    for step in range(30):
        n = jnp.round(4.0 * random.uniform(stream(30 + step), (N,)) - 2.0)
        old = state.conductances
        state, weight = update(state, weight, n, stream(60 + step), step)
        for before, after, own in zip(old, state.conductances, (n > 0, n < 0), strict=True):
            assert np.all(after >= before)
            np.testing.assert_array_equal(after[~own], before[~own])
    assert min(float(jnp.median(g)) for g in state.conductances) > 0.1


def test_a_refresh_shares_its_train_with_the_update():
    """w + n steps within half a step, also where n leads to the other sign; |w| stays below R."""
    device = as_arrays(ConstantStep(levels=65.0))
    state, weight = potentiated(device, up=0.7, down=0.6)
    n = jnp.round(20.0 * random.uniform(stream(5), (N,)) - 10.0)
    after, held = pulse(ALWAYS, device, state, weight, n, stream(6))
    np.testing.assert_allclose(held, weight + n * R / 64, atol=1e-6)
    np.testing.assert_allclose(np.min(after.conductances, axis=0), 0.0, atol=1e-7)
    assert np.sum(np.sign(held) * np.sign(weight) < 0) > 50


MEANS = {
    "SoftBounds": {"levels": 20.0},
    "SymmetricStep": {"levels": 20.0, "alpha": 4.0},
    "ExponentialStep": None,
    "PhaseChange": {},
    "OnsetStep": {"levels": 20.0, "onset_up": 0.9, "slope_up": -1.0},
}
"""Devices whose step is far from constant; ``None``: that of the preset PCM."""


@pytest.mark.parametrize("model", MEANS)
def test_a_refresh_of_a_curved_device_is_the_nearest(model):
    """Against pulse by pulse in float64: worse by 4 % of a step, where two are nearly as near."""
    own = MEANS[model]
    quiet = {"sigma_c2c": 0.0, "sigma_d2d": 0.3}
    if own is None:
        more = {"sigma_bounds": None, "sigma_up_down": None, "sigma_lower_bound": None}
        device = catalogue.get("PCM", **quiet, **more, noise_offset=None, noise_slope=None)
    else:
        device = MODELS[model](**quiet, **own)
    device = as_arrays(device)
    before, weight = potentiated(device, shape=(512,))
    state, after = pulse(ALWAYS, device, before, weight, jnp.zeros(512), stream(4))
    up = np.asarray(weight) > 0
    fabricated = [
        devices_twin.spread(device, np.asarray(random.fold_in(stream(1), k)), (512,))
        for k in range(2)
    ]
    distance = abs(np.asarray(weight, float)) / R
    nearest, step = (
        np.where(up, *each)
        for each in zip(
            *(cells_twin.rewritten(device, o, distance) for o in fabricated), strict=True
        )
    )
    error = abs(np.asarray(after - weight, float)) / R
    assert np.all(error <= abs(nearest - distance) + 0.04 * step + 1e-5)
    np.testing.assert_array_equal(bottoms(state).min(0), 0.0)
    assert np.median(distance) > 0.1


def test_a_refresh_makes_the_devices_forget():
    """P_mem = 1 after it, and then that of the pulses alone that re-programme."""
    device = as_arrays(MODELS["PhaseChange"](sigma_c2c=0.0))
    state, weight = potentiated(device)
    assert max(float(jnp.median(array.memory)) for array in state.devices) < 0.5
    state, weight = pulse(ALWAYS, device, state, weight, jnp.zeros(N), stream(4))
    memory = np.array([array.memory for array in state.devices])
    np.testing.assert_array_equal(memory.max(0), 1.0)
    pulses = -2.6 * np.log(memory.min(0))
    np.testing.assert_allclose(pulses, np.round(pulses), atol=1e-3)
    assert np.all((np.round(pulses) > 0) == (bottoms(state).max(0) > 0))


PARTS = {
    "sigma_write": ({"sigma_write": 3.0}, lambda g: 3.0 / 100 * np.ones_like(g)),
    "sigma_ramp": ({"sigma_ramp": 0.1}, lambda g: 0.1 * g),
    "lifetime": ({"lifetime": 1e4}, lambda g: np.zeros_like(g)),
    "diffusion": ({"diffusion": 0.01}, lambda g: 0.01 * np.ones_like(g)),
    "sigma_read": ({"sigma_read": 0.02, "on_off": 3.0}, None),
}


@pytest.mark.parametrize("part", PARTS)
def test_what_else_a_device_does_shows_in_a_refresh(part):
    """A write's noise, one gain of the whole train, a walk: each its own sd of the error; a read
    errs in both, sigma sqrt(sum of (g + 1 / (on_off - 1))^2).

    8,192 pairs, a third of them taken: 5 standard errors of a sd are 7 %.
    """
    parts, sd_of = PARTS[part]
    device, size = as_arrays(ConstantStep(levels=101.0, **parts)), (4 * N,)
    state, weight = potentiated(as_arrays(ConstantStep(levels=101.0)), shape=size)
    plus, minus = map(np.asarray, state.conductances)
    fresh, _ = init(device, size)
    devices = tuple(
        array._replace(hidden=g) if getattr(array, "hidden", None) is not None else array
        for array, g in zip(fresh.devices, state.conductances, strict=True)
    )
    state = state._replace(devices=devices)
    _, after = pulse(ALWAYS, device, state, weight, jnp.zeros(size), stream(4))
    error, g = np.asarray(after - weight, float) / R, abs(plus - minus).astype(float)
    sd = 0.02 * np.hypot(plus + 0.5, minus + 0.5) if sd_of is None else sd_of(g)
    # A read's error is made by whole steps; both devices walk, but none below Gmin.
    sd = np.sqrt(sd**2 + (part == "sigma_read") / 12e4)
    some = (g > 0.2) & (g < 0.8)
    assert some.sum() > 2000
    if part == "lifetime":  # decay towards 1/2, of both
        np.testing.assert_allclose(error, -1e-4 * g * (g > 0), atol=6e-7)
    elif part == "diffusion":  # the other's walk is one-sided: mean 0.4 sd, variance 0.34
        own = (error * np.sign(plus - minus))[some]
        assert own.mean() == pytest.approx(-0.01 / np.sqrt(2 * np.pi), rel=0.15)
        assert own.var() == pytest.approx(1e-4 * (1.5 - 0.5 / np.pi), rel=0.14)
    else:
        assert (error / np.where(sd > 0, sd, 1.0))[some].std() == pytest.approx(1.0, rel=0.07)


def test_stuck_pairs_stay_and_the_other_device_makes_up():
    """Stuck devices keep their bits; where one of a pair is free, it does what it can for w."""
    device = as_arrays(ConstantStep(levels=65.0, stuck=0.3))
    state, weight = potentiated(device)
    stuck = np.array([array.g_min == array.g_max for array in state.devices])
    after, held = pulse(ALWAYS, device, state, weight, jnp.zeros(N), stream(4))
    for before, now, own in zip(state.conductances, after.conductances, stuck, strict=True):
        np.testing.assert_array_equal(before[own], now[own])
    np.testing.assert_array_equal(held[stuck.all(0)], weight[stuck.all(0)])
    one = stuck.sum(0) == 1
    makes_up = np.where(
        stuck[0], weight <= R * state.conductances[0], weight >= -R * state.conductances[1]
    )
    assert np.all(abs(held - weight)[one & makes_up] <= 0.5 * R / 64 + 1e-6)


def test_what_one_device_cannot_hold_is_lost():
    """A read beyond Gmax asks for Gmax; soft bounds give up, their steps within 1 % of none."""
    for device, lost in (
        (ConstantStep(levels=65.0), 1e-6),
        (MODELS["SoftBounds"](levels=65.0), 0.005),
    ):
        device = as_arrays(device)
        state, _ = init(device, (4,))
        state = state._replace(conductances=(jnp.ones(4), jnp.zeros(4)))
        _, after = pulse(ALWAYS, device, state, jnp.full(4, R), jnp.zeros(4), stream(4))
        assert np.all(abs(np.asarray(after) - R) <= (lost + 0.25 / 64) * R)


def test_a_pulse_size_is_of_one_device():
    assert RefreshPair(weight_range=R).pulse_size(ConstantStep(levels=65)) == R / 64
    assert not RefreshPair().is_static(ConstantStep())


@pytest.mark.parametrize("name", ["refresh_above", "refresh_below"])
@pytest.mark.parametrize(("value", "rule"), [(0.0, "more than 0"), (1.0, "less than 1")])
def test_a_threshold_is_a_fraction(name, value, rule):
    with pytest.raises(UserError, match=f"^RefreshPair: {name} = {value} must be {rule}$"):
        RefreshPair(**{name: value})


def test_a_refresh_is_at_most_every_update():
    with pytest.raises(UserError, match=r"refresh_every = 0\.5 must be at least 1$"):
        RefreshPair(refresh_every=0.5)
