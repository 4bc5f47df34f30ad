"""Parameters from synthetic ramps: of every model, of each noise, and what is not to be told."""

import importlib.util
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices import MODELS
from memjax.fitting import climb, scores, search
from memjax.fitting.estimate import estimate
from memjax.fitting.intervals import intervals
from memjax.fitting.problem import from_line, moments, pose, to_line
from memjax.fitting.scores import score

from .ramps_twin import WINDOW, linear_ramps, ramps_of

_PATH = Path(__file__).parents[1] / "benchmarks" / "fit_coverage.py"
_SPEC = importlib.util.spec_from_file_location("fit_coverage", _PATH)
coverage = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(coverage)


def of_steps(y, sign, pulses=None, c2c="additive", model="ConstantStep", **fixed):
    return estimate(MODELS[model], {"c2c": c2c, **fixed}, ramps_of(y, sign, pulses), WINDOW)


def test_every_model_that_can_be_fitted_is_in_the_coverage():
    assert set(coverage.TRUTHS) == set(MODELS) - {"JumpTable"}


@pytest.mark.parametrize("name", list(coverage.TRUTHS))
def test_parameters_are_recovered(name):
    """Within 3 standard errors, and these small enough to say something."""
    fixed, truth, window = coverage.truth_of(name)
    found = estimate(MODELS[name], fixed, coverage.simulate(name, 1, seed=1)[0], window)
    assert found.converged
    assert found.free.all()
    for k, n in enumerate(found.names):
        assert abs(found.values[k] - truth[n]) < 3.0 * found.errors[k], n
        assert n.endswith("[0]") or found.errors[k] < max(1.0, 1.5 * abs(truth[n])), n


def test_noises_are_told_apart():
    rng = np.random.default_rng(0)
    for c2c, ramp, read in [(0.4, 0.0, 0.0), (0.0, 0.0, 0.01), (0.4, 0.2, 0.01)]:
        y, sign = linear_ramps(rng, 30, 25, c2c=c2c, ramp=ramp, read=read)
        found = of_steps(y, sign)
        assert found.converged or c2c == 0
        for name, truth in [("sigma_c2c", c2c), ("sigma_ramp", ramp), ("read", read)]:
            k = found.names.index(name)
            if truth:
                assert abs(found.values[k] - truth) < 3.0 * found.errors[k]
            else:
                assert found.values[k] < (0.05 if name != "read" else 0.003)


def test_noises_without_a_sign_are_left_out():
    y, sign = linear_ramps(np.random.default_rng(3), 20, 20, c2c=0.5)
    found = of_steps(y, sign)
    left_out = dict(zip(found.names, ~found.free, strict=True))
    assert left_out["read"] and left_out["sigma_ramp"] and not left_out["sigma_c2c"]
    assert found.of("read") == found.errors[found.names.index("read")] == 0.0


@pytest.mark.parametrize(
    ("first", "model"), [(0, "ConstantStep"), (1, "LinearStep"), (0, "SoftBounds")]
)
def test_one_direction_is_enough_and_the_other_stays_as_it_was(first, model):
    y, sign = linear_ramps(np.random.default_rng(1), 8, 25, c2c=0.3)
    if model == "SoftBounds":
        y = 1.1 - 1.0 * np.exp(-1.5 * y)
    found = of_steps(y[first::2], sign[first::2], model=model)
    assert found.converged
    other = ("down", "up")[first]
    assert not any(other in name for name in found.names)
    assert not {"low"} & set(found.names)
    if model == "ConstantStep":
        assert abs(found.of("levels") - (1 + 1 / 0.03)) < 3 * found.errors[0]


def test_one_ramp_is_enough_and_says_nothing_of_others():
    y, sign = linear_ramps(np.random.default_rng(1), 1, 30, c2c=0.3)
    found = of_steps(y, sign)
    assert found.converged
    assert not found.free[found.names.index("sigma_ramp")]


def test_devices_of_their_own_make_levels_less_sure():
    """Three devices whose steps differ by 20 %: levels are known by three numbers, not by 24."""
    rng = np.random.default_rng(0)
    device = np.repeat(np.arange(3), 8)
    gains = np.array([0.8, 1.0, 1.2])[device] + 0.05 * rng.normal(size=24)
    y, sign = linear_ramps(rng, 24, 20, c2c=0.3, read=0.003, gains=gains)
    apart, alike = (
        estimate(MODELS["ConstantStep"], {"c2c": "step"}, ramps_of(y, sign, device=of), WINDOW)
        for of in (device, np.zeros(24))
    )
    assert apart.values[0] == alike.values[0]
    mean_sd = 0.2 / np.sqrt(3) * (1 / 0.03)  # of three steps, in levels
    np.testing.assert_allclose(apart.errors[0], mean_sd, rtol=0.25)
    np.testing.assert_allclose(apart.reach[0], 4.30, atol=0.01)
    assert alike.errors[0] < 0.5 * mean_sd
    problem = pose(MODELS["ConstantStep"], {"c2c": "step"}, ramps_of(y, sign), WINDOW)
    ends = intervals(problem, apart)[:, 0]
    step = 1 / (apart.values[0] - 1)
    expected = 1 + np.exp(4.30 * apart.errors[0] * step * np.array([-1, 1])) / step
    np.testing.assert_allclose(ends, expected, rtol=0.02)


