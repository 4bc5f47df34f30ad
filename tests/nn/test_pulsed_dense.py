"""The layer's function: exact forwards and towards x, pulse counts towards the weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.cells import CELLS
from memjax.devices import ConstantStep
from memjax.nn import pulsed_dense, read_noise
from memjax.pulses import Coincidence

PULSES = Coincidence(length=16)
STREAM = random.stream(jax.random.key(0))


@jax.jit
def inputs() -> tuple[jax.Array, ...]:
    keys = jax.random.split(jax.random.key(1), 4)
    shapes = ((4, 5), (5, 3), (3,), (4, 3))
    return tuple(jax.random.normal(k, s) for k, s in zip(keys, shapes, strict=True))


def layer(x, w, b, stream=STREAM, rate=2.0, pulses=PULSES):
    return pulsed_dense(x, w, b, stream=stream, rate=rate, pulses=pulses)


@jax.jit
def run(x, w, b, d, stream=STREAM, rate=2.0):
    """The layer's output and its cotangents of x, w and b."""
    y, pullback = jax.vjp(lambda x, w, b: layer(x, w, b, stream, rate), x, w, b)
    return y, *pullback(d)


@pytest.mark.parametrize("bias", [True, False])
def test_forward_and_input_gradient_are_those_of_a_plain_dense_layer(bias):
    x, w, b, d = inputs()
    b = b if bias else None
    ours, dx, _, _ = run(x, w, b, d)
    plain = x @ w if b is None else x @ w + b[None]
    assert np.allclose(ours, plain, atol=1e-6) and np.allclose(dx, d @ w.T, atol=1e-6)
    eps = 1e-2  # and numerically: the layer is linear in x
    up, down = (jax.jit(layer)(x + sign * eps * dx, w, b) for sign in (1, -1))
    assert float(jnp.sum((up - down) * d)) / (2 * eps) == pytest.approx(
        float(jnp.sum(dx * dx)), rel=1e-3
    )


@pytest.mark.parametrize("bias", [True, False])
def test_weight_cotangents_are_the_signed_coincidence_counts(bias):
    x, w, b, d = inputs()
    b = b if bias else None
    _, _, n_w, n_b = run(x, w, b, d)
    rows = (x, jnp.ones((4, 1))) if bias else (x,)
    counts = jax.jit(PULSES.count)(STREAM, rows, d, jnp.float32(2.0))
    assert np.array_equal(n_w, counts[0]) and np.array_equal(n_w, np.round(n_w))
    assert np.all(np.abs(n_w) <= 4 * PULSES.length) and np.any(n_w)
    assert n_b is None if b is None else np.array_equal(n_b, counts[1][0])


def test_counts_have_the_mean_rate_x_d_over_keys():
    """6,000 keys, within 5 standard errors, the bias row included, a batch's counts added.

    The rate keeps every product under the train's length, so nothing clips.
    """
    x, w, b, d = inputs()
    keys = jax.random.split(jax.random.key(2), 6000)

    def count(key):
        _, pullback = jax.vjp(lambda w, b: layer(x, w, b, random.stream(key), 1.5), w, b)
        return pullback(d)

    n_w, n_b = jax.jit(jax.vmap(count))(keys)
    largest = jnp.max(jnp.abs(x), axis=1) * jnp.max(jnp.abs(d), axis=1)
    assert float(jnp.max(1.5 * jnp.maximum(largest, jnp.max(jnp.abs(d), axis=1)))) < PULSES.length
    for n, mean in ((n_w, 1.5 * x.T @ d), (n_b, 1.5 * jnp.sum(d, axis=0))):
        error = jnp.mean(n, axis=0) - mean
        assert float(jnp.max(jnp.abs(error) / (jnp.std(n, axis=0) / 6000**0.5))) < 5.0


def test_leading_dimensions_are_one_batch():
    x, w, b, d = inputs()
    _, _, n, _ = run(x, w, b, d)
    y, _, n4, _ = run(x.reshape(2, 1, 2, 5), w, b, d.reshape(2, 1, 2, 3))
    assert y.shape == (2, 1, 2, 3) and np.array_equal(n4, n)
    y, _, one, _ = run(x[0], w, b, d[0])
    assert y.shape == (3,) and one.shape == (5, 3)


