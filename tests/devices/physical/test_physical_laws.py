"""Every physical model, one law after another."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices.physical import PHYSICAL
from memjax.errors import UserError

MODELS = {name: kind() for name, kind in PHYSICAL.items()}
MODELS |= {
    f"{name}-{window}": PHYSICAL[name](window=window)
    for name, window in (("LinearIonDrift", "biolek"), ("VTEAM", "prodromakis"))
}
# A voltage and a time that move each model by a few per cent to a third of its range.
MOVES = {
    "LinearIonDrift": (1.0, 0.1),
    "VTEAM": (0.3, 50e-9),
    "StanfordPKU": (1.0, 1e-6),
    "DataDriven": (1.0, 1e-6),
    "DataDriven2018": (1.0, 1e-5),
}
step = jax.jit(lambda model, state, voltage, dt: model.step(state, voltage, dt))
all_models = pytest.mark.parametrize("name", MODELS)


def states(model, n=9):
    low, high = model.bounds
    return jnp.linspace(low, high, n, dtype=jnp.float32)


@all_models
def test_two_half_steps_are_a_step(name):
    """Exact laws to float32's last places, sub-stepped ones to 1e-5 of the range."""
    model, (volts, dt) = MODELS[name], MOVES[name.partition("-")[0]]
    low, high = model.bounds
    for voltage in (volts, -volts):
        once = step(model, states(model), voltage, 2 * dt)
        twice = step(model, step(model, states(model), voltage, dt), voltage, dt)
        exact = name in ("LinearIonDrift", "VTEAM", "DataDriven", "DataDriven2018")
        np.testing.assert_allclose(once, twice, atol=(3e-7 if exact else 1e-5) * (high - low))


@all_models
def test_no_pulse_leaves_the_bounds(name):
    model = MODELS[name]
    low, high = (np.float32(bound) for bound in model.bounds)
    grid = jnp.meshgrid(
        states(model), jnp.array([-3.0, -0.3, 0.0, 0.3, 3.0]), jnp.logspace(-12, 3, 6)
    )
    after = np.asarray(step(model, *grid))
    assert np.all((after >= low) & (after <= high))
    assert np.all(after[grid[1] == 0] == np.asarray(grid[0])[grid[1] == 0])


@all_models
def test_no_voltage_no_current(name):
    assert np.all(np.asarray(MODELS[name].current(states(MODELS[name]), 0.0)) == 0)


@all_models
def test_conductance_and_state_are_inverse(name):
    model = MODELS[name]
    low, high = model.bounds
    back = model.state_at(model.conductance(states(model)))
    np.testing.assert_allclose(back, states(model), atol=2e-6 * float(high))
    assert np.all((back >= np.float32(low)) & (back <= np.float32(high)))


@all_models
def test_a_step_keeps_shape_and_type_under_scan(name):
    model, (volts, dt) = MODELS[name], MOVES[name.partition("-")[0]]

    def pulse(state, _):
        return model.step(state, volts, dt), None

    start = jnp.broadcast_to(states(model), (2, 9))
    after, _ = jax.lax.scan(pulse, start, None, length=3)
    assert (after.shape, after.dtype) == (start.shape, start.dtype)


@all_models
def test_every_parameter_sweeps_in_one_compilation(name):
    """A batch of models, each leaf its own, equals the models one by one."""
    model, (volts, dt) = MODELS[name], MOVES[name.partition("-")[0]]
    factors = (1.0, 1.01, 1.02)
    batch = jax.tree.map(lambda leaf: jnp.float32([f * leaf for f in factors]), model)
    traces = []

    @jax.jit
    def run(models):
        traces.append(1)
        return jax.vmap(lambda m: m.step(states(model), volts, dt))(models)

    together = run(batch)
    run(jax.tree.map(lambda leaf: leaf * 1.01, batch))
    assert len(traces) == 1
    low, high = model.bounds
    for k, f in enumerate(factors):
        scaled = jax.tree.map(lambda leaf, f=f: f * leaf, model)
        alone = step(scaled, states(model), volts, dt)
        np.testing.assert_allclose(together[k], alone, atol=2e-6 * (high - low))


@all_models
def test_a_step_has_a_finite_derivative(name):
    model, (volts, dt) = MODELS[name], MOVES[name.partition("-")[0]]
    middle = states(model)[4]
    slope = jax.jit(jax.grad(step))(jax.tree.map(jnp.float32, model), middle, volts, dt)
    assert all(np.isfinite(leaf) for leaf in jax.tree.leaves(slope))


@all_models
def test_a_time_that_is_not_positive_is_a_user_error(name):
    for dt in (0.0, -1e-9, float("nan")):
        with pytest.raises(UserError, match=r"dt = .* must be more than 0"):
            MODELS[name].step(states(MODELS[name]), 1.0, dt)
