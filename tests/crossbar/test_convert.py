"""Models on arrays: ideal ones are the model, time and faults act, patterns choose."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax import nnx

from memjax.crossbar import (
    Array,
    Cells,
    Faults,
    Independent,
    PCMDrift,
    PowerLaw,
    Wires,
    convert,
    effective,
)
from memjax.crossbar.times import seconds
from memjax.errors import UserError

KEY = jax.random.key(0)
X = jax.random.normal(jax.random.key(1), (3, 8, 8, 2))
IDEAL = Array(on_off=20.0, tile_rows=5, tile_columns=4)
WIDE = dataclasses.replace(IDEAL, adc_range="fixed", adc_high=1e6)  # clips nothing, is no matrix


class CNN(nnx.Module):
    def __init__(self, rngs):
        self.conv = nnx.Conv(2, 4, (3, 3), strides=2, rngs=rngs)
        self.depthwise = nnx.Conv(4, 4, (3, 3), feature_group_count=4, rngs=rngs)
        self.out = nnx.Linear(64, 3, rngs=rngs)

    def __call__(self, x):
        x = nnx.relu(self.depthwise(nnx.relu(self.conv(x))))
        return self.out(x.reshape(len(x), -1))


class Layers(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(3)(nn.relu(nn.Dense(5)(x)))


class Reader(nnx.Module):
    """A recurrent layer and a transformer's block over letters."""

    def __init__(self, rngs):
        self.embed = nnx.Embed(9, 6, rngs=rngs)
        self.recurrent = nnx.RNN(nnx.OptimizedLSTMCell(6, 6, rngs=rngs))
        self.attention = nnx.MultiHeadAttention(2, 6, decode=False, rngs=rngs)
        self.norm = nnx.LayerNorm(6, rngs=rngs)
        self.up, self.down = nnx.Linear(6, 8, rngs=rngs), nnx.Linear(8, 6, rngs=rngs)

    def __call__(self, letters):
        x = self.recurrent(self.embed(letters))
        x = x + self.attention(self.norm(x), mask=nnx.make_causal_mask(letters))
        return self.embed.attend(x + self.down(nnx.gelu(self.up(x))))


CNN_MODEL = CNN(nnx.Rngs(0))
READER = Reader(nnx.Rngs(0))
LETTERS = jnp.arange(10).reshape(2, 5) % 9
LSTM = nnx.RNN(nnx.OptimizedLSTMCell(2, 3, rngs=nnx.Rngs(0)))
LAYERS = Layers(), Layers().init(KEY, X)
MODELS = {
    "CNN": (CNN_MODEL, CNN_MODEL, X),
    "LSTM": (LSTM, LSTM, X[0]),
    "attention": 2 * (nnx.MultiHeadAttention(2, 2, 4, decode=False, rngs=nnx.Rngs(0)),) + (X[0],),
    "recurrent transformer": (READER, READER, LETTERS),
    "linen": (LAYERS, lambda x: LAYERS[0].apply(LAYERS[1], x), X),
    "function": (
        (lambda params, x: jnp.tanh(x @ params["w"]), {"w": jnp.eye(2, 3)}),
        lambda x: jnp.tanh(x @ jnp.eye(2, 3)),
        X,
    ),
}


@jax.jit
def outputs(analog, x, key=None):
    return analog(x, key=key)


@pytest.mark.parametrize("name", MODELS)
def test_on_ideal_arrays_a_model_is_itself(name):
    model, call, x = MODELS[name]
    for array in (IDEAL, WIDE):
        analog = convert(model, array, key=KEY, inputs=x)
        np.testing.assert_allclose(outputs(analog, x), call(x), atol=3e-6)


def test_a_model_that_is_programmed_at_each_call_is_the_one_that_was_programmed():
    cells = Cells(programming=Independent(sigma=0.1))
    at_each, once = (convert(CNN_MODEL, IDEAL, cells, key=KEY, inputs=x) for x in (None, X))
    np.testing.assert_allclose(outputs(at_each, X), outputs(once, X), atol=1e-6)
    assert np.abs(np.asarray(outputs(once, X)) - CNN_MODEL(X)).max() > 0.01
    other = convert(CNN_MODEL, IDEAL, cells, key=jax.random.key(9), inputs=X)
    assert np.abs(np.asarray(outputs(once, X) - outputs(other, X))).max() > 0.01


