"""A sweep of gates on bitstreams of devices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.bitstreams import SwitchingDevice, mean_scc
from memjax.errors import UserError
from memjax.experiments.bitstreams import Bitstreams
from memjax.sweep import Spec, run
from memjax.sweep.search.search import search

LENGTHS = [16, 40, 256]


def swept(axes=None, out=None, **tables):
    study = {"lengths": LENGTHS, "repetitions": 500} | tables.pop("study", {})
    return run(spec_of(axes, study=study, **tables), out)


def spec_of(axes=None, **tables):
    return Spec.from_dict({"seeds": 1, "axes": axes or {}, **tables}, experiment=Bitstreams)


def test_errors_of_ideal_devices_are_those_of_fair_bits():
    axes = {"gate": ["and", "xor", "mux", "divide", "fuse"], "encoder": ["two_devices", "shared"]}
    ds = swept(axes, study={"p": 0.3, "q": 0.6})
    assert ds.rms_error.dims == ("gate", "encoder", "seed", "length")
    assert ds.attrs["objective"] == "rms_error" and ds.attrs["better"] == "lower"
    ratio = (ds.rms_error / ds.theory).isel(length=[1, 2])
    assert float(ratio.min()) > 0.9 and float(ratio.max()) < 1.1
    shared = ds.scc.sel(encoder="shared").isel(length=2)
    np.testing.assert_allclose(shared, 1.0, atol=1e-5)
    independent = ds.scc.sel(encoder="two_devices", gate="and", length=16)
    assert abs(float(independent.mean()) - mean_scc(0.3, 0.6, 16)) < 0.08
    assert float(abs(ds.bias.sel(length=256)).max()) < 0.005


def test_devices_that_remember_are_told_by_the_autocorrelation():
    """``q (1 - p)`` of failing RESETs; and the same numbers whatever the lengths in between."""
    device = {"rho": 0.9, "sigma_v0_c2c": 0.002}
    ds = swept({"reset_failure": [0.0, 0.3]}, study={"lengths": [16, 40, 512]}, device=device)
    last = ds.isel(length=-1, seed=0)
    assert float(last.autocorrelation.sel(reset_failure=0.3)) == pytest.approx(0.12, abs=0.03)
    assert float(last.bias.sel(reset_failure=0.3)) > 0.05
    assert abs(float(last.bias.sel(reset_failure=0.0))) < 0.02
    short = swept({"reset_failure": [0.0, 0.3]}, study={"lengths": [40]}, device=device)
    for column in ("rms_error", "scc", "autocorrelation"):
        found, wanted = short[column].isel(length=0), ds[column].isel(length=1)
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_calibration_takes_the_bias_that_a_spread_leaves():
    ds = swept(
        {"calibration": ["nominal", "mean", "device"], "sigma_v0_d2d": [0.0, 0.03]},
        device={"sigma_v0_c2c": 0.03},
        study={"repetitions": 2000},
    )
    last = ds.isel(length=-1, seed=0)
    bias = abs(last.bias.sel(sigma_v0_d2d=0.0))
    assert float(bias.sel(calibration="nominal")) > 0.012 > 6 * float(bias.sel(calibration="mean"))
    rms = (last.rms_error / last.theory).sel(sigma_v0_d2d=0.03)
    assert float(rms.sel(calibration="device")) == pytest.approx(1.0, abs=0.06)
    assert float(rms.sel(calibration="mean")) > 3


def test_the_shape_of_a_pulse_matters_to_a_spread_of_v0():
    """Of a larger voltage a part is more volts."""
    ds = swept({"width": [1e-6, 1e-2]}, device={"sigma_v0_d2d": 0.02})
    assert float(ds.rms_error.isel(length=-1).sel(width=1e-6).item()) > 1.2 * float(
        ds.rms_error.isel(length=-1).sel(width=1e-2).item()
    )


def test_longer_streams_go_on_where_states_were_kept(tmp_path):
    engine = {"engine": {"keep_states": True, "width": 1}}
    device = {"reset_failure": 0.2, "sigma_v0_d2d": 0.01}
    axes = {"p": [0.3, 0.6]}
    swept(axes, tmp_path, study={"lengths": [16, 40]}, device=device, **engine)
    grown = swept(axes, tmp_path, device=device, **engine)
    whole = swept(axes, device=device, **engine)
    assert grown.drop_attrs().identical(whole.drop_attrs())


def test_a_search_finds_how_much_spread_an_error_allows():
    spec = spec_of(
        {"sigma_v0_d2d": {"linspace": [0, 0.05, 6]}},
        study={"lengths": [1024], "repetitions": 500},
    )
    found = search(spec, 0.05, "sigma_v0_d2d", lanes=6)
    assert found.attrs["along"] == "sigma_v0_d2d"


def test_options_without_effect_are_told():
    ds = swept(
        {"p": [0.3, 0.6]},
        device={"rho": 0.5},
        pulse={"amplitude": 2.0},
        study={"select": 0.2, "later": 3},
    )
    notes = " ".join(np.atleast_1d(ds.attrs["notes"]))
    for name in ("device.rho", "pulse.amplitude", "study.select", "study.later"):
        assert f"{name} has no effect" in notes
    used = Bitstreams(gate="mux", select=0.2, encoder="delayed", later=3)
    assert not used.notes([])
    rho = Bitstreams(device=SwitchingDevice(rho=0.5))
    assert not rho.notes([{"device.sigma_v0_c2c": [0.0, 0.1]}])
    assert "of independent streams" in Bitstreams(gate="divide").notes([])[0]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"study": {"lengths": [64, 16]}}, "must be numbers that rise"),
        ({"study": {"gate": "nand"}}, "gate = 'nand' must be one of and, or"),
        ({"study": {"p": 1.5}}, "p: 1.5 must be at most 1"),
        ({"axes": {"p": [0.5, -0.1]}}, "must be at least 0"),
        ({"device": {"model": "EpiRAM"}}, "unknown key"),
        ({"device": {"tau": 1.0}}, "did you mean 'tau0'"),
        ({"pulse": {"calibration": "all"}}, "must be one of nominal, mean, device"),
    ],
)
def test_a_wrong_specification_is_a_line(tables, message):
    with pytest.raises(UserError, match=message) as caught:
        run(Spec.from_dict({"seeds": 1, **tables}, experiment=Bitstreams))
    assert "\n" not in str(caught.value)


def test_a_lane_is_pure():
    lane, key = Bitstreams(lengths=(16, 40), repetitions=8), jax.random.key_data(jax.random.key(0))
    states = [lane.advance(lane.init(key, ()), key, jnp.int32(0), ())[0] for _ in range(2)]
    assert all(map(np.array_equal, *map(jax.tree.leaves, states)))
