"""Pinched loops: no current without a voltage, smaller loops at a higher frequency, plots."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices.physical import PHYSICAL, LinearIonDrift, iv_curve, plot_iv
from memjax.errors import UserError
from reference import physical_twin

DRIVES = {
    "LinearIonDrift": (1.0, 1.0),
    "VTEAM": (0.4, 1e8),
    "StanfordPKU": (1.5, 1e5),
    "DataDriven": (1.5, 1e3),
    "DataDriven2018": (1.0, 1e3),
}


def loop_area(curve):
    """The area of both lobes: the integral of |i(up) - i(down)| over each half cycle, in V A."""
    v, i = np.asarray(curve.voltages, float), np.asarray(curve.currents, float)
    half = (len(v) - 1) // 2
    lobes = (slice(0, half + 1), slice(half, None))
    return sum(abs(np.trapezoid(i[lobe], v[lobe])) for lobe in lobes)


@pytest.mark.parametrize("name", PHYSICAL)
def test_the_loop_is_pinched_open_and_within_the_bounds(name):
    model = PHYSICAL[name]()
    curve = iv_curve(model, *DRIVES[name], cycles=2, points=200)
    assert all(leaf.shape == (401,) and leaf.dtype == jnp.float32 for leaf in curve)
    assert np.all(np.abs(curve.currents[::100]) <= 1e-6 * np.abs(curve.currents).max())
    assert np.all((curve.states >= model.bounds[0]) & (curve.states <= model.bounds[1]))
    assert np.ptp(curve.states) > 0.05 * (model.bounds[1] - model.bounds[0])
    last = type(curve)(*(leaf[-201:] for leaf in curve))
    assert loop_area(last) > 1e-2 * DRIVES[name][0] * np.abs(curve.currents).max()


def test_the_loop_shrinks_with_frequency():
    """Ion drift: ever less charge passes in a half cycle; one compilation for all frequencies."""
    traces = []

    @jax.jit
    @jax.vmap
    def run(frequency):
        traces.append(1)
        return iv_curve(LinearIonDrift(), 1.0, frequency, cycles=1, points=200, state=0.1)

    curves = run(jnp.array([1.0, 2.0, 5.0, 20.0]))
    areas = [loop_area(type(curves)(*(leaf[k] for leaf in curves))) for k in range(4)]
    assert len(traces) == 1
    assert areas[0] > areas[1] > areas[2] > areas[3]
    assert areas[3] < areas[0] / 10


def test_the_flux_decides_the_state():
    """x after a quarter period: flux A / (2 pi f); midpoints make it second order."""
    expected = physical_twin.ion_drift_by_flux(LinearIonDrift(), 0.1, 1.0, 1.0 / (2.0 * np.pi))
    for points, tolerance in ((20, 3e-3), (200, 3e-5)):
        curve = iv_curve(LinearIonDrift(), 1.0, 1.0, cycles=1, points=points, state=0.1)
        assert float(curve.states[points // 4]) == pytest.approx(float(expected), abs=tolerance)


@pytest.mark.parametrize("name", PHYSICAL)
def test_plot(name):
    model = PHYSICAL[name]()
    figure = plot_iv(model, iv_curve(model, *DRIVES[name], cycles=1, points=40))
    loop, course, drive = figure.axes
    assert loop.get_xlabel() == "voltage (V)"
    assert loop.get_ylabel() in ("current (mA)", "current (µA)")
    assert course.get_xlabel().startswith("time (")
    assert course.get_ylabel() == model.state_name
    assert "(V)" in drive.get_ylabel()


def test_mistakes_are_user_errors():
    with pytest.raises(UserError, match=r"frequency = 0\.0 must be more than 0"):
        iv_curve(LinearIonDrift(), 1.0, 0.0)
    with pytest.raises(UserError, match="cycles = 0, points = 9 must be at least 1 and 2"):
        iv_curve(LinearIonDrift(), 1.0, 1.0, cycles=0, points=9)