def test_patterns_choose_layers_and_the_rest_stays_digital():
    cells = Cells(faults=Faults(stuck_hrs=1.0))  # whatever is on an array is 0

    def answers(*layers):
        return outputs(convert(CNN_MODEL, IDEAL, cells, key=KEY, layers=layers, inputs=X), X)

    np.testing.assert_allclose(answers("out/*"), np.zeros((3, 3)), atol=1e-6)
    analog = convert(CNN_MODEL, IDEAL, cells, key=KEY, layers=["*conv*"], inputs=X)
    assert sorted(analog.crossbars) == ["conv/kernel"]
    with pytest.raises(UserError, match=r"names no product of the model.*conv/kernel, depthwise"):
        convert(CNN_MODEL, key=KEY, layers="dense*", inputs=X)


def test_drift_takes_its_share_and_compensation_gives_it_back():
    drift = PowerLaw(nu=0.05)
    lost = 1.0 / (1.0 + 86_400.0 / 20.0) ** 0.05
    dense = lambda params, x: x @ params["w"]  # noqa: E731
    w, x = jax.random.normal(KEY, (8, 4)), X[0, 0].reshape(-1, 8)[:2]
    plain, compensated = (
        convert(
            (dense, {"w": w}),
            Array(on_off=1e9, tile_rows=4),
            Cells(drift=drift, compensation=on),
            key=KEY,
            inputs=x,
        ).at("1 day")
        for on in (False, True)
    )
    np.testing.assert_allclose(outputs(plain, x), lost * (x @ w), atol=1e-5)
    np.testing.assert_allclose(outputs(compensated, x), x @ w, atol=1e-5)


@pytest.mark.parametrize("mapping", [{}, {"mapping": "offset"}])
def test_wires_make_a_tile_the_matrix_that_they_leave_of_it(mapping):
    """Two tiles of four and three rows, by hand: the last row is next to the converter."""
    w, x = jax.random.normal(KEY, (7, 3)), jax.random.normal(KEY, (2, 7))
    array = Array(on_off=5.0, gmax=1e-3, tile_rows=4, scale="layer", **mapping)
    wires = Wires(r_row=20.0, r_column=50.0)
    dense = (lambda params, x: x @ params["w"], {"w": w})
    analog = convert(dense, array, key=KEY, wires=wires, inputs=x)
    g = np.asarray(analog.crossbars["w"].crossbar.g)[0, 0]
    expected = np.zeros((2, 3))
    limit = np.abs(w).max()
    for tile, rows in enumerate((slice(0, 4), slice(4, 7))):
        sides = [np.asarray(effective(s[tile, 0, : len(x[0, rows])] * 1e-3, wires)) for s in g]
        if mapping:
            current = x[:, rows] @ sides[0] / 1e-3
            expected += (current - x[:, rows].sum(1)[:, None] * 0.6) / 0.4 * limit
        else:
            expected += x[:, rows] @ (sides[0] - sides[1]) / 1e-3 / 0.8 * limit
    np.testing.assert_allclose(outputs(analog, x), expected, atol=5e-6)
    assert np.abs(expected - x @ w).max() > 0.05
    none = convert(dense, array, key=KEY, wires=Wires(r_row=0.0, r_column=0.0), inputs=x)
    np.testing.assert_allclose(outputs(none, x), x @ w, atol=5e-6)


def test_interleaved_wires_join_the_devices_of_pairs():
    w, x = jax.random.normal(KEY, (4, 3)), jax.random.normal(KEY, (2, 4))
    dense = (lambda params, x: x @ params["w"], {"w": w})
    wires = Wires(r_row=20.0, r_column=50.0, topology="interleaved")
    array = Array(on_off=5.0, gmax=1e-3, scale="layer")
    analog = convert(dense, array, key=KEY, wires=wires, inputs=x)
    g = analog.crossbars["w"].crossbar.g[0, 0, :, 0, 0] * 1e-3
    expected = x @ effective(g, wires) / 1e-3 / 0.8 * np.abs(w).max()
    np.testing.assert_allclose(outputs(analog, x), expected, atol=5e-6)
    with pytest.raises(UserError, match="joins the devices of pairs"):
        convert(dense, Array(mapping="offset"), key=KEY, wires=wires, inputs=x)


