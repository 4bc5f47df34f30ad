"""Windows: the published values, the ends, and float32 next to them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices.physical import VTEAM, WINDOWS, LinearIonDrift
from memjax.errors import UserError
from reference import physical_twin

X = np.linspace(0.0, 1.0, 101, dtype=np.float32)


def window(name, x, drive=1.0, p=1.0, j=1.0):
    return np.asarray(WINDOWS[name](jnp.asarray(x, jnp.float32), jnp.float32(drive), p, j))


def test_published_values():
    """Joglekar f(0) = f(1) = 0, f(.5) = 1, f(.25) = .75; the others by hand."""
    np.testing.assert_allclose(window("joglekar", [0, 1, 0.5, 0.25]), [0, 0, 1, 0.75], atol=1e-7)
    np.testing.assert_allclose(window("biolek", [0, 1, 0.5], 1.0), [1, 0, 0.75], atol=1e-7)
    np.testing.assert_allclose(window("biolek", [0, 1, 0.5], -1.0), [0, 1, 0.75], atol=1e-7)
    np.testing.assert_allclose(
        window("prodromakis", [0, 1, 0.5], p=2.0, j=3.0), [0, 0, 3 * 0.4375], atol=3e-7
    )
    assert np.all(window("none", X) == 1)


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("p", [1.0, 2.5, 10.0])
@pytest.mark.parametrize("drive", [1.0, -1.0])
def test_equals_the_twin(name, p, drive):
    """To 2e-7, and to 1e-5 of what is left of it one part in a million from an end."""
    expected = [physical_twin.WINDOWS[name](float(x), drive > 0, p, 1.5) for x in X]
    np.testing.assert_allclose(window(name, X, drive, p, 1.5), expected, atol=1e-6)
    near = np.float32([1e-6, 1.0 - 2.0**-20])
    expected = [physical_twin.WINDOWS[name](float(x), drive > 0, p, 1.5) for x in near]
    np.testing.assert_allclose(window(name, near, drive, p, 1.5), expected, rtol=1e-5)


@pytest.mark.parametrize("name", WINDOWS)
def test_slopes_are_finite(name):
    slope = jax.vmap(jax.grad(lambda x: WINDOWS[name](x, jnp.float32(1.0), 2.0, 1.0)))
    assert np.all(np.isfinite(slope(jnp.asarray(X))))


@pytest.mark.parametrize("model", [LinearIonDrift, VTEAM])
def test_an_unknown_window_is_a_user_error(model):
    with pytest.raises(UserError, match=r"window = 'hann' must be one of none, joglekar, biolek"):
        model(window="hann")


def test_resistances_out_of_order_are_a_user_error():
    with pytest.raises(UserError, match=r"r_on = 2000.0 must be less than r_off"):
        VTEAM(r_on=2000.0)
