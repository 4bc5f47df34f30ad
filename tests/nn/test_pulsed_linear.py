"""The Flax layers: NNX's PulsedLinear and Linen's PulsedDense."""

import flax.linen
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import memjax
from memjax import random
from memjax.cells import DifferentialPair, ReferenceCell
from memjax.devices import ConstantStep
from memjax.nn import PulsedDense, PulsedLinear, Setting, pulsed_dense
from memjax.nn._crossbar import check_layer
from memjax.pulses import Coincidence

DEVICE = ConstantStep(levels=101, sigma_c2c=0.3)


def linear(rows=2, columns=3, **options):
    options = {"device": DEVICE, "learning_rate": 0.1, "rngs": nnx.Rngs(0)} | options
    return PulsedLinear(rows, columns, **options)


def blobs() -> tuple[jax.Array, jax.Array]:
    """Three classes of points around the corners of a triangle."""
    y = jnp.arange(96) % 3
    corners = jnp.array([[1.0, 0.0], [-0.5, 0.87], [-0.5, -0.87]])
    return corners[y] + 0.25 * jax.random.normal(jax.random.key(8), (96, 2)), y


def loss_of(logits, y):
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, y))


def accuracy(logits, y):
    return float(jnp.mean((jnp.argmax(logits, axis=1) == y).astype(jnp.float32)))


class Mlp(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, **options) -> None:
        options = {"device": DEVICE, "learning_rate": 0.5} | options
        self.hidden = PulsedLinear(2, 16, rngs=rngs, **options)
        self.out = PulsedLinear(16, 3, rngs=rngs, **options)

    def __call__(self, x, *, rngs):
        return self.out(jax.nn.tanh(self.hidden(x, rngs=rngs)), rngs=rngs)


def test_the_kernel_is_uniform_within_one_over_root_fan_in_and_the_cells_range():
    kernel = linear(100, 400).kernel[...]
    assert 0.099 < float(jnp.max(jnp.abs(kernel))) <= 0.1
    assert abs(float(jnp.std(kernel)) - 0.1 / 3**0.5) < 0.001
    narrow = linear(4, 400, cell=ReferenceCell(weight_range=0.2))
    assert float(jnp.max(jnp.abs(narrow.kernel[...]))) == np.float32(0.2)
    assert not np.any(linear().bias[...]) and linear(use_bias=False).bias is None


def test_it_is_pulsed_dense_at_learning_rate_over_pulse_size():
    layer = linear()
    x, key = jnp.ones((4, 2)), jax.random.key(3)
    stream = random.fold_in(random.stream(key), 0)
    rate = 0.1 / (2 * 0.5 / 100)
    params = layer.kernel[...], layer.bias[...]
    plain = lambda w, b: pulsed_dense(x, w, b, stream=stream, rate=rate, pulses=Coincidence())  # noqa: E731
    assert np.array_equal(layer(x, rngs=key), plain(*params))
    counts = jax.grad(lambda *p: jnp.sum(plain(*p)), (0, 1))(*params)
    grads = nnx.grad(lambda layer: jnp.sum(layer(x, rngs=key)))(layer)
    assert np.array_equal(grads["kernel"][...], counts[0])
    assert np.array_equal(grads["bias"][...], counts[1])


def test_rngs_may_be_rngs_a_stream_or_a_key_and_each_call_draws_anew():
    layer, x = linear(device=ConstantStep(sigma_read=0.1)), jnp.ones((1, 2))
    rngs = nnx.Rngs(7)
    assert not np.array_equal(layer(x, rngs=rngs), layer(x, rngs=rngs))
    first = nnx.Rngs(pulses=7).pulses()
    assert np.array_equal(layer(x, rngs=nnx.Rngs(pulses=7)), layer(x, rngs=first))
    assert np.array_equal(layer(x, rngs=nnx.Rngs(pulses=7).pulses), layer(x, rngs=first))
    quiet = linear()
    assert np.array_equal(quiet(x, rngs=nnx.Rngs(1)), quiet(x, rngs=nnx.Rngs(2)))


def test_sequential_passes_rngs_on():
    model = nnx.Sequential(linear(2, 4), jax.nn.relu, linear(4, 3))
    assert model(jnp.ones((5, 2)), rngs=nnx.Rngs(0)).shape == (5, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": 0}, "PulsedLinear: in_features = 0 must be at least 1"),
        ({"columns": -1}, "PulsedLinear: out_features = -1 must be at least 1"),
        ({"learning_rate": -0.1}, "PulsedLinear: learning_rate = -0.1 must be at least 0"),
    ],
)
def test_a_number_out_of_range_says_so(options, message):
    with pytest.raises(memjax.UserError, match=message):
        linear(**options)


@pytest.mark.parametrize("name", ["device", "cell", "pulses", "learning_rate"])
def test_an_argument_of_the_wrong_kind_says_what_to_give(name):
    good = {
        "device": DEVICE,
        "learning_rate": 0.1,
        "cell": ReferenceCell(),
        "pulses": Coincidence(),
    }
    check_layer("Layer", **good)
    bad = optax.constant_schedule(0.1) if name == "learning_rate" else 3
    with pytest.raises(
        memjax.UserError, match=f"Layer: {name} (= 3 is no|is a schedule)"
    ) as caught:
        check_layer("Layer", **good | {name: bad})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("rngs", "message"),
    [(None, "a call needs rngs"), (nnx.Rngs(params=0), "no 'pulses' and no 'default' stream")],
)
def test_a_call_without_a_stream_says_so(rngs, message):
    with pytest.raises(memjax.UserError, match=message):
        linear()(jnp.ones((1, 2)), rngs=rngs)
    with pytest.raises(memjax.UserError, match="x has 5 features; give it in_features = 2"):
        linear()(jnp.ones((1, 5)), rngs=nnx.Rngs(0))


