"""Wires of a tile: published circuits, an electrician's twin, and the laws of linear networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import crossbar
from memjax.crossbar import Wires, cell_voltages, power
from memjax.errors import UserError
from reference import nodal_twin

TOPOLOGIES = ("standard", "separate_source", "interleaved", "interleaved_separate_source")

W = np.array([[np.sin(1 + 2 * o + 3 * i) * (1 + 0.1 * o) for i in range(7)] for o in range(5)])
X = np.cos(0.5 + 1.3 * np.arange(7))
LIMIT = np.abs(W).max()
PAIR = 1e-4 + 9e-4 * np.maximum(np.stack([W.T, -W.T]) / LIMIT, 0.0)  # on/off 10 from 1 kohm

ENDS = {"r_source": 20, "r_terminal": 50}

OPEN = np.inf
PART_OPEN = [
    [OPEN, 20, OPEN, 40],
    [OPEN, OPEN, OPEN, 80],
    [OPEN, 100, OPEN, 120],
    [OPEN, 140, 150, OPEN],
    [170, OPEN, 190, OPEN],
]
RAGGED = [[345, 903, 755, 257, 646], [652, 401, 508, 166, 454], [442, 874, 190, 244, 635]]
RISING = np.arange(10.0, 210.0, 10.0).reshape(5, 4)
RAMP, THREE = np.arange(5.0), np.array([1.5, 2.3, 1.7])


def numbers(text):
    return np.array(text.split(), float)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


effective, currents = jax.jit(crossbar.effective), jax.jit(crossbar.currents, static_argnames="law")


def wires(topology="standard", **ohms):
    ohms = {"r_row": 1.0, "r_column": 1.0, "r_source": 0.0, "r_terminal": 0.0, **ohms}
    return Wires(**{name: jnp.asarray(r, float) for name, r in ohms.items()}, topology=topology)


def generated(m, n):
    i, j = np.arange(m)[:, None], np.arange(n)
    G = 1e-6 * (1 + 99 * (0.5 + 0.5 * np.sin(1 + 3 * i + 7 * j + i * j % 5)))
    return G, 0.2 * (0.5 + 0.5 * np.cos(1.7 * np.arange(m)))


@pytest.mark.parametrize(
    ("ohms", "volts", "r", "expected"),
    [
        (RISING, RAMP, (1, 2), ".060570196651 .059327610717 .056348738829 .053352354575"),
        (RISING, RAMP, (0, 0), ".0888285571 .0803174603 .0735201640 .0679166667"),
        (RAGGED, THREE, (0.5, 0.5), ".011585025422 .009190641636 .015115681173 .025833208221"),
        (PART_OPEN, RAMP, (0, 2), ".0232558140 .0325323016 .0398457584 .0226001210"),
    ],
    ids=["badcrossbar", "without_wires", "ragged", "qucs_with_opens"],
)
def test_published_circuits(ohms, volts, r, expected):
    G = 1 / np.asarray(ohms, float)
    found = currents(G, volts, wires(r_row=r[0], r_column=r[1]))
    np.testing.assert_allclose(found[:4], numbers(expected), rtol=0, atol=6e-11)


@pytest.mark.parametrize("r", [1.0, 1e4])  # 8 % of the current lost, and all but 1e-5
def test_single_precision(r):
    G, _ = generated(64, 32)
    with jax.enable_x64(False):
        single = effective(np.float32(G), Wires(r_row=r, r_column=r))
    assert single.dtype == jnp.float32
    exact = effective(G, wires(r_row=r, r_column=r))
    np.testing.assert_allclose(single, exact, rtol=0, atol=2e-6 * np.max(exact))


def test_power_and_matrix_of_published_circuits():
    delivered = power(1 / RISING, RAMP, wires(r_column=2.0))
    assert float(delivered) == pytest.approx(0.719591988, abs=1e-9)
    G, line = 1 / np.array(RAGGED, float), wires(r_row=0.5, r_column=0.5)
    expected = [2.863134689, 1.092201908, 1.299598985, 3.779894626, 1.515480953]
    np.testing.assert_allclose(1e3 * effective(G, line)[0], expected, rtol=0, atol=1e-9)
    current = G * cell_voltages(G, THREE, line)
    assert float(current[0, 3]) == pytest.approx(0.005650515338, abs=1e-12)


@pytest.mark.parametrize(
    ("m", "n", "expected", "loss"),
    [
        (8, 8, "4.836951483e-5 3.374337715e-5 4.133101877e-5 3.223951360e-4", 0.002413),
        (64, 32, "3.148649551e-4 2.939760976e-4 3.138772277e-4 9.568535454e-3", 0.080220),
    ],
)
def test_larger_tiles(m, n, expected, loss):
    G, v = generated(m, n)
    found, lossless = v @ effective(G, wires()), v @ G
    some = [found[0], found[n // 2], found[-1], found.sum()]
    np.testing.assert_allclose(some, numbers(expected), rtol=2e-10)
    assert float(np.mean(1 - found / lossless)) == pytest.approx(loss, abs=1e-6)


@pytest.mark.parametrize(
    ("topology", "ohms", "expected"),
    [
        (0, {}, ".432400078 -.463511650 -.063605836 .623468388 -.443031240"),
        (0, {"r_column": 0}, ".480191350 -.469331808 -.139934199 .669223400 -.430849047"),
        (0, {"r_terminal": 50}, ".394510663 -.425521541 -.048560757 .577714719 -.394627078"),
        (1, {}, ".432109326 -.451962710 -.088782288 .645360274 -.424038820"),
        (1, ENDS, ".376924546 -.415638904 -.039810763 .584374929 -.389786413"),
        (2, {}, ".396897510 -.458348193 -.009983829 .589011988 -.451496980"),
        (2, {"r_row": 0}, ".404491981 -.477149775 -.008843236 .620948883 -.488729560"),
        (3, {}, ".418251260 -.448109779 -.069860667 .630318958 -.424623613"),
        (3, {"r_column": 0}, ".479633526 -.451974216 -.172006250 .691483159 -.399595241"),
    ],
)
def test_products_of_crosssim(topology, ohms, expected):
    """CrossSim 3.2.0, float32, its threshold at 2e-7; one-bit slices where inputs gate."""
    tile = wires(TOPOLOGIES[topology], **{"r_row": 10, "r_column": 10, **ohms})
    codes = np.rint(np.abs(X) * 127).astype(int)
    bits = np.arange(7)[:, None]
    inputs = (codes >> bits & 1) * np.sign(X) if tile.is_gated else X[None]
    weight = 2.0 ** np.arange(7) / 127 if tile.is_gated else np.ones(1)
    if tile.is_interleaved:
        found = currents(PAIR, inputs, tile)
    else:
        each = jax.vmap(lambda G: currents(G, inputs, tile))(jnp.asarray(PAIR))
        found = each[0] - each[1]
    product = weight @ np.asarray(found) / 9e-4 * LIMIT
    np.testing.assert_allclose(product, numbers(expected), rtol=0, atol=2e-6)


def variants():
    """Every topology with wires of all kinds, none on either side, open cells and rows at 0 V."""
    rng = np.random.default_rng(1)
    G = rng.uniform(0.0, 2e-2, (2, 6, 4)) * (rng.random((2, 6, 4)) < 0.8)
    G[:, 3], G[:, :, 1] = 0.0, 0.0
    ohms = np.array(
        [(3, 5, 0, 0), (3, 5, 2, 7), (0, 5, 0, 0), (3, 0, 0, 0), (0, 0, 0, 0), (0, 0, 2, 7)], float
    )
    v = np.array([0.3, -0.2, 0.0, 0.5, 0.1, 0.4])
    return G, v, dict(zip(("r_row", "r_column", "r_source", "r_terminal"), ohms.T, strict=True))


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_every_topology_is_the_electricians(topology):
    G, v, ohms = variants()
    G = G if topology.startswith("interleaved") else G[0]

    traces = []

    @jax.jit
    @jax.vmap
    def solved(ohms):
        traces.append(ohms)
        line = Wires(**ohms, topology=topology)
        return currents(G, v, line), cell_voltages(G, v, line), power(G, v, line)

    found = solved(ohms)
    for lane in range(6):
        twin = nodal_twin.solve(G, v, topology, **{name: r[lane] for name, r in ohms.items()})
        current, d, watts = (np.asarray(x[lane]) for x in found)
        np.testing.assert_allclose(current, twin.current, rtol=0, atol=1e-14)
        np.testing.assert_allclose(d, twin.voltage.reshape(d.shape), rtol=0, atol=1e-13)
        np.testing.assert_allclose([watts, twin.delivered], twin.dissipated, rtol=1e-12)
        assert not current[1]  # a padded column
    assert len(traces) == 1


@pytest.mark.parametrize("topology", ["standard", "interleaved"])
def test_a_tile_is_a_matrix(topology):
    """Driven from either side; superposition; without wires it is G."""
    rng = np.random.default_rng(2)
    sign = np.array([1.0, -1.0])[:, None, None]
    for shape in ((9, 4), (4, 9)):
        G, v = rng.uniform(0.0, 1e-3, (2, *shape)), rng.normal(size=(3, 2, shape[0]))
        cells, signed = (G, (sign * G).sum(0)) if topology == "interleaved" else (G[0], G[0])
        line = wires(topology, r_row=8.0, r_column=4.0, r_source=9.0, r_terminal=3.0)
        matrix = effective(cells, line)
        np.testing.assert_allclose(currents(cells, v, line), v @ matrix, rtol=0, atol=1e-16)
        none = effective(cells, wires(topology, r_row=0, r_column=0))
        np.testing.assert_allclose(none, signed, rtol=0, atol=1e-18)
        slight = effective(cells, wires(topology, r_row=1e-9, r_column=1e-9))
        assert 0 < float(np.abs(slight - signed).max()) < 1e-10 * G.max()


def test_reciprocity_is_that_of_both_axes_flipped():
    G, _ = generated(12, 7)
    G = 20 * G
    matrix = effective(G, wires(r_row=2.0, r_column=5.0, r_source=3.0, r_terminal=1.0))
    swapped = wires(r_row=5.0, r_column=2.0, r_source=1.0, r_terminal=3.0)
    other = effective(G.T[::-1, ::-1], swapped)
    np.testing.assert_allclose(other.T[::-1, ::-1], matrix, rtol=1e-13)
    assert float(np.abs(effective(G.T, swapped).T - matrix).max()) > 1e-3 * matrix.max()


def test_open_cells_where_lines_end_change_nothing():
    G, _ = generated(6, 5)
    line = wires(r_row=30.0, r_column=40.0, r_source=5.0, r_terminal=6.0)
    padded = effective(np.pad(G, ((3, 0), (0, 2))), line)
    np.testing.assert_allclose(padded[3:, :5], effective(G, line), rtol=1e-12)
    assert not np.any(padded[:3]) and not np.any(padded[:, 5:])


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_gradients_are_those_of_finite_differences(topology):
    """Of conductances (one of them open), voltages and all resistances, with and without wires."""
    G, v, ohms = variants()
    rng = np.random.default_rng(3)
    is_pair, is_gated = topology.startswith("interleaved"), topology.endswith("separate_source")
    G = jnp.asarray(G if is_pair else G[0])
    weight, direction = rng.normal(size=4), jnp.asarray(rng.uniform(0.1, 1.0, G.shape) * 1e-2)
    read = jnp.asarray(rng.normal(size=(6, 4)))

    def loss(G, v, ohms):
        line = Wires(**ohms, topology=topology)
        of_inputs = jnp.sum(jnp.tanh(100 * currents(G, v, line)) * weight)
        if is_gated:
            return of_inputs
        return of_inputs + jnp.sum(jnp.sin(100 * effective(G, line)) * read)

    push = direction, jnp.asarray(rng.normal(size=6) * (v != 0)), dict.fromkeys(ohms, 1.0)

    @jax.jit
    @jax.vmap
    def along(ohms):
        at, by = (G, jnp.asarray(v), ohms), jax.tree.map(jnp.asarray, push)
        gradient = jax.grad(loss, (0, 1, 2))(*at)
        dots = [jnp.vdot(a, b) for a, b in zip(*map(jax.tree.leaves, (gradient, by)), strict=True)]

        def moved(steps):
            return loss(*jax.tree.map(lambda a, b: a + 1e-3 * steps * b, at, by))

        ahead = -25 * moved(0) + 48 * moved(1) - 36 * moved(2) + 16 * moved(3) - 3 * moved(4)
        return sum(dots), jax.jvp(loss, at, by)[1], ahead / 12e-3

    reverse, forward, differences = along(ohms)
    np.testing.assert_allclose(reverse, forward, rtol=1e-11)
    np.testing.assert_allclose(reverse, differences, rtol=1e-7)


def cubic(G, v):
    return G * (v - 0.25 * v**3)


@pytest.mark.parametrize(
    ("topology", "ohms", "expected"),
    [
        ("standard", 0, ".478429679 -.403605772 -.207659107 .664224731 -.353086492"),
        ("standard", 10, ".442156109 -.393021350 -.148654066 .606531221 -.353892086"),
        ("interleaved", 10, ".416899457 -.391693339 -.104813950 .582594942 -.364498075"),
    ],
)
def test_cells_that_are_not_linear(topology, ohms, expected):
    """CrossSim 3.2.0's demonstration of a cubic current, read at 1 V."""
    tile = wires(topology, r_row=ohms, r_column=ohms)
    if tile.is_interleaved:
        found = currents(PAIR, X, tile, law=cubic)
    else:
        each = jax.vmap(lambda G: currents(G, X, tile, law=cubic))(jnp.asarray(PAIR))
        found = each[0] - each[1]
    np.testing.assert_allclose(found / 9e-4 * LIMIT, numbers(expected), rtol=0, atol=2e-6)


