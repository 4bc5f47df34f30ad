"""RProp: widths that adapt, case by case and against a NumPy twin."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import memjax
from memjax.cells import RefreshPair
from memjax.devices import MODELS, ConstantStep, Ernoult
from memjax.updates import RProp, pulse_width

RULE = pulse_width(0.5)
UPDATE = jax.jit(RULE.update)


@pytest.mark.parametrize(
    ("wanted", "pulses"),
    [
        ([0.1], [1.0]),  # the first pulse has the full width
        ([0.1, 9.0], [1.0, 1.0]),  # the same sign: no wider than dt0
        ([0.1, -0.1], [1.0, -1.0]),  # another sign: the last pulse is undone
        ([0.1, -0.1, -0.1], [1.0, -1.0, -0.5]),  # then the sign is forgotten, the width is less
        ([0.1, -0.1, 0.1, 0.1], [1.0, -1.0, 0.5, 1.0]),  # and grows again
        ([0.1, -0.1, 0.1, -0.1, 0.1], [1.0, -1.0, 0.5, -0.5, 0.25]),
        ([0.0, 0.1], [0.0, 1.0]),  # no gradient, no pulse
        ([0.1, 0.0, -0.1], [1.0, 0.0, -1.0]),  # nor a sign to compare with
    ],
)
def test_the_cases_of_the_rule(wanted, pulses):
    s = RULE.init(jnp.zeros(()))
    for want, pulse in zip(wanted, pulses, strict=True):
        n, s = UPDATE(jnp.float32(want), s)
        assert float(n.n) == pulse


def test_it_is_its_twin_for_random_signs():
    shrink = np.float32(0.9)
    signs = np.random.default_rng(0).integers(-1, 2, (200, 50)).astype(np.float32)
    tx = pulse_width(0.9)
    s, update = tx.init(jnp.zeros(50)), jax.jit(tx.update)
    width, last = np.ones(50, np.float32), np.zeros(50, np.float32)
    for now in signs:
        n, s = update(jnp.asarray(now), s)
        twin = np.zeros(50, np.float32)
        for i in range(50):
            product = now[i] * last[i]
            if product > 0:
                width[i] = min(width[i] / shrink, 1.0)
            if product < 0:
                twin[i], last[i] = -last[i] * width[i], 0.0
                width[i] *= shrink
            else:
                twin[i], last[i] = now[i] * width[i], now[i]
        assert np.allclose(n.n, twin, rtol=1e-5) and np.allclose(s.width, width, rtol=1e-5)
    assert width.min() < 0.7 and np.array_equal(s.previous, last)


def test_a_devices_pulse_has_the_width_that_was_asked():
    """On a linear device half a width is half a step; the size of the gradient does not matter."""
    tx = RProp(shrink=0.5).transform(ConstantStep(levels=11), key=jax.random.key(0))
    p = jnp.zeros(2)
    s, update = jax.jit(tx.init)(p), jax.jit(tx.update)
    for wanted, weights in (([9.0, -0.1], [0.1, -0.1]), ([-1.0, -1.0], [0.0, -0.2])):
        updates, s = update(jnp.array(wanted), s, p)
        p = optax.apply_updates(p, updates)
        assert np.allclose(p, weights, atol=1e-7)
    updates, s = update(jnp.array([-1.0, 1.0]), s, p)
    assert np.allclose(optax.apply_updates(p, updates), [-0.05, -0.1], atol=1e-7)


@pytest.mark.parametrize("model", [m for m in MODELS if MODELS[m].integer_pulses_only])
def test_models_of_whole_pulses_are_refused_with_those_that_work(model):
    with pytest.raises(memjax.UserError, match=f"{model} knows whole pulses only; take one of .*E"):
        RProp().check(MODELS[model](), RefreshPair())
    RProp().check(Ernoult(), RefreshPair())
