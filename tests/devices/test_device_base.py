"""The fabricated population's statistics, noise in proportion to G, and what users get wrong."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from memjax import random
from memjax.devices import MODELS, ConstantStep
from memjax.devices.base import Device
from memjax.errors import UserError
from memjax.pulses import Coincidence
from memjax.pytree import as_arrays, check, params, static
from reference import devices_twin

STREAM = random.stream(jax.random.key(7))
N = 200_000
# Standard errors over N devices: mean sd / 447, sd sd / 632, covariance about sd sd / 447. Z = 5.
Z_MEAN, Z_SD = 5 / np.sqrt(N), 5 / np.sqrt(2 * N)


def spread(count=N, **parameters):
    drawn = Device(**parameters).spread(STREAM, (count,))
    return [np.asarray(jnp.broadcast_to(leaf, (count,)), float) for leaf in drawn]


@pytest.mark.parametrize("up_down", [-0.3, 0.0, 0.3])
def test_moments_of_up_and_down(up_down):
    """Means 1 but for the weakened direction; the gain moves both, the tilt opposes them."""
    up, down, _, _ = spread(sigma_d2d=0.15, sigma_up_down=0.05, up_down=up_down)
    sd = np.hypot(0.15, 0.05)
    assert up.mean() == pytest.approx(1 + min(up_down, 0), abs=Z_MEAN * sd)
    assert down.mean() == pytest.approx(1 - max(up_down, 0), abs=Z_MEAN * sd)
    assert up.std() == pytest.approx(sd, rel=Z_SD)
    assert down.std() == pytest.approx(sd, rel=Z_SD)
    assert np.cov(up, down)[0, 1] == pytest.approx(0.15**2 - 0.05**2, abs=1.5 * Z_MEAN * sd**2)


def test_a_step_is_never_negative():
    """Where the gain would be: a normal of sd 1 about 1 is below 0 for Phi(-1) = 15.87 %."""
    up, down, _, _ = spread(sigma_d2d=1.0)
    assert up.min() == down.min() == 0.0
    assert np.mean(up == 0) == pytest.approx(stats.norm.cdf(-1), abs=Z_MEAN * 0.37)


def test_moments_of_bounds():
    """1/2 +- 1/2 (1 + 0.15 xi), independently, where G = 0 is far below."""
    up, down, low, high = spread(sigma_bounds=0.15, on_off=1.5)
    assert np.all(up == 1) and np.all(down == 1)
    for values, mean in ((low, 0.0), (high, 1.0)):
        assert values.mean() == pytest.approx(mean, abs=Z_MEAN * 0.075)
        assert values.std() == pytest.approx(0.075, rel=Z_SD)
        assert stats.kstest((values - mean) / 0.075, "norm").pvalue > 1e-4
    assert abs(np.corrcoef(low, high)[0, 1]) < Z_MEAN


@pytest.mark.parametrize("on_off", [1.5, 4.0, 10.0, 1e6])
def test_no_conductance_is_negative(on_off):
    """A bound that would lie below G = 0 lies there; the others are where they would be."""
    g_zero = np.float32(-1 / (on_off - 1))
    free, low = (spread(sigma_bounds=0.3, on_off=ratio)[2] for ratio in (1.01, on_off))
    np.testing.assert_allclose(low, np.maximum(free, g_zero), rtol=3e-7)
    share = stats.norm.cdf(g_zero / 0.15)
    clamped = np.mean(np.isclose(low, g_zero, rtol=3e-7, atol=0))
    assert clamped == pytest.approx(share, abs=Z_MEAN * np.sqrt(share * (1 - share)))


def test_bounds_never_meet():
    _, _, low, high = spread(sigma_bounds=2.0)
    assert low.max() == pytest.approx(0.45, abs=1e-6)
    assert high.min() == pytest.approx(0.55, abs=1e-6)


@pytest.mark.parametrize("stuck", [0.0, 0.02, 0.5, 1.0])
def test_stuck_fraction(stuck):
    """A binomial fraction, at conductances uniform in [0, 1)."""
    _, _, low, high = spread(stuck=stuck)
    at = low[low == high]
    assert len(at) / N == pytest.approx(stuck, abs=Z_MEAN * np.sqrt(stuck * (1 - stuck)))
    if stuck:
        assert stats.kstest(at, "uniform").pvalue > 1e-4
    assert np.all((low[low != high] == 0) & (high[low != high] == 1))


def test_spreads_are_drawn_independently():
    """Adding one leaves the others' bits alone, and no two correlate."""
    everything = {"sigma_d2d": 0.1, "sigma_up_down": 0.1, "sigma_bounds": 0.1}
    up, down, low, high = spread(**everything)
    np.testing.assert_array_equal(spread(sigma_bounds=0.1)[2], low)
    np.testing.assert_array_equal(spread(sigma_d2d=0.1, sigma_up_down=0.1)[0], up)
    independent = np.corrcoef([up + down, up - down, low, high])[np.triu_indices(4, 1)]
    np.testing.assert_array_less(abs(independent), Z_MEAN)


def test_spread_equals_its_twin():
    device = Device(up_down=-0.2, sigma_d2d=0.4, sigma_up_down=0.2, sigma_bounds=0.5, stuck=0.2)
    drawn = device.spread(STREAM, (40, 50))
    expected = devices_twin.spread(device, np.asarray(STREAM), (40, 50))
    for name in ("up", "down", "g_min", "g_max"):
        np.testing.assert_allclose(getattr(drawn, name), getattr(expected, name), atol=3e-6)


