"""The registry: schemes of two kinds, and those of one's own."""

import jax
import jax.numpy as jnp
import pytest

from memjax import random
from memjax.errors import UserError
from memjax.nn import pulsed_dense
from memjax.pulses import SCHEMES, Bernoulli, Coincidence, OuterProduct, Scheme, clipping
from memjax.pytree import params, static
from memjax.sweep import Spec


@params
class Halved:
    """Half of what is wanted, rounded."""

    max_pulses: int = static(default=7, doc="most pulses", at_least=1)

    @property
    def most(self) -> int:
        return self.max_pulses

    def draw(self, stream, wanted):
        del stream
        return jnp.clip(jnp.round(0.5 * wanted), -self.max_pulses, self.max_pulses)


@params
class Signs:
    """One pulse where the product is not 0."""

    most = 1

    def count(self, stream, rows, columns, rate):
        del stream, rate
        return tuple(jnp.sign(x).T @ jnp.sign(columns) for x in rows)


@pytest.mark.parametrize("make", [*SCHEMES.values(), Halved, Signs])
def test_a_scheme_is_of_one_of_two_kinds(make):
    assert isinstance(make(), Scheme) != isinstance(make(), OuterProduct)
    assert make().most >= 1


def test_a_scheme_registered_after_import_is_known_to_specifications(monkeypatch):
    raw = {"pulses": {"scheme": "halved"}, "axes": {"max_pulses": [1, 3]}}
    with pytest.raises(UserError, match="halved"):
        Spec.from_dict(raw)
    monkeypatch.setitem(SCHEMES, "halved", Halved)
    assert Spec.from_dict(raw).sections["pulses"] == {"scheme": "halved", "max_pulses": 7}


def test_an_outer_product_of_ones_own_serves_layers():
    stream = random.stream(jax.random.key(0))
    layer = lambda w: jnp.sum(  # noqa: E731
        pulsed_dense(jnp.ones((1, 2)), w, stream=stream, rate=1.0, pulses=Signs())
    )
    assert jax.grad(layer)(jnp.zeros((2, 3))).tolist() == [[1.0] * 3] * 2


def test_clipping_is_told_beyond_one_and_a_half_times_the_most():
    assert clipping(15.0, Coincidence(length=10)) == ""
    assert clipping(15.1, Coincidence(length=10)).startswith(
        "the largest updates want 15 pulses of trains of 10: their errors are clipped"
    )
    assert "raise pulses.max_pulses" in clipping(100.0, Bernoulli())
    assert "raise pulses.most" in clipping(100.0, Signs())
