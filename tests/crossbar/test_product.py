"""Products by loops in float64, and what they must be whatever the tiles and the noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.crossbar import Array, Crossbar
from memjax.crossbar.tiling import is_cell
from reference.case_s import W, X
from reference.crossbar_twin import Twin

FIXED = {"adc_range": "fixed", "adc_high": 3.0}
UNSIGNED = {"dac": "unsigned", "dac_bits": 6}
T43 = {"tile_rows": 4, "tile_columns": 3}
T32 = {"tile_rows": 3, "tile_columns": 2}
SLICES = {"slices": 3, "weight_bits": 7}
BY_CYCLE = {"slice_bits": 2, "adc_per_cycle": True}

OPTIONS = (
    {**T43, "mapping": "two_sided", "levels": 8, "on_off": 4.0},
    {**T43, "mapping": "two_sided", "subtract": "digital", "adc": "plain", "adc_bits": 6, **FIXED},
    {**T32, "mapping": "offset", "levels": 5, "on_off": 20.0, "scale": "tile", "dac_bits": 5},
    {**T32, "mapping": "unit_column", "adc_bits": 7, "adc": "plain", "cut": "equal", **FIXED},
    {**T32, **SLICES, "cut": "full", "on_off": 10.0, "adc_bits": 7},
    {**T43, **SLICES, "mapping": "offset", "on_off": 10.0, "adc_bits": 8, "adc": "plain", **FIXED},
    {**T43, **SLICES, "mapping": "unit_column", "dac_bits": 6, "adc_bits": 7, **BY_CYCLE, **FIXED},
    {**T43, **UNSIGNED, "mapping": "offset", "adc": "plain", "adc_bits": 9, "slice_bits": 4},
    {**T43, **UNSIGNED, "subtract": "digital", "adc": "plain", "adc_bits": 7, **BY_CYCLE},
    {**T32, "input_scale": "abs_max", "dac_bits": 6, "adc_bits": 6, "scale": "layer"},
    {**T32, "dac": "plain", "dac_bits": 4, "x_max": 2.0, "percentile": 1.3, "scale": "tile"},
    {**T43, "significance": (1.0, 4.0, 2.0), "levels": 33, "on_off": 8.0, "adc_bits": 9},
    {**T43, "dac_bits": 8, "slice_bits": 3, "adc_bits": 8, "on_off": 10.0, "cut": "equal"},
    {**T32, "r_series": 0.05, "s_shape": 0.2, "adc_bits": 7, **FIXED},
)


def test_products_are_those_of_a_loop():
    """All of them in one program, every number traced."""
    arrays = [Array(**options) for options in OPTIONS]
    found = jax.jit(lambda arrays, W, x: [Crossbar(W, a)(x) for a in arrays])(arrays, W, X)
    inputs = np.abs(X)
    positive = jax.jit(lambda arrays, W, x: [Crossbar(W, a)(x) for a in arrays])(
        [a for a in arrays if a.dac == "unsigned"], W, inputs
    )
    for options, y in zip(OPTIONS, found, strict=True):
        if options.get("dac") == "unsigned":
            y, wanted = positive.pop(0), Twin(W, **options) @ inputs
        else:
            wanted = Twin(W, **options) @ X
        np.testing.assert_allclose(y, wanted, atol=4e-6, err_msg=str(options))


IDEAL = (
    {},
    {"mapping": "two_sided", "on_off": 5.0, "cut": "equal"},
    {"mapping": "offset", "on_off": 5.0, "cut": "full"},
    {"mapping": "unit_column", "scale": "tile"},
    {"significance": (1.0, 3.0), "on_off": 5.0, "scale": "layer"},
    {"input_scale": "abs_max", "subtract": "digital"},
)


@pytest.mark.parametrize("limits", [(1, 1), (3, 2), (None, 4), (64, 64)])
def test_tiles_of_any_size_give_the_ideal_product(limits):
    rows, columns = limits
    arrays = [Array(tile_rows=rows, tile_columns=columns, **options) for options in IDEAL]
    batch = np.stack([X, -X[::-1], 0 * X]).reshape(3, 1, 7)
    found = jax.jit(lambda W, x: [Crossbar(W, array)(x) for array in arrays])(W, batch)
    for array, y in zip(arrays, found, strict=True):
        np.testing.assert_allclose(y, batch @ W.T, atol=3e-6, err_msg=str(array))


def test_padded_cells_carry_nothing():
    """Whatever is put there: products, overflows and pooled ranges are those of the cells."""
    arrays = [
        Array(adc_bits=4, adc_range="batch_max_pow2", w_noise=0.1, cut="equal", **T32),
        Array(bound_management="iterative", adc_range="fixed", adc_high=0.5, cut="equal", **T32),
        Array(mapping="unit_column", dac="plain", dac_bits=3, input_noise=0.1, cut="equal", **T32),
    ]
    for array in arrays:
        crossbar = Crossbar(W, array)
        assert not np.any(np.asarray(crossbar.g)[..., ~crossbar.is_cell])
        spoilt = crossbar.replace(g=jnp.where(crossbar.is_cell, crossbar.g, 1e3))
        product = jax.jit(lambda c: c(jnp.stack([X, 2 * X]), jax.random.key(0)))
        np.testing.assert_array_equal(product(crossbar), product(spoilt))


def test_the_weights_that_conductances_make_are_the_matrix():
    arrays = [Array(cut="equal", **options, **T32) for options in ({}, *IDEAL[3:])]
    arrays.append(Array(slices=4, weight_bits=20, mapping="offset"))
    for array, made in zip(
        arrays, jax.jit(lambda W: [Crossbar(W, a).weights() for a in arrays])(W), strict=True
    ):
        np.testing.assert_allclose(made, W, atol=4e-6, err_msg=str(array))


def test_bits_and_levels_sweep_in_one_program():
    traced = []

    @jax.jit
    @jax.vmap
    def products(array):
        traced.append(array)
        return Crossbar(W, array) @ X

    bits = np.array([3, 5, 8])
    arrays = Array(dac_bits=bits, adc_bits=bits + 1, levels=2**bits, on_off=10.0)
    found = products(arrays)
    assert len(traced) == 1
    for b, y in zip(bits.tolist(), found, strict=True):
        wanted = Twin(W, dac_bits=b, adc_bits=b + 1, levels=2**b, on_off=10.0) @ X
        np.testing.assert_allclose(y, wanted, atol=2e-6)


def test_more_input_slices_than_there_is_room_for_are_no_number():
    """Traced bits cannot raise: a lane of them is not finite."""
    product = jax.jit(lambda array: Crossbar(W, array) @ X)
    assert np.all(np.isfinite(product(Array(dac_bits=9, slice_bits=1, adc_per_cycle=True))))
    assert not np.any(np.isfinite(product(Array(dac_bits=10, slice_bits=1, adc_per_cycle=True))))
    assert np.all(
        np.isfinite(product(Array(dac_bits=10, slice_bits=1, adc_per_cycle=True, cycles=9)))
    )


def test_no_noise_at_zero_input():
    array = Array(w_noise=0.1, r_series=0.1, on_off=3.0, tile_rows=3)
    crossbar = Crossbar(W, array)
    assert not np.any(crossbar(jnp.zeros((4, 7)), jax.random.key(0)))
    managed = Crossbar(W, Array(out_noise=0.1, input_scale="abs_max"))  # the tile is not read
    assert not np.any(managed(jnp.zeros(7), jax.random.key(0)))


def test_spread_is_for_life_and_noise_is_not():
    array = Array(gain_sigma=0.1, offset_sigma=0.1, v_offset_sigma=0.1, out_noise=0.1)
    crossbar = Crossbar(W, array, key=jax.random.key(1))
    first, again = crossbar(X, jax.random.key(2)), crossbar(X, jax.random.key(2))
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == crossbar(X, jax.random.key(3)))
    other = Crossbar(W, array, key=jax.random.key(4))
    assert not np.any(first == other(X, jax.random.key(2)))


def test_rounding_that_is_stochastic_is_right_in_the_mean():
    """Of 4,000 products, four standard errors; steps of 2 / 6 uniform: an sd of at most half."""
    inputs = jnp.broadcast_to(X, (4_000, 7))
    array = Array(adc_bits=5, adc_rounding="stochastic", dac_bits=3, dac_rounding="stochastic")
    y = Crossbar(W, array)(inputs, jax.random.key(0))
    error = np.abs(np.asarray(y).mean(axis=0) - W @ X)
    assert np.all(error < 4 * np.asarray(y).std(axis=0) / np.sqrt(4_000))
    assert np.all(np.asarray(y).std(axis=0) > 0.1)


def test_gradients_are_those_of_the_ideal_product_inside_every_range():
    """Straight through levels, slices, digits and converters of any kind."""
    arrays = [
        Array(levels=8, dac_bits=4, adc_bits=6, on_off=10.0, weight_limit=2.0),
        Array(slices=4, weight_bits=8, dac_bits=4, slice_bits=1, adc_bits=6, weight_limit=2.0),
        Array(slices=2, weight_bits=8, mapping="offset", weight_limit=2.0),
        Array(mapping="offset", input_scale="abs_max", dac_bits=4, weight_limit=2.0),
        Array(significance=(1.0, 4.0), adc_bits=8, adc_range="batch_max_pow2", weight_limit=2.0),
    ]
    c = jnp.arange(1.0, 6.0)

    @jax.jit
    def gradients(W, x):
        return [
            jax.grad(lambda W, x, a=a: c @ (Crossbar(W, a) @ x), argnums=(0, 1))(W, x)
            for a in arrays
        ]

    for array, (by_W, by_x) in zip(arrays, gradients(W, X), strict=True):
        held = Crossbar(W, array).weights()
        # What multiplies dW are the inputs as converted, by half a step of 4 bits, and dx the
        # weights as held.
        error = 5.0 / 14 if array.dac_bits else 1e-4
        np.testing.assert_allclose(by_W, np.outer(c, X), atol=error, err_msg=str(array))
        np.testing.assert_allclose(by_x, c @ held, atol=1e-4, err_msg=str(array))


def test_gradients_end_at_the_range_and_go_to_its_ends():
    def product(x, high):
        array = Array(weight_limit=1.0, adc_bits=4, adc_range="fixed", adc_high=high)
        return (Crossbar(jnp.ones((1, 1)), array) @ x)[0]

    inside, at_high = jax.grad(product, (0, 1))(jnp.array([0.3]), 0.5)
    assert inside == 1.0 and abs(at_high) < 0.5  # of an ADC's code, less than a step
    beyond, at_high = jax.grad(product, (0, 1))(jnp.array([0.7]), 0.5)
    assert beyond == 0.0 and float(at_high) == pytest.approx(1.0)


def test_gradients_reach_every_number():
    """Also those of converters, by straight-through, and of noise, by its draws."""
    array = Array(
        on_off=10.0, percentile=1.2, x_max=1.5, dac_bits=5, adc_bits=6, adc_range="fixed",
        adc_high=1.0, w_noise=0.1, out_noise=0.1, input_noise=0.1, r_series=0.1, s_shape=0.1,
        slope_calibration=0.5, v_offset_sigma=0.1, gain_sigma=0.1, offset_sigma=0.1, ir_drop=1.0,
        ir_drop_ratio=50.0, r_access=1e3, bound_management="iterative",
    )  # fmt: skip
    leaves = jax.tree.map(jnp.float32, array)

    @jax.jit
    def slopes(array):
        def loss(array):
            crossbar = Crossbar(W, array, key=jax.random.key(0))
            return jnp.sum(crossbar(jnp.stack([X, 3 * X]), jax.random.key(1)) ** 2)

        return jax.grad(loss)(array)

    found = slopes(leaves)
    without = {"input_quantile", "adc_quantile", "adc_overflow"}
    without |= {"bound_factor", "bound_resolution", "v_read", "sinh_shape", "cubic_loss"}
    for name in Array.__dataclass_fields__:
        slope = getattr(found, name)
        if isinstance(slope, jax.Array):
            assert np.isfinite(slope) and bool(slope != 0.0) == (name not in without), name


def test_each_side_of_a_pair_has_a_noise_of_its_own():
    """Two ADCs, so sqrt(2) of the noise of one; 20,000 draws, 2 % are four standard errors."""
    inputs = jnp.broadcast_to(X, (20_000, 7))
    for options, sd in (
        ({"out_noise": 0.1}, 0.1 * np.sqrt(2)),
        ({"w_noise": 0.1, "w_noise_kind": "additive"}, 0.1 * np.linalg.norm(X)),
        ({"w_noise": 0.1}, 0.1 * np.sqrt(np.abs(W) @ X**2 / 2)),
    ):
        array = Array(subtract="digital", weight_limit=2.0, **options)
        y = np.asarray(Crossbar(W, array)(inputs, jax.random.key(0))) / 2.0
        np.testing.assert_allclose(y.std(axis=0), np.broadcast_to(sd, 5), rtol=0.02)


def test_streams_are_as_good_as_keys():
    crossbar = Crossbar(W, Array(out_noise=0.1))
    key = jax.random.key(5)
    np.testing.assert_array_equal(crossbar(X, key), crossbar(X, random.stream(key)))


def test_masks_are_of_the_tiles():
    crossbar = Crossbar(W, Array(cut="equal", **T32))
    np.testing.assert_array_equal(crossbar.is_cell, is_cell(crossbar.tiles))
    assert crossbar.is_cell.sum() == W.size and crossbar.shape == W.shape
