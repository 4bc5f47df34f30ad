"""NeuroSim's law: labels, tables, first pulses, symmetry points, to the published digits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import SaturatingExponential, pulse_response
from memjax.devices.saturating_exponential import curvature
from reference import devices_twin
from reference.pulsed import pulsed

STREAM = random.stream(jax.random.key(0))
AG = {"nl_up": 2.4, "nl_down": -4.88}  # Ag:a-Si
EPI = {"nl_up": 0.5, "nl_down": -0.5}  # EpiRAM
TAOX = {"nl_up": 1.85, "nl_down": -1.79}  # TaOx/TiO2


def after(labels, levels, start, n):
    device = SaturatingExponential(levels=levels, **labels)
    array = device.fabricate(STREAM, ())
    n = jnp.asarray(n, jnp.float32)
    return np.asarray(pulsed(device, array, jnp.full(n.shape, start), n, jnp.zeros(n.shape)))


@pytest.mark.parametrize(
    ("label", "a"), [(1.75, 0.702081), (2.4, 0.499181), (-4.88, -0.200303), (0.5, 2.519877)]
)
def test_published_curvatures(label, a):
    """To the printed digits, and 1e-6 of A for float32's bisection."""
    assert float(curvature(label)) == pytest.approx(a, rel=1e-6, abs=5e-7)


@pytest.mark.parametrize("label", [0.02, 0.05, 0.3, 1.0, 3.0, 6.0, 8.0, -2.0, -6.76])
def test_curvature_equals_a_search(label):
    """Against the label's definition; for a small one, float32 sees the bulge NL/10 to 6e-8."""
    relative = 2e-6 + 2e-6 / abs(label)
    assert float(curvature(label)) == pytest.approx(devices_twin.curvature(label), rel=relative)


def test_curvature_is_monotonic_and_continuous_down_to_a_straight_line():
    labels = jnp.linspace(0.0, 0.1, 2001)
    inverse = 1.0 / np.asarray(jax.jit(curvature)(labels))
    assert inverse[0] == pytest.approx(1 / 2500.0)
    # 1/A = 8 NL / 10.1: increments of 4e-5, and the bisection's own noise of a few of them
    np.testing.assert_allclose(inverse[20:], 8 * labels[20:] / 10.10152526, atol=2e-4, rtol=1e-3)
    for label in (1e-4, -1e-4, 0.0):
        n = jnp.linspace(0.0, 100.0, 11)
        line = after({"nl_up": label, "nl_down": label}, 100.0, 0.0, n)
        np.testing.assert_allclose(line, n / 100.0, atol=1e-4)


@pytest.mark.parametrize(
    ("labels", "up", "down"),
    [
        (AG, [0.455396, 0.731381, 0.898637], [0.282174, 0.076124, 0.016978]),
        (EPI, [0.288338, 0.549443, 0.785888], [0.711662, 0.450557, 0.214112]),
    ],
)
def test_published_curves(labels, up, down):
    """A quarter, half and three quarters of the pulses from either bound; all of them close it."""
    quarters = np.array([25.0, 50.0, 75.0, 100.0])
    np.testing.assert_allclose(after(labels, 100.0, 0.0, quarters), [*up, 1.0], atol=1.5e-6)
    np.testing.assert_allclose(after(labels, 100.0, 1.0, -quarters), [*down, 0.0], atol=1.5e-6)


@pytest.mark.parametrize(
    ("labels", "levels", "start", "n", "step"),
    [
        (AG, 97.0, 0.0, 1.0, 0.023628),
        (AG, 100.0, 1.0, -1.0, 0.049032),
        (EPI, 64.0, 0.0, 1.0, 0.018871),
        (EPI, 64.0, 1.0, -1.0, 0.018871),
    ],
)
def test_published_first_pulses(labels, levels, start, n, step):
    """To 1e-6: the law itself gives .0490314 where .049032 is printed."""
    assert abs(float(after(labels, levels, start, n)) - start) == pytest.approx(step, abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "levels_up", "levels_down", "point"),
    [(AG, 97.0, 100.0, 0.3369), (TAOX, 102.0, 102.0, 0.5039), (EPI, 64.0, 64.0, 0.5)],
)
def test_published_symmetry_points(labels, levels_up, levels_down, point):
    """Where a pulse up and one down are equal, on a grid of 1e-5."""
    g = jnp.linspace(0.3, 0.7, 40001)
    mean = {}
    for n, levels in ((1.0, levels_up), (-1.0, levels_down)):
        device = SaturatingExponential(levels=levels, **labels)
        mean[n] = device.response(device.fabricate(STREAM, ()), g, jnp.full(g.shape, n))[0]
    crossing = float(g[jnp.argmin(jnp.abs(mean[1.0] + mean[-1.0]))])
    assert crossing == pytest.approx(point, abs=6e-5)


def test_published_siemens():
    """Ag:a-Si after 1, 10, 50, 97 pulses: Gmax 38.462 nS, Gmin 3.0769 nS."""
    g = pulse_response(SaturatingExponential(levels=97.0, **AG), 97, 0)[jnp.array([1, 10, 50, 97])]
    siemens = 3.0769e-9 + np.asarray(g, float) * (38.462e-9 - 3.0769e-9)
    np.testing.assert_allclose(
        siemens, [3.912971e-9, 1.070903e-8, 2.941513e-8, 3.8462e-8], rtol=2e-6
    )


def test_a_positive_depression_label_retraces():
    """HZO FeFET, 1.75 / 1.46: depression starts slowly and walks an LTP curve of 1.46 back."""
    down = after({"nl_up": 1.75, "nl_down": 1.46}, 32.0, 1.0, -np.arange(33.0))
    up = after({"nl_up": 1.46, "nl_down": -1.0}, 32.0, 0.0, np.arange(32.0, -1.0, -1.0))
    np.testing.assert_allclose(down, up, atol=2e-6)
    assert 1 - down[1] < down[30] - down[31]


def test_levels_is_the_number_of_pulses_between_the_bounds():
    device = SaturatingExponential(levels=20.0, nl_up=3.0)
    assert device.nominal_step == pytest.approx(0.05)
    g = np.asarray(pulse_response(device, 20, 0))
    assert g[20] == pytest.approx(1.0, abs=1e-6)
    assert np.diff(g).mean() == pytest.approx(0.05, abs=1e-6)


def test_own_bounds_carry_the_whole_curve():
    """The curve in units of the device's own extent is the nominal one."""
    device = SaturatingExponential(levels=50.0, sigma_bounds=0.3, **AG)
    array = device.fabricate(STREAM, (64,))
    low, extent = array.g_min, array.g_max - array.g_min
    assert float(jnp.std(extent)) > 0.1
    for start, sign in ((low, 1.0), (array.g_max, -1.0)):
        g = pulsed(device, array, start, jnp.full(64, 20.0 * sign), jnp.zeros(64))
        nominal = after(AG, 50.0, 0.0 if sign > 0 else 1.0, 20.0 * sign)
        np.testing.assert_allclose((g - low) / extent, np.full(64, nominal), atol=3e-6)
