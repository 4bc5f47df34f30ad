"""The code in docs/ runs as it stands."""

import re
import tomllib
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from memjax import fit
from memjax.devices import MODELS, get, pulse_response
from memjax.devices.c2c import CONVENTIONS
from memjax.devices.ltp_ltd import respond, to_csv
from memjax.devices.physical import PHYSICAL
from memjax.experiments.inference import Inference
from memjax.sweep import Spec, run
from memjax.sweep.run import job
from reference.trees import bits

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def own_device(monkeypatch):
    """What a reader of docs/extending.md gets, and no trace of it afterwards."""
    for name, model in MODELS.items():
        monkeypatch.setitem(MODELS, name, model)
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "extending.md").read_text(), re.S)
    scope: dict = {}
    exec(code, scope)
    yield scope["CosineStep"]
    del MODELS["CosineStep"]


def test_a_device_of_ones_own_pulses_and_sweeps(own_device):
    device = own_device(levels=11, width=0.5)
    after = np.asarray(pulse_response(device, 2, 0, start=0.5))
    assert np.allclose(after, [0.5, 0.6, 0.6 + 0.1 * np.cos(0.05 * np.pi)], rtol=1e-6)
    population = jax.vmap(lambda key: pulse_response(device, 50, 50, key=key))(
        jax.random.split(jax.random.key(0), 4)
    )
    assert np.all((population >= 0) & (population <= 1))
    results = run(
        Spec.from_dict(
            {
                "seeds": 1,
                "axes": {"width": [0.0, 0.9]},
                "device": {"model": "CosineStep", "levels": 64},
                "cell": {"weight_range": 1.0},
                "train": {"epochs": 2},
            }
        )
    )
    assert results.test_accuracy.dims == ("width", "seed", "epoch")
    final = results.test_accuracy.isel(epoch=-1, seed=0)
    assert float(final.sel(width=0)) > 0.8 and float(final.sel(width=0.9)) > 0.5  # chance: 0.1


def test_a_device_of_ones_own_by_name_in_pulse_and_fit(own_device):
    """Its name works on the command line's way, and a fit finds its parameters again."""
    true = get("cosinestep", levels=40, width=0.7, sigma_c2c=0.1, gmax=1e-4)
    rows = to_csv(respond(true, 30, 30, cycles=8, seed=3)).splitlines()[1:]
    cells = [row.split(",") for row in rows]
    table = {"cycle": [], "direction": [], "pulse": [], "conductance_S": []}
    for pulse, direction, _, siemens in cells:
        number = int(pulse)
        table["cycle"].append(max(number - 1, 0) // 60)
        table["direction"].append(direction)
        table["pulse"].append(number)
        table["conductance_S"].append(float(siemens))
    fits = fit(table, model="CosineStep", window=(1e-5, 1e-4))
    found = {name: (value, error) for name, value, error, _ in fits.best.parameters}
    assert abs(found["width"][0] - 0.7) < 3 * found["width"][1] < 0.2
    assert abs(found["levels"][0] - 40) < 3 * found["levels"][1] < 8


def test_a_model_of_ones_own_goes_from_its_page_into_a_sweep(tmp_path):
    page = (DOCS / "own_model.md").read_text()
    model, from_python = re.findall(r"```python\n(.*?)```", page, re.S)
    (toml,) = re.findall(r"```toml\n(.*?)```", page, re.S)
    (tmp_path / "my_cnn.py").write_text(model)
    (tmp_path / "my_sweep.toml").write_text(toml)
    scope: dict = {}
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        checked = job(Spec.from_toml(tmp_path / "my_sweep.toml"))
        exec(model + from_python, scope)
    assert len(checked.keys["lanes"]) == 18
    assert float(scope["results"].test_accuracy.sel(levels=128, epoch=3).mean()) > 0.6


def test_code_in_the_devices_page_runs():
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "devices.md").read_text(), re.S)
    scope: dict = {}
    exec(code, scope)
    curve = np.asarray(pulse_response(scope["device"], 100, 100))
    assert curve[100] > 0.9 and 0 < curve[200] < 0.5