def test_jit_vmap_and_scan_deliver_the_same_counts():
    x, w, b, d = inputs()
    streams = jax.vmap(random.stream)(jax.random.split(jax.random.key(3), 4))
    count = lambda s: run(x, w, b, d, s)[2]  # noqa: E731
    loop = np.stack([count(s) for s in streams])
    assert np.array_equal(jax.vmap(count)(streams), loop)
    assert np.array_equal(jax.lax.scan(lambda c, s: (c, count(s)), 0, streams)[1], loop)
    assert not np.array_equal(loop[0], loop[1])


def test_the_rate_may_be_traced_and_zero_fires_nothing():
    x, w, b, d = inputs()
    none, few, many = (
        float(jnp.sum(jnp.abs(run(x, w, b, d, STREAM, r)[2]))) for r in (0.0, 0.1, 5.0)
    )
    assert 0 == none < few < many


# --- read noise ------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", list(CELLS))
def test_read_noise_has_the_closed_forms_variance(cell):
    """20,000 reads: the variance within 5 %, the mean within 5 standard errors.

    ``Var[y_i] = sum_j x_j^2 (2 R sigma)^2 (g + 1/(K-1))^2`` for one device, an n-th of it for the
    mean of n, and the sum of both conductances' in a pair, at half the range.
    """
    x, w, _, _ = inputs()
    w = jnp.clip(0.2 * w, -0.5, 0.5)
    device = ConstantStep(on_off=4.0, sigma_read=0.1)
    made = CELLS[cell](weight_range=0.5)
    keys = jax.random.split(jax.random.key(4), 20_000)
    noise = jax.jit(jax.vmap(lambda k: read_noise(k, x, w, device=device, cell=made)))(keys)
    offset = 1 / 3
    g, xs = np.asarray(w, np.float64), np.asarray(x, np.float64)
    if cell in ("reference", "vector"):
        n = getattr(made, "devices", 1)
        per_weight = (2 * 0.5 * 0.1 * (0.5 + g + offset)) ** 2 / n
    else:
        high, low = (2 * abs(g), 0.0) if cell == "refresh_pair" else (0.5 + g, 0.5 - g)
        per_weight = (0.5 * 0.1) ** 2 * ((high + offset) ** 2 + (low + offset) ** 2)
    variance = xs**2 @ per_weight
    assert np.allclose(np.var(noise, axis=0), variance, rtol=0.05)
    assert np.all(np.abs(np.mean(noise, axis=0)) < 5 * np.sqrt(variance / 20_000))


def test_a_bias_is_read_as_the_row_that_is_always_one():
    x, w, b, _ = inputs()
    x1, wb = jnp.pad(x, ((0, 0), (0, 1)), constant_values=1.0), jnp.concatenate([w, b[None]])
    array = {"device": ConstantStep(sigma_read=0.1), "cell": CELLS["reference"](weight_range=5.0)}
    row = read_noise(jax.random.key(0), x1, wb, **array)
    assert np.allclose(read_noise(jax.random.key(0), x, w, b, **array), row, rtol=1e-5)


@pytest.mark.parametrize("cell", list(CELLS))
def test_read_noise_is_zero_without_sigma_and_grows_as_on_off_falls(cell):
    x, w, _, _ = inputs()
    made = CELLS[cell](weight_range=0.5)

    @jax.jit
    def power(device):
        return jnp.sum(read_noise(jax.random.key(0), x, 0.1 * w, device=device, cell=made) ** 2)

    def size(**sigma):
        return float(power(ConstantStep(**sigma)))

    assert size() == 0.0 == size(sigma_read=0.0)
    assert size(sigma_read=0.1, on_off=2.0) > 2 * size(sigma_read=0.1, on_off=100.0) > 0


def test_read_noise_lets_no_gradient_through_and_takes_a_key_or_a_stream():
    x, w, _, _ = inputs()
    device, cell = ConstantStep(sigma_read=0.1), CELLS["reference"]()
    key = jax.random.key(5)
    of = lambda k, w: read_noise(k, x, w, device=device, cell=cell)  # noqa: E731
    assert np.array_equal(of(key, w), of(random.stream(key), w))
    assert not np.any(jax.grad(lambda w: jnp.sum(of(key, w)))(w))
    assert not np.array_equal(of(key, w), of(jax.random.key(6), w))
