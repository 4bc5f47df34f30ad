"""Standard errors of a few devices, of many, and of one: coverage on a model that is a mean."""

import numpy as np
import pytest
from scipy import stats

from memjax.fitting.standard_errors import SDS, standard_errors


def covered(n_devices, d2d, n_each=12, sets=1000, noise=1.0):
    """The share of 95 % intervals of a mean of ramps that hold it.

    The curvature knows the noise of a ramp, and nothing of devices.
    """
    rng = np.random.default_rng(0)
    device, held = np.repeat(np.arange(n_devices), n_each), 0
    for _ in range(sets):
        said = (d2d * rng.normal(size=n_devices))[device] + noise * rng.normal(size=len(device))
        covariance = np.array([[noise**2 / len(device)]])
        scores = (said - said.mean())[:, None] / noise**2
        found = standard_errors(covariance, scores, device)
        held += abs(said.mean()) <= found.reach[0] * found.sd[0]
    return held / sets


@pytest.mark.parametrize("n_devices", [2, 3, 5, 9, 10, 30])
def test_devices_that_differ_are_covered(n_devices):
    """1000 data sets tell a share of 95 % to 0.7 %; ramps taken for independent cover 43 %."""
    assert 0.93 < covered(n_devices, d2d=1.0) < 0.97


@pytest.mark.parametrize("n_devices", [1, 3, 10, 30])
def test_devices_that_do_not_differ_are_covered_too(n_devices):
    """The price of a few devices is width: one does not know that they are alike."""
    assert 0.93 < covered(n_devices, d2d=0.0) < (0.99 if n_devices > 1 else 0.965)


def test_reach_is_students_where_devices_say_more():
    scores = np.array([[3.0, 0.1], [-1.0, 0.0], [-2.0, -0.1]])
    found = standard_errors(np.eye(2), scores, np.arange(3))
    np.testing.assert_allclose(found.sd, [np.sqrt(14.0 * 3 / 2), 1.0])
    np.testing.assert_allclose(found.reach, [stats.t.ppf(0.975, 2), SDS])
    assert pytest.approx(1.96, abs=1e-3) == SDS


def test_ramps_of_one_device_are_independent():
    """Ten ramps tell their scatter, nine do not."""
    for n, sd in ((9, 1.0), (10, np.sqrt(10.0 * 4 * 10 / 9))):
        scores = 2.0 * np.where(np.arange(n) % 2, 1.0, -1.0)[:, None]
        found = standard_errors(np.eye(1), scores, np.zeros(n, int))
        np.testing.assert_allclose(found.sd, sd)
        assert found.reach[0] == SDS
