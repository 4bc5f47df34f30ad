"""Products with parameters are found wherever a model has them, and may be computed otherwise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax import nnx

from memjax import random
from memjax.crossbar.model_products import matrices, multiplicands, multiplied, program_of

X = jax.random.normal(jax.random.key(0), (2, 9, 9, 4))
STREAM = random.stream(jax.random.key(1))


def of_nnx(model, *args):
    """A model as a function of its float parameters, and its other arguments."""
    graph, state = nnx.split(model)
    variables = {"/".join(map(str, k)): (k, v) for k, v in nnx.to_flat_state(state)}
    values = {path: v.get_value() for path, (_, v) in variables.items()}
    params = {p: v for p, v in values.items() if jnp.issubdtype(v.dtype, jnp.floating)}
    rest = {p: v for p, v in values.items() if p not in params}

    def function(params, rest, *args):
        now = [(k, v.replace((params | rest)[p])) for p, (k, v) in variables.items()]
        return nnx.merge(graph, nnx.from_flat_state(now))(*args)

    return function, params, rest, *args


class Block(nn.Module):
    """Linen: a layer, a norm, and a layer whose forward pass is computed again."""

    @nn.compact
    def __call__(self, x):
        return nn.remat(nn.Dense)(3)(nn.LayerNorm()(nn.Dense(5)(x)))


def of_linen(model, *args):
    variables = model.init(jax.random.key(0), *args)
    leaves, treedef = jax.tree_util.tree_flatten_with_path(variables)
    params = {"/".join(k.key for k in path): leaf for path, leaf in leaves}

    def function(params, *args):
        return model.apply(jax.tree.unflatten(treedef, params.values()), *args)

    return function, dict(sorted(params.items())), *args


def scanned(params, x):
    def layer(h, own):
        return jnp.tanh(h @ own["k"] + own["b"][None, :]), h.sum()

    return jax.lax.scan(layer, x, {"k": params["k"], "b": params["b"]})


def chosen(params, x):
    w = params["w"]
    return jax.lax.cond(x.sum() > 0, lambda: x @ w, lambda: jax.nn.relu(-x @ w))


RNGS = nnx.Rngs(0)
W = jax.random.normal(jax.random.key(2), (4, 7))
MODELS = {
    "dense": (of_nnx(nnx.Linear(4, 3, rngs=RNGS), X), {"kernel": (1, 4, 3)}),
    "strided": (
        of_nnx(nnx.Conv(4, 6, (3, 3), strides=2, rngs=RNGS), X),
        {"kernel": (1, 36, 6)},
    ),
    "dilated, grouped": (
        of_nnx(nnx.Conv(4, 6, (3, 3), kernel_dilation=2, feature_group_count=2, rngs=RNGS), X),
        {"kernel": (2, 18, 3)},
    ),
    "depthwise": (
        of_nnx(nnx.Conv(4, 8, (3, 3), feature_group_count=4, padding="VALID", rngs=RNGS), X),
        {"kernel": (4, 9, 2)},
    ),
    "transposed": (
        of_nnx(nnx.ConvTranspose(4, 3, (3, 3), strides=2, rngs=RNGS), X),
        {"kernel": (1, 36, 3)},
    ),
    "1-D": (of_nnx(nnx.Conv(4, 3, (3,), rngs=RNGS), X[0]), {"kernel": (1, 12, 3)}),
    "3-D": (of_nnx(nnx.Conv(4, 3, (2, 3, 3), rngs=RNGS), X[None]), {"kernel": (1, 72, 3)}),
    "attention": (
        of_nnx(nnx.MultiHeadAttention(2, 4, 8, decode=False, rngs=RNGS), X[0]),
        {
            "query/kernel": (1, 4, 8),
            "key/kernel": (1, 4, 8),
            "value/kernel": (1, 4, 8),
            "out/kernel": (1, 8, 4),
        },
    ),
    "LSTM": (
        of_nnx(nnx.RNN(nnx.OptimizedLSTMCell(4, 5, rngs=RNGS)), X[0]),
        {"cell/dense_i/kernel": (1, 4, 20), "cell/dense_h/kernel": (1, 5, 20)},
    ),
    "heads side by side": (
        (lambda p, x: jnp.einsum("hnr,hrc->hnc", x, p["w"]), {"w": X[0, :2, :4]}, X[0, :2, :, :4]),
        {"w": (2, 4, 4)},
    ),
    "linen": (
        of_linen(Block(), X),
        {"params/Dense_0/kernel": (1, 4, 5), "params/CheckpointDense_0/kernel": (1, 5, 3)},
    ),
    "scanned layers": (
        (
            scanned,
            {"k": jnp.stack([W[:, :4], W[:, 1:5], W[:, 2:6]]), "b": jnp.ones((3, 4))},
            X[0, 0],
        ),
        {"k": (3, 1, 4, 4)},
    ),
    "branches": ((chosen, {"w": W}, X[0, 0]), {"w": (1, 4, 7)}),
    "tied": (
        (lambda p, x: jax.nn.relu(x @ p["w"]) @ p["w"].T, {"w": W}, X[0, 0]),
        {"w": (1, 4, 7)},
    ),
}


def multiply(product, x, stream):
    del stream
    (matrix,) = product
    return jnp.einsum("gnr,grc->gnc", x, matrix)


@pytest.mark.parametrize("name", MODELS)
def test_every_product_is_found_and_its_own_matrices_give_the_model(name):
    (function, params, *args), shapes = MODELS[name]
    program = program_of(function, params, *args)
    found = matrices(program, params, *args)
    assert {path: m.shape for (path, use), m in found.items() if use == 0} == shapes

    @jax.jit
    def both(products):
        given = {"products": products, "multiply": multiply, "stream": STREAM}
        as_operands = {use: (matrix,) for use, matrix in products.items()}
        own = multiplied(program, params, *args, **(given | {"products": as_operands}))
        matrices = multiplied(program, params, *args, **given)
        twice = {use: 2.0 * matrix for use, matrix in products.items()}
        other = multiplied(program, params, *args, **(given | {"products": twice}))
        none = multiplied(program, params, *args, **(given | {"products": {}}))
        return own, matrices, other, none, function(params, *args)

    own, by_matrices, other, none, model = both(found)
    close = lambda a, b: np.allclose(a, b, atol=3e-6)  # noqa: E731
    assert jax.tree.all(jax.tree.map(close, own, model))
    assert jax.tree.all(jax.tree.map(close, by_matrices, model))
    assert jax.tree.all(jax.tree.map(close, none, model))
    assert not jax.tree.all(jax.tree.map(close, other, model)), "products are what is used"


def test_uses_of_a_tied_parameter_have_products_of_their_own():
    (function, params, x), _ = MODELS["tied"]
    found = matrices(program_of(function, params, x), params, x)
    assert {use: m.shape for use, m in found.items()} == {("w", 0): (1, 4, 7), ("w", 1): (1, 7, 4)}
    np.testing.assert_array_equal(found["w", 0][0], found["w", 1][0].T)


def test_each_product_and_each_step_of_a_scan_has_a_stream_of_its_own():
    (function, params, x), _ = MODELS["scanned layers"]
    program = program_of(function, params, x)
    products = {use: (matrix,) for use, matrix in matrices(program, params, x).items()}

    def noise(product, x, stream):
        return multiply(product, x, stream) * 0.0 + random.normal(stream, (1, *x.shape[1:]))

    def run(stream):
        given = {"products": products, "multiply": noise, "stream": stream}
        return multiplied(program, params, x, **given)[1]

    sums = np.asarray(run(STREAM))
    assert len(set(sums.tolist())) == 3
    assert not np.any(np.asarray(run(random.fold_in(STREAM, 1)))[1:] == sums[1:])
    np.testing.assert_array_equal(run(STREAM), sums)


def test_what_matrices_are_multiplied_with_is_taken_down():
    (function, params, x), _ = MODELS["scanned layers"]
    program = program_of(function, params, x)
    given = {"products": {}, "multiply": multiply, "stream": STREAM}
    rows = multiplicands(program, params, x, **given)["k", 0]
    np.testing.assert_array_equal(rows[0, 0], x)  # [steps, groups, n, rows]
    layers = zip(params["k"][:-1], params["b"][:-1], rows[:-1], rows[1:], strict=True)
    for k, b, before, after in layers:
        np.testing.assert_allclose(jnp.tanh(before[0] @ k + b[None]), after[0], atol=1e-6)

    (function, params, rest, x), _ = MODELS["LSTM"]
    rows = multiplicands(program_of(function, params, rest, x), params, rest, x, **given)
    assert rows["cell/dense_i/kernel", 0].shape == (1, x.shape[0] * x.shape[1], 4)
    steps = rows["cell/dense_i/kernel", 0].reshape(x.shape[1], x.shape[0], 4)
    np.testing.assert_array_equal(steps, jnp.swapaxes(x, 0, 1))  # step by step

    (function, params, x), _ = MODELS["branches"]
    program = program_of(function, params, x)
    for every, wanted in ((True, jnp.concatenate([-x, x])), (False, x if x.sum() > 0 else -x)):
        rows = multiplicands(program, params, x, **given, every_branch=every)["w", 0]
        np.testing.assert_array_equal(rows[0], wanted)