def test_the_devices_page_names_every_model_and_convention():
    page = (DOCS / "devices.md").read_text()
    assert all(f"`{name}" in page for name in (*MODELS, *CONVENTIONS, *PHYSICAL))


def test_an_experiment_of_ones_own(tmp_path):
    """The page's file and specification, as they stand."""
    text = (DOCS / "experiments.md").read_text()
    for kind, name in (("python", "my_study.py"), ("toml", "retention.toml")):
        (block,) = re.findall(f"```{kind}\n(.*?)```", text, re.S)
        (tmp_path / name).write_text(block)
    results = run(Spec.from_toml(tmp_path / "retention.toml"))
    assert results.rms_error.dims == ("sigma_c2c", "drift", "seed", "time_s")
    last = results.rms_error.isel(time_s=-1).mean("seed")
    assert float(last.sel(sigma_c2c=0).diff("drift").min()) > 0
    first = results.rms_error.isel(time_s=0, drift=0).mean("seed")
    assert float(first.diff("sigma_c2c").min()) > 0


@pytest.mark.filterwarnings("ignore:.*sigma_read:memjax.DevicesWarning")
def test_transforms_in_a_model_of_ones_own():
    """docs/transforms.md from top to bottom; what it restores is what it saved."""
    scope: dict = {}
    page = (DOCS / "transforms.md").read_text()
    with jax.numpy_rank_promotion("allow"):  # Flax adds biases so
        for code in re.findall(r"```python\n(.*?)```", page, re.S):
            exec(code, scope)
    assert bits(scope["restored"]) == bits(scope["saved"])
    assert jax.tree.structure(scope["restored"]) == jax.tree.structure(scope["saved"])
    assert scope["siemens"].shape == (256, 10)
    assert scope["states"].omega["out"]["kernel"].shape == (3,)


def test_the_page_of_arrays():
    """docs/arrays.md: its code, and its specifications but for the model."""
    page = (DOCS / "arrays.md").read_text()
    made: dict[str, Any] = {}
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        for code in re.findall(r"```python\n(.*?)```", page, re.S):
            exec(code, made)
    assert float(made["energy"]) > 0
    assert made["y"].shape == (50, 10) and made["later"].shape == (5, 10)
    assert 0.1 < float(made["lost"]) < 0.3
    inference, in_situ = re.findall(r"```toml\n(.*?)```", page, re.S)
    spec = tomllib.loads(inference.replace('flax = "my_cnn.py:CNN"', ""))
    read = Spec.from_dict(spec, experiment=Inference(call=made["CNN"]))
    assert read.lane({"adc_bits": 4, "sigma": 0.02}).programming.sigma == 0.02
    lane = Spec.from_dict(tomllib.loads(in_situ)).lane({"adc_bits": 4, "r_access": 15e3})
    lane.check()
    assert lane.array.backward == "read" and lane.array.tile_rows == 128


def test_the_page_of_spiking_networks():
    """A spiking model of one's own learns, on devices, what its page says."""
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "spiking.md").read_text(), re.S)
    scope: dict = {}
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        exec(code, scope)
    assert scope["step"] == 89 and np.any(scope["weights"])


def test_the_page_of_boltzmann_machines():
    """docs/boltzmann.md: its code, and its specification."""
    page = (DOCS / "boltzmann.md").read_text()
    made: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.S):
        exec(code, made)
    assert made["dreamt"].shape == (20, 64) and made["answers"].shape == (20,)
    (table,) = re.findall(r"```toml\n(.*?)```", page, re.S)
    lane = Spec.from_dict(tomllib.loads(table)).lane({"levels": 100, "algorithm": "rprop"})
    lane.check()
    assert lane.cell.held == "translated" and lane.train.epochs == 30


def test_the_page_of_bitstreams():
    page = (DOCS / "bitstreams.md").read_text()
    made: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.S):
        exec(code, made)
    assert abs(float(made["quotient"]) - 0.4) < 0.05
    (toml,) = re.findall(r"```toml\n(.*?)```", page, re.S)
    lane = Spec.from_dict(tomllib.loads(toml)).lane({"gate": "xor", "sigma_v0_d2d": 0.02})
    assert lane.pulse.calibration == "mean" and lane.gate == "xor"
