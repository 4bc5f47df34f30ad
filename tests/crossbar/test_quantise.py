"""Grids: their levels, their ends and their gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar.quantise import clip_through, power_of_two, quantise


def test_powers_of_two_are_exact_where_they_are_whole():
    exponents = np.arange(-20, 25, dtype=np.float32)
    np.testing.assert_array_equal(jax.jit(power_of_two)(exponents), 2.0**exponents)
    assert float(power_of_two(2.5)) == pytest.approx(2**2.5)
    assert float(jax.grad(power_of_two)(3.0)) == pytest.approx(8 * np.log(2))


@pytest.mark.parametrize("bits", [1, 2, 5, 8])
def test_a_plain_grid_has_all_codes(bits):
    x = jnp.linspace(-2.0, 3.0, 4_001)
    levels, beyond = jax.jit(lambda x, b: quantise(x, -1.5, 2.5, b, zero_is_code=False))(x, bits)
    np.testing.assert_allclose(np.unique(levels), np.linspace(-1.5, 2.5, 2**bits), atol=1e-6)
    assert np.all((np.abs(levels - x) <= 2.0 / (2**bits - 1) + 1e-6) | beyond)


@pytest.mark.parametrize("bits", [2, 3, 8])
def test_a_grid_with_a_sign_has_zero_and_one_code_less(bits):
    x = jnp.linspace(-2.0, 2.0, 4_001)
    levels, beyond = jax.jit(lambda x, b: quantise(x, -1.5, 1.5, b, zero_is_code=True))(x, bits)
    wanted = np.linspace(-1.5, 1.5, 2**bits - 1)
    np.testing.assert_allclose(np.unique(levels), wanted, atol=1e-6)
    assert 0.0 in levels and np.all(np.abs(x)[np.asarray(beyond)] > 1.5)


def test_the_last_code_does_not_overflow():
    """12 in 510 steps of 24 / 510 is more than 12 by its rounding, and is none beyond."""
    x = jnp.array([12.0, 12.02, 12.03, -12.02])
    _, beyond = quantise(x, -12.0, 12.0, 9, zero_is_code=True)
    assert beyond.tolist() == [False, False, True, False]


def test_clips_have_the_derivative_of_the_inside_at_a_bound():
    slope = jax.vmap(jax.grad(lambda x: clip_through(x, -1.0, 1.0)))
    assert slope(jnp.array([-1.1, -1.0, 0.3, 1.0, 1.1])).tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]
