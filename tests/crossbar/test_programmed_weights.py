"""Weights as an array holds them: those that a converted model multiplies with."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar import Array, Cells, Faults, Proportional, convert, programmed_weights
from memjax.errors import UserError

KEY = jax.random.key(0)
X = jax.random.normal(jax.random.key(1), (3, 6, 6, 2))
PARAMS = {
    "conv": jax.random.normal(jax.random.key(2), (3, 3, 1, 4)),
    "heads": jax.random.normal(jax.random.key(3), (4, 3, 5)),
    "bias": jnp.ones(5),
}
ARRAY = Array(on_off=10.0, levels=16, tile_rows=4, scale="tile")
CELLS = Cells(programming=Proportional(sigma=0.3), faults=Faults(stuck_hrs=0.1))


def network(params, x):
    """A grouped convolution, and heads whose outputs are the leading axis."""
    numbers = ("NHWC", "HWIO", "NHWC")
    x = jax.lax.conv_general_dilated(
        x, params["conv"], (2, 2), "VALID", dimension_numbers=numbers, feature_group_count=2
    )
    y = jnp.einsum("bc,chk->bhk", jnp.tanh(x).mean(axis=(1, 2)), params["heads"])
    return y.sum(axis=1) + params["bias"][None]


def test_the_model_with_them_is_the_converted_one_and_gradients_are_those_at_them():
    seen = programmed_weights((network, PARAMS), ARRAY, CELLS, inputs=X)

    def loss(params):
        return jnp.sum(network(params, X) ** 2)

    @jax.jit
    def all_of(key):
        held = seen(PARAMS, key)
        converted = convert((network, PARAMS), ARRAY, CELLS, key=key)(X)
        gradients = jax.grad(lambda params: loss(seen(params, key)))(PARAMS)
        return held, (network(held, X), gradients), (converted, jax.grad(loss)(held))

    held, found, wanted = all_of(KEY)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), found, wanted)
    np.testing.assert_array_equal(held["bias"], PARAMS["bias"])
    assert float(jnp.abs(held["conv"] - PARAMS["conv"]).max()) > 0.1
    assert float(jnp.abs(all_of(jax.random.key(9))[0]["conv"] - held["conv"]).max()) > 0.1


def test_refused():
    for array in (Array(adc_bits=8), Array(w_noise=0.1), Array(adc_range="fixed", adc_high=1.0)):
        with pytest.raises(UserError, match="have converters or noise"):
            programmed_weights((network, PARAMS), array, inputs=X)

    def tied(params, x):
        return x @ params["w"] @ params["w"].T

    x, params = jnp.ones((1, 3)), {"w": jnp.eye(3)}
    with pytest.raises(UserError, match="several arrays hold w"):
        programmed_weights((tied, params), inputs=x)(params, KEY)
    seen = programmed_weights((tied, params), inputs=x)
    with pytest.raises(UserError, match="the model has w, which these weights have not: v"):
        seen({"v": jnp.eye(3)}, KEY)