@pytest.mark.parametrize("topology", ["standard", "separate_source"])
def test_laws_of_cells_are_met_at_their_voltages(topology):
    """They are then cells of conductance I / V; gradients are those of the solution."""
    G, v, _ = variants()
    line = wires(topology, r_row=30.0, r_column=20.0)

    def sinh(G, v):
        return G * jnp.sinh(3.0 * v) / 3.0

    d = np.asarray(cell_voltages(G[0], v, line, law=sinh))
    chord = sinh(G[0], d) / np.where(d == 0, 1.0, d)
    twin = nodal_twin.solve(chord, v, topology, 30.0, 20.0)
    np.testing.assert_allclose(currents(G[0], v, line, law=sinh), twin.current, rtol=0, atol=1e-14)
    np.testing.assert_allclose(power(G[0], v, line, law=sinh), twin.dissipated, rtol=1e-12)

    def total(scale):
        line = wires(topology, r_row=30.0 * scale, r_column=20.0)
        return 1e3 * jnp.sum(currents(scale * G[0], v, line, law=sinh))

    differences = (total(1.0 + 1e-5) - total(1.0 - 1e-5)) / 2e-5
    assert float(jax.grad(total)(1.0)) == pytest.approx(float(differences), rel=1e-8)
    assert np.isnan(currents(G[0], v, line, law=lambda G, v: -G * v)).any()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: Wires(r_row=-1.0), "r_row = -1.0 must be at least 0"),
        (lambda: Wires(topology="ring"), "topology = 'ring' must be one of standard"),
        (lambda: crossbar.effective(np.ones(3), Wires()), "shape (3,) are no [rows, columns]"),
        (lambda: crossbar.effective(np.ones((0, 3)), Wires()), "shape (0, 3) are no"),
        (lambda: power(np.ones((3, 3)), np.ones(3), wires("interleaved")), "no [2, rows, columns]"),
        (lambda: cell_voltages(np.ones((3, 4)), np.ones((2, 4)), Wires()), "for a tile of 3 rows"),
        (lambda: crossbar.effective(np.diag([1.0, -2.0]), Wires()), "-2 siemens must be"),
        (lambda: crossbar.effective(np.ones((3, 3)), wires("separate_source")), "use currents"),
    ],
)
def test_what_is_no_tile_is_told_in_a_line(call, told):
    with pytest.raises(UserError) as error:
        call()
    assert told in str(error.value) and "\n" not in str(error.value)
