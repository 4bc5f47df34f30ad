"""Energy, time and area: counts of converters and conversions, and what cells take."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar import Array, Circuits, Crossbar, convert, model_cost, product_cost

ONES = Circuits(
    v_row=2.0,
    t_read=10.0,
    adc_energy=1.0,
    adc_area=1.0,
    adc_growth=2.0,
    adc_rate=1.0,
    columns_per_adc=4,
    dac_energy=1.0,
    dac_area=1.0,
    dac_growth=2.0,
    row_capacitance=0.0,
    hold_energy=0.0,
    hold_area=0.0,
    add_energy=1.0,
    add_area=0.0,
    cell_area=0.0,
)
W = jnp.sin(jnp.arange(35.0)).reshape(5, 7)
X = jnp.cos(jnp.arange(14.0)).reshape(2, 7)
TILES = {"tile_rows": 4, "tile_columns": 3, "gmax": 1.0}


@pytest.mark.parametrize(
    ("more", "conversions", "drives"),
    [
        ({}, 10, 14),  # 5 columns of 2 bands; 7 rows of 2 tiles
        ({"subtract": "digital"}, 20, 14),
        ({"mapping": "unit_column"}, 14, 14),  # one more of each of 4 tiles
        ({"slices": 2, "weight_bits": 5}, 20, 28),
        ({"slice_bits": 1}, 10, 42),  # three bits of a magnitude
        ({"slice_bits": 1, "adc_per_cycle": True}, 30, 42),
    ],
)
def test_conversions_and_drives_are_counted(more, conversions, drives):
    array = Array(dac_bits=4, adc_bits=8, **TILES, **more)
    found = product_cost(Crossbar(W, array), X, ONES)
    assert float(found.digital) == 2 * conversions
    assert float(found.adc) == 2 * conversions
    assert float(found.dac) == 2 * drives * (1 if "slice_bits" in more else 2**3)
    finer = product_cost(Crossbar(W, Array(dac_bits=4, adc_bits=9, **TILES, **more)), X, ONES)
    assert float(finer.adc) == 4 * conversions


def test_cells_take_the_power_of_their_voltages():
    crossbar = Crossbar(W, Array(on_off=4.0, **TILES))
    g = np.asarray(crossbar.g)
    wanted = 0.0
    for x in np.asarray(X):
        rows = np.stack([x[:4], np.append(x[4:], 0.0)])
        wanted += 2.0**2 * 10.0 * np.einsum("ir,spijrc->", rows**2, g)
    np.testing.assert_allclose(product_cost(crossbar, X, ONES).cells, wanted, rtol=1e-5)


def test_a_bit_of_an_input_is_a_read_at_full_voltage():
    crossbar = Crossbar(jnp.ones((1, 1)), Array(dac_bits=3, slice_bits=1, dac="unsigned", gmax=1.0))
    found = product_cost(crossbar, jnp.array([[5 / 7]]), ONES)  # 101
    np.testing.assert_allclose(found.cells, 2 * 2.0**2 * 10.0, rtol=1e-6)
    lines = dict.fromkeys(("dac_energy", "adc_energy", "add_energy"), 0.0)
    found = product_cost(
        crossbar, jnp.array([[5 / 7]]), Circuits(v_row=2.0, row_capacitance=1.0, **lines)
    )
    np.testing.assert_allclose(found.dac, 2 * 2.0**2 * 2, rtol=1e-6)  # G+ and G-


def test_a_product_is_converted_while_the_next_is_read():
    """Three columns of a tile at 1 a second; reads of 10 s, three a product."""
    array = Array(dac_bits=4, slice_bits=1, adc_bits=8, **TILES)
    assert float(product_cost(Crossbar(W, array), X, ONES).latency) == 2 * 30 + 3
    array = Array(dac_bits=4, slice_bits=1, adc_bits=8, adc_per_cycle=True, **TILES)
    assert float(product_cost(Crossbar(W, array), X, ONES).latency) == 2 * 3 * 10 + 3


def test_area_is_of_cells_and_circuits():
    none = dict.fromkeys(("adc_area", "dac_area", "hold_area", "add_area", "cell_area"), 0.0)
    array = Array(dac_bits=1, dac="unsigned", adc_bits=8, **TILES)
    crossbar = Crossbar(W, array)
    for name, count in {
        "cell_area": 70,
        "adc_area": 4,
        "add_area": 4,
        "dac_area": 14,
        "hold_area": 10,
    }.items():
        circuits = Circuits(columns_per_adc=4, **(none | {name: 1.0}))
        assert float(product_cost(crossbar, X, circuits).area) == count, name


def scanned(params, x):
    return jax.lax.scan(lambda h, k: (jnp.tanh(h @ k), None), x, params["k"])[0]


def chosen(params, x):
    return jax.lax.cond(
        x.sum() > 1e9, lambda: (x @ params["a"]).sum(), lambda: (x @ params["b"]).sum()
    )


def convolved(params, x):
    return jax.lax.conv_general_dilated(x, params["k"], (1, 1), "VALID", feature_group_count=2)


KERNEL = jax.random.normal(jax.random.key(0), (4, 1, 3, 3))


@pytest.mark.parametrize(
    ("model", "x", "conversions", "latency"),
    [
        ((scanned, {"k": jnp.ones((3, 7, 7))}), X, {"k": 21}, {"k": 30 + 7}),
        ((chosen, {"a": jnp.ones((7, 5)), "b": jnp.ones((7, 2))}), X, {"b": 2}, None),
        ((convolved, {"k": KERNEL}), jnp.ones((2, 2, 5, 5)), {"k": 36}, {"k": 9 * 10 + 2}),
    ],
    ids=["scan", "cond", "two groups of a convolution"],
)
def test_a_models_program_says_how_many_products_there_are(model, x, conversions, latency):
    array = Array(adc_bits=8, dac_bits=4)
    analog = convert(model, array, key=jax.random.key(0), inputs=x)
    circuits = Circuits(adc_energy=1.0, t_read=10.0, adc_rate=1.0, columns_per_adc=128)
    found = model_cost(analog, x, circuits=circuits)
    assert {name: float(cost.adc) for name, cost in found.items()} == conversions
    if latency is not None:
        assert {name: float(cost.latency) for name, cost in found.items()} == latency


def test_cells_take_their_currents_times_their_voltages():
    """Whatever their law, coding and access transistor: one at half and at full voltage."""
    x = jnp.array([[0.5], [-1.0]])
    told = {"t_read": 1.0, "v_row": 0.2, "row_capacitance": 0.0}
    circuits = Circuits(**told)

    def joules(**options):
        crossbar = Crossbar(jnp.ones((1, 1)), Array(gmax=1e-4, **options))
        return float(product_cost(crossbar, x, circuits).cells)

    V, G = 0.2, 1e-4
    assert joules() == pytest.approx(G * V**2 * (0.25 + 1.0), rel=1e-5)
    timed = joules(iv="cubic", cubic_loss=1.0, coding="pulse_width")
    assert timed == pytest.approx(G * V * (V - V**3) * (0.5 + 1.0), rel=1e-5)
    assert joules(r_access=1e4) == pytest.approx(G / 2 * V**2 * 1.25, rel=1e-5)
    curved = G * sum(v * (v - v**3) for v in (0.5 * V, V))
    assert joules(iv="cubic", cubic_loss=1.0) == pytest.approx(curved, rel=1e-5)
