"""Readings that contradict their neighbours, and those that only seem to."""

import numpy as np
import pytest

from memjax.fitting import from_table
from memjax.fitting.glitches import glitches


def ramp(n=60, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return 1.0 - np.exp(-np.arange(n) / 20) + noise * rng.normal(size=n)


@pytest.mark.parametrize("noise", [0.0, 0.003])
@pytest.mark.parametrize("at", [1, 7, 58])
def test_one_odd_reading_is_found(noise, at):
    odd = ramp(noise=noise)
    odd[at] -= 0.4
    assert glitches([ramp(noise=noise, seed=1), odd], [np.arange(60)] * 2) == [(1, at)]


def test_two_beside_each_other_are_no_glitch_nor_is_a_step_that_stays():
    stays = ramp()
    stays[30:] += 0.5
    assert glitches([stays], [np.arange(60)]) == []


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_has_none(seed):
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0.01, 0.1, 2000))
    read = np.linspace(0, 1, 2000) + 0.3 * rng.normal(size=2000)
    assert glitches([walk, read], [np.arange(2000)] * 2) == []


def test_a_device_that_jumps_often_is_left_alone():
    rng = np.random.default_rng(0)
    noisy = ramp(600)
    noisy[rng.choice(np.arange(2, 598, 3), 40, replace=False)] += 0.4
    assert glitches([noisy], [np.arange(600)]) == []


def test_a_table_names_its_row():
    values = 1e-6 * (1 + ramp())
    values[5] = 3e-7
    table = {"direction": ["up"] * 60, "pulse": [*range(60)], "conductance_S": values}
    ramps = from_table(table)
    assert ramps.n_steps == 58 and ramps.pulses[0, 4:6].tolist() == [1, 2]
    (said,) = ramps.notes
    assert said.startswith("table row 5: conductance_S: cycle 1, up, pulse 5: 3e-07 between")
