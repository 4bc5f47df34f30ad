"""What pulses did, against NumPy and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from memjax.cells import DifferentialPair, ReferenceCell, RefreshPair
from memjax.devices import ConstantStep, get
from memjax.pulses import Counts
from memjax.updates import pulsed_update
from memjax.updates.diagnostics import BINS, histogram, saturated

COUNTS = np.random.default_rng(0).integers(-3, 4, (20, 16, 3)).astype(np.float32)
"""Sixteen rows: enough for the sums to go by slices."""


def pulse(device, counts=COUNTS, cell=None):
    """The weights before each update and after the last, and the state."""
    tx = pulsed_update(device, key=jax.random.key(0), cell=cell, diagnostics=True)
    p = jnp.zeros(counts.shape[1:])

    def step(carry, n):
        p, s = carry
        change, s = tx.update(Counts(n), s, p)
        p = optax.apply_updates(p, change)
        return (p, s), p

    (_, s), seen = jax.jit(lambda n: jax.lax.scan(step, (p, tx.init(p)), n))(counts)
    return np.concatenate([p[None], seen]).astype(np.float64), s.inner_state


def test_sums_are_numpys():
    """Of the weights themselves, in float64: float32 rounds 20 sums of 48 numbers."""
    seen, s = pulse(ConstantStep(levels=201, sigma_c2c=0.5))
    step = 1.0 / 200
    miss = np.diff(seen, axis=0) - COUNTS * step
    assert float(s.stats.pulses) == np.abs(COUNTS).sum()
    assert np.isclose(float(s.stats.signal), ((COUNTS * step) ** 2).sum(), rtol=1e-5)
    assert np.isclose(float(s.stats.noise), (miss**2).sum(), rtol=1e-3)
    assert np.isnan(float(s.stats.energy)) and np.isnan(float(s.stats.time))


def test_what_the_first_programming_missed_is_no_error_of_pulses():
    """Exact pulses of 1/200: all that they miss is the initial noise, of half a step."""
    noisy = ConstantStep(levels=201, sigma_write=0.5, programming="noisy")
    _, s = pulse(noisy, np.zeros((2, 16, 3), np.float32))
    assert float(s.stats.noise) == 0


def test_rows_that_slices_do_not_share_evenly_are_summed_too():
    some = COUNTS[:, :13]
    _, s = pulse(ConstantStep(levels=201), some)
    assert float(s.stats.pulses) == np.abs(some).sum()


def test_sums_go_on_counting_where_float32_cannot_add_one():
    """From 2^25 on, neighbours of float32 are 4 apart: single pulses are gathered first."""
    tx = pulsed_update(ConstantStep(), key=jax.random.key(0), diagnostics=True)
    p = jnp.zeros(1)
    s = jax.jit(tx.init)(p)
    inner = s.inner_state
    many = jax.tree.map(lambda sum: sum + 2.0**25, inner.stats)
    s = s._replace(inner_state=inner._replace(stats=many))
    count = jax.jit(
        lambda s: jax.lax.fori_loop(0, 1000, lambda _, s: tx.update(Counts(p + 1), s, p)[1], s)
    )
    assert float(count(s).inner_state.stats.pulses) == 2.0**25 + 1000


@pytest.mark.parametrize("sigma", [0.2, 2.0])
def test_the_snr_of_single_pulses_is_the_inverse_of_their_variance(sigma):
    """``1 / sigma^2``; 50,000 pulses: 5 sd of a variance, and the fast noise's lower kurtosis."""
    _, s = pulse(ConstantStep(levels=2001, sigma_c2c=sigma), np.ones((1, 250, 200), np.float32))
    snr = float(s.stats.signal / s.stats.noise)
    assert abs(snr * sigma**2 - 1) < 5 * np.sqrt(2 / 50_000)


def test_one_pulse_on_ag_a_si_costs_what_its_table_says():
    """At weight 0, g = 1/2: ``V^2 G t`` with G half way between Gmin and Gmax."""
    half = 0.5 * (38.462e-9 + 3.0769e-9)
    for sign, volts in ((1.0, 3.2), (-1.0, 2.8)):
        _, s = pulse(get("Ag:a-Si"), np.full((1, 1, 1), sign, np.float32))
        assert np.isclose(float(s.stats.energy), volts**2 * half * 300e-6, rtol=1e-5)
        assert np.isclose(float(s.stats.time), 300e-6, rtol=1e-6)


def test_both_devices_of_a_pair_are_heated_and_pulsed_at_once():
    """One pulse up on g+ and one down on g-, both at g = 1/2; time goes by one after the other."""
    _, s = pulse(get("Ag:a-Si"), np.ones((1, 1, 1), np.float32), DifferentialPair())
    half = 0.5 * (38.462e-9 + 3.0769e-9)
    assert np.isclose(float(s.stats.energy), (3.2**2 + 2.8**2) * half * 300e-6, rtol=1e-5)
    assert np.isclose(float(s.stats.time), 600e-6, rtol=1e-6)
    assert float(s.stats.pulses) == 1.0


def test_an_arrays_time_goes_by_its_longest_train():
    _, s = pulse(get("Ag:a-Si"), COUNTS)
    longest = COUNTS.max((1, 2)).sum() - COUNTS.min((1, 2)).sum()
    assert np.isclose(float(s.stats.time), longest * 300e-6, rtol=1e-5)


def cells(cell, weights):
    device = ConstantStep(levels=11)
    w = jnp.asarray(weights, jnp.float32)
    state, held = cell.init(device, jnp.zeros(2, jnp.uint32), w)
    return device, cell, state, held


def test_devices_at_bounds_are_saturated():
    """Less than half a step of 0.1: 0.5 and -0.48 in weights of a range of 0.5 are; 0.44 is not."""
    weights = [0.5, -0.48, 0.44, 0.0]
    assert float(jax.jit(lambda: saturated(*cells(ReferenceCell(), weights)))()) == 0.5
    # Of a refreshed pair, the device at Gmin is where it should be: two of eight at the top.
    assert float(jax.jit(lambda: saturated(*cells(RefreshPair(), weights)))()) == 2 / 8


def test_a_histogram_has_every_device_once():
    def run():
        made = cells(DifferentialPair(), np.linspace(-0.5, 0.5, 30).reshape(6, 5))
        return histogram(*made), made[2].conductances

    counts, conductances = jax.device_get(jax.jit(run)())
    g = np.concatenate([c.ravel() for c in conductances])
    assert counts.sum() == 60
    assert np.array_equal(counts, np.histogram(g, BINS, (0, 1))[0])
