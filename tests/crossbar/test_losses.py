"""What layers of an analog model lose, told by numbers and in words."""

import re

import jax
import numpy as np
import pytest
from flax import linen as nn

from memjax.crossbar import Array, Cells, Faults, Independent, Wires, convert, describe
from memjax.errors import UserError

KEY = jax.random.key(0)


class Layers(nn.Module):
    @nn.compact
    def __call__(self, x):
        hidden = nn.relu(nn.Dense(20, use_bias=False)(x))
        return nn.Dense(8)(hidden)


@pytest.fixture(scope="module")
def model():
    x = jax.random.normal(KEY, (60, 40))
    return (Layers(), Layers().init(KEY, x)), x


def described(model, array=None, cells=None, key=None, **options):
    network, x = model
    return describe(convert(network, array, cells, key=KEY, inputs=x, **options), x, key=key)


def test_numbers_are_those_of_each_layer(model):
    (_, variables), x = model
    array = Array(tile_rows=32, tile_columns=16, input_bound=1.5, mapping="two_sided")
    found = described(model, array, Cells(programming=Independent(sigma=0.1))).table
    first, second = (f"params/Dense_{layer}/kernel" for layer in (0, 1))
    assert found.loc[first, ["outputs", "inputs", "matrices", "tiles"]].tolist() == [20, 40, 1, 4]
    assert found.cells_used[first] == pytest.approx(20 * 40 / (4 * 32 * 16))
    assert found.inputs_clipped[first] == pytest.approx((np.abs(x) > 1.5).mean(), abs=1e-6)
    # sd of a weight is sqrt(2) sigma of its column's largest: products have that of all rows
    W = np.asarray(variables["params"]["Dense_1"]["kernel"])
    sd = np.sqrt(2.0) * 0.1 * np.abs(W).max(axis=0)
    error = np.sqrt(W.shape[0] * (sd**2).sum()) / np.linalg.norm(W)
    assert found.cells_error[second] == pytest.approx(
        error, rel=0.25
    )  # 160 devices, of which few are clipped
    assert found.snr_cells[second] == pytest.approx(-20 * np.log10(error), abs=3.0)
    assert "drop_mean" not in found and "range_used" not in found


@pytest.mark.parametrize(
    ("array", "cells", "options", "words"),
    [
        ({"adc_bits": 3}, None, {}, "lost in converters"),
        ({}, Cells(faults=Faults(stuck_lrs=0.2)), {}, "lost in cells"),
        (
            {"adc_bits": 8, "adc_range": "fixed", "adc_high": 90.0},
            None,
            {},
            "wastes .* bits: take adc_range = 'calibrated'",
        ),
        ({"levels": 6}, None, {}, r"lost in cells .*, not in converters \(more than 100"),
        ({"dac": "unsigned", "dac_bits": 8}, None, {}, "negative ones are 0 .* 'sign_magnitude'"),
        ({"adc_range": "fixed", "adc_high": 0.1}, None, {}, "beyond the ADCs' range"),
        ({"dac_bits": 6, "x_max": 0.5}, None, {}, "beyond the DACs' range"),
        (
            {"gmax": 1e-3},
            None,
            {"wires": Wires(r_row=20.0, r_column=20.0)},
            "wires take .* smaller tiles",
        ),
        ({"adc_bits": 8, "adc_high": 3.0}, None, {}, "adc_high = 3.0 has no effect"),
    ],
)
def test_words_name_the_cause(model, array, cells, options, words):
    with pytest.warns() if "no effect" in words else np.errstate():
        notes = described(model, Array(**array), cells, **options).notes
    assert any(re.search(words, note) for note in notes), notes


def test_a_description_is_a_table_and_its_words(model):
    found = described(model, Array(w_noise=0.1), key=KEY)
    assert "snr_converters" in str(found) and found.notes[0] in str(found)
    assert "<li>" in found._repr_html_()
    with pytest.raises(UserError, match="noisy; give key"):
        described(model, Array(w_noise=0.1))


def test_drops_are_those_of_the_wires(model):
    found = described(model, Array(gmax=1e-4), wires=Wires(r_row=0.0, r_column=0.0)).table
    np.testing.assert_allclose(found[["drop_mean", "drop_worst"]], 0.0, atol=1e-5)
    some = described(model, Array(gmax=1e-4), wires=Wires(r_row=5.0, r_column=5.0)).table
    assert (some.drop_worst > some.drop_mean).all() and (some.drop_mean > 0.01).all()
    crossed = Wires(r_row=5.0, r_column=5.0, topology="interleaved")
    both = described(model, Array(gmax=1e-4), wires=crossed).table
    assert (both.drop_worst > both.drop_mean).all() and (both.drop_mean > 0.01).all()


def test_laws_and_transistors_of_cells_are_not_laid_to_converters_or_wires(model):
    curved = described(model, Array(iv="sinh", sinh_shape=10.0, input_scale="abs_max")).table
    assert (curved.snr_converters > 60).all() and (curved.snr_cells < 30).all()
    np.testing.assert_allclose(curved.snr_cells, curved.snr, atol=1e-3)
    array = Array(r_access=1e4, gmax=1e-4)
    behind = described(model, array, wires=Wires(r_row=0.0, r_column=0.0)).table
    np.testing.assert_allclose(behind.drop_worst, 0.0, atol=1e-5)


def test_a_layer_without_signal_is_told(model):
    network, x = model
    analog = convert(network, Array(adc_bits=8), key=KEY, inputs=x)
    notes = describe(analog, 0.0 * x).notes
    assert any("no signal" in note for note in notes) and not any("nan" in n for n in notes), notes
