"""What a fit says of its device, and what is written of it."""

import numpy as np
import pytest

from memjax.devices import load
from memjax.fitting import fit

from .ramps_twin import WINDOW, linear_ramps, ramps_of


@pytest.fixture(scope="module")
def ramps():
    y, sign = linear_ramps(
        np.random.default_rng(0), 16, 20, step=0.035, c2c=0.4, ramp=0.1, read=0.005
    )
    return ramps_of(y, sign)


@pytest.fixture(scope="module")
def fitted(ramps):
    return fit(ramps, model="ConstantStep", window=WINDOW, c2c="additive")


def test_what_a_fit_says(fitted):
    best = fitted.best
    assert best.converged and best.model == "ConstantStep"
    rows = {name: (value, error) for name, value, error, _ in best.parameters}
    assert abs(rows["levels"][0] - (1 + 1 / 0.035)) < 3 * rows["levels"][1]
    assert best.n_readings == fitted.ramps.n_steps == 320
    assert best.n_parameters == len(best.parameters)
    np.testing.assert_allclose(best.aic, 2 * best.n_parameters - 2 * best.log_likelihood)
    np.testing.assert_allclose(best.bic, best.n_parameters * np.log(320) - 2 * best.log_likelihood)
    assert best.window == pytest.approx(WINDOW)
    assert fitted.device.gmax == pytest.approx(WINDOW[1])
    assert fitted.device.on_off == pytest.approx(2.5)
    assert abs(best.autocorrelation) < 0.15
    assert 10 < best.levels < 40
    assert np.isnan(fitted.margin)
    assert best.errors(fitted.ramps) == pytest.approx(best.rms, rel=1e-4)
    assert min(best.coverage(fitted.ramps).values()) > 0.75
    low, high = best.bands(fitted.ramps)
    inside = best.curves(fitted.ramps)[:, -1]
    assert np.all((low[:, -1] < inside) & (inside < high[:, -1]))


def test_saved_device_is_the_device(fitted, tmp_path):
    path = tmp_path / "mine.toml"
    fitted.save(path)
    device = load(path)
    for (name, saved), (_, own) in zip(
        vars(device).items(), vars(fitted.device).items(), strict=True
    ):
        if isinstance(own, str) or own is None:
            assert saved == own, name
        else:
            np.testing.assert_allclose(saved, own, rtol=1e-6)
    assert "[fit" in path.read_text()
