"""What arrays are for besides networks: linear systems, and derivatives of what they do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar import Array, Cells, Independent, PowerLaw, Wires, convert
from memjax.crossbar.crossbar import Crossbar

KEY = jax.random.key(0)
MATRIX = jnp.eye(24) + 0.02 * jax.random.normal(KEY, (24, 24))
WANTED = jax.random.normal(jax.random.key(1), (24,))


def residuals(array, sigma, rounds=8):
    """Of a system that conjugate gradients solve on an array, refined in floating point."""
    crossbar = Crossbar(MATRIX @ MATRIX.T, array)
    error = sigma * jax.random.normal(jax.random.key(2), crossbar.g.shape)
    crossbar = crossbar.replace(g=jnp.maximum(crossbar.g + error, 0.0))

    @jax.jit
    def refined(x, residual):
        size = jnp.max(jnp.abs(residual))
        step, _ = jax.scipy.sparse.linalg.cg(lambda v: crossbar @ v, residual / size, maxiter=6)
        x = x + size * step
        return x, WANTED - MATRIX @ (MATRIX.T @ x)

    x, residual, found = jnp.zeros(24), WANTED, []
    for _ in range(rounds):
        x, residual = refined(x, residual)
        found.append(float(jnp.linalg.norm(residual) / jnp.linalg.norm(WANTED)))
    return found


def test_refinement_makes_a_coarse_array_solve_a_system():
    """Each round takes the share of the residual that the array's errors leave."""
    converters = {"dac_bits": 8, "input_scale": "abs_max", "adc_range": "fixed", "adc_high": 3.0}
    one, *_, last = residuals(Array(adc_bits=8, **converters), 0.01)
    assert 1e-3 < one < 0.2 and last < 1e-5
    coarse = residuals(Array(adc_bits=5, **converters), 0.01)
    assert coarse[0] > one and coarse[-1] > last
    noisy = residuals(Array(adc_bits=8, **converters), 0.05)
    assert noisy[0] > one and noisy[-1] > last


def loss(numbers, x):
    """Mean square of what a matrix loses."""
    model = (lambda params, x: x @ params["w"], {"w": MATRIX})
    array = Array(
        on_off=numbers["on_off"], gmax=numbers["gmax"], adc_bits=numbers["adc_bits"],
        adc_range="fixed", adc_high=2.0, r_series=numbers["r_series"],
    )  # fmt: skip
    cells = Cells(programming=Independent(sigma=numbers["sigma"]), drift=PowerLaw(nu=numbers["nu"]))
    wires = Wires(r_row=numbers["r"], r_column=numbers["r"])
    analog = convert(model, array, cells, key=KEY, wires=wires, inputs=x)
    return jnp.mean((analog.at(numbers["time"])(x) - x @ MATRIX) ** 2)


def test_a_loss_has_a_derivative_by_every_number_of_an_array():
    x = jax.random.normal(KEY, (40, 24))
    numbers = {
        "on_off": 8.0, "gmax": 5e-5, "adc_bits": 13.0, "r_series": 0.01, "sigma": 0.05,
        "nu": 0.02, "r": 60.0, "time": 100.0,
    }  # fmt: skip
    value = jax.jit(loss)
    found = jax.jit(jax.grad(loss))(numbers, x)
    assert all(np.isfinite(float(of)) and float(of) != 0.0 for of in found.values()), found
    for name in ("r_series", "sigma", "nu", "r", "gmax", "on_off", "time"):
        by = 0.05 * numbers[name]
        up, down = (float(value(numbers | {name: numbers[name] + d}, x)) for d in (by, -by))
        assert float(found[name]) == pytest.approx((up - down) / (2 * by), rel=0.15), name
