"""The fabricated population's statistics, noise in proportion to G, and what users get wrong."""

import dataclasses
import re

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
from reference.pulsed import pulsed

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
    """Where the gain would be it is folded: |1 + xi|, that is the folded normal law."""
    up, down, _, _ = spread(sigma_d2d=1.0)
    assert stats.kstest(up, stats.foldnorm(1.0).cdf).pvalue > 1e-4
    np.testing.assert_array_equal(up, down)


def test_a_lognormal_gain():
    up, down, _, _ = spread(sigma_d2d=0.7, d2d="lognormal", up_down=-0.1)
    assert stats.kstest(np.log(down), stats.norm(0.0, 0.7).cdf).pvalue > 1e-4
    np.testing.assert_allclose(up, abs(down - 0.1), atol=1e-6)


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


def test_bounds_that_cross_are_exchanged_and_folded():
    """Each to its own side of g_ref: of U and -V, the larger above, the smaller below, by size."""
    _, _, low, high = spread(sigma_bounds=2.0, on_off=1.01)
    assert low.max() <= 0.5 <= high.min()
    rng = np.random.default_rng(0)
    above, below = 1 + 2 * rng.standard_normal(N), -1 - 2 * rng.standard_normal(N)
    for drawn, expected in (
        (high, 0.5 + 0.5 * abs(np.maximum(above, below))),
        (low, 0.5 - 0.5 * abs(np.minimum(above, below))),
    ):
        assert stats.ks_2samp(drawn, expected).pvalue > 1e-4


@pytest.mark.parametrize("g_ref", [0.0, 0.3, 1.0])
def test_bounds_are_relative_to_their_distance_from_the_reference(g_ref):
    _, _, low, high = spread(sigma_bounds=0.1, sigma_lower_bound=0.2, g_ref=g_ref, on_off=1.5)
    assert high.mean() == pytest.approx(1, abs=0.1 * Z_MEAN)
    assert high.std() == pytest.approx(0.1 * (1 - g_ref), rel=Z_SD, abs=1e-7)
    assert low.std() == pytest.approx(0.2 * g_ref, rel=Z_SD, abs=1e-7)


def test_the_lower_bound_may_vary_alone():
    _, _, low, high = spread(sigma_lower_bound=0.15, on_off=1.5)
    assert np.all(high == 1)
    assert low.std() == pytest.approx(0.075, rel=Z_SD)


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
    other = dataclasses.replace(device, d2d="lognormal", g_ref=0.2, sigma_lower_bound=1.0)
    for one in (device, other):
        drawn = one.spread(STREAM, (40, 50))
        expected = devices_twin.spread(one, np.asarray(STREAM), (40, 50))
        for name in ("up", "down", "g_min", "g_max"):
            np.testing.assert_allclose(
                getattr(drawn, name), getattr(expected, name), rtol=5e-6, atol=5e-6
            )


