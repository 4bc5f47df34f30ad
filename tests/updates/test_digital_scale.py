"""The digital scale: exact, and the range that it gives."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jaxtyping import TypeCheckError

import memjax
from memjax.cells import CELLS, DifferentialPair, ReferenceCell
from memjax.devices import ConstantStep
from memjax.updates import ALGORITHMS
from memjax.updates.digital_scale import ROOM, omega_to_fit
from reference.trees import bits

KEY = jax.random.key(0)


@pytest.mark.parametrize("weight_range", [0.5, 1.0, 3.0])
def test_a_range_is_the_least_power_of_two_with_room(weight_range):
    for largest in (1e-6, 0.124, 0.125, 0.126, 0.25, 1.0, 7.3, 1e6):
        omega = float(omega_to_fit(jnp.array([0.0, -largest]), weight_range))
        assert np.log2(omega) % 1 == 0
        reach = omega * weight_range / (ROOM * np.float32(largest))
        assert 1 <= reach < 2, (largest, reach)
    assert (
        float(omega_to_fit(jnp.zeros((0, 3)), 0.5)) == float(omega_to_fit(jnp.zeros(3), 0.5)) == 1
    )


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("name", ["sgd", "mixed_precision", "tiki_taka_v2"])
def test_a_scaled_model_is_the_model_scaled(name, cell):
    """Weights, gradients and rates times a power of two: the same pulses, so the same bits."""
    kinds = {"vector": {"rule": "at_random"}}
    made = CELLS[cell](weight_range=0.5, **kinds.get(cell, {}))
    device = ConstantStep(levels=41, sigma_c2c=0.3, sigma_d2d=0.1)

    @jax.jit
    def run(scale):
        tx = ALGORITHMS[name]().transform(device, key=KEY, cell=made, weight_range="fit")
        p = {"w": scale * jnp.linspace(-0.2, 0.25, 12, dtype=jnp.float32).reshape(3, 4)}
        s = tx.init(p)
        for sign in (1, 1, -1):
            wanted = {"w": jnp.full((3, 4), 0.06 * sign) * scale}
            updates, s = tx.update(wanted, s, p)
            p = optax.apply_updates(p, updates)
        return p["w"] / scale, memjax.readout(s, p)["w"] / scale, s.omega["w"]

    one, eight = run(jnp.float32(1.0)), run(jnp.float32(8.0))
    assert bits(one[:2]) == bits(eight[:2])
    assert (float(one[2]), float(eight[2])) == (2.0, 16.0)


def test_recipes_fit_where_no_cell_is_given():
    p = {"w": jnp.full((2, 2), 3.0)}
    reach = lambda tx: float(tx.init(p)[-1].omega["w"])  # noqa: E731
    device = ConstantStep()
    assert reach(memjax.memristive_sgd(0.1, device, key=KEY)) == 32  # R = 16
    cell = DifferentialPair(weight_range=4.0)
    assert reach(memjax.memristive_sgd(0.1, device, key=KEY, cell=cell)) == 1
    assert reach(memjax.agad(0.1, device, key=KEY, cell=cell, weight_range="fit")) == 4
    tx = memjax.memristive_sgd(0.1, device, key=KEY, weight_range=4.0)
    assert reach(tx) == 1 and tx.init(p)[-1].inner_state.cell == ReferenceCell(weight_range=4.0)


def test_a_range_is_a_number_or_fit():
    for wrong in ("fits", -1.0):
        with pytest.raises((memjax.UserError, TypeCheckError), match="weight_range"):
            memjax.pulsed_update(ConstantStep(), key=KEY, weight_range=wrong)
