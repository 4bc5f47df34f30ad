"""Convolutions as products: the same numbers and gradients, also where a layer hides them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from memjax.experiments.convolutions import as_products


@pytest.fixture(autouse=True)
def as_jax_comes():
    """Promotion as a user has it."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def both(layer):
    """A layer as a function of its weights and inputs, and its twin."""
    graphdef, state = nnx.split(layer)

    def apply(weights, x):
        return jnp.tanh(nnx.merge(graphdef, weights)(x))

    return nnx.as_pure(state), apply, as_products(apply)


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({}, 0),
        ({"strides": (2, 1), "padding": ((1, 0), (2, 1))}, 0),
        ({"padding": "VALID", "kernel_dilation": (2, 1)}, 0),
        ({"padding": "CIRCULAR"}, 0),
        ({"feature_group_count": 2}, 1),
        ({"input_dilation": (2, 2), "padding": ((1, 1), (1, 1))}, 1),
    ],
    ids=str,
)
def test_a_convolution_is_a_product_where_it_is_plain(options, left):
    weights, apply, twin = both(nnx.Conv(4, 6, (3, 2), rngs=nnx.Rngs(0), **options))
    x = jax.random.normal(jax.random.key(1), (5, 9, 7, 4))
    np.testing.assert_allclose(twin(weights, x), apply(weights, x), atol=3e-6)
    gradients = [
        jax.grad(lambda *a, f=f: jnp.sum(f(*a) ** 3), argnums=(0, 1))(weights, x)
        for f in (apply, twin)
    ]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4), *gradients)
    assert str(jax.make_jaxpr(twin)(weights, x)).count("conv_general_dilated") == left


def test_any_layout_and_number_of_dimensions():
    x, kernel = jax.random.normal(jax.random.key(0), (2, 3, 8)), jnp.ones((4, 3, 3))

    def convolve(x, kernel):  # batch, channels, places
        return jax.lax.conv(x, kernel, (2,), "SAME")

    np.testing.assert_allclose(
        as_products(convolve)(x, kernel), convolve(x, kernel), rtol=1e-5, atol=1e-5
    )


def test_one_inside_a_jit_is_found_and_the_rest_is_as_it_was():
    @jax.jit
    def inner(x):
        return {"y": jax.lax.conv(x, jnp.ones((1, 1, 3, 3)), (1, 1), "SAME"), "key": None}

    def outer(x, key):
        return inner(x)["y"] + jax.random.normal(key, x.shape), jnp.sum(x)

    x, key = jnp.arange(16.0).reshape(1, 1, 4, 4), jax.random.key(0)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6),
        as_products(outer)(x, key),
        outer(x, key),
    )
    assert "conv_general_dilated" not in str(jax.make_jaxpr(as_products(outer))(x, key))