def test_a_time_has_one_draw_of_the_noise_of_reads():
    cells = Cells(drift=PCMDrift())
    analog = convert(CNN_MODEL, Array(on_off=1e9), cells, key=KEY, inputs=X)
    hour, again, day = (outputs(analog.at(t), X) for t in ("1 hour", 3600.0, "1 day"))
    np.testing.assert_array_equal(hour, again)
    assert np.abs(np.asarray(hour - day)).max() > 1e-3


def test_variants_are_mapped_over_and_gradients_flow_to_them():
    def error(sigma):
        cells = Cells(programming=Independent(sigma=sigma))
        analog = convert(CNN_MODEL, IDEAL, cells, key=KEY)
        return jnp.mean((analog(X) - CNN_MODEL(X)) ** 2)

    errors, slopes = jax.jit(jax.vmap(jax.value_and_grad(error)))(jnp.array([0.0, 0.02, 0.04]))
    assert errors[0] < 1e-10 and 0 < errors[1] < errors[2]
    step = (error(0.0205) - error(0.0195)) / 1e-3
    assert float(slopes[1]) == pytest.approx(float(step), rel=0.05)


def test_noisy_products_ask_for_a_key_and_draw_anew():
    analog = convert(CNN_MODEL, Array(on_off=20.0, out_noise=0.1), key=KEY, inputs=X)
    with pytest.raises(UserError, match="give a key for each call"):
        analog(X)
    one, two = (outputs(analog, X, jax.random.key(k)) for k in (1, 2))
    assert np.abs(np.asarray(one - two)).min() > 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1 day", 86_400.0), ("20 s", 20.0), ("1.5 years", 1.5 * 31_536_000.0), (7.0, 7.0)],
)
def test_times_are_seconds_or_texts(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["a day", "1 fortnight", "", "day"])
def test_texts_that_are_no_times_are_told(text):
    with pytest.raises(UserError, match="must be a number and a unit, such as '1 day'"):
        seconds(text)


def test_what_is_no_model_is_told():
    with pytest.raises(UserError, match=r"int is no model; give an nnx\.Module"):
        convert(3, key=KEY)


def test_ranges_are_calibrated_layer_by_layer():
    array = Array(adc_bits=8, adc_range="calibrated", input_scale="calibrated", dac_bits=8)
    with pytest.raises(UserError, match="found from data"):
        convert(CNN_MODEL, array, key=KEY)(X)
    analog = convert(CNN_MODEL, array, key=KEY, inputs=X)
    layers = analog.multiplicands(X, stream=jnp.zeros(2, jnp.uint32))
    for name, one in analog.crossbars.items():
        x = layers[name][1]
        for group, range_ in enumerate(one.seen.input_range):  # of what went in, quantised before
            assert abs(range_ / jnp.quantile(jnp.abs(x[group]), 0.9995) - 1.0) < 0.1
    wanted = CNN_MODEL(X)
    assert np.abs(np.asarray(outputs(analog, X)) - wanted).max() < 0.1 * np.abs(wanted).max()


def test_arrays_of_layers_are_theirs():
    other = {"out/kernel": dataclasses.replace(IDEAL, weight_limit=1e-3)}
    analog = convert(CNN_MODEL, IDEAL, key=KEY)
    clipped = analog.replace(arrays=other).program(X)
    limits = {name: float(one.crossbar.limit.max()) for name, one in clipped.crossbars.items()}
    assert limits["out/kernel"] < 0.01 < limits["conv/kernel"]
    with pytest.raises(UserError, match="'W' is no product on arrays; there are conv/kernel"):
        analog.replace(arrays={"W": IDEAL}).program(X)
    noisy = {"out/kernel": dataclasses.replace(IDEAL, out_noise=0.1)}
    with pytest.raises(UserError, match="differ in is_random"):
        analog.replace(arrays=noisy).program(X)
    with pytest.raises(UserError, match="at least 0 seconds"):
        analog.at(-15.0)
