"""Whole devices side by side: presets, models and files on one axis."""

import tomllib

import jax
import numpy as np
import pytest

from memjax.devices import PRESETS, ConstantStep, get, save
from memjax.errors import SpecError
from memjax.pytree import batched
from memjax.sweep import Spec, run
from memjax.sweep.spec.grid import parameter_values, static_groups


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.toml"
    save(path, get("EpiRAM", nl_up=1.25, sigma_d2d=0.1))
    return str(path)


def test_every_lane_is_its_device(small, mine):
    """Each static group builds just the devices that its lanes name."""
    names = ["ag:a-si", "EpiRAM", "ReRamES", "PhaseChange", "PiecewiseStep", mine]
    spec = small({"device": names, "sigma_read": [0.0, 0.1]}, 1)
    seen = {}
    for lanes in static_groups(spec):
        devices = batched(spec.built(parameter_values(spec, lanes)).device, len(lanes))
        for row, lane in enumerate(lanes):
            seen[int(lane)] = jax.tree.map(lambda leaf, row=row: leaf[row], devices)
    assert len(seen) == 12
    for lane, device in seen.items():
        expected = get(names[lane % 6], sigma_read=0.1 * (lane // 6))
        assert type(device) is type(expected)
        for leaf, same in zip(jax.tree.leaves(device), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(leaf, same, rtol=1e-5)


PAIR = {"device": ["EpiRAM", "EpiRAM", "GokmenVlasov"], "learning_rate": [0.1, 0.3, 0.1]}
"""A zipped group: each device at learning rates of its own."""


def test_a_zipped_group_may_have_devices(small, tiny):
    """Its lanes are those of the device alone, and it reads back equal."""
    spec = small({"pair": PAIR}, 2)
    assert Spec.from_dict(tomllib.loads(spec.to_toml())) == spec
    swept = run(spec, dataset=tiny)
    for name, values in PAIR.items():
        assert swept[name].dims == ("pair",) and swept[name].values.tolist() == values
    assert "sigma_d2d" not in swept.coords
    own = small({"pair": {**PAIR, "levels": [8, 16, 32]}}, 1)
    assert own.lane({n: c[1] for n, c in own.axes[0].columns.items()}).device.levels == 16
    assert own.axes[0].along()["levels"] == [8, 16, 32]
    alone = run(small({}, 2, device={"model": "GokmenVlasov"}), dataset=tiny)
    np.testing.assert_array_equal(swept.train_loss.sel(pair=2), alone.train_loss)


@pytest.mark.parametrize(
    ("group", "told"),
    [
        ({"device": ["EpiRAM"]}, "pair.*has devices alone; write device = "),
        ({**PAIR, "learning_rate": [0.1]}, "device has 3"),
        ({**PAIR, "learning_rate": [0.1, 0.1, 0.2]}, "is there twice"),
        ({**PAIR, "learning_rate": [0.1, 0.1 + 1e-12, 0.2]}, "one point to a float32"),
        ({**PAIR, "device": ["EpiRAM", "EpiRAN", "GokmenVlasov"]}, "did you mean EpiRAM"),
        ({"device": ["EpiRAM", "GokmenVlasov"], "nl_up": [1, 2]}, "ConstantStep has no such"),
    ],
)
def test_what_no_such_group_can_be_is_told(small, group, told):
    with pytest.raises(SpecError, match=told):
        small({"pair": group}, 1)


@pytest.mark.parametrize(
    "text",
    [
        '[device]\nmodel = "mine.toml"\n',
        '[axes]\ndevice = ["mine.toml", "EpiRAM"]\n',
        '[axes.pair]\ndevice = ["mine.toml", "EpiRAM"]\nlearning_rate = [0.1, 0.2]\n',
    ],
)
def test_a_device_file_is_looked_for_beside_the_specification(tmp_path, monkeypatch, text):
    save(tmp_path / "mine.toml", ConstantStep(levels=77.0))
    (tmp_path / "spec.toml").write_text(text)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "77.0" in Spec.from_toml(tmp_path / "spec.toml").to_toml()


def test_neurosims_table_is_one_compilation():
    names = [name for name in PRESETS if PRESETS[name].device.c2c == "pulse"]
    assert len(names) == 8
    groups = static_groups(Spec.from_dict({"axes": {"device": names}}))
    assert [len(lanes) for lanes in groups] == [8 * 3]  # 3 seeds


def test_a_lane_is_the_device_run_alone(small, tiny):
    swept = run(small({"device": ["EpiRAM", "GokmenVlasov"]}, 2), dataset=tiny)
    alone = run(small({}, 2, device={"model": "GokmenVlasov"}), dataset=tiny)
    np.testing.assert_array_equal(swept.train_loss.sel(device="GokmenVlasov"), alone.train_loss)
    assert swept.device.values.tolist() == ["EpiRAM", "GokmenVlasov"]


def test_resolved_specification_reads_back_without_the_file(mine, tmp_path):
    """With every value in it, so that another content of the file cannot pass for the same."""
    raw = {"axes": {"device": ["EpiRAM", mine, "ReRamSB"], "levels": [8, 16]}, "seeds": 1}
    spec = Spec.from_dict(raw | {"device": {"sigma_c2c": 0.5}})
    resolved = tmp_path / "spec.toml"
    resolved.write_text(spec.to_toml())
    (tmp_path / "mine.toml").unlink()
    assert Spec.from_toml(resolved) == spec
    (axis,) = (axis for axis in spec.axes if axis.name == "device")
    assert axis.names == ["EpiRAM", "mine", "ReRamSB"]
    assert "sigma_c2c" not in axis.columns and "levels" not in axis.columns


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            {"axes": {"device": ["EpiRAN"]}},
            r"\[axes\] device: no device is called 'EpiRAN'; did you",
        ),
        ({"axes": {"device": ["EpiRAM", "epiram"]}}, "'EpiRAM' is there twice"),
        ({"axes": {"device": []}}, "must be a list of devices"),
        (
            {"axes": {"device": {"names": ["EpiRAM"]}}},
            "has no list model; write the axis as a list",
        ),
        ({"axes": {"device": {"names": ["a", "b"], "model": ["Ernoult"]}}}, "a list of 2 values"),
        ({"axes": {"device": [3]}}, "must be a list of devices"),
        ({"axes": {"device": ["no.toml"]}}, "no.toml: no such file"),
        (
            {"axes": {"device": ["EpiRAM"]}, "device": {"nl_upp": 1}},
            r"\[device\] nl_upp: unknown key",
        ),
        ({"axes": {"device": ["EpiRAM"], "gamma": [1]}}, r"\[axes\] gamma: unknown key"),
        ({"axes": {"device": ["EpiRAM"]}, "device": {"levels": 1}}, "levels: 1 must be at least 2"),
    ],
)
def test_mistakes_are_one_line(raw, message):
    with pytest.raises(SpecError, match=message):
        Spec.from_dict(raw)


def test_a_preset_in_the_device_section_is_written_out():
    section = Spec.from_dict({"device": {"model": "reramES", "sigma_c2c": 1}}).sections["device"]
    assert section["model"] == "ExponentialStep"
    assert section["sigma_c2c"] == 1
    assert section["amplitude_up"] == pytest.approx(-1.18445)
