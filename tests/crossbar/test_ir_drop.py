"""aihwkit's approximation: values of aihwkit 1.1.0, and where it is right."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar import Array, Crossbar, Wires, aihwkit_ir_drop, effective
from memjax.crossbar.programmed import wired
from memjax.errors import UserError

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


def test_products_of_a_crossbar_lose_what_aihwkits_do():
    """Each tile by its own rows, 3, 2 and 2; before a series resistance; each input slice alone."""
    (small, x), (tall, tall_x) = SMALL, TALL
    arrays = [
        Array(weight_limit=1.0, ir_drop=1.0, ir_drop_ratio=20.0, **options)
        for options in ({}, {"tile_rows": 3}, {"r_series": 0.1, "v_offset_w_min": 0.0})
    ]
    sliced = Array(weight_limit=1.0, ir_drop=1.0, ir_drop_ratio=5.0, dac_bits=4, slice_bits=1)
    whole, tiled, series, tall_y, slices = jax.jit(
        lambda arrays, sliced: (
            *(Crossbar(small.T, a) @ x for a in arrays),
            Crossbar(tall.T, Array(weight_limit=1.0, ir_drop=1.0)) @ tall_x,
            Crossbar(small.T, sliced) @ x,
        )
    )(arrays, sliced)
    wanted = np.array([0.3736999, -0.2523372, -0.3021685, 0.4986387, -0.1099701])
    np.testing.assert_allclose(whole, wanted, atol=2e-6)
    np.testing.assert_allclose(tall_y, [4.40028, 3.95980, 2.98036], atol=6e-6)
    np.testing.assert_allclose(series, wanted / (1 + 0.1 * np.abs(wanted)), atol=2e-6)

    def left(weights, inputs, ratio):
        weights, inputs = (jnp.asarray(a, jnp.float32) for a in (weights, inputs))
        return inputs @ weights - aihwkit_ir_drop(weights, inputs, ratio)

    tiles = (slice(0, 3), slice(3, 5), slice(5, 7))
    np.testing.assert_allclose(tiled, sum(left(small[t], x[t], 20.0) for t in tiles), atol=2e-6)
    code = np.rint(np.abs(x) * 7).astype(int)
    bits = [np.sign(x) * (code >> k & 1) for k in range(3)]
    each = sum(2**k / 7 * left(small, bit, 5.0) for k, bit in enumerate(bits))
    np.testing.assert_allclose(slices, each, atol=3e-6)


def test_wires_are_not_taken_twice():
    with pytest.raises(UserError, match="ir_drop approximates what wires lose exactly"):
        wired(Crossbar(np.eye(2), Array(ir_drop=1.0)), Wires())
