"""Read noise in layers of Flax: its variance, and that every sample draws its own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

import memjax
from memjax.cells import ReferenceCell
from memjax.devices import ConstantStep

KEY = jax.random.key(0)
DEVICE = ConstantStep(on_off=3.0, sigma_read=0.2)
READS = memjax.nn.Reads(DEVICE, ReferenceCell(weight_range=1.0))


def variance(w):
    """``(2 R sigma (g + 1 / (on_off - 1)))^2`` with R = 1 and ``g = 1/2 + w/2``."""
    return (2 * 0.2 * (0.5 + np.asarray(w) / 2 + 0.5)) ** 2


def test_a_dense_layer_reads_every_weight_for_every_sample():
    """4,000 equal samples: mean within 5 errors, sd within 5 of its own."""
    x = jnp.broadcast_to(jnp.array([1.0, -0.5, 0.25]), (4000, 3))
    for layer in (
        nnx.Linear(3, 2, dot_general=READS.dot_general, rngs=nnx.Rngs(0)),
        linen.Dense(2, dot_general=READS.dot_general),
    ):
        with READS(KEY), jax.numpy_rank_promotion("allow"):
            if isinstance(layer, linen.Module):
                variables = layer.init(KEY, x)
                y, w = layer.apply(variables, x), variables["params"]["kernel"]
            else:
                y, w = layer(x), layer.kernel[...]
        sd = np.sqrt(np.square(x[0]) @ variance(w))
        assert np.all(np.abs(y.mean(0) - x[0] @ w) < 5 * sd / np.sqrt(4000))
        assert np.all(np.abs(y.std(0) / sd - 1) < 5 / np.sqrt(8000))


def test_a_convolution_reads_its_kernel_at_every_place():
    layer = nnx.Conv(
        1,
        2,
        (2, 2),
        padding="VALID",
        conv_general_dilated=READS.conv_general_dilated,
        rngs=nnx.Rngs(0),
    )
    x = jnp.broadcast_to(jnp.array([[1.0, 2.0], [0.5, 0.0]])[None, :, :, None], (4000, 2, 2, 1))
    with READS(KEY), jax.numpy_rank_promotion("allow"):
        y = layer(x)[:, 0, 0]
    sd = np.sqrt(np.einsum("hwi,hwio->o", np.square(x[0]), variance(layer.kernel[...])))
    assert np.all(np.abs(y.std(0) / sd - 1) < 5 / np.sqrt(8000))


@nnx.split_rngs(splits=2)
@nnx.vmap(in_axes=0)
def layers(rngs):
    return nnx.Linear(3, 3, use_bias=False, dot_general=READS.dot_general, rngs=rngs)


def test_layers_in_a_scan_and_a_kernel_used_twice_draw_their_own():
    both, x = layers(nnx.Rngs(0)), jnp.ones((1, 3))

    def noise(layer):
        return layer(x) - x @ layer.kernel[...]

    @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))
    def each(carry, layer):
        return carry, noise(layer)

    graph, weights = nnx.split(both)

    @jax.jit
    def scanned(weights, key):
        with READS(key):
            return each(x, nnx.merge(graph, weights))[1]

    found = scanned(weights, KEY)
    assert not np.allclose(found[0], found[1], rtol=1e-2)
    layer = nnx.Linear(3, 3, use_bias=False, dot_general=READS.dot_general, rngs=nnx.Rngs(0))
    with READS(KEY):
        first, second = noise(layer), noise(layer)
    with READS(KEY):
        again = noise(layer)
    with READS(jax.random.key(1)):
        other = noise(layer)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second) and not np.array_equal(first, other)


def test_it_trains_under_jit_without_gradients_of_the_noise():
    layer = nnx.Linear(3, 2, use_bias=False, dot_general=READS.dot_general, rngs=nnx.Rngs(0))
    graph, params = nnx.split(layer)
    x, traces = jnp.ones((4, 3)), []

    @jax.jit
    def grads(params, key):
        traces.append(1)

        def loss(params):
            with READS(key):
                return jnp.sum(nnx.merge(graph, params)(x))

        return jax.grad(loss)(params)

    found = [jax.tree.leaves(grads(params, jax.random.key(n)))[0] for n in range(2)]
    assert len(traces) == 1 and np.all(np.asarray(found) == 4)


def test_a_key_that_would_be_compiled_in_is_refused():
    layer = nnx.Linear(3, 2, use_bias=False, dot_general=READS.dot_general, rngs=nnx.Rngs(0))
    with READS(KEY), pytest.raises(memjax.UserError, match="constant of a compiled function"):
        nnx.jit(lambda layer, x: layer(x))(layer, jnp.ones((1, 3)))
    graph, weights = nnx.split(layer)
    with READS(KEY):  # out of jit, a gradient is no compilation
        grads = jax.grad(lambda w: jnp.sum(nnx.merge(graph, w)(jnp.ones((1, 3)))))(weights)
    assert np.all(jax.tree.leaves(grads)[0] == 1)


def test_without_a_key_or_a_noise():
    x = jnp.ones((2, 3))
    layer = nnx.Linear(3, 2, use_bias=False, dot_general=READS.dot_general, rngs=nnx.Rngs(0))
    with pytest.raises(memjax.UserError, match="no key to draw from; call the model within"):
        layer(x)
    silent = memjax.nn.Reads(ConstantStep())
    layer = nnx.Linear(3, 2, use_bias=False, dot_general=silent.dot_general, rngs=nnx.Rngs(0))
    assert np.array_equal(layer(x), x @ layer.kernel[...])