def test_without_spread_everything_is_a_scalar():
    assert [leaf.shape for leaf in Device().spread(STREAM, (3, 4))] == [()] * 4
    assert [float(leaf) for leaf in Device().spread(STREAM, (3, 4))] == [1.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize("model", MODELS.values())
def test_noise_of_g_in_closed_form(model):
    """sd^2 gains |n| sigma_g^2 (g + 1 / (on_off - 1))^2; with xi = 1 the change shows the sd."""
    g, n = jnp.linspace(0.2, 0.8, 4), jnp.array([1.0, -1.0, 4.0, -9.0])
    siemens = model.__name__ == "PhaseChange"  # whose own noise is of G in siemens, so of on_off

    @jax.jit
    def both(device):
        array = device.fabricate(STREAM, (4,))
        return device.response(array, g, n), device.change(array, g, n, jnp.ones(4))

    before = np.zeros(4)
    for on_off in (1e9, 5.0, 2.0, 1.2):
        device = model(levels=500.0, on_off=on_off, sigma_c2c=0.3, sigma_g=0.01)
        (mean, sd), change = jax.tree.map(lambda x: np.asarray(x, float), both(device))
        seen = np.asarray(g, float) + 1 / (on_off - 1)
        expected = np.sqrt(sd**2 + abs(np.asarray(n)) * (0.01 * seen) ** 2)
        np.testing.assert_allclose(change - mean, expected, rtol=1e-4)
        assert siemens or np.all(change - mean > before)  # a smaller on/off ratio costs
        before = change - mean


def test_nominal_step_and_offset():
    assert Device(levels=11).nominal_step == pytest.approx(0.1)
    assert Device(on_off=5).g_offset == pytest.approx(0.25)


def fields_of(wanted):
    """Every field that is ``wanted``, a (model, field) once, on the first model that has it so."""
    seen = {}
    for model in MODELS.values():
        for field in dataclasses.fields(model):
            if wanted(field.metadata):
                rules = tuple(sorted(field.metadata["bounds"].items()))
                seen.setdefault((field.name, field.default.__class__, rules), (model, field))
    return pytest.mark.parametrize(
        ("model", "field"),
        [pytest.param(m, f, id=f"{m.__name__}-{f.name}") for m, f in seen.values()],
    )


def numbers(metadata):
    return not metadata.get("static") and "rank" not in metadata


BEYOND = {
    "at_least": (-0.1, "at least"),
    "more_than": (0.0, "more than"),
    "at_most": (0.1, "at most"),
}


def beyond(bounds):
    """A value out of each bound, and what is said of it; none where every number will do."""
    there = {name: limit for name, limit in bounds.items() if limit is not None}
    return [(x + BEYOND[name][0], f"{BEYOND[name][1]} {x:g}") for name, x in there.items()]


@pytest.mark.parametrize("model", MODELS.values())
def test_every_field_says_what_it_is(model):
    """A number has bounds or none, a choice has choices, a table has a rank; all have a doc."""
    for field in dataclasses.fields(model):
        assert field.metadata["doc"], field.name
        assert {"bounds", "unit"} <= field.metadata.keys(), field.name
        assert bool(field.metadata.get("choices")) == bool(field.metadata.get("static")), field.name
        assert model(**{field.name: field.default}) is not None


@fields_of(numbers)
def test_values_out_of_range_name_the_field_and_the_rule(model, field):
    for value, rule in beyond(field.metadata["bounds"]):
        message = f"^{model.__name__}: {field.name} = {re.escape(str(value))} must be {rule}$"
        with pytest.raises(UserError, match=message):
            model(**{field.name: value})
        with pytest.raises(UserError, match=f"{field.name} = .* must be {rule}$"):
            model(**{field.name: np.array([value, value])})
    with pytest.raises(UserError, match=f"{field.name} = nan must be finite"):
        model(**{field.name: float("nan")})


@fields_of(numbers)
def test_traced_values_are_let_through(model, field):
    """What cannot be known when it is built is no mistake; neither is a device of tracers."""
    for value, _ in beyond(field.metadata["bounds"]) or [(7.0, "")]:
        traced = jax.jit(lambda v: getattr(model(**{field.name: v}), field.name))(
            jnp.float32(value)
        )
        assert float(traced) == pytest.approx(value)


@fields_of(lambda metadata: metadata.get("choices"))
def test_a_choice_that_there_is_not(model, field):
    known = ", ".join(field.metadata["choices"])
    message = f"^{model.__name__}: {field.name} = 'x' must be one of {known}$"
    with pytest.raises(UserError, match=message):
        model(**{field.name: "x"})
    for choice in field.metadata["choices"]:
        assert getattr(model(**{field.name: choice}), field.name) == choice


@fields_of(lambda metadata: "rank" in metadata)
def test_tables_have_a_rank_and_no_gaps(model, field):
    rank, where = field.metadata["rank"], f"{model.__name__}: {field.name}"
    good = np.ones((3,) * rank)
    for bad, message in (
        (good[0] if rank > 1 else 1.0, r"has shape .*; give at least 2 entries a dimension"),
        (good[:1], rf"has shape \({1 if rank == 1 else '1, 3'},?\); give at least 2 entries"),
        (np.where(np.arange(3) == 1, np.nan, good), "must be finite; leave no entry out"),
    ):
        with pytest.raises(UserError, match=f"^{where} {message}"):
            model(**{field.name: bad})
    ragged = [[1.0, 2.0], [1.0]] if rank == 2 else [1.0, [1.0, 2.0]]
    with pytest.raises(UserError, match=f"^{where} must be rows of equally many numbers$"):
        model(**{field.name: ragged})
    for form in (good, good.tolist(), jnp.asarray(good), np.stack([good, good])):
        np.testing.assert_array_equal(getattr(model(**{field.name: form}), field.name), form)
    traced = jax.jit(lambda t: getattr(model(**{field.name: t}), field.name))
    assert np.isnan(traced(good * np.nan)).all()


@pytest.mark.parametrize("kind", [int, float, np.float32, np.int64, np.asarray, jnp.asarray])
def test_any_kind_of_number_will_do(kind):
    device = as_arrays(ConstantStep(levels=kind(5)))
    assert device.levels.dtype == jnp.float32
    array = device.fabricate(STREAM, ())
    assert float(pulsed(device, array, jnp.float32(0), jnp.float32(1), jnp.float32(0))) == 0.25


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
    assert leaves == [32.0, 10.0, 0.5, 0.0, 0.0, 2.0]


def test_parameters_are_a_frozen_keyword_only_pytree():
    device = MODELS["SoftBounds"](levels=8.0, sigma_d2d=0.1)
    leaves, treedef = jax.tree.flatten(device)
    assert treedef.unflatten(leaves) == device
    paths = [jax.tree_util.keystr(p) for p, _ in jax.tree_util.tree_leaves_with_path(device)]
    given = [".levels", ".on_off", ".g_ref", ".up_down", ".sigma_c2c", ".sigma_d2d"]
    assert paths == [*given, ".weight_span"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        device.levels = 3.0
    with pytest.raises(TypeError):
        type(device)(8.0)


def test_a_device_that_defines_nothing_says_so():
    with pytest.raises(NotImplementedError, match="Device must define fabricate"):
        Device().fabricate(STREAM, ())
    with pytest.raises(NotImplementedError, match="Device must define response"):
        Device().response(None, jnp.zeros(1), jnp.zeros(1))
