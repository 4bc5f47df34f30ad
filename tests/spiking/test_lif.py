"""Neurons: check values in closed form, the float64 twin, and what is refused."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.errors import UserError
from memjax.spiking import LIF, check_attainable, desired_train
from reference import spiking_twin

HEUN = LIF(scheme="heun")


def spikes_of(currents, steps=1000, dt=0.1, neuron=HEUN):
    fires, _ = neuron.run(jnp.tile(jnp.asarray(currents, jnp.float32), (steps, 1)), dt)
    return [np.flatnonzero(column).tolist() for column in np.asarray(fires).T]


def test_a_constant_current_fires_at_these_steps():
    none, slow, faster, fastest = spikes_of([2.7, 3.0, 5.0, 28.506])
    assert none == []
    assert slow[:3] == [230, 491, 752]
    assert faster[:3] == [77, 185, 293] and len(faster) == 9
    assert fastest[:3] == [9, 49, 89] and len(fastest) == 25


@pytest.mark.parametrize("current", [3.0, 5.0, 28.506])
def test_intervals_are_the_hold_and_the_closed_form(current):
    x, f = current / 2.7, 0.00995
    integrating = int(np.ceil(np.log(1 - 1 / x) / np.log(1 - f)))
    assert set(np.diff(spikes_of([current])[0])) == {30 + integrating}
    ms = 3.0 + 10.0 * np.log(x / (x - 1))
    fine = np.diff(spikes_of([current], steps=3000, dt=0.02, neuron=LIF())[0])
    assert np.all((fine * 0.02 >= ms - 1e-4) & (fine * 0.02 < ms + 0.02))


def test_gains_and_units():
    assert float(HEUN.gain(0.1)) == pytest.approx(0.00995, abs=1e-9)
    assert float(LIF().gain(0.1)) == pytest.approx(0.00995017, abs=1e-8)
    assert HEUN.rheobase == pytest.approx(2.7)
    assert HEUN.potential(0.5) == pytest.approx(-25.0)
    assert int(HEUN.hold_steps(0.5)) == 6


@pytest.mark.parametrize("scheme", ["exact", "heun"])
def test_neurons_are_the_twins(scheme):
    currents = np.random.default_rng(0).normal(4.0, 30.0, (400, 7)).astype(np.float32)
    twin = spiking_twin.Neurons(7, 0.5, scheme)
    expected = np.array([(twin.step(now), twin.u) for now in currents], dtype=object)
    fires, u = LIF(scheme=scheme).run(jnp.asarray(currents), 0.5)
    np.testing.assert_array_equal(fires, np.stack(expected[:, 0]))
    np.testing.assert_allclose(u, np.stack(expected[:, 1]).astype(float), atol=1e-5)


def test_capacitance_is_a_time_constant_alone():
    """tau doubles, and so do the times between holds."""
    slow = LIF(capacitance=600.0, refractory=0.0)
    single = np.diff(spikes_of([5.0], dt=0.05, neuron=LIF(refractory=0.0))[0])
    double = np.diff(spikes_of([5.0], dt=0.1, neuron=slow)[0])
    assert len(double) > 3 and set(double) == set(single)


def test_a_step_that_no_neuron_can_follow_is_refused():
    check_attainable(LIF(), 0.5)
    with pytest.raises(UserError, match=r"dt = 0.7 ms does not divide the period") as caught:
        desired_train(0.7, 70.0, 7.0, 4.0)
    assert "\n" not in str(caught.value)
    for neuron, dt in ((LIF(), 1.0), (LIF(refractory=3.5), 0.5)):
        with pytest.raises(UserError, match=r"every 4 ms at most .* 3.5 ms is desired.*diverges"):
            check_attainable(neuron, dt)
    with pytest.raises(UserError, match="LIF: scheme = 'euler' must be one of exact, heun"):
        LIF(scheme="euler")
