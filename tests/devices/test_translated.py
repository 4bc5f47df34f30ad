"""Translated devices: Simpson's rule against the sum over all pulses."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import Ernoult, SymmetricStep

STREAM = random.stream(jax.random.key(0))

MODELS = [
    (SymmetricStep, {"alpha": 1.0}),
    (SymmetricStep, {"alpha": 5.0}),
    (Ernoult, {"beta": 3.0}),
    (Ernoult, {"beta": 0.1}),
]


@pytest.mark.parametrize(("model", "own"), MODELS)
@pytest.mark.parametrize(("levels", "tolerance"), [(8, 0.02), (40, 0.004)])
def test_sd_of_a_train_is_the_sum_over_its_pulses(model, own, levels, tolerance):
    """v = sum of (step_j dg_n/dg_j)^2, the derivatives those of the mean."""
    device = model(levels=float(levels), sigma_c2c=1.0, **own)
    array = device.fabricate(STREAM, ())
    mean = jax.jit(lambda g, n: device.response(array, g, n)[0])
    slope = jax.jit(jax.grad(lambda g, n: g + device.response(array, g, n)[0]))
    for sign, start in ((1.0, 0.15), (-1.0, 0.85)):
        for count in (1, 2, 3, levels // 2):
            places = [start]
            for _ in range(count):
                places.append(places[-1] + float(mean(jnp.float32(places[-1]), jnp.float32(sign))))
            terms = [
                (after - before)
                * float(slope(jnp.float32(after), jnp.float32(sign * (count - 1 - j))))
                for j, (before, after) in enumerate(itertools.pairwise(places))
            ]
            _, sd = device.response(array, jnp.float32(start), jnp.float32(sign * count))
            rel = 1e-3 if count == 1 else tolerance
            assert float(sd) == pytest.approx(np.sqrt(np.sum(np.square(terms))), rel=rel)


@pytest.mark.parametrize(("model", "own"), MODELS)
def test_stuck_devices_and_endless_trains_are_finite(model, own):
    device = model(levels=8.0, sigma_c2c=1.0, stuck=0.5, **own)
    array, g = device.fabricate(STREAM, (64,)), jnp.full(64, 0.5)
    for n in (3.0, 1e4, -1e4):
        assert all(
            bool(jnp.all(jnp.isfinite(x))) for x in device.response(array, g, jnp.full(64, n))
        )