def test_without_spread_everything_is_a_scalar():
    assert [leaf.shape for leaf in Device().spread(STREAM, (3, 4))] == [()] * 4
    assert [float(leaf) for leaf in Device().spread(STREAM, (3, 4))] == [1.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize("model", MODELS.values())
def test_noise_of_g_in_closed_form(model):
    """sd^2 gains |n| sigma_g^2 (g + 1 / (on_off - 1))^2; with xi = 1 the change shows the sd."""
    g, n = jnp.linspace(0.2, 0.8, 4), jnp.array([1.0, -1.0, 4.0, -9.0])
    before = np.zeros(4)
    for on_off in (1e9, 5.0, 2.0, 1.2):
        device = model(levels=500.0, on_off=on_off, sigma_c2c=0.3, sigma_g=0.01)
        array = device.fabricate(STREAM, ())
        mean, sd = (np.asarray(v, float) for v in device.response(array, g, n))
        change = np.asarray(device.change(array, g, n, jnp.ones(4)), float)
        seen = np.asarray(g, float) + 1 / (on_off - 1)
        expected = np.sqrt(sd**2 + abs(np.asarray(n)) * (0.01 * seen) ** 2)
        np.testing.assert_allclose(change - mean, expected, rtol=1e-4)
        assert np.all(change - mean > before)  # a smaller on/off ratio costs
        before = change - mean


def test_nominal_step_and_offset():
    assert Device(levels=11).nominal_step == pytest.approx(0.1)
    assert Device(on_off=5).g_offset == pytest.approx(0.25)


RANGES = {
    "levels": (1.9, "at least 2"),
    "on_off": (1.0, "more than 1"),
    "up_down": (1.5, "at most 1"),
    "sigma_c2c": (-0.1, "at least 0"),
    "sigma_g": (-0.1, "at least 0"),
    "sigma_read": (-0.1, "at least 0"),
    "sigma_d2d": (-0.1, "at least 0"),
    "sigma_up_down": (-0.1, "at least 0"),
    "sigma_bounds": (-0.1, "at least 0"),
    "stuck": (1.1, "at most 1"),
    "nl_up": (9.5, "at most 9"),
    "nl_down": (-9.5, "at least -9"),
}
FIELDS = [(m, f.name) for m in MODELS.values() for f in dataclasses.fields(m)]


@pytest.mark.parametrize(("model", "field"), FIELDS)
def test_values_out_of_range_name_the_field_and_the_rule(model, field):
    value, rule = RANGES[field]
    message = f"^{model.__name__}: {field} = {value} must be {rule}$"
    with pytest.raises(UserError, match=message):
        model(**{field: value})
    with pytest.raises(UserError, match=f"{field} = nan must be finite"):
        model(**{field: float("nan")})
    with pytest.raises(UserError, match=f"{field} = .* must be {rule}$"):
        model(**{field: np.array([2.5, value])})


@pytest.mark.parametrize(("model", "field"), FIELDS)
def test_traced_values_are_let_through(model, field):
    """What cannot be known when it is built is no mistake; neither is a device of tracers."""
    value = RANGES[field][0]
    traced = jax.jit(lambda v: getattr(model(**{field: v}), field))(jnp.float32(value))
    assert float(traced) == pytest.approx(value)


@pytest.mark.parametrize("kind", [int, float, np.float32, np.int64, np.asarray, jnp.asarray])
def test_any_kind_of_number_will_do(kind):
    device = as_arrays(ConstantStep(levels=kind(5)))
    assert device.levels.dtype == jnp.float32
    array = device.fabricate(STREAM, ())
    assert float(device.step(array, jnp.float32(0), jnp.float32(1), jnp.float32(0))) == 0.25


@pytest.mark.parametrize(
    ("obj", "field", "value", "rule"),
    [
        (ConstantStep(), "levels", "32", "a number"),
        (ConstantStep(), "levels", None, "a number"),
        (Coincidence(), "length", "10", "a number"),
        (Coincidence(), "length", 2.5, "whole"),
    ],
)
def test_values_of_the_wrong_kind(obj, field, value, rule):
    """Looked at by ``check`` itself: under the tests' type checks nothing so wrong can be built."""
    object.__setattr__(obj, field, value)
    with pytest.raises(UserError, match=f"{field} = {value!r} must be {rule}$"):
        check(obj)


def test_every_class_of_params_is_checked_when_built():
    @params
    class Bare:
        size: int = static(default=1, doc="a size", at_least=1)

    assert Bare(size=2).size == 2
    with pytest.raises(UserError, match=r"^Bare: size = 0 must be at least 1$"):
        Bare(size=0)


def test_none_is_the_absence_of_an_effect():
    leaves = jax.tree.leaves(ConstantStep(sigma_g=None, sigma_d2d=None, stuck=None))
    assert leaves == [32.0, 10.0, 0.0, 0.0]


def test_parameters_are_a_frozen_keyword_only_pytree():
    device = MODELS["SoftBounds"](levels=8.0, sigma_d2d=0.1)
    leaves, treedef = jax.tree.flatten(device)
    assert treedef.unflatten(leaves) == device
    paths = [jax.tree_util.keystr(p) for p, _ in jax.tree_util.tree_leaves_with_path(device)]
    assert paths == [".levels", ".on_off", ".up_down", ".sigma_c2c", ".sigma_d2d"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        device.levels = 3.0
    with pytest.raises(TypeError):
        type(device)(8.0)


def test_a_device_that_defines_nothing_says_so():
    with pytest.raises(NotImplementedError, match="Device must define fabricate"):
        Device().fabricate(STREAM, ())
    with pytest.raises(NotImplementedError, match="Device must define response"):
        Device().response(None, jnp.zeros(1), jnp.zeros(1))
