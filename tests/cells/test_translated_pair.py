"""Pairs whose devices are held as their place on a scale of their own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.cells import DifferentialPair
from memjax.devices import MODELS, ConstantStep, Ernoult, SymmetricStep
from memjax.devices.translated import TranslatedDevice
from memjax.errors import UserError

STREAM = random.stream(jax.random.key(0))
PLAIN, TRANSLATED = DifferentialPair(), DifferentialPair(held="translated")
MADE = [kind for kind in MODELS.values() if issubclass(kind, TranslatedDevice)]
WEIGHTS = jnp.linspace(-0.45, 0.45, 64).reshape(8, 8)


def after(cell: DifferentialPair, device, counts) -> tuple[np.ndarray, list[np.ndarray]]:
    state, weight = cell.init(device, STREAM, WEIGHTS)
    for n in counts:
        state, weight = cell.pulse(device, state, weight, n, STREAM)
    return np.asarray(weight), list(cell.conductances(device, state, weight))


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("spread", [{}, {"sigma_d2d": 0.3, "sigma_bounds": 0.1, "stuck": 0.1}])
def test_they_are_the_same_pairs(kind, spread):
    """Up, down, none and fractions of a pulse, into the bounds too."""
    device = kind(levels=20, **spread)
    rng = np.random.default_rng(0)
    counts = [jnp.asarray(rng.integers(-6, 7, (8, 8)) / 2, jnp.float32) for _ in range(6)]
    (weight, held), (plain, conductances) = (after(c, device, counts) for c in (TRANSLATED, PLAIN))
    np.testing.assert_allclose(weight, plain, atol=2e-6)
    np.testing.assert_allclose(held, conductances, atol=2e-6)


@pytest.mark.parametrize("beta", [0.005, 3.0])
def test_n_pulses_are_one_of_n_widths_and_directions_mirror(beta):
    device = Ernoult(levels=40, beta=beta)
    ones, many = [jnp.ones((8, 8))] * 7, [7 * jnp.ones((8, 8))]
    up, at_once = after(TRANSLATED, device, ones)[0], after(TRANSLATED, device, many)[0]
    np.testing.assert_allclose(up, at_once, atol=1e-5)
    down = after(TRANSLATED, device, [-n for n in many])[0]
    np.testing.assert_allclose(at_once, -down[::-1, ::-1], atol=1e-6)


@pytest.mark.parametrize(
    ("device", "told"),
    [
        (ConstantStep(), "needs a device with a scale of its own"),
        (Ernoult(sigma_c2c=0.1), "leave out sigma_c2c"),
        (SymmetricStep(diffusion=0.0), "leave out sigma_write, sigma_ramp, lifetime or diffusion"),
    ],
)
def test_what_pulses_alone_do_not_move_is_refused(device, told):
    with pytest.raises(UserError, match=told):
        TRANSLATED.check(device)
    assert PLAIN.check(device) is None
