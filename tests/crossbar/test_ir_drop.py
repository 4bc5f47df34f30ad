"""aihwkit's approximation: values of aihwkit 1.1.0, and where it is right."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar import Wires, aihwkit_ir_drop, effective

o, i = np.arange(5), np.arange(256)[:, None]
SMALL = np.sin(1 + 2 * o + 3 * i[:7]) * (1 + 0.1 * o) / 1.4, np.cos(0.5 + 1.3 * i[:7, 0])
TALL = 0.5 * np.sin(0.37 * o[:3] + 0.11 * i), 0.5 + 0.5 * np.cos(0.23 * i[:, 0])
HALF = {"ratio": 50.0, "scale": 0.5}


@pytest.mark.parametrize(
    ("case", "options", "expected"),
    [
        (SMALL, {"ratio": 20.0}, [0.3736999, -0.2523372, -0.3021685, 0.4986387, -0.1099701]),
        (SMALL, HALF, [0.3555180, -0.3266164, -0.1535674, 0.5039644, -0.2771639]),
        (TALL, {}, [4.40028, 3.95980, 2.98036]),
    ],
)
def test_products_of_aihwkit(case, options, expected):
    weights, inputs = (jnp.asarray(x, jnp.float32) for x in case)
    found = inputs @ weights - aihwkit_ir_drop(weights, inputs, **options)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 if case is SMALL else 6e-6)


def test_it_is_the_bit_line_s_drop_where_that_is_small():
    """One sign, uniform, no resistance along the rows: within a tenth of the exact drop."""
    G = jnp.full((128, 4), 5e-6)
    exact = 1.0 - effective(G, Wires(r_row=0.0, r_column=0.35)).sum() / G.sum()
    ones = jnp.ones((128, 4))
    about = aihwkit_ir_drop(ones, jnp.ones(128)).sum() / ones.sum()
    assert float(about) == pytest.approx(float(exact), rel=0.1)
