"""A device from measured pulses: what is chosen, and what is refused."""

import dataclasses
import importlib

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import memjax
from memjax.devices import MODELS, Device
from memjax.errors import DataError, UserError
from memjax.fitting import Fits, fit
from memjax.fitting.table import read
from memjax.pytree import Leaf, param, params

from .ramps_twin import WINDOW, linear_ramps, ramps_of
from .test_table import MEASURED, needs_measured

module = importlib.import_module("memjax.fitting.fit")  # fitting.fit is the function


@pytest.fixture(scope="module")
def ramps():
    y, sign = linear_ramps(
        np.random.default_rng(0), 16, 20, step=0.035, c2c=0.4, ramp=0.1, read=0.005
    )
    return ramps_of(y, sign)


AUTO = (
    "ConstantStep",
    "SoftBounds",
    "PowerStep",
    "PiecewiseStep",
    "SaturatingExponential",
    "SymmetricStep",
    "Ernoult",
    "OnsetStep",
)


def tables(monkeypatch, names):
    monkeypatch.setattr(module, "auto_models", lambda: list(names))


def test_auto_chooses_the_simplest_that_explains_the_ramps(monkeypatch, ramps):
    tables(monkeypatch, ("ConstantStep", "LinearStep"))
    told = []
    found = fit(ramps, window=WINDOW, progress=lambda *now: told.append(now))
    assert found.best.model == "ConstantStep"
    assert found.margin > 0
    assert [(done, total) for done, total, _ in told] == [(k, 4) for k in (1, 2, 3, 4)]
    assert {name for *_, name in told} == {"ConstantStep", "LinearStep"}
    assert [f.model for f in found.fits] == ["ConstantStep", "LinearStep"]


def test_the_convention_of_the_noise_is_chosen():
    rng = np.random.default_rng(0)
    y = np.empty((30, 31))
    sign = np.tile([1, -1], 15)
    y[:, 0] = np.where(sign > 0, 0.0, 1.0)
    for k in range(30):
        step = 0.07 * np.where(sign > 0, 1.05 - y[:, k], -y[:, k] - 0.05)
        y[:, k + 1] = y[:, k] + step * (1 + 0.4 * rng.normal(size=30))
    found = fit(ramps_of(y, sign), model="SoftBounds", window=WINDOW)
    assert found.device.c2c == "step"
    assert found.device.sigma_c2c == pytest.approx(0.4, abs=0.05)
    assert found.best.window[1] == pytest.approx(WINDOW[0] + 1.05 * 6e-6, rel=0.01)


def test_the_old_name_of_fit():
    assert memjax.fit is memjax.fitting.fit is fit
    with pytest.warns(DeprecationWarning, match=r"^memjax.devices.fit is memjax.fit now$"):
        assert memjax.devices.fit is fit


def test_file_frame_and_window(tmp_path):
    rng = np.random.default_rng(0)
    g = 1e-6 + np.cumsum(rng.normal(1e-7, 3e-8, 30))
    frame = pd.DataFrame(
        {
            "direction": ["up"] * 30 + ["down"] * 30,
            "pulse": [*range(30)] * 2,
            "conductance_S": [*g, *g[::-1]],
        }
    )
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    first, second = (fit(data, model="constantstep", c2c="step") for data in (frame, path))
    assert first.device.levels == pytest.approx(second.device.levels)
    assert first.best.window == pytest.approx((g.min(), g.max()))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"window": (2e-6, 1e-6)}, "must be 0 < Gmin < Gmax, in siemens"),
        ({"window": (0.0, 1e-6)}, "must be 0 < Gmin < Gmax, in siemens"),
        ({"model": "ag:a-si"}, "is a preset; fit its model, SaturatingExponential"),
        ({"model": "JumpTable"}, "make it by memjax.fitting.jump_table"),
        ({"model": "SoftBound"}, "no device is called 'SoftBound'|SoftBounds"),
        ({"c2c": "loud"}, "c2c = 'loud' must be one of"),
    ],
)
def test_what_is_refused(ramps, options, said):
    with pytest.raises(UserError, match=said):
        fit(ramps, **({"model": "ConstantStep", "window": WINDOW} | options))


