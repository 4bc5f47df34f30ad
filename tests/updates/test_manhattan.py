"""Manhattan rule: one pulse by the sign."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import memjax
from memjax.cells import ReferenceCell
from memjax.devices import ConstantStep, PowerStep
from memjax.updates import Manhattan


@pytest.mark.parametrize("width", [1.0, 0.5])
def test_one_pulse_by_the_sign_however_small(width):
    tx = memjax.manhattan(ConstantStep(levels=11), key=jax.random.key(0), width=width)
    p = jnp.zeros(4)
    wanted = jnp.array([1e-9, -7.0, 0.0, 0.3])
    updates, _ = jax.jit(lambda p: tx.update(wanted, tx.init(p), p))(p)
    assert np.allclose(updates, np.array([-0.1, 0.1, 0.0, -0.1]) * width, atol=1e-7)


def test_another_width_than_1_needs_a_model_that_knows_it():
    Manhattan().check(PowerStep(), ReferenceCell())
    with pytest.raises(memjax.UserError, match="PowerStep knows whole pulses only; take one of"):
        Manhattan(width=0.5).check(PowerStep(), ReferenceCell())
    with pytest.raises(memjax.UserError, match="width = 0 must be more than 0"):
        Manhattan(width=0)