def test_gaps_unequal_ramps_and_ramps_that_do_not_close():
    rng = np.random.default_rng(2)
    y, sign = linear_ramps(rng, 15, 24, c2c=0.3, ramp=0.1, read=0.005)
    pulses = np.ones(y.shape, int)
    pulses[:, 0] = 0
    y[::2, 15:], pulses[::2, 15:] = np.nan, 0  # shorter, so that loops do not close
    keep = [0, 1, 2, 5, 6, 9, *range(10, 25)]
    for ramp in (1, 3):
        short = y[ramp, keep]
        y[ramp], pulses[ramp] = np.nan, 0
        y[ramp, : len(keep)], pulses[ramp, : len(keep)] = short, np.diff(keep, prepend=0)
    found = of_steps(y, sign, pulses)
    assert found.converged
    truth = {"levels": 1 + 1 / 0.03, "up_down": 0.0, "sigma_c2c": 0.3, "read": 0.005}
    for name, value in truth.items():
        k = found.names.index(name)
        assert abs(found.values[k] - value) < 3.0 * found.errors[k], name


def test_bounds_that_vanish_are_found_beyond_the_data():
    g, y = np.array(0.1), []
    for _ in range(25):
        y.append(float(g))
        g = g + 0.05 * (1.2 - g)
    y = np.array(y) + 0.002 * np.random.default_rng(0).normal(size=(6, 25))
    both = np.concatenate([y, 1.1 - y])
    found = of_steps(both, [1] * 6 + [-1] * 6, model="SoftBounds")
    for name, value in (("high", 1.2), ("low", -0.1)):
        k = found.names.index(name)
        assert abs(found.values[k] - value) < 3.0 * found.errors[k]


def test_given_parameters_are_kept():
    y, sign = linear_ramps(np.random.default_rng(0), 8, 20, c2c=0.3)
    found = of_steps(y, sign, up_down=0.0)
    assert "up_down" not in found.names
    assert found.converged


def test_scores_are_the_derivatives():
    y, sign = linear_ramps(np.random.default_rng(0), 6, 12, c2c=0.3, ramp=0.1, read=0.01)
    problem = pose(MODELS["LinearStep"], {"c2c": "step"}, ramps_of(y, sign), WINDOW)
    u = to_line(problem, problem.starts)
    free = np.ones(len(u), bool)
    found = score(problem, u, free)
    for k in range(len(u)):
        step = 1e-4 * (np.arange(len(u)) == k)
        ahead, behind = (score(problem, u + s * step, free).value for s in (1, -1))
        np.testing.assert_allclose(found.slope[k], (ahead - behind) / 2e-4, rtol=1e-2, atol=0.3)


def test_the_line_and_back():
    y, sign = linear_ramps(np.random.default_rng(0), 6, 12, c2c=0.3)
    problem = pose(MODELS["SoftBounds"], {"c2c": "step"}, ramps_of(y, sign), WINDOW)
    values, slope = from_line(problem, to_line(problem, problem.starts))
    np.testing.assert_allclose(values, problem.starts, rtol=0.2)
    ahead, _ = from_line(problem, to_line(problem, problem.starts) + 1e-6)
    np.testing.assert_allclose((ahead - values) / 1e-6, slope, rtol=1e-3)


def test_moments_of_noisy_steps():
    y, sign = linear_ramps(np.random.default_rng(0), 20, 30, c2c=0.3, read=0.002)
    up, down, sd, read = moments(y, np.ones(y.shape), sign)
    np.testing.assert_allclose((up, down), 0.03, rtol=0.05)
    assert 0.004 < sd < 0.02 and 0.002 < read < 0.01


def test_no_maximum_is_no_convergence(monkeypatch):
    y, sign = linear_ramps(np.random.default_rng(0), 8, 20, c2c=0.3)
    monkeypatch.setattr(climb, "_POLISH", 1)
    monkeypatch.setattr(search, "_MOST", 1)
    assert not of_steps(y, sign, model="LinearStep").converged


def test_algebra_that_fails_is_no_convergence(monkeypatch):
    def broken(*args, **kwargs):
        raise np.linalg.LinAlgError("Singular matrix")

    y, sign = linear_ramps(np.random.default_rng(0), 8, 20, c2c=0.3)
    monkeypatch.setattr(search.optimize, "minimize", broken)
    monkeypatch.setattr(climb, "_POLISH", 1)
    assert not of_steps(y, sign).converged


def test_a_fit_is_compiled_once_for_all_tables_and_both_conventions():
    y, sign = linear_ramps(np.random.default_rng(0), 8, 20, c2c=0.3)
    compiled = []
    for window, c2c in ((WINDOW, "additive"), ((5e-6, 1.2e-5), "additive"), (WINDOW, "step")):
        ramps = ramps_of(y + 0.01 * len(compiled), sign, window=window)
        estimate(MODELS["ConstantStep"], {"c2c": c2c}, ramps, window)
        compiled.append(scores._compiled.cache_info().misses)
    assert len(set(compiled)) == 1


def test_where_no_parameter_is_within_its_range_there_is_no_maximum():
    assert climb._inverse(np.zeros((0, 0)))[1] is False


def test_double_precision_is_left_as_it_was():
    y, sign = linear_ramps(np.random.default_rng(0), 8, 20, c2c=0.3)
    of_steps(y, sign)
    assert not jax.config.jax_enable_x64
    assert jnp.zeros(2).dtype == jnp.float32
