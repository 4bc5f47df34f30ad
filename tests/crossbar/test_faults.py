"""Stuck devices: their shares, for life, and what cannot be."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.crossbar import Faults
from memjax.errors import UserError

STREAM = random.stream(jax.random.key(2))


def test_the_shares_are_stuck_for_life_whatever_is_programmed():
    faults = Faults(stuck_lrs=0.1, stuck_hrs=0.25)
    one, two = (
        np.asarray(faults.apply(STREAM, jnp.full(100_000, g), gmin=0.05)) for g in (0.3, 0.6)
    )
    high, low = one == 1.0, one == np.float32(0.05)
    assert high.mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.1 * 0.9 / 1e5))
    assert low.mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 1e5))
    np.testing.assert_array_equal(one[high | low], two[high | low])
    assert np.all(two[~(high | low)] == np.float32(0.6))


@pytest.mark.parametrize("share", [0.6, np.float32(0.6), np.array([0.1, 0.6])])
def test_more_than_all_devices_are_told(share):
    with pytest.raises(UserError, match="more than all devices"):
        Faults(stuck_lrs=share, stuck_hrs=share)
