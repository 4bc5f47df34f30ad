"""Access transistors: in series with each device, after it drifted and before the wires."""

import jax
import jax.numpy as jnp
import numpy as np

from memjax import random
from memjax.crossbar import Array, Cells, Crossbar, PowerLaw, Wires, effective
from memjax.crossbar.programmed import program, seen_at
from reference.case_s import W, X


def test_a_cell_is_its_device_in_series_with_its_transistor():
    """Decoded by the range of the bare devices; 0 ohm is none, and more is less."""

    def product(r_access):
        crossbar = Crossbar(W, Array(r_access=r_access, gmax=1e-4, on_off=10.0, scale="layer"))
        return crossbar @ X, crossbar.weights(), crossbar.siemens

    ohms = jnp.array([0.0, 2e3])
    (none, some), held, siemens = jax.jit(jax.vmap(product))(ohms)
    np.testing.assert_allclose(none, W @ X, atol=3e-6)
    np.testing.assert_array_equal(siemens[0], siemens[1], err_msg="of the bare devices")
    up, down = (1 / (1 / np.asarray(siemens[1, 0, :, 0, 0], np.float64) + 2e3)).swapaxes(1, 2)
    seen = (up - down) / (1e-4 * 0.9) * np.abs(W).max()
    np.testing.assert_allclose(some, seen @ X, atol=3e-6)
    np.testing.assert_allclose(held[1], seen, atol=3e-6)
    slope = jax.grad(lambda r: jnp.sum(product(r)[0]))(2e3)
    assert np.isfinite(slope) and slope != 0.0


def test_it_is_read_after_drift_and_before_the_wires():
    """Compensation of drift reads devices behind it too."""
    array = Array(r_access=2e3, gmax=1e-4, on_off=10.0, scale="layer", tile_rows=4)
    wires = Wires(r_row=20.0, r_column=50.0)
    drift = PowerLaw(nu=0.1)
    cases = {
        "alone": (Cells(drift=drift), None),
        "wired": (Cells(drift=drift), wires),
        "compensated": (Cells(drift=drift, compensation=True), None),
    }

    @jax.jit
    def products(x, stream):
        crossbar = Crossbar(W, array)
        made = {
            name: seen_at(program(crossbar, cells, stream), cells, lines, 3600.0, stream).seen
            for name, (cells, lines) in cases.items()
        }
        return crossbar.g[0, :, :, 0], {name: held @ x for name, held in made.items()}

    g, found = products(X, random.stream(jax.random.key(0)))
    wanted = dict.fromkeys(cases, 0.0)
    for tile, rows in enumerate((slice(0, 4), slice(4, 7))):
        bare = 1e-4 * np.asarray(g)[:, tile, : len(X[rows])]
        before, now = (1 / (1 / (bare * left) + 2e3) for left in (1.0, (1 + 3600 / 20) ** -0.1))
        lost = [np.abs(sides[0] - sides[1]).mean() for sides in (before, now)]
        seen = {
            "alone": now,
            "wired": np.stack([effective(side, wires) for side in now]),
            "compensated": now * lost[0] / lost[1],
        }
        for name, (up, down) in seen.items():
            wanted[name] += X[rows] @ (up - down) / (1e-4 * 0.9) * np.abs(W).max()
    for name, y in found.items():
        np.testing.assert_allclose(y, wanted[name], atol=5e-6, err_msg=name)