@pytest.mark.parametrize(
    "options", [{"down": "down.csv"}, {"read_voltage": 0.1}, {"normalised": True}]
)
def test_ramps_take_no_option_that_would_do_nothing(ramps, options):
    with pytest.raises(UserError, match="fit: Ramps are read already: give down, read_voltage"):
        fit(ramps, **options)


def test_weights_take_no_window_in_siemens(ramps):
    weights = dataclasses.replace(ramps, normalised=True)
    with pytest.raises(UserError, match="window is in siemens; leave it out, readings are weights"):
        fit(weights, model="ConstantStep", window=(0.1, 0.9))


def test_frames_of_currents(ramps):
    """A frame takes the voltage, and no second table."""
    up = 1e-6 + 1e-7 * np.arange(12)
    table = {"LTP (uA)": 1e5 * up, "LTD (uA)": 1e5 * up[::-1]}
    with pytest.raises(DataError, match="give the voltage"):
        fit(table)
    with pytest.raises(DataError, match="down is for two files; give one table"):
        fit(table, table)
    read_back = module._ramps(table, None, 0.1, False)
    np.testing.assert_allclose(read_back.conductance[0], up)


def test_no_convergence_writes_nothing(monkeypatch, ramps, tmp_path):
    monkeypatch.setattr(module.Estimate, "converged", property(lambda self: False))
    path = tmp_path / "mine.toml"
    with pytest.raises(DataError, match="the fit of ConstantStep does not converge"):
        fit(ramps, model="ConstantStep", window=WINDOW, c2c="additive").save(path)
    assert not path.exists()


@params
class Cubic(Device):
    """A model of a user's own: the step falls with a cube."""

    bend: Leaf = param(default=0.1, doc="loss of the step at the top", at_least=0, at_most=1)

    def fabricate(self, stream, shape):
        spread = self.spread(stream, shape)
        return spread._replace(
            up=spread.up * self.nominal_step, down=spread.down * self.nominal_step
        )

    def response(self, array, g, n):
        size = jnp.where(n > 0, array.up, array.down) * (1.0 - self.bend * jnp.abs(g) ** 3)
        return n * size, self.sigma_c2c * jnp.abs(size) * jnp.sqrt(jnp.abs(n))


def test_a_users_model_is_fitted_and_joins_auto(monkeypatch):
    monkeypatch.setitem(MODELS, "Cubic", Cubic)
    assert module.auto_models() == [*AUTO, "Cubic"]
    rng = np.random.default_rng(0)
    y, sign = np.empty((20, 26)), np.tile([1, -1], 10)
    y[:, 0] = np.where(sign > 0, 0.05, 0.95)
    for k in range(25):
        step = 0.05 * (1 - 0.7 * y[:, k] ** 3)
        y[:, k + 1] = y[:, k] + sign * step * (1 + 0.2 * rng.normal(size=20))
    found = fit(ramps_of(y, sign), model="Cubic", window=WINDOW, c2c="step").best
    rows = {name: (value, error) for name, value, error, _ in found.parameters}
    for name, truth in (("levels", 21.0), ("bend", 0.7), ("sigma_c2c", 0.2)):
        assert abs(rows[name][0] - truth) < 3 * rows[name][1], name


@needs_measured
def test_onset_step_predicts_cycles_that_it_has_not_seen():
    """Fitted on the odd cycles of real data, it predicts the even ones, and the reverse."""
    data = read(MEASURED / "pulses.csv")
    odd, even = data.split(data.cycle % 2 == 1)
    for train, test, up, down in ((odd, even, 0.03, 0.015), (even, odd, 0.03, 0.015)):
        found = fit(train, model="OnsetStep", window=data.window, c2c="additive")
        assert isinstance(found, Fits)
        errors = found.best.errors(test)
        assert errors["up"] < up and errors["down"] < down
        covered = found.best.coverage(test)
        assert 0.82 < covered["up"] < 0.995 and 0.82 < covered["down"] < 0.995
