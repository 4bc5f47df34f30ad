"""Element-wise schemes: limits, ties and mistakes; their statistics are in laws/."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.errors import UserError
from memjax.pulses import SCHEMES, Bernoulli, Binomial, Deterministic, Scheme, Truncated

STREAM = random.stream(jax.random.key(5))


def test_deterministic_is_the_nearest_whole_number():
    wanted = jnp.array([0.0, 0.49, -0.49, 0.51, -0.51, 1.2, -2.7, 30.6, 31.4, 99.0, -99.0])
    n = Deterministic().draw(STREAM, wanted)
    np.testing.assert_array_equal(n, [0, 0, 0, 1, -1, 1, -3, 31, 31, 31, -31])


@pytest.mark.parametrize("most", [1, 2, 31])
@pytest.mark.parametrize("scheme", [Bernoulli, Deterministic])
def test_max_pulses(scheme, most):
    n = scheme(max_pulses=most).draw(STREAM, jnp.array([-1e6, -most - 0.9, most + 0.9, 1e6]))
    np.testing.assert_array_equal(n, [-most, -most, most, most])


def test_bernoulli_never_exceeds_max_pulses():
    """4 million draws at the limit: 31 + u would round to 32 once in a million."""
    draw = jax.jit(lambda stream: Bernoulli(max_pulses=31).draw(stream, jnp.full((1 << 22,), 31.0)))
    n = draw(STREAM)
    assert float(n.min()) == float(n.max()) == 31.0


def test_bernoulli_of_whole_numbers_is_certain():
    wanted = jnp.broadcast_to(jnp.arange(-8.0, 9.0)[:, None], (17, 1000))
    np.testing.assert_array_equal(Bernoulli().draw(STREAM, wanted), wanted)


def test_binomial_saturates_at_its_length():
    n = Binomial(length=6).draw(STREAM, jnp.array([-100.0, -6.0, 0.0, 6.0, 100.0]))
    np.testing.assert_array_equal(n, [-6, -6, 0, 6, 6])


ELEMENTWISE = [scheme for scheme in SCHEMES.values() if isinstance(scheme(), Scheme)]


@pytest.mark.parametrize("scheme", ELEMENTWISE)
def test_every_scheme_is_static_and_keeps_the_protocol(scheme):
    assert isinstance(scheme(), Scheme)
    assert jax.tree.leaves(scheme()) == []
    for shape in ((), (0,), (2, 3, 4)):
        n = scheme().draw(STREAM, jnp.zeros(shape))
        assert n.shape == shape
        assert n.dtype == jnp.float32


@pytest.mark.parametrize(
    ("scheme", "field"),
    [(Bernoulli, "max_pulses"), (Deterministic, "max_pulses"), (Binomial, "length")],
)
@pytest.mark.parametrize("value", [0, -3])
def test_mistakes_name_the_field(scheme, field, value):
    message = f"^{scheme.__name__}: {field} = {value} must be at least 1$"
    with pytest.raises(UserError, match=message):
        scheme(**{field: value})


def test_binomial_is_at_most_64_slots():
    with pytest.raises(UserError, match="length = 65 must be at most 64"):
        Binomial(length=65)


def test_truncated_cuts_off_what_is_no_whole_pulse():
    wanted = jnp.array([-40.0, -2.7, -0.9, 0.0, 0.9, 1.0, 2.7])
    n = Truncated(max_pulses=31).draw(random.stream(jax.random.key(0)), wanted)
    np.testing.assert_array_equal(n, [-31.0, -2.0, 0.0, 0.0, 0.0, 1.0, 2.0])
