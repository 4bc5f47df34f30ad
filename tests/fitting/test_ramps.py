"""Ramps put in order: which way they go, and cycles of a table that only counts pulses."""

import dataclasses

import numpy as np
import pytest

from memjax.devices import get
from memjax.devices.ltp_ltd import respond, to_csv
from memjax.errors import DataError
from memjax.fitting.table import from_table, read

from .ramps_twin import ramps_of


def walks(means, sigma, n=60, seed=0, read=0.0):
    """A table of up ramps with c2c and read noise; steps in units of 1e-8 S."""
    rng = np.random.default_rng(seed)
    table = {"cycle": [], "direction": [], "pulse": [], "conductance_S": []}
    for cycle, mean in enumerate(means):
        steps = mean + sigma * rng.normal(size=n)
        table["cycle"] += [cycle] * n
        table["direction"] += ["up"] * n
        table["pulse"] += range(n)
        table["conductance_S"] += list(1e-4 + 1e-8 * (np.cumsum(steps) + read * rng.normal(size=n)))
    return table


@pytest.mark.parametrize(("sigma", "read_noise"), [(0.0, 0.0), (1.0, 0.0), (0.0, 2.0)])
def test_a_ramp_that_goes_the_wrong_way_is_named(sigma, read_noise):
    for means in ([1, 1, -1, 1], [1, 1, -1, -1]):
        with pytest.raises(DataError) as error:
            from_table(walks(means, sigma, read=read_noise))
        assert str(error.value) == (
            "table row 120: conductance_S: cycle 2, up: the ramp falls: correct its direction or "
            "leave it out"
        )


@pytest.mark.parametrize("table", [walks([-1, -1], 0.0), walks([-1] * 20, 2.0), walks([-1], 0, 10)])
def test_ramps_that_all_go_the_wrong_way_are_swapped(table):
    with pytest.raises(DataError) as error:
        from_table(table)
    assert str(error.value) == (
        "table: up ramps fall or down ramps rise: swap up and down (or the two files)"
    )


def test_noise_alone_is_no_wrong_direction():
    """c2c noise of ten steps, read noise of fifty, two hundred ramps each: none is refused."""
    for seed in range(2):
        from_table(walks([1] * 100, 10.0, seed=seed))
        from_table(walks([1] * 100, 0.0, seed=seed, read=50.0))


def test_what_memjax_pulse_writes_is_read_back_cycle_by_cycle(tmp_path):
    device = get("EpiRAM")
    path = tmp_path / "pulses.csv"
    path.write_text(to_csv(respond(device, 20, 10, cycles=3)))
    ramps = read(path)
    assert (ramps.cycle.tolist(), ramps.sign.tolist()) == ([1, 1, 2, 2, 3, 3], [1, -1] * 3)
    assert ramps.n_steps == 3 * (20 + 10)


def of_devices(n_devices, n_cycles, n=20):
    """Straight ramps up and down of several devices, cycle by cycle."""
    device = np.repeat(np.arange(n_devices), 2 * n_cycles)
    y = np.linspace(0.1, 0.9, n) * np.ones((len(device), 1))
    sign = np.tile([1, -1], n_devices * n_cycles)
    y[sign < 0] = y[sign < 0, ::-1]
    cycle = np.tile(np.repeat(np.arange(n_cycles), 2), n_devices)
    return dataclasses.replace(ramps_of(y, sign, device=device), cycle=cycle)


def test_no_device_is_thinned_out():
    """Of 40 devices with a cycle each, all are left; with two each, both; with nine, three."""
    for n_cycles, left in ((1, [0]), (2, [0, 1]), (9, [0, 4, 8])):
        ramps = of_devices(40, n_cycles)
        few = ramps.thinned(ramps.conductance.size // 4 + 1)
        assert len(np.unique(few.device)) == 40
        for device in range(40):
            assert np.unique(few.cycle[few.device == device]).tolist() == left
        assert few.repeats == ramps.repeats
        assert len(few.notes) == (n_cycles > 2)
    assert few.notes[0].startswith("14400 readings: 240 of 720 ramps are fitted, from evenly")


def test_one_device_is_thinned_evenly():
    few = of_devices(1, 20).thinned(300)
    assert np.unique(few.cycle).tolist() == [0, 3, 6, 9, 12, 15, 18]
    assert few.sign.tolist() == [1, -1] * 7


def test_a_short_ramp_of_the_wrong_direction_is_named():
    """Of 13 readings, too few for a rank test alone."""
    up = np.linspace(1e-6, 2e-6, 13)
    columns = {"cycle": [], "direction": [], "pulse": [], "conductance_S": []}
    for cycle in (1, 2, 3, 4):
        turns = (("down", up), ("up", up[::-1])) if cycle == 2 else (("up", up), ("down", up[::-1]))
        for direction, values in turns:
            columns["cycle"] += [cycle] * 13
            columns["direction"] += [direction] * 13
            columns["pulse"] += [*range(13)]
            columns["conductance_S"] += values.tolist()
    with pytest.raises(DataError, match=r"cycle 2, \w+: the ramp (falls|rises): correct its"):
        from_table(columns)
