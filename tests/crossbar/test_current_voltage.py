"""Non-linear cells: published currents, products by a loop over cells, and what coding makes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar import Array, Crossbar, Wires, currents
from memjax.crossbar.programmed import wired
from memjax.errors import UserError
from reference.case_s import W, X

MILO = {"iv": "milo", "gmax": 225e-6, "on_off": 4.5}


def milo(g, v):
    """As published, in float64."""
    log = np.log10(g)
    second = 0.0001388 * log**3 + 0.001541 * log**2 + 0.005711 * log + 0.007063
    third = 8.8710e-05 * log**2 + 6.7919e-04 * log + 1.2968e-03
    return g * v + second * v**2 + third * v**3


LAWS = {
    "sinh": (
        {"iv": "sinh", "sinh_shape": 7.0, "gmax": 1e-4, "on_off": 10.0},
        lambda g, v: g * 0.2 * np.sinh(7 * v) / np.sinh(1.4),
    ),
    "cubic": (
        {"iv": "cubic", "cubic_loss": 5.0, "gmax": 1e-4, "on_off": 10.0},
        lambda g, v: g * (v - 5 * v**3),
    ),
    "milo": (MILO, milo),
}


def test_currents_are_those_published():
    for a, half in ((1.0, 0.497510), (3.0, 0.478314), (7.0, 0.398353)):
        low, high = Array(iv="sinh", sinh_shape=a).amperes(jnp.ones(2), jnp.array([0.1, 0.2]))
        assert float(low / high) == pytest.approx(half, abs=1e-6)
    g = jnp.array([62.5e-6, 110e-6, 225e-6])
    for v, wanted in (
        (0.1, (0.963349, 0.993913, 0.999273)),
        (0.3, (0.898993, 0.980807, 0.997730)),
    ):
        found = Array(**MILO).amperes(g, jnp.full(3, v)) / (g * v)
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_cubic_product_is_that_of_crosssim():
    array = Array(iv="cubic", v_read=1.0, on_off=10.0, scale="layer")
    wanted = (0.478429679, -0.403605772, -0.207659107, 0.664224731, -0.353086492)
    np.testing.assert_allclose(Crossbar(W, array) @ X, wanted, atol=2e-6)


def test_products_are_the_currents_of_cells_one_by_one():
    """Whatever the tiles and whichever way pairs are subtracted; ADCs see the currents too."""
    arrays = {
        name: Array(tile_rows=3, subtract=subtract, **options)
        for (name, (options, _)), subtract in zip(
            LAWS.items(), ("analog", "digital", "analog"), strict=True
        )
    }
    held = jax.jit(
        lambda arrays, x: {n: (c := Crossbar(W, a), c(x)) for n, a in arrays.items()},
    )(arrays, X)
    for name, (crossbar, y) in held.items():
        law, array = LAWS[name][1], arrays[name]
        cells = np.asarray(crossbar.siemens, np.float64)[0]  # sides, tiles, 1, rows, columns
        wanted = np.zeros(5)
        for tile, rows in enumerate((slice(0, 3), slice(3, 5), slice(5, 7))):
            volts = 0.2 * X[rows, None]
            up, down = (
                sum(law(side[tile, 0, i], volts[i]) for i in range(len(volts))) for side in cells
            )
            scale = np.asarray(crossbar.limit)[tile, 0, 0]
            wanted += scale * (up - down) / (0.2 * array.gmax * (1 - 1 / array.on_off))
        np.testing.assert_allclose(y, wanted, atol=3e-6, err_msg=name)
        assert np.abs(y - W @ X).max() > 0.01, name


def test_reads_at_one_voltage_see_a_factor_only():
    """Pulse widths and slices of one bit; a slice of two bits is another voltage."""
    cubic = {"iv": "cubic", "dac_bits": 6, "on_off": 10.0}
    codings = {
        "linear": {"dac_bits": 6, "on_off": 10.0},
        "width": {**cubic, "coding": "pulse_width"},
        "bits": {**cubic, "slice_bits": 1},
        "two bits": {**cubic, "slice_bits": 2},
        "milo": {**MILO, "coding": "pulse_width"},
    }
    arrays = {name: Array(**options) for name, options in codings.items()}
    found = jax.jit(
        lambda arrays, x: {n: Crossbar(W, a)(x) for n, a in arrays.items()},
    )(arrays, np.stack([X, np.abs(X), -np.abs(X)]))
    factor = 1 - 0.25 * 0.2**2
    np.testing.assert_allclose(found["width"], factor * found["linear"], atol=2e-6)
    np.testing.assert_allclose(found["bits"], factor * found["linear"], atol=2e-6)
    assert np.abs(found["two bits"] - factor * found["linear"]).max() > 1e-4
    positive, negative = found["milo"][1:]
    assert np.abs(positive + negative).max() > 0.01, "which its two polarities are not"


def test_the_shape_is_a_number_to_sweep_and_to_differentiate():
    def product(shape):
        return Crossbar(W, Array(iv="sinh", sinh_shape=shape)) @ X

    shapes = jnp.array([0.0, 3.0, 3.1, 3.2])
    swept, slope = jax.jit(jax.vmap(lambda a: (product(a), jax.jacfwd(product)(a))))(shapes)
    np.testing.assert_allclose(swept[0], W @ X, atol=3e-6)
    np.testing.assert_allclose(slope[2], (swept[3] - swept[1]) / 0.2, atol=1e-4)
    assert np.abs(slope[2]).max() > 1e-3
    by_x = jax.jit(jax.grad(lambda x: jnp.sum(Crossbar(W, width) @ x)))
    width = Array(**MILO, coding="pulse_width")
    assert np.all(by_x(jnp.zeros(7)) != 0.0), "an input of 0 has a derivative"


def test_behind_wires_cells_that_are_not_linear_are_solved_input_by_input():
    """As the refusal says; without resistance that is the product."""
    array, none = Array(**LAWS["sinh"][0], scale="layer"), Wires(r_row=0.0, r_column=0.0)
    with pytest.raises(UserError, match=r"iv = 'sinh' are no matrix.*currents\(G, volts") as error:
        wired(Crossbar(W, array), none)
    assert "\n" not in str(error.value)

    @jax.jit
    def products(x):
        crossbar = Crossbar(W, array)
        sides = crossbar.siemens[0, :, 0, 0]
        seen = [currents(side, 0.2 * x, none, law=array.amperes) for side in sides]
        return crossbar @ x, (seen[0] - seen[1]) / (0.2 * 1e-4 * 0.9) * np.abs(W).max()

    found, wanted = products(jnp.asarray(X, jnp.float32))
    np.testing.assert_allclose(found, wanted, atol=5e-6)