def test_settings_are_no_params_and_may_be_changed_and_swept():
    layer = linear()
    graphdef, params, settings = nnx.split(layer, nnx.Param, Setting)
    assert set(params) == {"kernel", "bias"}
    assert set(settings) == {"learning_rate", "device", "cell"}
    x, key = jnp.ones((1, 2)), jax.random.key(0)

    @jax.jit
    def pulses(settings):
        model = lambda params: nnx.merge(graphdef, params, settings)(x, rngs=key)  # noqa: E731
        return nnx.as_pure(jax.grad(lambda params: jnp.sum(model(params)))(params))["bias"][0]

    base = float(pulses(settings))
    layer.learning_rate[...] = 0.02
    assert 0 < float(pulses(nnx.state(layer, Setting))) < base
    layer.learning_rate[...] = 0.0
    assert float(pulses(nnx.state(layer, Setting))) == 0
    assert pulses._cache_size() == 1, "a new learning rate recompiles"
    layer.learning_rate[...] = 0.1
    lanes = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), nnx.state(layer, Setting))
    lanes["device"] = lanes["device"].replace(
        jax.tree.map(lambda leaf: leaf * jnp.array([1.0, 0.2]), lanes["device"].get_value())
    )
    swept = jax.vmap(pulses)(lanes)  # a fifth of the levels takes a fifth of the pulses
    assert float(swept[0]) == base > float(swept[1]) > 0


def test_it_trains_by_split_grad_vmap_scan_and_merge():
    """On differential pairs, chance 1/3; a second lane of a learning rate of 0 stays as it was."""
    x, y = blobs()
    pair = DifferentialPair(weight_range=1.0)
    graphdef, params, settings = nnx.split(Mlp(nnx.Rngs(0), cell=pair), nnx.Param, ...)
    tx = memjax.coincidence_sgd(DEVICE, key=jax.random.key(1), cell=pair)

    def model(params, settings, key):
        return nnx.merge(graphdef, params, settings)(x, rngs=nnx.Rngs(pulses=key))

    @jax.jit
    @jax.vmap
    def train(learning_rate):
        lane = jax.tree.map(jnp.asarray, settings)
        for name in ("hidden", "out"):
            lane[name]["learning_rate"] = lane[name]["learning_rate"].replace(learning_rate)

        def step(carry, key):
            params, opt_state = carry
            grads = jax.grad(lambda params: loss_of(model(params, lane, key), y))(params)
            updates, opt_state = tx.update(grads, opt_state, params)
            return (optax.apply_updates(params, updates), opt_state), None

        keys = jax.random.split(jax.random.key(2), 40)
        (trained, _), _ = jax.lax.scan(step, (params, tx.init(params)), keys)
        return trained, model(trained, lane, keys[0])

    trained, logits = train(jnp.array([0.5, 0.0]))
    assert accuracy(logits[0], y) > 0.9
    still = jax.tree.map(lambda leaf: leaf[1], trained)
    assert jax.tree.all(jax.tree.map(lambda a, b: np.allclose(a, b, atol=1e-6), still, params))


# --- Linen -----------------------------------------------------------------------------------


class LinenMlp(flax.linen.Module):
    @flax.linen.compact
    def __call__(self, x):
        x = jax.nn.tanh(PulsedDense(16, device=DEVICE, learning_rate=0.5)(x))
        return PulsedDense(3, device=DEVICE, learning_rate=0.5)(x)


def test_the_linen_twin_counts_as_the_nnx_layer_and_trains():
    x, y = blobs()
    model = LinenMlp()
    variables = model.init(jax.random.key(0), x)
    tx = memjax.coincidence_sgd(DEVICE, key=jax.random.key(1))

    @jax.jit
    def step(carry, key):
        params, opt_state = carry
        logits = lambda params: model.apply({"params": params}, x, rngs={"pulses": key})  # noqa: E731
        grads = jax.grad(lambda params: loss_of(logits(params), y))(params)
        updates, opt_state = tx.update(grads, opt_state, params)
        return (optax.apply_updates(params, updates), opt_state), grads

    params = variables["params"]
    keys = jax.random.split(jax.random.key(2), 40)
    (params, _), grads = jax.lax.scan(step, (params, tx.init(params)), keys)
    assert all(np.array_equal(g, np.round(g)) and np.any(g) for g in jax.tree.leaves(grads))
    assert accuracy(model.apply({"params": params}, x, rngs={"pulses": keys[0]}), y) > 0.9


def test_linen_mistakes_are_said_in_one_line():
    layer = PulsedDense(3, device=DEVICE, learning_rate=0.1)
    variables = layer.init(jax.random.key(0), jnp.ones((1, 2)))
    assert set(variables) == {"params"} and not np.any(variables["params"]["bias"])
    with pytest.raises(memjax.UserError, match="a call needs the stream 'pulses'"):
        layer.apply(variables, jnp.ones((1, 2)))
    for wrong, message in (({"features": 0}, "features = 0"), ({"learning_rate": -1.0}, "-1.0")):
        bad = PulsedDense(**{"features": 3, "device": DEVICE, "learning_rate": 0.1} | wrong)
        with pytest.raises(memjax.UserError, match=message):
            bad.init(jax.random.key(0), jnp.ones((1, 2)))
    no_bias = PulsedDense(3, device=DEVICE, learning_rate=0.1, use_bias=False)
    assert set(no_bias.init(jax.random.key(0), jnp.ones((1, 2)))["params"]) == {"kernel"}


def test_flax_is_imported_only_when_asked_for():
    with pytest.raises(AttributeError, match="no attribute 'PulsedConv'"):
        memjax.nn.PulsedConv  # noqa: B018
