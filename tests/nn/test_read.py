"""Weights as one read sees them: the variance is the cell's, gradients pass straight."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.cells import DifferentialPair, ReferenceCell
from memjax.devices import ConstantStep
from memjax.nn import read

WEIGHTS = {"a": jnp.full(200_000, 0.25, jnp.float32), "b": jnp.full(200_000, -0.5, jnp.float32)}


@pytest.mark.parametrize("cell", [ReferenceCell(weight_range=1.0), DifferentialPair()])
@pytest.mark.parametrize("on_off", [2.0, 50.0])
def test_the_variance_is_the_cells(cell, on_off):
    """Of 200,000 numbers the sd is known to 0.2 % (one sd); 1 % is 6 of them."""
    device = ConstantStep(on_off=on_off, sigma_read=0.1)
    seen = read(jax.random.key(0), WEIGHTS, device=device, cell=cell)
    for name, weight in WEIGHTS.items():
        sd = float(jnp.sqrt(cell.read_variance(device, weight[:1]))[0])
        noise = np.asarray(seen[name] - weight)
        assert noise.std() == pytest.approx(sd, rel=0.01)
        assert abs(noise.mean()) < 6 * sd / np.sqrt(noise.size)


def test_every_array_and_every_read_has_noise_of_its_own():
    device, cell = ConstantStep(sigma_read=0.1), ReferenceCell()
    same = {"a": jnp.zeros(9), "b": jnp.zeros(9)}
    stream = random.stream(jax.random.key(0))
    first = read(stream, same, device=device, cell=cell)
    again = read(jax.random.key(0), same, device=device, cell=cell)
    other = read(jax.random.key(1), same, device=device, cell=cell)
    np.testing.assert_array_equal(first["a"], again["a"])
    assert not np.any(first["a"] == first["b"]) and not np.any(first["a"] == other["a"])


def test_gradients_pass_straight():
    device, cell = ConstantStep(sigma_read=0.1), ReferenceCell()

    def loss(w):
        return jnp.sum(read(jax.random.key(0), w, device=device, cell=cell) ** 2)

    w = jnp.linspace(-0.4, 0.4, 5)
    seen = read(jax.random.key(0), w, device=device, cell=cell)
    np.testing.assert_allclose(jax.grad(loss)(w), 2 * seen, rtol=1e-6)


def test_without_sigma_read_weights_are_themselves():
    assert read(jax.random.key(0), WEIGHTS, device=ConstantStep(), cell=ReferenceCell()) is WEIGHTS
