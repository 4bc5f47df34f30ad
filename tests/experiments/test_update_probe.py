"""Updates by what they want and what they get, against NumPy."""

import jax.numpy as jnp
import numpy as np

from memjax.experiments import update_probe


def test_every_middle_lies_in_its_own_bin():
    middles = update_probe.middles()
    assert update_probe.places(jnp.asarray(middles, jnp.float32)).tolist() == list(range(21))
    assert middles.tolist() == (-middles[::-1]).tolist()


def test_outer_bins_are_open_and_what_is_less_than_the_least_is_nothing():
    pulses = jnp.array([1e6, -1e6, 0.009, -0.009, 0.0])
    assert update_probe.places(pulses).tolist() == [20, 0, 10, 10, 10]


def test_updates_are_counted_by_layer():
    """Of two layers of a bias and a kernel each."""
    rng = np.random.default_rng(0)
    wanted = [{"bias": rng.normal(size=3), "kernel": rng.normal(size=(4, 3))} for _ in range(2)]
    realised = [{name: w + 0.5 for name, w in layer.items()} for layer in wanted]
    as_arrays = [
        [{n: jnp.asarray(w, jnp.float32) for n, w in layer.items()} for layer in tree]
        for tree in (wanted, realised)
    ]
    both, error = update_probe.seen(update_probe.nothing(2), *as_arrays)
    assert both.sum((1, 2)).tolist() == error.sum(1).tolist() == [15.0, 15.0]
    (place,) = np.flatnonzero(error[1])
    assert abs(np.log10(update_probe.middles()[place] / 0.5)) < 0.21  # half of a bin
    flat = np.concatenate([wanted[0]["bias"], wanted[0]["kernel"].ravel()])
    places = np.asarray(update_probe.places(jnp.asarray(flat, jnp.float32)))
    np.testing.assert_array_equal(both[0].sum(1), np.bincount(places, minlength=21))
