"""Which model ``auto`` takes, of devices as people measure them; and what it must not tell."""

import dataclasses
import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.cells import RefreshPair
from memjax.devices import OnsetStep, SaturatingExponential, SoftBounds, pulse_response
from memjax.errors import DataError, UserError
from memjax.fitting import fit, from_table, summary
from memjax.sweep import Spec, run
from memjax.updates import pulsed_update

module = importlib.import_module("memjax.fitting.fit")  # fitting.fit is the function
DEVICE = SaturatingExponential(levels=30, levels_down=30, nl_up=2, nl_down=-2, sigma_c2c=0.2)


def table(device, n=25, cycles=1, seed=0, low=1e-6, high=1e-5):
    key = jax.random.key(seed)
    g = np.asarray(pulse_response(device, n, n, cycles=cycles, key=key), float)
    ramps = [g[n * k : n * k + n + 1] for k in range(2 * cycles)]
    return {
        "cycle": np.repeat(np.arange(cycles), 2 * (n + 1)),
        "direction": (["up"] * (n + 1) + ["down"] * (n + 1)) * cycles,
        "pulse": [*range(n + 1)] * 2 * cycles,
        "conductance_S": low + (high - low) * np.concatenate(ramps),
    }


def with_resets(cycles=6, n=15):
    """Ramps up, each ended by one RESET."""
    rng = np.random.default_rng(0)
    columns = {"cycle": [], "direction": [], "pulse": [], "conductance_S": []}
    for cycle in range(cycles):
        steps = 0.18 * np.exp(-np.arange(n) / 6) * (1 + 0.2 * rng.normal(size=n))
        ramp = 2e-7 + 8e-6 * np.concatenate([[0], np.cumsum(steps)])
        for direction, values in (("up", ramp), ("down", [ramp[-1], 2e-7])):
            columns["cycle"] += [cycle] * len(values)
            columns["direction"] += [direction] * len(values)
            columns["pulse"] += range(len(values))
            columns["conductance_S"] += list(values)
    return columns


def some(monkeypatch, *names):
    monkeypatch.setattr(module, "auto_models", lambda: list(names))


def test_a_model_with_memory_is_no_candidate_for_one_ramp_a_direction(monkeypatch):
    some(monkeypatch, "ConstantStep", "OnsetStep")
    once = fit(table(OnsetStep(levels=30)), c2c="step")
    assert [f.model for f in once.fits] == ["ConstantStep"]
    twice = fit(table(OnsetStep(levels=30), cycles=2), c2c="step")
    assert {f.model for f in twice.fits} == {"ConstantStep", "OnsetStep"}
    asked = fit(table(DEVICE), model="OnsetStep", c2c="step")
    assert any(said.startswith("one ramp a direction: what the device") for said in told(asked))


def told(fits):
    return summary.sentences(fits)


def test_a_model_that_predicts_worse_is_not_taken_whatever_its_bic(monkeypatch):
    some(monkeypatch, "ConstantStep", "SaturatingExponential")
    fits = fit(table(DEVICE, cycles=3), c2c="step")
    assert fits.best.model == "SaturatingExponential" and fits.margin > 0
    better = [dataclasses.replace(f, log_likelihood=1e6 * (f.model[0] == "C")) for f in fits.fits]
    again = module._ranked(better)
    assert again[0].model == "SaturatingExponential" and again[0].bic > again[1].bic
    (said,) = [s for s in told(dataclasses.replace(fits, fits=again)) if "is chosen" in s]
    assert "of lower BIC by" in said and "predicts the mean ramps worse" in said


def test_models_are_compared_with_the_noise_that_suits_each(monkeypatch):
    """Two models of one mean step, of noise in proportion to it: the data do not decide."""
    some(monkeypatch, "SoftBounds", "SaturatingExponential")
    device = SoftBounds(levels=18, sigma_c2c=0.3, c2c="step")
    fits = fit(table(device, n=40, cycles=2))
    assert {f.device.c2c for f in fits.fits} == {"step"} and 0 <= fits.margin < 1
    alone = [fit(fits.ramps, model=f.model).best.bic for f in fits.fits]
    assert alone == pytest.approx([f.bic for f in fits.fits], abs=0.1)
    assert any("the data do not decide" in said for said in told(fits))
    rival = dataclasses.replace(fits.fits[1].device, c2c="additive")
    fits.fits[1] = dataclasses.replace(fits.fits[1], device=rival)
    (noise,) = (said for said in told(fits) if said.startswith("c2c noise"))
    assert noise.endswith(f"(c2c = step); that of {fits.fits[1].model} is additive")


