"""Conductances of weights, their limits, and what cannot be mapped."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar import Array, Crossbar
from memjax.crossbar.mapping import Mapping, decoding, encode
from reference.case_s import W

KINDS = ("differential", "two_sided", "offset", "unit_column")


@pytest.mark.parametrize("slices", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_decoding_undoes_encoding(kind, slices):
    """To half a step of 16 bits where weights are sliced."""
    bits = None if slices == 1 else 16
    mapping = Mapping(mapping=kind, on_off=7.0, slices=slices, weight_bits=bits)
    w = np.linspace(-1.0, 1.0, 41, dtype=np.float32)
    g, (factor, zero) = jax.jit(lambda m, w: (encode(m, w), decoding(m)))(mapping, w)
    g, factor, zero = (np.asarray(of) for of in (g, factor, zero))
    assert float(g.min()) >= 1 / 7 - 1e-6 and float(g.max()) <= 1 + 1e-6
    held = g[:, 0] - g[:, 1] if mapping.is_pair else g[:, 0] - zero[:, None]
    error = 3e-6 if slices == 1 else 2.0**-16 + 3e-6
    np.testing.assert_allclose(factor @ held, w, atol=error)


def test_pairs_of_significance_fill_the_least_first():
    """aihwkit's: the next pair only holds the remainder."""
    g = encode(Mapping(significance=(1.0, 3.0)), jnp.array([0.125, 0.25, 0.5, -1.0]))
    np.testing.assert_allclose(g[:, 0], [[0.5, 1, 1, 0], [0, 0, 1 / 3, 0]], atol=1e-6)
    np.testing.assert_allclose(g[:, 1], [[0, 0, 0, 1], [0, 0, 0, 1]], atol=1e-6)


def test_a_two_sided_pair_has_a_fixed_sum():
    g = encode(Mapping(mapping="two_sided", on_off=4.0), jnp.linspace(-1.0, 1.0, 9))
    np.testing.assert_allclose(g.sum(axis=(0, 1)), 1.25, atol=1e-6)


def test_zero_is_a_level_of_an_offset():
    for levels in (3, 4, 16, 33):
        mapping = Mapping(mapping="offset", levels=levels, on_off=10.0)
        (g,), zero = encode(mapping, jnp.zeros(1)).ravel(), decoding(mapping).zero
        if levels % 2 == 0:
            np.testing.assert_allclose(g, zero[0], atol=1e-6)


@pytest.mark.parametrize("scale", ["layer", "tile", "column"])
def test_a_limit_is_shared_by_what_the_scale_says(scale):
    limit = Crossbar(W, Array(scale=scale, tile_rows=4)).limit
    first, last = W[:, :4], W[:, 4:]
    wanted = {
        "layer": np.full((2, 1), np.abs(W).max()),
        "tile": np.stack([[np.abs(first).max()], [np.abs(last).max()]]),
        "column": np.stack([np.abs(first).max(axis=1), np.abs(last).max(axis=1)]),
    }[scale]
    np.testing.assert_allclose(limit.reshape(limit.shape[0], -1), np.broadcast_to(
        wanted[: limit.shape[0]], (limit.shape[0], wanted.shape[1])))  # fmt: skip


@pytest.mark.parametrize("p", [0.9, 0.75, 1.5])
def test_a_percentile_below_1_clips(p):
    """The larger of both tails, traced or not, padding aside."""
    wanted = max(abs(np.quantile(W, p)), abs(np.quantile(W, 1 - p))) if p < 1 else p * abs(W).max()
    array = Array(percentile=p, scale="layer", tile_rows=3, tile_columns=2)
    for made in (Crossbar(W, array), jax.jit(lambda array: Crossbar(W, array))(array)):
        np.testing.assert_allclose(made.limit.ravel(), [wanted], rtol=1e-6)
        np.testing.assert_allclose(made.weights(), np.clip(W, -wanted, wanted), atol=2e-6)
    columns = Crossbar(W, Array(percentile=p, tile_rows=3, tile_columns=2))
    assert np.all(np.isfinite(columns.limit)) and np.all(np.asarray(columns.limit) > 0)


def test_zeros_have_a_limit():
    made = Crossbar(np.zeros((2, 3)), Array(on_off=5.0))
    np.testing.assert_array_equal(made.weights(), np.zeros((2, 3)))
    np.testing.assert_allclose(made.g, 0.2)
