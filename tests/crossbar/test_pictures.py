"""Pictures of arrays show the numbers that they are of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib import colors

from memjax.crossbar import (
    PCM,
    Array,
    Independent,
    PowerLaw,
    Wires,
    cell_voltages,
    convert,
    drift_fan,
    drop_map,
    product_scatter,
    programming_spread,
)
from memjax.errors import UserError

KEY = jax.random.key(0)


def test_a_scatter_has_a_panel_a_layer_with_its_products():
    x, w = jax.random.normal(KEY, (5, 4)), jnp.eye(4, 3)
    model = (lambda p, x: (x @ p["a"]) @ p["b"], {"a": w, "b": w.T})
    figure = product_scatter(convert(model, Array(adc_bits=12), key=KEY, inputs=x), x)
    assert [axes.get_title().split("\n")[0] for axes in figure.axes] == ["a", "b"]
    wanted, y = figure.axes[0].lines[1].get_data()
    np.testing.assert_allclose(wanted, np.ravel(x @ w), atol=1e-6)
    np.testing.assert_allclose(y, wanted, atol=8.0 / 2**12)


def test_a_map_of_drops_is_of_cell_voltages():
    G, wires = np.full((6, 4), 1e-3, np.float32), Wires(r_row=2.0, r_column=1.0)
    shown = drop_map(G, wires).axes[0].images[0].get_array()
    of_cells = cell_voltages(G, np.ones(6, np.float32), wires)
    np.testing.assert_allclose(shown, 100.0 * (1.0 - of_cells), atol=1e-3)
    with pytest.raises(UserError, match="two cells in a place"):
        drop_map(G, Wires(topology="interleaved"))


def test_a_fan_is_of_medians():
    figure = drift_fan(
        PowerLaw(nu=0.1), Independent(sigma=0.01), conductances=[1e-5], times=[1.0, 1e4]
    )
    found = figure.axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(found, 10.0 * (1.0 + np.array([1.0, 1e4]) / 20.0) ** -0.1, rtol=0.01)
    with pytest.raises(UserError, match="conductances must be in 0 to gmax"):
        drift_fan(PowerLaw(), conductances=[1.0])


def test_spreads_are_those_of_the_models():
    (line, other) = programming_spread({"PCM": PCM(), "1 %": Independent(sigma=0.01)}).axes[0].lines
    np.testing.assert_allclose(line.get_ydata()[0], 0.26348, atol=1e-4)
    np.testing.assert_allclose(other.get_ydata(), 0.25, atol=1e-6)
    assert colors.same_color(line.get_color(), "#0072B2") and line.get_linestyle() == "-"