def test_a_parameter_at_its_limit_is_told_and_ranks_lower():
    fits = fit(table(DEVICE, cycles=3), model="SaturatingExponential", c2c="step")
    found = fits.best.estimate
    assert fits.best.undetermined == []
    names = np.array(found.names)
    inside = found.inside & (names != "nl_up")
    limited = found._replace(inside=inside, covariance=0.01 * np.eye(inside.sum()))
    at_limit = dataclasses.replace(fits.best, estimate=limited, log_likelihood=1e6)
    assert at_limit.undetermined == ["nl_up"]
    ranked = module._ranked([at_limit, fits.best])
    assert ranked[0] is fits.best
    said = told(dataclasses.replace(fits, fits=[at_limit]))
    assert any("is not determined by these data: nl_up" in line for line in said)
    sizes = np.where(names[found.inside] == "levels", 9.0, 0.01)
    wide = found._replace(covariance=np.diag(sizes))
    assert dataclasses.replace(fits.best, estimate=wide).undetermined == ["levels"]


def test_a_window_far_beyond_the_data_is_told():
    fits = fit(table(DEVICE), model="SaturatingExponential", c2c="step")
    assert not any("extrapolation" in line for line in told(fits))
    far = dataclasses.replace(fits.best, window=(1e-8, 5e-5))
    (said,) = [s for s in told(dataclasses.replace(fits, fits=[far])) if "extrapolation" in s]
    assert said.startswith("that is far beyond what was measured, 1e-06 to ")


@pytest.mark.parametrize("resets", [True, False])
def test_depression_that_was_not_measured_is_not_invented(resets, tmp_path):
    columns = with_resets()
    if not resets:
        ups = np.array(columns["direction"]) == "up"
        columns = {name: np.array(values)[ups].tolist() for name, values in columns.items()}
    fits = fit(columns, model="SoftBounds", c2c="step")
    device = fits.device
    assert device.polarity == "up" and np.all(fits.ramps.sign == 1)
    assert fits.best.window[0] == pytest.approx(2e-7, rel=0.05) and 35 < device.on_off < 55
    said = told(fits)
    assert any("cell.kind = refresh_pair" in line for line in said)
    assert any(line.startswith("6 RESETs, each by one pulse") for line in said) == resets
    down = np.asarray(pulse_response(device, 0, 5, start=0.5))
    assert np.all(down == down[0])
    fits.save(tmp_path / "mine.toml")
    spec = {
        "device": {"model": str(tmp_path / "mine.toml")},
        "seeds": 1,
        "train": {"epochs": 1, "batch_size": 100},
        "data": {"train_size": 100, "test_size": 50},
    }
    with pytest.raises(UserError, match=r"is not depressed by pulses.*refresh_pair"):
        run(Spec.from_dict(spec))
    with pytest.raises(UserError, match="take RefreshPair"):
        pulsed_update(device, key=jax.random.key(0))
    unread = dataclasses.replace(device, sigma_read=None)  # which would be told
    tx = pulsed_update(unread, key=jax.random.key(0), cell=RefreshPair())
    params = {"w": jnp.zeros(50)}
    moved, _ = tx.update({"w": jnp.full(50, -0.3)}, tx.init(params), params)
    assert float(jnp.mean(moved["w"])) < -0.1


def test_ramps_down_that_are_gradual_stay():
    ramps = from_table(table(DEVICE))
    assert ramps.gradual() is ramps
    alone = ramps.select(ramps.sign < 0)
    assert alone.gradual() is alone
    fits = fit(alone, model="ConstantStep", c2c="step")
    assert any("potentiation was not measured" in line for line in told(fits))


def test_weights_have_no_siemens():
    columns = table(DEVICE, cycles=3, low=-1.0, high=1.0)
    columns["weight"] = columns.pop("conductance_S")
    options = {"model": "SaturatingExponential", "c2c": "step"}
    fits = fit(columns, **options)
    assert fits.device.gmax is None and fits.device.sigma_read is None
    assert any("on/off and Gmax are not known" in line for line in told(fits))
    known = fit(columns, on_off=4.0, **options)
    assert known.device.on_off == pytest.approx(4.0)
    assert known.device.levels == pytest.approx(fits.device.levels, rel=1e-3)
    plain = fit(table(DEVICE, cycles=3), **options)
    assert plain.device.levels == pytest.approx(fits.device.levels, rel=1e-3)
    assert fits.plot().axes[0].get_ylabel() == "normalised conductance"
    with pytest.raises(UserError, match="on_off is told by conductances"):
        fit(table(DEVICE), on_off=4.0)


def test_of_many_ramps_evenly_spaced_cycles_are_fitted(monkeypatch):
    monkeypatch.setattr(module, "_ENOUGH", 400)
    columns = table(DEVICE, cycles=20)
    fits = fit(columns, model="ConstantStep", c2c="step")
    assert fits.ramps.n_ramps == 14 and fits.ramps.cycle.tolist() == sorted([*range(0, 20, 3)] * 2)
    assert told(fits)[0].startswith("1040 readings: 14 of 40 ramps are fitted")
    monkeypatch.setattr(module, "_MOST", 300)
    with pytest.raises(DataError, match="350 readings in 14 ramps: give every tenth"):
        fit(columns, model="ConstantStep")
