"""Statistics of batch norm, estimated again through arrays."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

from memjax.crossbar import Cells, PowerLaw, adapt, convert
from memjax.errors import UserError

X = 2.0 + jax.random.normal(jax.random.key(0), (40, 6))


@pytest.fixture(autouse=True)
def as_users_have_it():
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


class Two(linen.Module):
    @linen.compact
    def __call__(self, x, train=False):
        for momentum in (0.99, 0.5):
            x = linen.Dense(5, use_bias=False)(x)
            x = linen.BatchNorm(use_running_average=not train, momentum=momentum)(x)
        return x


def of_linen():
    model = Two()
    return (model, model.init(jax.random.key(1), X)), {"train": True}


def of_nnx():
    rngs = nnx.Rngs(0)
    layers = [nnx.Linear(6, 5, use_bias=False, rngs=rngs), nnx.BatchNorm(5, rngs=rngs)]
    layers += [nnx.Linear(5, 5, use_bias=False, rngs=rngs)]
    layers += [nnx.BatchNorm(5, momentum=0.5, rngs=rngs)]
    model = nnx.Sequential(*layers)
    model.eval()
    return model, {}


@pytest.mark.parametrize("made", [of_linen, of_nnx])
def test_a_factor_on_all_conductances_is_undone(made):
    """Whatever the momentum of each layer: outputs are those of statistics of the whole batch."""
    model, options = made()
    cells = Cells(drift=PowerLaw(nu=0.1))
    fresh = convert(model, None, cells, key=jax.random.key(2), inputs=X)
    wanted = adapt(fresh, model, X, batch_size=40, **options)(X)
    np.testing.assert_allclose(jnp.mean(wanted, axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(jnp.var(wanted, axis=0), 1.0, atol=1e-2)
    aged = fresh.at("1 year")
    assert float(jnp.abs(aged(X) - fresh(X)).max()) > 0.1
    found = adapt(aged, model, X, batch_size=40, **options)(X)
    np.testing.assert_allclose(found, wanted, atol=2e-3)
    halves = adapt(aged, model, X, batch_size=20, **options)(X)
    np.testing.assert_allclose(halves, wanted, atol=0.5)


def test_what_cannot_be_adapted_is_told():
    plain = nnx.Linear(6, 5, rngs=nnx.Rngs(0))
    analog = convert(plain, key=jax.random.key(0), inputs=X)
    with pytest.raises(UserError, match="has no batch norm"):
        adapt(analog, plain, X)
    model, _ = of_nnx()
    analog = convert(model, key=jax.random.key(0), inputs=X)
    with pytest.raises(UserError, match="40 inputs are less than a batch of 100"):
        adapt(analog, model, X)
    with pytest.raises(UserError, match=r"give the nnx\.Module"):
        adapt(analog, lambda x: x, X)
