"""Write with verification: it lands within the tolerance, and tells what that took."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.crossbar import Array, Cells, WriteVerify, convert, describe
from memjax.devices import ConstantStep, SoftBounds, get

STREAM = random.stream(jax.random.key(3))
TARGETS = jnp.linspace(0.1, 1.0, 2000)


@pytest.mark.parametrize(
    "device",
    [
        ConstantStep(levels=201),
        SoftBounds(levels=65, sigma_c2c=0.3, sigma_d2d=0.2),
        get("EpiRAM"),
    ],
)
def test_devices_that_converged_read_within_the_tolerance(device):
    rule = WriteVerify(device=device, tolerance=0.02, most_tries=60)
    written = jax.jit(lambda g: rule.write(STREAM, g, gmin=0.1))(TARGETS)
    error = np.abs(np.asarray(written.g - TARGETS)) / 0.9
    there = np.asarray(written.converged)
    assert np.all(error[there] <= 0.02 + 1e-6)
    assert there.mean() > 0.9, "all but devices whose own bounds are in the way"
    assert np.all(np.asarray(written.pulses) >= np.asarray(written.tries))
    at_gmin = np.asarray(TARGETS) <= 0.1 + 0.02 * 0.9
    assert np.all(np.asarray(written.tries)[at_gmin] == 0), "they begin there"


def test_an_exact_device_takes_one_train_and_one_that_is_too_coarse_never_arrives():
    one = WriteVerify(device=ConstantStep(levels=201), tolerance=0.0026)
    written = one.write(STREAM, TARGETS, gmin=0.0)
    assert np.all(np.asarray(written.tries) == 1) and bool(written.converged.all())
    np.testing.assert_allclose(written.pulses, np.round(np.asarray(TARGETS) * 200))
    coarse = WriteVerify(device=ConstantStep(levels=3), tolerance=0.01, most_tries=5)
    written = coarse.write(STREAM, jnp.full(4, 0.3), gmin=0.0)
    assert not np.any(written.converged) and np.all(np.asarray(written.tries) == 5)


def test_the_energy_is_that_of_the_trains_where_pulses_are_known():
    pulses = {"voltage_up": 2.0, "voltage_down": 1.0, "width_up": 1e-6, "width_down": 1e-6}
    device = ConstantStep(levels=11, on_off=2.0, gmax=1e-5, **pulses)
    written = WriteVerify(device=device, tolerance=0.01).write(STREAM, jnp.array([1.0]), gmin=0.5)
    assert float(written.energy[0]) == pytest.approx(10 * 4.0 * 0.75e-5 * 1e-6, rel=1e-5)
    unknown = WriteVerify(device=ConstantStep()).write(STREAM, jnp.array([1.0]), gmin=0.1)
    assert np.isnan(unknown.energy).all()


def test_independent_landings_converge_as_published():
    """One pulse that lands normally about its target: P1 = erf(tol / (sigma sqrt 2)).

    A pulse of one write has an sd of ``sigma_c2c`` of the range whatever its length (``write``), so
    each try is a new landing: of tol / sigma = 0.5 some 0.383 converge at each.
    """
    device = ConstantStep(levels=100_001, sigma_c2c=0.02, c2c="write")
    target = jnp.full(20_000, 0.5)
    seen = [
        WriteVerify(device=device, tolerance=0.01, most_tries=k, most_pulses=10**6).write(
            STREAM, target, gmin=0.0
        )
        for k in (1, 5)
    ]
    for written, share in zip(seen, (0.382925, 0.910527), strict=True):
        apart = 4 * np.sqrt(share * (1 - share) / 20_000)
        assert float(written.converged.mean()) == pytest.approx(share, abs=apart)
    there = np.asarray(seen[1].converged)
    residual = np.asarray(seen[1].g)[there] - 0.5
    assert residual.std() == pytest.approx(0.02 * 0.283882, rel=0.03)


def test_what_an_array_took_is_the_sum_over_its_cells():
    """A tile's padding takes no pulses; what a layer takes is told of it."""
    device, key = ConstantStep(levels=11), jax.random.key(0)
    cells = Cells(programming=WriteVerify(device=device, tolerance=0.06))
    kernel = jnp.array([[0.5], [-1.0], [0.2]])
    analog = convert((lambda w, x: x @ w["w"], {"w": kernel}), Array(tile_rows=2), cells, key=key)
    found = describe(analog, jnp.ones((4, 3))).table.loc["w"]
    assert found.pulses == 5 + 10 + 10, "each tile has the limit of its own column"
    assert found.tries == pytest.approx(3 / 6)
    assert found.unwritten == 0 and "energy" not in found
