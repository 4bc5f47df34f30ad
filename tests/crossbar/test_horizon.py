"""Programming for a horizon finds targets of less error, and says what it cannot look for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar import Array, Cells, Independent, PowerLaw, convert, program_for
from memjax.errors import UserError

KEY = jax.random.key(0)
DRIFT = PowerLaw(nu=0.05, sigma_nu=0.02)
CELLS = Cells(programming=Independent(sigma=0.1), drift=DRIFT, compensation=True)


def model(outlier):
    w = jax.random.normal(KEY, (60, 4)).at[0].set(outlier)
    return (lambda params, x: x @ params["w"], {"w": w}), jax.random.normal(KEY, (50, 60))


def error(analog, x):
    """Relative, of many programmings."""

    def of(key):
        y = analog.replace(stream=jax.random.key_data(key)).program(x).at("1 day")(x)
        return jnp.mean((y - x @ analog.weights["w"]) ** 2)

    return float(jnp.mean(jax.lax.map(of, jax.random.split(KEY, 100))))


def test_an_outlier_is_clipped_where_noise_goes_by_the_largest():
    """It makes all cells small against the noise: 8 sd of weights."""
    function, x = model(8.0)
    analog = convert(function, Array(), CELLS, key=KEY)
    found = program_for(analog, x, time="1 day", key=jax.random.key(1), steps=40)
    assert float(found.arrays["w"].omega) > 1.1
    assert error(found.replace(arrays=found.arrays), x) < 0.8 * error(analog, x)
    np.testing.assert_allclose(found.time, 86_400.0)


def test_significances_are_shared_as_their_errors_ask():
    """Two pairs of equal devices: the least significant is filled first."""
    function, x = model(3.0)
    analog = convert(function, Array(significance=jnp.array([1.0, 1.0])), CELLS, key=KEY)
    found = program_for(analog, x, time="1 day", key=jax.random.key(1), steps=40)
    assert np.all(np.isfinite(found.arrays["w"].significance))
    assert error(found.replace(arrays=found.arrays), x) < error(analog, x)
    with pytest.raises(UserError, match="weight_limit is given"):
        program_for(convert(function, Array(weight_limit=1.0), key=KEY), x, time=1.0, key=KEY)
    with pytest.raises(UserError, match="steps = 0"):
        program_for(analog, x, time=1.0, key=KEY, steps=0)
